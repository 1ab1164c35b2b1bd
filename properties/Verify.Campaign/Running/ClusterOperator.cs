using Broker.Runtime;
using Verify.Clients;
using Verify.Workloads;

namespace Verify.Campaign.Running;

/// <summary>Who creates the topic under test, waits for full ISRs and moves leaderships; works from the operator's node.</summary>
internal sealed class ClusterOperator(Scenario scenario, ClientKit clients)
{
    private const int MoveAttempts = 5;

    /// <summary>Any one broker: enough where no fault can have kept news of an election from it, before the first one and between the restarts at the end.</summary>
    public static readonly NodeId?[] Anybody = [null];

    /// <summary>How long to wait for the topic, and for full ISRs; null: as a simulated run does.</summary>
    public TimeSpan? Patience { get; init; }

    /// <summary>Settings of the topic under test itself; null where the cluster's defaults are those.</summary>
    public IReadOnlyList<KeyValuePair<string, string>>? TopicSettings { get; init; }

    /// <summary>The topic under test, known to every broker; false when it did not come to full ISRs in time.</summary>
    public Task<bool> CreateTopicAsync(IHost host, int partitions) => CreateTopicAsync(host, new NewTopic(ClusterNodes.Topic, partitions, (short)scenario.Configuration.ReplicationFactor, Configuration: scenario.Plan.Workload == WorkloadNames.Compaction ? CompactionRun.TopicSettings : TopicSettings));

    public async Task<bool> CreateTopicAsync(IHost host, NewTopic topic)
    {
        var admin = clients.Admin(host);
        var deadline = host.Time.Monotonic() + (Patience ?? RunLimits.Boot);
        while (host.Time.Monotonic() < deadline)
        {
            await host.Time.DelayAsync(TimeSpan.FromMilliseconds(50));
            var created = await admin.CreateTopicAsync(topic, RunLimits.Admin);
            if (created.Kind == OutcomeKind.Ok || created.Error == Broker.Protocol.ErrorCode.TopicAlreadyExists) break;
        }
        foreach (var broker in ClusterNodes.Brokers(scenario.Configuration.Brokers).Ids()) await KnownAsync(host, admin, topic.Name, new NodeId(broker), deadline);
        admin.Close();
        return await InSyncAsync(host, [.. Enumerable.Range(0, topic.Partitions).Select(index => new TopicPartition(topic.Name, index))], Anybody);
    }

    /// <summary>Waits until a broker knows the topic: what is sent before is refused, and with acks=0 nobody is told.</summary>
    private static async Task KnownAsync(IHost host, IAdmin admin, string topic, NodeId broker, TimeSpan deadline)
    {
        while (host.Time.Monotonic() < deadline && !(await admin.DescribeTopicAsync(topic, RunLimits.Admin, broker)).IsKnown)
            await host.Time.DelayAsync(TimeSpan.FromMilliseconds(20));
    }

    /// <summary>Every broker: the metadata of one may be old, and what it tells may be how things were before the last election.</summary>
    public IReadOnlyList<NodeId?> Everybody => [.. ClusterNodes.Brokers(scenario.Configuration.Brokers).Ids().Select(static id => (NodeId?)new NodeId(id))];

    /// <summary>Waits until all who are asked say the same of every partition: who leads it in which epoch, and that all its replicas are in sync; false when that takes too long.</summary>
    public async Task<bool> InSyncAsync(IHost host, IReadOnlyList<TopicPartition> partitions, IReadOnlyList<NodeId?> asked)
    {
        var admin = clients.Admin(host);
        var deadline = host.Time.Monotonic() + (Patience ?? RunLimits.Recovery);
        var inSync = false;
        while (!inSync && host.Time.Monotonic() < deadline)
        {
            var known = new List<TopicDescription>();
            foreach (var broker in asked)
                if ((await admin.DescribeTopicAsync(partitions[0].Topic, RunLimits.Admin, broker)).Value is { } told) known.Add(told);
            inSync = known.Count == asked.Count && partitions.All(partition => IsFull(partition, known));
            if (!inSync) await host.Time.DelayAsync(TimeSpan.FromMilliseconds(100));
        }
        admin.Close();
        return inSync;
    }

    private bool IsFull(TopicPartition partition, List<TopicDescription> known)
    {
        var told = known.ConvertAll(topic => topic.Partitions.FirstOrDefault(one => one.Partition == partition.Partition));
        return told.TrueForAll(one => one is not null && one.Leader != NodeId.None && one.InSyncReplicas.Count == OffsetsPlan.ReplicasOf(scenario.Configuration, partition)
            && (one.Leader, one.LeaderEpoch) == (told[0]!.Leader, told[0]!.LeaderEpoch));
    }

    /// <summary>Tries more than once: right after the heal brokers still find out that their old connections to the controllers are dead, and the operator gets no answer.</summary>
    public async Task<bool> MakeLeadAsync(IHost host, TopicPartition partition, NodeId leader)
    {
        for (var attempt = 1; attempt <= MoveAttempts; attempt++)
        {
            if (await MoveLeaderAsync(host, partition, leader)) return true;
            await host.Time.DelayAsync(TimeSpan.FromMilliseconds(200));
        }
        return false;
    }

    public async Task<bool> MoveLeaderAsync(IHost host, TopicPartition partition, NodeId to)
    {
        var admin = clients.Admin(host);
        var moved = await admin.MoveLeaderAsync(partition, to, RunLimits.Admin);
        admin.Close();
        return moved.Kind == OutcomeKind.Ok;
    }
}
