namespace Broker.Protocol;

/// <summary>Offsets by timestamp: -1 the end, -2 the start, -3 the largest timestamp (v7+), -4 the local start (v8+).</summary>
public sealed class ListOffsetsRequest : IRequest<ListOffsetsResponse>
{
    public static ApiKey Key => ApiKey.ListOffsets;
    public static VersionRange Versions => new(1, 8);
    public static short FlexibleFrom => 6;

    /// <summary>-1 for consumers. Not the default, as in Kafka's definition.</summary>
    public int ReplicaId;

    /// <summary>0 read uncommitted, 1 read committed.</summary>
    public sbyte IsolationLevel;

    public List<ListOffsetsTopic> Topics = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref ReplicaId);
        if (version >= 2) c.Int8(ref IsolationLevel);
        c.Array(ref Topics, version);
        c.EndOfFields();
    }
}

public sealed class ListOffsetsTopic : IMessage
{
    public string Name = "";
    public List<ListOffsetsPartition> Partitions = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref Name);
        c.Array(ref Partitions, version);
        c.EndOfFields();
    }
}

public sealed class ListOffsetsPartition : IMessage
{
    public int PartitionIndex;
    public int CurrentLeaderEpoch = -1;
    public long Timestamp;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref PartitionIndex);
        if (version >= 4) c.Int32(ref CurrentLeaderEpoch);
        c.Int64(ref Timestamp);
        c.EndOfFields();
    }
}

public sealed class ListOffsetsResponse : IResponse
{
    public static ApiKey Key => ApiKey.ListOffsets;

    public int ThrottleTimeMs;
    public List<ListOffsetsTopicResponse> Topics = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        if (version >= 2) c.Int32(ref ThrottleTimeMs);
        c.Array(ref Topics, version);
        c.EndOfFields();
    }
}

public sealed class ListOffsetsTopicResponse : IMessage
{
    public string Name = "";
    public List<ListOffsetsPartitionResponse> Partitions = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref Name);
        c.Array(ref Partitions, version);
        c.EndOfFields();
    }
}

public sealed class ListOffsetsPartitionResponse : IMessage
{
    public int PartitionIndex;
    public ErrorCode ErrorCode;
    public long Timestamp = -1;
    public long Offset = -1;
    public int LeaderEpoch = -1;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref PartitionIndex);
        c.Error(ref ErrorCode);
        c.Int64(ref Timestamp);
        c.Int64(ref Offset);
        if (version >= 4) c.Int32(ref LeaderEpoch);
        c.EndOfFields();
    }
}
