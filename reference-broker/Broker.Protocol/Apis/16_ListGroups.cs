namespace Broker.Protocol;

/// <summary>The groups that a broker coordinates. Sources: KIP-518 (states), KIP-848 (types).</summary>
public sealed class ListGroupsRequest : IRequest<ListGroupsResponse>
{
    public static ApiKey Key => ApiKey.ListGroups;
    public static VersionRange Versions => new(0, 5);
    public static short FlexibleFrom => 3;

    /// <summary>None: in any state.</summary>
    public List<string> StatesFilter = [];

    /// <summary>None: of any type.</summary>
    public List<string> TypesFilter = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        if (version >= 4) c.StringArray(ref StatesFilter);
        if (version >= 5) c.StringArray(ref TypesFilter);
        c.EndOfFields();
    }
}

public sealed class ListGroupsResponse : IResponse
{
    public static ApiKey Key => ApiKey.ListGroups;

    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public List<ListedGroup> Groups = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        if (version >= 1) c.Int32(ref ThrottleTimeMs);
        c.Error(ref ErrorCode);
        c.Array(ref Groups, version);
        c.EndOfFields();
    }

    public sealed class ListedGroup : IMessage
    {
        public string GroupId = "";
        public string ProtocolType = "";
        public string GroupState = "";
        public string GroupType = "";

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.String(ref GroupId);
            c.String(ref ProtocolType);
            if (version >= 4) c.String(ref GroupState);
            if (version >= 5) c.String(ref GroupType);
            c.EndOfFields();
        }
    }
}
