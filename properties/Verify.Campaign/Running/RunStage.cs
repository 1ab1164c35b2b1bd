using Broker.Runtime;
using Chaos.Faults;
using Chaos.Simulation;
using Verify.History;
using Verify.Workloads;

namespace Verify.Campaign.Running;

/// <summary>How long a run waits for what must come, in virtual time.</summary>
internal static class RunLimits
{
    public static readonly TimeSpan Boot = TimeSpan.FromSeconds(20), Recovery = TimeSpan.FromSeconds(30), Read = TimeSpan.FromSeconds(10), Admin = TimeSpan.FromSeconds(2);

    /// <summary>Some rounds of fetching.</summary>
    public static readonly TimeSpan Settling = TimeSpan.FromSeconds(2);
}

/// <summary>What every workload plays on: a world with its cluster, its nemesis and an operator, and the phases that all runs go through.</summary>
internal sealed class RunStage(Scenario scenario, SimWorld world, SimCluster cluster, HistoryRecorder recorder, Nemesis nemesis, ClientKit clients)
{
    private readonly ClientNode operatorNode = new(world, ClusterNodes.Operator, "operator");
    private readonly ClusterOperator cares = new(scenario, clients);

    public Scenario Scenario => scenario;

    public SimWorld World => world;

    public SimCluster Cluster => cluster;

    public HistoryRecorder Recorder => recorder;

    public ClientKit Clients => clients;

    /// <summary>The cluster came up and the topic under test was there before the first fault.</summary>
    public bool Ready { get; private set; }

    /// <summary>From the last heal to recovery; null when that did not come in time.</summary>
    public TimeSpan? RecoveredAfter { get; set; }

    public NodeSet Brokers => ClusterNodes.Brokers(scenario.Configuration.Brokers);

    public Task<T> OperateAsync<T>(Func<IHost, Task<T>> work) => operatorNode.DoAsync(work);

    /// <summary>Starts so many clients, each on a node of its own.</summary>
    /// <param name="idOf">The node of a client by its number.</param>
    public Task[] StartClients(int count, string name, Func<int, NodeId> idOf, Func<IHost, int, Task> work) =>
        [.. Enumerable.Range(0, count).Select(i => new ClientNode(world, idOf(i), $"{name}-{i}").DoAsync(host => work(host, i)))];

    /// <summary>Starts the cluster and creates the topic under test; <see cref="Ready"/> says whether it came up.</summary>
    public async Task BootAsync()
    {
        cluster.Start();
        Ready = await OperateAsync(host => cares.CreateTopicAsync(host, scenario.Plan.Partitions));
        if (Ready && !scenario.Plan.Members.IsEmpty) Ready = await OperateAsync(host => cares.CreateTopicAsync(host, OffsetsPlan.New));
    }

    /// <summary>The safety phase: clients work while faults come and go; then everything is healed.</summary>
    public async Task UnderFaultsAsync(Task[] working)
    {
        nemesis.Start();
        await world.Time.DelayAsync(scenario.Length);
        nemesis.HealAll();
        cluster.Start();                                               // an operator starts again what stopped by itself
        recorder.Heal();
        foreach (var client in working) await client;
    }

    /// <summary>Every broker tells of full ISRs; false when that takes too long.</summary>
    public Task<bool> AllInSyncAsync(IReadOnlyList<TopicPartition> partitions) => OperateAsync(host => cares.InSyncAsync(host, partitions, cares.Everybody));

    /// <summary>Some broker tells of full ISRs; false when that takes too long.</summary>
    public Task<bool> InSyncAsync(IReadOnlyList<TopicPartition> partitions) => OperateAsync(host => cares.InSyncAsync(host, partitions, ClusterOperator.Anybody));

    /// <summary>Moves leadership to each replica in turn and reads the whole log there: what survived healing only in parts shows now.</summary>
    /// <param name="read">Reads everything from the beginning.</param>
    public async Task TourAsync(IReadOnlyList<TopicPartition> partitions, Func<IHost, Task<bool>> read)
    {
        await OperateAsync(read);
        foreach (var broker in Brokers.Ids())
        {
            var moved = false;
            foreach (var partition in partitions)
                moved |= await OperateAsync(host => cares.MakeLeadAsync(host, partition, new NodeId(broker)));
            if (moved) await OperateAsync(read);
        }
    }

    /// <summary>What the nemesis asks of the operator; nobody waits for it.</summary>
    public bool MoveLeadership(TopicPartition partition, NodeId to)
    {
        _ = OperateAsync(host => cares.MoveLeaderAsync(host, partition, to));
        return true;
    }
}
