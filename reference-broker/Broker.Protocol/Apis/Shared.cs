namespace Broker.Protocol;

/// <summary>Who leads a partition now, told to a client that asked somebody else. Both -1: not told. Produce v10+, Fetch v12+.</summary>
public record struct LeaderIdAndEpoch() : IMessage
{
    public int LeaderId = -1;
    public int LeaderEpoch = -1;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref LeaderId);
        c.Int32(ref LeaderEpoch);
        c.EndOfFields();
    }
}

/// <summary>Where to reach a leader named in the same answer, so that no metadata request is needed. Produce v10+, Fetch v16+. Source: KIP-951.</summary>
public sealed class NodeEndpoint : IMessage
{
    public int NodeId;
    public string Host = "";
    public int Port;
    public string? Rack;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref NodeId);
        c.String(ref Host);
        c.Int32(ref Port);
        c.NullableString(ref Rack);
        c.EndOfFields();
    }
}
