using Broker.Protocol;
using Broker.Runtime;

namespace Verify.Clients;

/// <summary>Follows partitions that the caller assigns.</summary>
public interface ILogReader
{
    /// <summary>Replaces the assignment. Partitions that stay keep their positions; new ones start by <see cref="ConsumerSettings.OffsetReset"/>.</summary>
    void Assign(IReadOnlyList<TopicPartition> partitions);

    /// <summary>The position, reached in this leader epoch by whoever was there: a log that was truncated below it is noticed (KIP-320). Epoch -1: not known.</summary>
    void Resume(TopicPartition partition, long offset, int epoch);

    /// <summary>Returns as soon as there is something to tell: records, or an incident; otherwise when the time is up.</summary>
    Task<PollResult> PollAsync(TimeSpan timeout);

    /// <summary>Closes the connections.</summary>
    void Close();
}

/// <summary>Reads partitions that the caller assigns, from positions that the caller may set and ask for.</summary>
public interface ILogConsumer : ILogReader
{
    /// <summary>Sets the position of an assigned partition: the offset of the next record to return.</summary>
    void Seek(TopicPartition partition, long offset);

    void SeekToBeginning(TopicPartition partition);

    void SeekToEnd(TopicPartition partition);

    /// <summary>The offset of the next record to return; null while it is not known yet.</summary>
    long? Position(TopicPartition partition);

    /// <summary>An offset of any partition, asked of its leader. No record at or after a time: -1.</summary>
    Task<Answer<ListedOffset>> ListOffsetAsync(TopicPartition partition, OffsetAt at, TimeSpan timeout);
}

/// <summary>What one poll returned.</summary>
/// <param name="Batches">Records by partition, in the order received: a partition may appear once only.</param>
/// <param name="Empty">Partitions whose leaders answered in this poll that there is nothing (yet) at the position.</param>
/// <param name="Incidents">What went otherwise than reading on; a position moves without the caller only together with one of these.</param>
public sealed record PollResult(IReadOnlyList<PartitionRecords> Batches, IReadOnlyList<TopicPartition> Empty, IReadOnlyList<PollIncident> Incidents);

/// <summary>Consecutive records of one partition, ascending by offset. Gaps are legal: control records, aborted or compacted ones.</summary>
public sealed record PartitionRecords(TopicPartition Partition, IReadOnlyList<ConsumedRecord> Records);

/// <param name="TimestampMs">Milliseconds since 1970, as the topic keeps them: by the producer's clock or by the broker's.</param>
/// <param name="LeaderEpoch">The leader epoch in which the record's batch was appended; -1 when not said.</param>
/// <param name="Headers">In order; null where there is none.</param>
public readonly record struct ConsumedRecord(long Offset, byte[]? Key, byte[]? Value, long TimestampMs, int LeaderEpoch, IReadOnlyList<RecordHeader>? Headers = null);

public enum PollIncidentKind : byte
{
    /// <summary>The position lay outside of the log. <see cref="PollIncident.NewOffset"/>: where the reset policy put it, -1 when the policy is to leave it.</summary>
    OffsetOutOfRange,

    /// <summary>
    /// A new leader's log parts from what was read before the position (KIP-320). <see cref="PollIncident.NewOffset"/>: where the logs part and reading goes on; -1 when the policy is to leave it.
    /// </summary>
    TruncationDetected,

    /// <summary>A first position was found by the reset policy.</summary>
    PositionFound,

    /// <summary>The answer held bytes that are no record batches.</summary>
    CorruptRecords,

    /// <summary>The leader answered with an error that is not cured by looking for another leader.</summary>
    Refused,
}

/// <param name="Offset">The position before; -1 when there was none.</param>
/// <param name="NewOffset">The position after; -1 when the caller has to seek.</param>
public readonly record struct PollIncident(PollIncidentKind Kind, TopicPartition Partition, ErrorCode Error, long Offset, long NewOffset);

/// <summary>A question to ListOffsets: the earliest or latest offset, or the first record at or after a time.</summary>
/// <param name="Timestamp">Milliseconds since 1970, or Kafka's own -1 for the latest, -2 for the earliest, -3 for the record with the largest timestamp.</param>
public readonly record struct OffsetAt(long Timestamp)
{
    public static readonly OffsetAt Latest = new(-1);
    public static readonly OffsetAt Earliest = new(-2);
    public static readonly OffsetAt MaxTimestamp = new(-3);

    public static OffsetAt Time(DateTimeOffset time) => new(time.ToUnixTimeMilliseconds());
}

/// <param name="TimestampMs">Of the record found; -1 for earliest and latest.</param>
public readonly record struct ListedOffset(long Offset, long TimestampMs, int LeaderEpoch);
