namespace Broker.Protocol;

/// <summary>Forgets a group's offsets in partitions that it does not subscribe to. Source: KIP-496.</summary>
public sealed class OffsetDeleteRequest : IRequest<OffsetDeleteResponse>
{
    public static ApiKey Key => ApiKey.OffsetDelete;
    public static VersionRange Versions => new(0, 0);
    public static short FlexibleFrom => short.MaxValue;

    public string GroupId = "";
    public List<OffsetDeleteRequestTopic> Topics = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref GroupId);
        c.Array(ref Topics, version);
        c.EndOfFields();
    }
}

public sealed class OffsetDeleteRequestTopic : IMessage
{
    public string Name = "";
    public List<OffsetDeleteRequestPartition> Partitions = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref Name);
        c.Array(ref Partitions, version);
        c.EndOfFields();
    }
}

public sealed class OffsetDeleteRequestPartition : IMessage
{
    public int PartitionIndex;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref PartitionIndex);
        c.EndOfFields();
    }
}

public sealed class OffsetDeleteResponse : IResponse
{
    public static ApiKey Key => ApiKey.OffsetDelete;

    public ErrorCode ErrorCode;
    public int ThrottleTimeMs;
    public List<OffsetDeleteResponseTopic> Topics = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Error(ref ErrorCode);
        c.Int32(ref ThrottleTimeMs);
        c.Array(ref Topics, version);
        c.EndOfFields();
    }
}

public sealed class OffsetDeleteResponseTopic : IMessage
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
