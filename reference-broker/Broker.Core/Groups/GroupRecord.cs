namespace Broker.Core.Groups;

/// <summary>How far a group has come in one partition: the offset of the next record to process.</summary>
/// <param name="LeaderEpoch">Of the last record processed, -1 when the client did not say.</param>
/// <param name="CommitTimestampMs">Wall clock of the coordinator.</param>
public sealed record CommittedOffset(long Offset, int LeaderEpoch, string Metadata, long CommitTimestampMs);

/// <summary>A group as its log keeps it; without members it is empty.</summary>
/// <param name="StateTimestampMs">Wall clock of the coordinator when the group came into this state.</param>
public sealed record GroupMetadata(string ProtocolType, int Generation, string? Protocol, string? Leader, long StateTimestampMs, IReadOnlyList<MemberMetadata> Members);

public sealed record MemberMetadata(
    string MemberId, string? InstanceId, string ClientId, string ClientHost, int RebalanceTimeoutMs, int SessionTimeoutMs, ReadOnlyMemory<byte> Subscription, ReadOnlyMemory<byte> Assignment);

/// <summary>One record of a partition of __consumer_offsets. A null value is a tombstone: what was said before under the key is void.</summary>
public abstract record GroupRecord(string Group)
{
    public sealed record Offset(string Group, string Topic, int Partition, CommittedOffset? Value) : GroupRecord(Group);

    public sealed record Metadata(string Group, GroupMetadata? Value) : GroupRecord(Group);
}
