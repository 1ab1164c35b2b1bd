namespace Broker.Protocol;

/// <summary>A broker that starts asks the controller for a broker epoch. Sources: KIP-631; KIP-966 for v3.</summary>
public sealed class BrokerRegistrationRequest : IRequest<BrokerRegistrationResponse>
{
    public static ApiKey Key => ApiKey.BrokerRegistration;
    public static VersionRange Versions => new(0, 3);
    public static short FlexibleFrom => 0;

    public int BrokerId;
    public string ClusterId = "";

    /// <summary>New at every start of the process.</summary>
    public Guid IncarnationId;

    public List<Listener> Listeners = [];
    public List<Feature> Features = [];
    public string? Rack = "";
    public bool IsMigratingZkBroker;
    public List<Guid> LogDirs = [];

    /// <summary>v3+: the epoch before a clean shutdown; -1 when the last one was not clean.</summary>
    public long PreviousBrokerEpoch = -1;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref BrokerId);
        c.String(ref ClusterId);
        c.Uuid(ref IncarnationId);
        c.Array(ref Listeners, version);
        c.Array(ref Features, version);
        c.NullableString(ref Rack);
        if (version >= 1) c.Bool(ref IsMigratingZkBroker);
        if (version >= 2) c.UuidArray(ref LogDirs);
        if (version >= 3) c.Int64(ref PreviousBrokerEpoch);
        c.EndOfFields();
    }

    public sealed class Listener : IMessage
    {
        public string Name = "";
        public string Host = "";
        public ushort Port;

        /// <summary>0 is plain text.</summary>
        public short SecurityProtocol;

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.String(ref Name);
            c.String(ref Host);
            c.UInt16(ref Port);
            c.Int16(ref SecurityProtocol);
            c.EndOfFields();
        }
    }

    public sealed class Feature : IMessage
    {
        public string Name = "";
        public short MinSupportedVersion;
        public short MaxSupportedVersion;

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.String(ref Name);
            c.Int16(ref MinSupportedVersion);
            c.Int16(ref MaxSupportedVersion);
            c.EndOfFields();
        }
    }
}

public sealed class BrokerRegistrationResponse : IResponse
{
    public static ApiKey Key => ApiKey.BrokerRegistration;

    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public long BrokerEpoch = -1;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref ThrottleTimeMs);
        c.Error(ref ErrorCode);
        c.Int64(ref BrokerEpoch);
        c.EndOfFields();
    }
}
