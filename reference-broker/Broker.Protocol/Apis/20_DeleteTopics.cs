namespace Broker.Protocol;

/// <summary>Topics go by name up to v5 (<see cref="TopicNames"/>), by name or id from v6 (<see cref="Topics"/>).</summary>
public sealed class DeleteTopicsRequest : IRequest<DeleteTopicsResponse>
{
    public static ApiKey Key => ApiKey.DeleteTopics;
    public static VersionRange Versions => new(1, 6);
    public static short FlexibleFrom => 4;

    public List<DeleteTopicState> Topics = [];
    public List<string> TopicNames = [];
    public int TimeoutMs;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        if (version >= 6) c.Array(ref Topics, version);
        else c.StringArray(ref TopicNames);
        c.Int32(ref TimeoutMs);
        c.EndOfFields();
    }
}

public sealed class DeleteTopicState : IMessage
{
    public string? Name;
    public Guid TopicId;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.NullableString(ref Name);
        c.Uuid(ref TopicId);
        c.EndOfFields();
    }
}

public sealed class DeleteTopicsResponse : IResponse
{
    public static ApiKey Key => ApiKey.DeleteTopics;

    public int ThrottleTimeMs;
    public List<DeletableTopicResult> Responses = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref ThrottleTimeMs);
        c.Array(ref Responses, version);
        c.EndOfFields();
    }
}

public sealed class DeletableTopicResult : IMessage
{
    /// <summary>Null from v6, when an id is unknown.</summary>
    public string? Name = "";

    public Guid TopicId;
    public ErrorCode ErrorCode;
    public string? ErrorMessage;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.NullableString(ref Name, allowed: version >= 6);
        if (version >= 6) c.Uuid(ref TopicId);
        c.Error(ref ErrorCode);
        if (version >= 5) c.NullableString(ref ErrorMessage);
        c.EndOfFields();
    }
}
