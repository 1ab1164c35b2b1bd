namespace Broker.Protocol;

/// <summary>A broker asks the controller for a block of producer ids that nobody else gets. Source: KIP-730.</summary>
public sealed class AllocateProducerIdsRequest : IRequest<AllocateProducerIdsResponse>
{
    public static ApiKey Key => ApiKey.AllocateProducerIds;
    public static VersionRange Versions => new(0, 0);
    public static short FlexibleFrom => 0;

    public int BrokerId;
    public long BrokerEpoch = -1;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref BrokerId);
        c.Int64(ref BrokerEpoch);
        c.EndOfFields();
    }
}

public sealed class AllocateProducerIdsResponse : IResponse
{
    public static ApiKey Key => ApiKey.AllocateProducerIds;

    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public long ProducerIdStart;
    public int ProducerIdLen;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref ThrottleTimeMs);
        c.Error(ref ErrorCode);
        c.Int64(ref ProducerIdStart);
        c.Int32(ref ProducerIdLen);
        c.EndOfFields();
    }
}
