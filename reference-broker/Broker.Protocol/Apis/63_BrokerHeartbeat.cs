namespace Broker.Protocol;

/// <summary>A broker tells the controller that it lives; without it the controller fences the broker. Source: KIP-631.</summary>
public sealed class BrokerHeartbeatRequest : IRequest<BrokerHeartbeatResponse>
{
    public static ApiKey Key => ApiKey.BrokerHeartbeat;
    public static VersionRange Versions => new(0, 1);
    public static short FlexibleFrom => 0;

    public int BrokerId;
    public long BrokerEpoch = -1;
    public long CurrentMetadataOffset;
    public bool WantFence;
    public bool WantShutDown;
    public List<Guid> OfflineLogDirs = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref BrokerId);
        c.Int64(ref BrokerEpoch);
        c.Int64(ref CurrentMetadataOffset);
        c.Bool(ref WantFence);
        c.Bool(ref WantShutDown);
        var tags = c.BeginTags();
        if (version >= 1 && c.Tag(ref tags, 0, OfflineLogDirs.Count > 0))
        {
            c.UuidArray(ref OfflineLogDirs);
            c.EndTag(ref tags);
        }
        c.EndOfFields(ref tags);
    }
}

public sealed class BrokerHeartbeatResponse : IResponse
{
    public static ApiKey Key => ApiKey.BrokerHeartbeat;

    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public bool IsCaughtUp;
    public bool IsFenced = true;
    public bool ShouldShutDown;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref ThrottleTimeMs);
        c.Error(ref ErrorCode);
        c.Bool(ref IsCaughtUp);
        c.Bool(ref IsFenced);
        c.Bool(ref ShouldShutDown);
        c.EndOfFields();
    }
}
