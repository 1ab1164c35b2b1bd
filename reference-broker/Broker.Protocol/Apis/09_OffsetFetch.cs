namespace Broker.Protocol;

/// <summary>How far groups have come: one group up to v7 (<see cref="GroupId"/>, <see cref="Topics"/>), several from v8 (<see cref="Groups"/>). Source: KIP-709.</summary>
public sealed class OffsetFetchRequest : IRequest<OffsetFetchResponse>
{
    public static ApiKey Key => ApiKey.OffsetFetch;
    public static VersionRange Versions => new(0, 9);
    public static short FlexibleFrom => 6;

    public string GroupId = "";

    /// <summary>Null from v2: all that the group ever committed.</summary>
    public List<OffsetFetchRequestTopic>? Topics = [];

    public List<OffsetFetchRequestGroup> Groups = [];

    /// <summary>Offsets that a transaction may yet replace are not told. Source: KIP-447.</summary>
    public bool RequireStable;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        if (version <= 7) c.String(ref GroupId);
        if (version <= 7) c.NullableArray(ref Topics, version, allowed: version >= 2);
        if (version >= 8) c.Array(ref Groups, version);
        if (version >= 7) c.Bool(ref RequireStable);
        c.EndOfFields();
    }
}

public sealed class OffsetFetchRequestGroup : IMessage
{
    public string GroupId = "";
    public string? MemberId;
    public int MemberEpoch = -1;
    public List<OffsetFetchRequestTopic>? Topics = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref GroupId);
        if (version >= 9) c.NullableString(ref MemberId);
        if (version >= 9) c.Int32(ref MemberEpoch);
        c.NullableArray(ref Topics, version);
        c.EndOfFields();
    }
}

public sealed class OffsetFetchRequestTopic : IMessage
{
    public string Name = "";
    public List<int> PartitionIndexes = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref Name);
        c.Int32Array(ref PartitionIndexes);
        c.EndOfFields();
    }
}

public sealed class OffsetFetchResponse : IResponse
{
    public static ApiKey Key => ApiKey.OffsetFetch;

    public int ThrottleTimeMs;
    public List<OffsetFetchResponseTopic> Topics = [];

    /// <summary>v2 to v7; before, errors stand at the partitions.</summary>
    public ErrorCode ErrorCode;

    public List<OffsetFetchResponseGroup> Groups = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        if (version >= 3) c.Int32(ref ThrottleTimeMs);
        if (version <= 7) c.Array(ref Topics, version);
        if (version is >= 2 and <= 7) c.Error(ref ErrorCode);
        if (version >= 8) c.Array(ref Groups, version);
        c.EndOfFields();
    }
}

public sealed class OffsetFetchResponseGroup : IMessage
{
    public string GroupId = "";
    public List<OffsetFetchResponseTopic> Topics = [];
    public ErrorCode ErrorCode;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref GroupId);
        c.Array(ref Topics, version);
        c.Error(ref ErrorCode);
        c.EndOfFields();
    }
}

public sealed class OffsetFetchResponseTopic : IMessage
{
    public string Name = "";
    public List<OffsetFetchResponsePartition> Partitions = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref Name);
        c.Array(ref Partitions, version);
        c.EndOfFields();
    }
}

public sealed class OffsetFetchResponsePartition : IMessage
{
    public int PartitionIndex;

    /// <summary>-1: nothing was committed.</summary>
    public long CommittedOffset = -1;

    public int CommittedLeaderEpoch = -1;
    public string? Metadata = "";
    public ErrorCode ErrorCode;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref PartitionIndex);
        c.Int64(ref CommittedOffset);
        if (version >= 5) c.Int32(ref CommittedLeaderEpoch);
        c.NullableString(ref Metadata);
        c.Error(ref ErrorCode);
        c.EndOfFields();
    }
}
