namespace Broker.Protocol;

/// <summary>A producer id and epoch; with a transactional id also fences earlier holders of it. Sources: KIP-98, KIP-360.</summary>
public sealed class InitProducerIdRequest : IRequest<InitProducerIdResponse>
{
    public static ApiKey Key => ApiKey.InitProducerId;
    public static VersionRange Versions => new(0, 5);
    public static short FlexibleFrom => 2;

    /// <summary>Null for a producer without transactions. Not the default, as in Kafka's definition; empty is refused by brokers.</summary>
    public string? TransactionalId = "";

    public int TransactionTimeoutMs;
    public long ProducerId = -1;
    public short ProducerEpoch = -1;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.NullableString(ref TransactionalId);
        c.Int32(ref TransactionTimeoutMs);
        if (version >= 3)
        {
            c.Int64(ref ProducerId);
            c.Int16(ref ProducerEpoch);
        }
        c.EndOfFields();
    }
}

public sealed class InitProducerIdResponse : IResponse
{
    public static ApiKey Key => ApiKey.InitProducerId;

    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public long ProducerId = -1;
    public short ProducerEpoch;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref ThrottleTimeMs);
        c.Error(ref ErrorCode);
        c.Int64(ref ProducerId);
        c.Int16(ref ProducerEpoch);
        c.EndOfFields();
    }
}
