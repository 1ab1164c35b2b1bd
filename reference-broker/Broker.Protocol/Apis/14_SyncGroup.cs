namespace Broker.Protocol;

/// <summary>The leader hands in who gets what, every other member asks for its share. Sources: KIP-345, KIP-559.</summary>
public sealed class SyncGroupRequest : IRequest<SyncGroupResponse>
{
    public static ApiKey Key => ApiKey.SyncGroup;
    public static VersionRange Versions => new(0, 5);
    public static short FlexibleFrom => 4;

    public string GroupId = "";
    public int GenerationId;
    public string MemberId = "";
    public string? GroupInstanceId;
    public string? ProtocolType;
    public string? ProtocolName;
    public List<SyncGroupAssignment> Assignments = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref GroupId);
        c.Int32(ref GenerationId);
        c.String(ref MemberId);
        if (version >= 3) c.NullableString(ref GroupInstanceId);
        if (version >= 5) c.NullableString(ref ProtocolType);
        if (version >= 5) c.NullableString(ref ProtocolName);
        c.Array(ref Assignments, version);
        c.EndOfFields();
    }
}

public sealed class SyncGroupAssignment : IMessage
{
    public string MemberId = "";
    public ReadOnlyMemory<byte> Assignment;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref MemberId);
        c.Bytes(ref Assignment);
        c.EndOfFields();
    }
}

public sealed class SyncGroupResponse : IResponse
{
    public static ApiKey Key => ApiKey.SyncGroup;

    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public string? ProtocolType;
    public string? ProtocolName;
    public ReadOnlyMemory<byte> Assignment;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        if (version >= 1) c.Int32(ref ThrottleTimeMs);
        c.Error(ref ErrorCode);
        if (version >= 5) c.NullableString(ref ProtocolType);
        if (version >= 5) c.NullableString(ref ProtocolName);
        c.Bytes(ref Assignment);
        c.EndOfFields();
    }
}
