namespace Broker.Protocol;

/// <summary>Forgets groups without members, and their offsets. Source: KIP-229.</summary>
public sealed class DeleteGroupsRequest : IRequest<DeleteGroupsResponse>
{
    public static ApiKey Key => ApiKey.DeleteGroups;
    public static VersionRange Versions => new(0, 2);
    public static short FlexibleFrom => 2;

    public List<string> GroupsNames = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.StringArray(ref GroupsNames);
        c.EndOfFields();
    }
}

public sealed class DeleteGroupsResponse : IResponse
{
    public static ApiKey Key => ApiKey.DeleteGroups;

    public int ThrottleTimeMs;
    public List<DeletableGroupResult> Results = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref ThrottleTimeMs);
        c.Array(ref Results, version);
        c.EndOfFields();
    }

    public sealed class DeletableGroupResult : IMessage
    {
        public string GroupId = "";
        public ErrorCode ErrorCode;

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.String(ref GroupId);
            c.Error(ref ErrorCode);
            c.EndOfFields();
        }
    }
}
