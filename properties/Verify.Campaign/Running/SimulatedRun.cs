using Broker.Core;
using Broker.Core.Metadata;
using Broker.Runtime;
using Chaos.Faults;
using Chaos.Simulation;
using Verify.Clients;
using Verify.History;
using Verify.Promises;
using Verify.Workloads;
using Verify.Zoo;

namespace Verify.Campaign.Running;

/// <summary>What one run left behind: everything that checkers, promises and stories need, and nothing that could still change.</summary>
/// <param name="Ready">The cluster came up and the topic under test was there before the first fault.</param>
/// <param name="RecoveredAfter">From the last heal to full ISRs and accepted probes; null when that did not come in time.</param>
public sealed record RunRecord(
    Scenario Scenario, HistoryLog History, Journal Journal, IReadOnlyList<FaultOutcome> Faults, IReadOnlyDictionary<string, int> Bitten,
    IReadOnlyList<NodeFailure> Failures, ulong TraceHash, TimeSpan Simulated, bool Ready, TimeSpan? RecoveredAfter);

/// <summary>Plays a scenario: boots a cluster, lets clients and nemesis loose, heals, waits for recovery, tours the leaderships and reads everything again.</summary>
public sealed class SimulatedRun
{
    private static readonly TimeSpan BootLimit = TimeSpan.FromSeconds(20), RecoveryLimit = TimeSpan.FromSeconds(30), ReadLimit = TimeSpan.FromSeconds(10), AdminTimeout = TimeSpan.FromSeconds(2);

    /// <summary>Some rounds of fetching.</summary>
    private static readonly TimeSpan SettlingTime = TimeSpan.FromSeconds(2);

    private const int MoveAttempts = 5;

    /// <summary>Any one broker: enough where no fault can have kept news of an election from it, before the first one and between the restarts at the end.</summary>
    private static readonly NodeId?[] Anybody = [null];

    private readonly Scenario scenario;
    private readonly SimWorld world;
    private readonly SimCluster cluster;
    private readonly HistoryRecorder recorder;
    private readonly ClientNode operatorNode;
    private readonly Nemesis nemesis;
    private readonly ClientKit kit;
    private readonly TaskScope clientScope = new();
    private bool ready;
    private TimeSpan? recoveredAfter;

    private SimulatedRun(Scenario scenario, Mutant? mutant, HistoryLog history)
    {
        this.scenario = scenario;
        world = new SimWorld(scenario.Seed, OptionsOf(scenario.World));
        cluster = new SimCluster(world, ClusterOf(scenario), () => mutant is null ? new BrokerRules() : mutant.Broker(new BrokerRules()));
        world.AfterTurn = cluster.AssertInvariants;
        recorder = new HistoryRecorder(history, () => world.Now.Ticks * TimeSpan.NanosecondsPerTick);
        kit = Kit(scenario, cluster, clientScope, () => mutant is null ? new ClientRules() : mutant.Client(new ClientRules()));
        operatorNode = new ClientNode(world, ClusterNodes.Operator, "operator");
        nemesis = world.Unleash(scenario.Faults);
        var power = new PowerLimit(scenario.PowerLimit, ClusterNodes.Brokers(scenario.Configuration.Brokers), scenario.Configuration.ReplicationFactor);
        world.Subscribe((in Observation seen, TimeSpan _) => power.Observe(seen));
        nemesis.Veto = power.Forbids;
        world.MoveLeadership = (partition, to) =>
        {
            _ = operatorNode.DoAsync(host => MoveLeaderAsync(host, partition, to));
            return true;
        };
    }

