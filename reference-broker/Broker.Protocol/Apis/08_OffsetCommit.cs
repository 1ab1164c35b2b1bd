namespace Broker.Protocol;

/// <summary>Stores how far a group has come. Generation -1 without a member: a consumer that assigns itself, or an operator.</summary>
public sealed class OffsetCommitRequest : IRequest<OffsetCommitResponse>
{
    public static ApiKey Key => ApiKey.OffsetCommit;
    public static VersionRange Versions => new(0, 9);
    public static short FlexibleFrom => 8;

    public string GroupId = "";

    /// <summary>Of the classic protocol the generation, of the newer one the member's epoch.</summary>
    public int GenerationIdOrMemberEpoch = -1;

    public string MemberId = "";
    public string? GroupInstanceId;

    /// <summary>v2 to v4; brokers of today keep offsets as long as the group lives.</summary>
    public long RetentionTimeMs = -1;

    public List<OffsetCommitRequestTopic> Topics = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref GroupId);
        if (version >= 1) c.Int32(ref GenerationIdOrMemberEpoch);
        if (version >= 1) c.String(ref MemberId);
        if (version >= 7) c.NullableString(ref GroupInstanceId);
        if (version is >= 2 and <= 4) c.Int64(ref RetentionTimeMs);
        c.Array(ref Topics, version);
        c.EndOfFields();
    }
}

public sealed class OffsetCommitRequestTopic : IMessage
{
    public string Name = "";
    public List<OffsetCommitRequestPartition> Partitions = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref Name);
        c.Array(ref Partitions, version);
        c.EndOfFields();
    }
}

public sealed class OffsetCommitRequestPartition : IMessage
{
    public int PartitionIndex;
    public long CommittedOffset;
    public int CommittedLeaderEpoch = -1;

    /// <summary>v1 only; nobody reads it.</summary>
    public long CommitTimestamp = -1;

    public string? CommittedMetadata = "";

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref PartitionIndex);
        c.Int64(ref CommittedOffset);
        if (version >= 6) c.Int32(ref CommittedLeaderEpoch);
        if (version == 1) c.Int64(ref CommitTimestamp);
        c.NullableString(ref CommittedMetadata);
        c.EndOfFields();
    }
}

public sealed class OffsetCommitResponse : IResponse
{
    public static ApiKey Key => ApiKey.OffsetCommit;

    public int ThrottleTimeMs;
    public List<OffsetCommitResponseTopic> Topics = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        if (version >= 3) c.Int32(ref ThrottleTimeMs);
        c.Array(ref Topics, version);
        c.EndOfFields();
    }
}

public sealed class OffsetCommitResponseTopic : IMessage
{
    public string Name = "";
    public List<PartitionError> Partitions = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref Name);
        c.Array(ref Partitions, version);
        c.EndOfFields();
    }
}
