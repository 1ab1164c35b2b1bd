namespace Broker.Protocol;

/// <summary>Members go: one up to v2 (<see cref="MemberId"/>), several from v3 (<see cref="Members"/>). Sources: KIP-345, KIP-800.</summary>
public sealed class LeaveGroupRequest : IRequest<LeaveGroupResponse>
{
    public static ApiKey Key => ApiKey.LeaveGroup;
    public static VersionRange Versions => new(0, 5);
    public static short FlexibleFrom => 4;

    public string GroupId = "";
    public string MemberId = "";
    public List<LeavingMember> Members = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref GroupId);
        if (version <= 2) c.String(ref MemberId);
        else c.Array(ref Members, version);
        c.EndOfFields();
    }
}

public sealed class LeavingMember : IMessage
{
    public string MemberId = "";
    public string? GroupInstanceId;
    public string? Reason;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref MemberId);
        c.NullableString(ref GroupInstanceId);
        if (version >= 5) c.NullableString(ref Reason);
        c.EndOfFields();
    }
}

public sealed class LeaveGroupResponse : IResponse
{
    public static ApiKey Key => ApiKey.LeaveGroup;

    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public List<LeftMember> Members = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        if (version >= 1) c.Int32(ref ThrottleTimeMs);
        c.Error(ref ErrorCode);
        if (version >= 3) c.Array(ref Members, version);
        c.EndOfFields();
    }

    public sealed class LeftMember : IMessage
    {
        public string MemberId = "";
        public string? GroupInstanceId;
        public ErrorCode ErrorCode;

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.String(ref MemberId);
            c.NullableString(ref GroupInstanceId);
            c.Error(ref ErrorCode);
            c.EndOfFields();
        }
    }
}
