using Broker.Core.Metadata;
using Broker.Runtime;
using Chaos.Simulation;
using Verify.Clients;
using Verify.Promises;
using Verify.Workloads;

namespace Verify.Campaign.Running;

/// <summary>How a scenario's configuration becomes a world, a cluster and clients.</summary>
internal static class SimulatedSettings
{
    /// <summary>Where old records go, they go soon and by the few.</summary>
    private const int SmallSegment = 512;

    private static readonly TimeSpan RetentionCheck = TimeSpan.FromMilliseconds(300);

    public static ClientKit Kit(Scenario scenario, IReadOnlyList<Endpoint> bootstrap, TaskScope clientScope, Func<ClientRules> rules)
    {
        var settings = scenario.Configuration;
        var connection = new ConnectionSettings(bootstrap)
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
            host => new WireAdmin(host, clientScope, connection, rules()))
        {
            Member = (host, member, watcher) => new WireGroupConsumer(host, clientScope, MemberOf(settings, reader, member), rules(), watcher),
        };
    }

    /// <summary>Times scaled like the others: sessions end, and members that are not polled leave, several times in a run.</summary>
    private static GroupConsumerSettings MemberOf(Configuration settings, ConsumerSettings reader, MemberPlan member) => new(reader with { MaxPollRecords = member.Batch }, member.GroupId)
    {
        InstanceId = member.InstanceId,
        SessionTimeout = TimeSpan.FromMilliseconds(1500),
        HeartbeatInterval = TimeSpan.FromMilliseconds(400),
        MaxPollInterval = TimeSpan.FromSeconds(2),
        AutoCommitInterval = TimeSpan.FromMilliseconds(700),
        Commits = settings.Commit switch
        {
            Commit.Before => CommitPolicy.BeforeProcessing,
            Commit.After => CommitPolicy.AfterProcessing,
            Commit.Auto => CommitPolicy.Automatic,
            _ => throw new InvalidOperationException("nobody subscribes"),
        },
    };

    public static SimOptions OptionsOf(WorldShape world) => SimOptions.Default with
    {
        LatencyMin = world.Latency / 10,
        LatencyMax = world.Latency,
        FlushMin = world.Flush / 5,
        FlushMax = world.Flush,
    };

    public static ClusterSettings ClusterOf(Scenario scenario)
    {
        var settings = scenario.Configuration;
        var cluster = new ClusterSettings
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
            CleanerBackoff = CompactionRun.CleanerBackoff,
            EligibleLeaderReplicas = settings.EligibleLeaderReplicas,
            Groups = ClusterSettings.ScaledGroups with { OffsetsRetention = settings.OffsetsRetention, RetentionCheckInterval = settings.OffsetsRetentionCheck },
            TopicDefaults = new TopicSettings
            {
                MinInSyncReplicas = settings.MinInsyncReplicas,
                UncleanLeaderElection = settings.UncleanLeaderElection,
                FlushMessages = settings.FlushMessages,
                Preallocate = settings.Preallocate,
                RetentionBytes = settings.RetentionBytes ?? -1,
                SegmentBytes = settings.RetentionBytes is null ? 4096 : SmallSegment,
            },
        };
        return settings.RetentionBytes is null ? cluster : cluster with { RetentionCheckInterval = RetentionCheck };
    }
}
