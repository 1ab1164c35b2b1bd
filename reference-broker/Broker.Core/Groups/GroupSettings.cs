namespace Broker.Core.Groups;

/// <summary>Settings of group coordinators, under the names Kafka gives them and with Kafka's defaults.</summary>
public sealed record GroupSettings
{
    /// <summary>offsets.topic.num.partitions, where the topic is yet to be created.</summary>
    public int OffsetsTopicPartitions { get; init; } = 50;

    /// <summary>offsets.topic.replication.factor: the topic is not created before there are so many brokers.</summary>
    public short OffsetsTopicReplicationFactor { get; init; } = 3;

    /// <summary>offsets.topic.segment.bytes</summary>
    public int OffsetsTopicSegmentBytes { get; init; } = 100 << 20;

    /// <summary>offsets.commit.timeout.ms: how long a write may wait for its replicas before its answer is an error.</summary>
    public TimeSpan CommitTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>offset.metadata.max.bytes</summary>
    public int OffsetMetadataMaxBytes { get; init; } = 4096;

    /// <summary>offsets.retention.minutes</summary>
    public TimeSpan OffsetsRetention { get; init; } = TimeSpan.FromDays(7);

    /// <summary>offsets.retention.check.interval.ms</summary>
    public TimeSpan RetentionCheckInterval { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>group.min.session.timeout.ms</summary>
    public TimeSpan MinSessionTimeout { get; init; } = TimeSpan.FromSeconds(6);

    /// <summary>group.max.session.timeout.ms</summary>
    public TimeSpan MaxSessionTimeout { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>group.initial.rebalance.delay.ms: how long an empty group waits for more members to come.</summary>
    public TimeSpan InitialRebalanceDelay { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>group.max.size</summary>
    public int MaxSize { get; init; } = int.MaxValue;
}