    /// <param name="mutant">The planted bug that the scenario names, null for the faithful broker.</param>
    /// <param name="into">An empty log to record into; the caller may use it again once the record is judged.</param>
    public static RunRecord Play(Scenario scenario, Mutant? mutant = null, HistoryLog? into = null)
    {
        Invariant.Holds(scenario.Mutant == mutant?.Slug);
        var run = new SimulatedRun(scenario, mutant, into ?? new HistoryLog());
        try
        {
            run.world.Run(run.PlayAsync, scenario.Length + BootLimit + RecoveryLimit * 2 + TimeSpan.FromSeconds(60));
        }
        catch (RunTooLongException)
        {
            run.recoveredAfter = null;                                 // what has been recorded is judged; recovery it was not
        }
        if (run.clientScope.Failed.Exception is { } failure) throw failure;
        return new RunRecord(
            scenario, run.recorder.Log, run.world.Journal, run.nemesis.Outcomes, run.nemesis.Bitten, run.world.Failures, run.world.TraceHash, run.world.Now, run.ready, run.recoveredAfter);
    }

    private async Task PlayAsync()
    {
        cluster.Start();
        if (scenario.Plan.Workload == WorkloadNames.Log) await PlayLogAsync();
        else await PlayMetadataAsync();
    }

    private async Task PlayLogAsync()
    {
        var plan = scenario.Plan;
        ready = await operatorNode.DoAsync(host => CreateTopicAsync(host, plan.Partitions));
        if (!ready) return;
        var workload = new LogWorkload(plan, ClusterNodes.Topic, recorder, kit);
        var readers = Enumerable.Range(0, plan.Readers).Select(i => new ClientNode(world, ClusterNodes.Reader(i), $"reader-{i}").DoAsync(host => workload.ReadAsync(host, i))).ToArray();
        var producers = Enumerable.Range(0, plan.Clients).Select(i => new ClientNode(world, ClusterNodes.Client(i), $"producer-{i}").DoAsync(host => workload.ProduceAsync(host, i))).ToArray();
        await UnderFaultsAsync(producers);

        var healed = world.Now;
        var recovered = await operatorNode.DoAsync(host => InSyncAsync(host, workload.Partitions, Everybody))
            & await operatorNode.DoAsync(host => workload.ProbeAsync(host, RecoveryLimit));
        if (recovered) recoveredAfter = world.Now - healed;
        workload.ReadersMayStop = true;
        foreach (var reader in readers) await reader;
        await TourAsync(workload);

        // With acks=0 what was sent counts. A sending of a closed connection may have come to a leader only just before the tour deposed it: by its next fetch it is cut, and seen to be lost.
        if (scenario.Configuration.Acks == Acks.Zero) await world.Time.DelayAsync(SettlingTime);
    }

    private async Task PlayMetadataAsync()
    {
        var plan = scenario.Plan;
        ready = await operatorNode.DoAsync(host => CreateTopicAsync(host, plan.Partitions));
        if (!ready) return;
        var workload = new MetadataWorkload(plan, replicationFactor: 1, AdminTimeout, recorder, kit);   // at stake is what the quorum remembers; replicas would only cost time
        var clients = Enumerable.Range(0, plan.Clients).Select(i => new ClientNode(world, ClusterNodes.Client(i), $"client-{i}").DoAsync(host => workload.RunAsync(host, i))).ToArray();
        await UnderFaultsAsync(clients);

        var healed = world.Now;
        var recovered = await operatorNode.DoAsync(host => InSyncAsync(host, [new TopicPartition(ClusterNodes.Topic, 0)], Everybody));
        if (recovered) recoveredAfter = world.Now - healed;
        // Every voter leads in turn, and brokers that learn everything anew from it are asked what topics there are.
        foreach (var _ in ClusterNodes.Controllers.Ids())
        {
            await cluster.RestartAsync(ClusterNodes.Brokers(scenario.Configuration.Brokers));
            if (await operatorNode.DoAsync(host => InSyncAsync(host, [new TopicPartition(ClusterNodes.Topic, 0)], Anybody)))
                await operatorNode.DoAsync(host => workload.ListFinallyAsync(host, ReadLimit));
            if (world.Find(new NodeRef.ActiveController()) is { } active) await cluster.RestartAsync(NodeSet.Of([active.Value]));
        }
    }

