using Broker.Core.Metadata;
using Broker.Runtime;
using Chaos.Simulation;

namespace Verify.Campaign.Running;

/// <summary>How a scenario's configuration becomes a world and a cluster.</summary>
internal static class SimulatedSettings
{
    /// <summary>Where old records go, they go soon and by the few.</summary>
    private const int SmallSegment = 512;

    private static readonly TimeSpan RetentionCheck = TimeSpan.FromMilliseconds(300);

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
