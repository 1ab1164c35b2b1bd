namespace Broker.Protocol;

/// <summary>A member is alive; told in return when its group rebalances.</summary>
public sealed class HeartbeatRequest : IRequest<HeartbeatResponse>
{
    public static ApiKey Key => ApiKey.Heartbeat;
    public static VersionRange Versions => new(0, 4);
    public static short FlexibleFrom => 4;

    public string GroupId = "";
    public int GenerationId;
    public string MemberId = "";
    public string? GroupInstanceId;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref GroupId);
        c.Int32(ref GenerationId);
        c.String(ref MemberId);
        if (version >= 3) c.NullableString(ref GroupInstanceId);
        c.EndOfFields();
    }
}

public sealed class HeartbeatResponse : IResponse
{
    public static ApiKey Key => ApiKey.Heartbeat;

    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        if (version >= 1) c.Int32(ref ThrottleTimeMs);
        c.Error(ref ErrorCode);
        c.EndOfFields();
    }
}
