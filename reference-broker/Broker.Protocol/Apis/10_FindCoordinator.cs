namespace Broker.Protocol;

/// <summary>Which broker coordinates a group or a transactional id: one key up to v3 (<see cref="KeyName"/>), several from v4 (<see cref="CoordinatorKeys"/>). Source: KIP-699.</summary>
public sealed class FindCoordinatorRequest : IRequest<FindCoordinatorResponse>
{
    public static ApiKey Key => ApiKey.FindCoordinator;
    public static VersionRange Versions => new(0, 6);
    public static short FlexibleFrom => 3;

    public string KeyName = "";

    /// <summary>0 group, 1 transactional id, 2 share group (v6+).</summary>
    public sbyte KeyType;

    public List<string> CoordinatorKeys = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        if (version <= 3) c.String(ref KeyName);
        if (version >= 1) c.Int8(ref KeyType);
        if (version >= 4) c.StringArray(ref CoordinatorKeys);
        c.EndOfFields();
    }
}

public sealed class FindCoordinatorResponse : IResponse
{
    public static ApiKey Key => ApiKey.FindCoordinator;

    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public string? ErrorMessage = "";
    public int NodeId;
    public string Host = "";
    public int Port;
    public List<Coordinator> Coordinators = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        if (version >= 1) c.Int32(ref ThrottleTimeMs);
        if (version >= 4) c.Array(ref Coordinators, version);
        else
        {
            c.Error(ref ErrorCode);
            if (version >= 1) c.NullableString(ref ErrorMessage);
            c.Int32(ref NodeId);
            c.String(ref Host);
            c.Int32(ref Port);
        }
        c.EndOfFields();
    }

    public sealed class Coordinator : IMessage
    {
        public string KeyName = "";
        public int NodeId;
        public string Host = "";
        public int Port;
        public ErrorCode ErrorCode;
        public string? ErrorMessage = "";

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.String(ref KeyName);
            c.Int32(ref NodeId);
            c.String(ref Host);
            c.Int32(ref Port);
            c.Error(ref ErrorCode);
            c.NullableString(ref ErrorMessage);
            c.EndOfFields();
        }
    }
}
