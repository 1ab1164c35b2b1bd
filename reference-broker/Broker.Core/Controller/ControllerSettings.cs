namespace Broker.Core.Controller;

/// <summary>A controller's settings, with Kafka's defaults. Topic settings (min.insync.replicas, ...) are the image's defaults.</summary>
public sealed record ControllerSettings
{
    /// <summary>broker.session.timeout.ms</summary>
    public TimeSpan SessionTimeout { get; init; } = TimeSpan.FromSeconds(9);

    /// <summary>eligible.leader.replicas.version is 1 (KIP-966).</summary>
    public bool EligibleLeaderReplicas { get; init; } = true;

    /// <summary>unclean.leader.election.interval.ms</summary>
    public TimeSpan UncleanElectionInterval { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>num.partitions</summary>
    public int DefaultPartitions { get; init; } = 1;

    /// <summary>default.replication.factor</summary>
    public short DefaultReplicationFactor { get; init; } = 1;

    /// <summary>More partitions than this are refused.</summary>
    public int PartitionLimit { get; init; } = 10_000;
}
