namespace Broker.Protocol;

/// <summary>Groups and their members, as their coordinator has them. Source: KIP-1043 for the message of v6.</summary>
public sealed class DescribeGroupsRequest : IRequest<DescribeGroupsResponse>
{
    public static ApiKey Key => ApiKey.DescribeGroups;
    public static VersionRange Versions => new(0, 6);
    public static short FlexibleFrom => 5;

    public List<string> Groups = [];
    public bool IncludeAuthorizedOperations;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.StringArray(ref Groups);
        if (version >= 3) c.Bool(ref IncludeAuthorizedOperations);
        c.EndOfFields();
    }
}

public sealed class DescribeGroupsResponse : IResponse
{
    public static ApiKey Key => ApiKey.DescribeGroups;

    public int ThrottleTimeMs;
    public List<DescribedGroup> Groups = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        if (version >= 1) c.Int32(ref ThrottleTimeMs);
        c.Array(ref Groups, version);
        c.EndOfFields();
    }
}

public sealed class DescribedGroup : IMessage
{
    public ErrorCode ErrorCode;
    public string? ErrorMessage;
    public string GroupId = "";
    public string GroupState = "";
    public string ProtocolType = "";

    /// <summary>The protocol that was chosen; empty unless the group is stable.</summary>
    public string ProtocolData = "";

    public List<DescribedGroupMember> Members = [];
    public int AuthorizedOperations = int.MinValue;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Error(ref ErrorCode);
        if (version >= 6) c.NullableString(ref ErrorMessage);
        c.String(ref GroupId);
        c.String(ref GroupState);
        c.String(ref ProtocolType);
        c.String(ref ProtocolData);
        c.Array(ref Members, version);
        if (version >= 3) c.Int32(ref AuthorizedOperations);
        c.EndOfFields();
    }
}

public sealed class DescribedGroupMember : IMessage
{
    public string MemberId = "";
    public string? GroupInstanceId;
    public string ClientId = "";
    public string ClientHost = "";
    public ReadOnlyMemory<byte> MemberMetadata;
    public ReadOnlyMemory<byte> MemberAssignment;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref MemberId);
        if (version >= 4) c.NullableString(ref GroupInstanceId);
        c.String(ref ClientId);
        c.String(ref ClientHost);
        c.Bytes(ref MemberMetadata);
        c.Bytes(ref MemberAssignment);
        c.EndOfFields();
    }
}