    /// <summary>The safety phase: clients work while faults come and go; then everything is healed.</summary>
    private async Task UnderFaultsAsync(Task[] clients)
    {
        nemesis.Start();
        await world.Time.DelayAsync(scenario.Length);
        nemesis.HealAll();
        cluster.Start();                                               // an operator starts again what stopped by itself
        recorder.Heal();
        foreach (var client in clients) await client;
    }

    /// <summary>Moves leadership to each replica in turn and reads the whole log there: what survived healing only in parts shows now.</summary>
    private async Task TourAsync(LogWorkload workload)
    {
        await operatorNode.DoAsync(host => workload.ReadFinallyAsync(host, ReadLimit));
        foreach (var broker in ClusterNodes.Brokers(scenario.Configuration.Brokers).Ids())
        {
            var moved = false;
            foreach (var partition in workload.Partitions)
                moved |= await operatorNode.DoAsync(host => MakeLeadAsync(host, partition, new NodeId(broker)));
            if (moved) await operatorNode.DoAsync(host => workload.ReadFinallyAsync(host, ReadLimit));
        }
    }

    private async Task<bool> CreateTopicAsync(IHost host, int partitions)
    {
        var admin = kit.Admin(host);
        var deadline = host.Time.Monotonic() + BootLimit;
        var topic = new NewTopic(ClusterNodes.Topic, partitions, (short)scenario.Configuration.ReplicationFactor);
        while (host.Time.Monotonic() < deadline)
        {
            await host.Time.DelayAsync(TimeSpan.FromMilliseconds(50));
            var created = await admin.CreateTopicAsync(topic, AdminTimeout);
            if (created.Kind == OutcomeKind.Ok || created.Error == Broker.Protocol.ErrorCode.TopicAlreadyExists) break;
        }
        foreach (var broker in ClusterNodes.Brokers(scenario.Configuration.Brokers).Ids()) await KnownAsync(host, admin, new NodeId(broker), deadline);
        admin.Close();
        return await InSyncAsync(host, [.. Enumerable.Range(0, partitions).Select(index => new TopicPartition(ClusterNodes.Topic, index))], Anybody);
    }

    /// <summary>Waits until a broker knows the topic: what is sent before is refused, and with acks=0 nobody is told.</summary>
    private static async Task KnownAsync(IHost host, IAdmin admin, NodeId broker, TimeSpan deadline)
    {
        while (host.Time.Monotonic() < deadline && !(await admin.DescribeTopicAsync(ClusterNodes.Topic, AdminTimeout, broker)).IsKnown)
            await host.Time.DelayAsync(TimeSpan.FromMilliseconds(20));
    }

    /// <summary>Every broker: the metadata of one may be old, and what it tells may be how things were before the last election.</summary>
    private IReadOnlyList<NodeId?> Everybody => [.. ClusterNodes.Brokers(scenario.Configuration.Brokers).Ids().Select(static id => (NodeId?)new NodeId(id))];

    /// <summary>Waits until all who are asked say the same of every partition: who leads it in which epoch, and that all its replicas are in sync; false when that takes too long.</summary>
    private async Task<bool> InSyncAsync(IHost host, IReadOnlyList<TopicPartition> partitions, IReadOnlyList<NodeId?> asked)
    {
        var admin = kit.Admin(host);
        var deadline = host.Time.Monotonic() + RecoveryLimit;
        var inSync = false;
        while (!inSync && host.Time.Monotonic() < deadline)
        {
            var known = new List<TopicDescription>();
            foreach (var broker in asked)
                if ((await admin.DescribeTopicAsync(partitions[0].Topic, AdminTimeout, broker)).Value is { } told) known.Add(told);
            inSync = known.Count == asked.Count && partitions.All(partition => IsFull(partition, known));
            if (!inSync) await host.Time.DelayAsync(TimeSpan.FromMilliseconds(100));
        }
        admin.Close();
        return inSync;
    }

