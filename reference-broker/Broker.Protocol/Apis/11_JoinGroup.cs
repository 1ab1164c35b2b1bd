namespace Broker.Protocol;

/// <summary>Becomes or stays a member of a group; answered when the next generation is complete. Sources: KIP-62, KIP-345, KIP-394, KIP-800, KIP-814.</summary>
public sealed class JoinGroupRequest : IRequest<JoinGroupResponse>
{
    public static ApiKey Key => ApiKey.JoinGroup;
    public static VersionRange Versions => new(0, 9);
    public static short FlexibleFrom => 6;

    public string GroupId = "";
    public int SessionTimeoutMs;

    /// <summary>v1+; before, the session's time-out serves.</summary>
    public int RebalanceTimeoutMs = -1;

    /// <summary>Empty for who is not a member yet.</summary>
    public string MemberId = "";

    /// <summary>Static membership: a name that outlives restarts.</summary>
    public string? GroupInstanceId;

    public string ProtocolType = "";

    /// <summary>In the order of preference.</summary>
    public List<JoinGroupProtocol> Protocols = [];

    public string? Reason;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref GroupId);
        c.Int32(ref SessionTimeoutMs);
        if (version >= 1) c.Int32(ref RebalanceTimeoutMs);
        c.String(ref MemberId);
        if (version >= 5) c.NullableString(ref GroupInstanceId);
        c.String(ref ProtocolType);
        c.Array(ref Protocols, version);
        if (version >= 8) c.NullableString(ref Reason);
        c.EndOfFields();
    }
}

public sealed class JoinGroupProtocol : IMessage
{
    public string Name = "";

    /// <summary>Opaque to brokers: of consumers, what they subscribe to.</summary>
    public ReadOnlyMemory<byte> Metadata;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref Name);
        c.Bytes(ref Metadata);
        c.EndOfFields();
    }
}

public sealed class JoinGroupResponse : IResponse
{
    public static ApiKey Key => ApiKey.JoinGroup;

    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public int GenerationId = -1;
    public string? ProtocolType;

    /// <summary>Null from v7 only.</summary>
    public string? ProtocolName = "";

    public string Leader = "";

    /// <summary>The leader need not assign anew: its group is as it was. Source: KIP-814.</summary>
    public bool SkipAssignment;

    public string MemberId = "";

    /// <summary>Told to the leader only.</summary>
    public List<JoinGroupResponseMember> Members = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        if (version >= 2) c.Int32(ref ThrottleTimeMs);
        c.Error(ref ErrorCode);
        c.Int32(ref GenerationId);
        if (version >= 7) c.NullableString(ref ProtocolType);
        c.NullableString(ref ProtocolName, allowed: version >= 7);
        c.String(ref Leader);
        if (version >= 9) c.Bool(ref SkipAssignment);
        c.String(ref MemberId);
        c.Array(ref Members, version);
        c.EndOfFields();
    }
}

public sealed class JoinGroupResponseMember : IMessage
{
    public string MemberId = "";
    public string? GroupInstanceId;
    public ReadOnlyMemory<byte> Metadata;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref MemberId);
        if (version >= 5) c.NullableString(ref GroupInstanceId);
        c.Bytes(ref Metadata);
        c.EndOfFields();
    }
}
