namespace Broker.Protocol;

/// <summary>Appends one record batch to each of some partitions. With acks 0 there is no answer.</summary>
public sealed class ProduceRequest : IRequest<ProduceResponse>
{
    public static ApiKey Key => ApiKey.Produce;
    public static VersionRange Versions => new(3, 12);
    public static short FlexibleFrom => 9;

    public string? TransactionalId;
    public short Acks;
    public int TimeoutMs;
    public List<TopicProduceData> TopicData = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.NullableString(ref TransactionalId);
        c.Int16(ref Acks);
        c.Int32(ref TimeoutMs);
        c.Array(ref TopicData, version);
        c.EndOfFields();
    }
}

public sealed class TopicProduceData : IMessage
{
    public string Name = "";
    public List<PartitionProduceData> PartitionData = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref Name);
        c.Array(ref PartitionData, version);
        c.EndOfFields();
    }
}

public sealed class PartitionProduceData : IMessage
{
    public int Index;
    public ReadOnlyMemory<byte>? Records;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref Index);
        c.Records(ref Records);
        c.EndOfFields();
    }
}

public sealed class ProduceResponse : IResponse
{
    public static ApiKey Key => ApiKey.Produce;

    public List<TopicProduceResponse> Responses = [];
    public int ThrottleTimeMs;
    public List<NodeEndpoint> NodeEndpoints = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Array(ref Responses, version);
        c.Int32(ref ThrottleTimeMs);
        var tags = c.BeginTags();
        if (version >= 10 && c.Tag(ref tags, 0, NodeEndpoints.Count > 0))
        {
            c.Array(ref NodeEndpoints, version);
            c.EndTag(ref tags);
        }
        c.EndOfFields(ref tags);
    }
}

public sealed class TopicProduceResponse : IMessage
{
    public string Name = "";
    public List<PartitionProduceResponse> PartitionResponses = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref Name);
        c.Array(ref PartitionResponses, version);
        c.EndOfFields();
    }
}

public sealed class PartitionProduceResponse : IMessage
{
    public int Index;
    public ErrorCode ErrorCode;
    public long BaseOffset;
    public long LogAppendTimeMs = -1;
    public long LogStartOffset = -1;
    public List<BatchIndexAndErrorMessage> RecordErrors = [];
    public string? ErrorMessage;
    public LeaderIdAndEpoch CurrentLeader = new();

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref Index);
        c.Error(ref ErrorCode);
        c.Int64(ref BaseOffset);
        c.Int64(ref LogAppendTimeMs);
        if (version >= 5) c.Int64(ref LogStartOffset);
        if (version >= 8)
        {
            c.Array(ref RecordErrors, version);
            c.NullableString(ref ErrorMessage);
        }
        var tags = c.BeginTags();
        if (version >= 10 && c.Tag(ref tags, 0, CurrentLeader != new LeaderIdAndEpoch()))
        {
            CurrentLeader.Visit(ref c, version);
            c.EndTag(ref tags);
        }
        c.EndOfFields(ref tags);
    }
}

public sealed class BatchIndexAndErrorMessage : IMessage
{
    public int BatchIndex;
    public string? BatchIndexErrorMessage;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref BatchIndex);
        c.NullableString(ref BatchIndexErrorMessage);
        c.EndOfFields();
    }
}