    private bool IsFull(TopicPartition partition, List<TopicDescription> known)
    {
        var told = known.ConvertAll(topic => topic.Partitions.FirstOrDefault(one => one.Partition == partition.Partition));
        return told.TrueForAll(one => one is not null && one.Leader != NodeId.None && one.InSyncReplicas.Count == scenario.Configuration.ReplicationFactor
            && (one.Leader, one.LeaderEpoch) == (told[0]!.Leader, told[0]!.LeaderEpoch));
    }

    /// <summary>Tries more than once: right after the heal brokers still find out that their old connections to the controllers are dead, and the operator gets no answer.</summary>
    private async Task<bool> MakeLeadAsync(IHost host, TopicPartition partition, NodeId leader)
    {
        for (var attempt = 1; attempt <= MoveAttempts; attempt++)
        {
            if (await MoveLeaderAsync(host, partition, leader)) return true;
            await host.Time.DelayAsync(TimeSpan.FromMilliseconds(200));
        }
        return false;
    }

    private async Task<bool> MoveLeaderAsync(IHost host, TopicPartition partition, NodeId to)
    {
        var admin = kit.Admin(host);
        var moved = await admin.MoveLeaderAsync(partition, to, AdminTimeout);
        admin.Close();
        return moved.Kind == OutcomeKind.Ok;
    }

    private static ClientKit Kit(Scenario scenario, SimCluster cluster, TaskScope clientScope, Func<ClientRules> rules)
    {
        var settings = scenario.Configuration;
        var connection = new ConnectionSettings(cluster.Bootstrap)
        {
            ConnectTimeout = settings.RequestTimeout,
            RequestTimeout = settings.RequestTimeout,
            MetadataMaxAge = TimeSpan.FromSeconds(5),
        };
        var producer = new ProducerSettings(connection)
        {
            Acks = (short)(settings.Acks switch { Acks.Zero => 0, Acks.One => 1, _ => -1 }),
            Retries = settings.Retries,
            EnableIdempotence = settings.Idempotence,
            MaxInFlight = settings.MaxInFlight,
            DeliveryTimeout = settings.DeliveryTimeout,
        };
        var reader = new ConsumerSettings(connection) { OffsetReset = OffsetReset.Earliest, FetchMaxWait = settings.RequestTimeout * 0.8 };
        return new ClientKit(
            host => new WireProducer(host, clientScope, producer, rules()),
            host => new WireConsumer(host, clientScope, reader, rules()),
            host => new WireAdmin(host, clientScope, connection, rules()));
    }

    private static SimOptions OptionsOf(WorldShape world) => SimOptions.Default with
    {
        LatencyMin = world.Latency / 10,
        LatencyMax = world.Latency,
        FlushMin = world.Flush / 5,
        FlushMax = world.Flush,
    };

    private static ClusterSettings ClusterOf(Scenario scenario)
    {
        var settings = scenario.Configuration;
        return new ClusterSettings
        {
            Brokers = ClusterNodes.Brokers(settings.Brokers),
            Controllers = settings.CombinedRoles ? NodeSet.Empty : ClusterNodes.Controllers,
            SessionTimeout = settings.SessionTimeout,
            HeartbeatInterval = settings.HeartbeatInterval,
            ReplicaLagTimeMax = settings.ReplicaLagTime,
            QuorumElectionTimeout = settings.ElectionTimeout,
            QuorumFetchTimeout = settings.QuorumFetchTimeout,
            QuorumPace = scenario.World.QuorumPace,
            FetchMaxBytes = scenario.World.FetchBytes,
            EligibleLeaderReplicas = settings.EligibleLeaderReplicas,
            TopicDefaults = new TopicSettings
            {
                MinInSyncReplicas = settings.MinInsyncReplicas,
                UncleanLeaderElection = settings.UncleanLeaderElection,
                FlushMessages = settings.FlushMessages,
                SegmentBytes = 4096,
            },
        };
    }
}
