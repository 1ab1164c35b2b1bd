namespace Broker.Protocol;

public sealed class CreateTopicsRequest : IRequest<CreateTopicsResponse>
{
    public static ApiKey Key => ApiKey.CreateTopics;
    public static VersionRange Versions => new(2, 7);
    public static short FlexibleFrom => 5;

    public List<CreatableTopic> Topics = [];
    public int TimeoutMs = 60_000;
    public bool ValidateOnly;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Array(ref Topics, version);
        c.Int32(ref TimeoutMs);
        c.Bool(ref ValidateOnly);
        c.EndOfFields();
    }
}

public sealed class CreatableTopic : IMessage
{
    public string Name = "";

    /// <summary>-1: the broker's default, from v4, or as many as there are assignments.</summary>
    public int NumPartitions;

    /// <summary>-1: the broker's default, from v4, or as the assignments say.</summary>
    public short ReplicationFactor;

    public List<CreatableReplicaAssignment> Assignments = [];
    public List<CreatableTopicConfig> Configs = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref Name);
        c.Int32(ref NumPartitions);
        c.Int16(ref ReplicationFactor);
        c.Array(ref Assignments, version);
        c.Array(ref Configs, version);
        c.EndOfFields();
    }
}

public sealed class CreatableReplicaAssignment : IMessage
{
    public int PartitionIndex;
    public List<int> BrokerIds = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref PartitionIndex);
        c.Int32Array(ref BrokerIds);
        c.EndOfFields();
    }
}

public sealed class CreatableTopicConfig : IMessage
{
    public string Name = "";
    public string? Value = "";

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref Name);
        c.NullableString(ref Value);
        c.EndOfFields();
    }
}

public sealed class CreateTopicsResponse : IResponse
{
    public static ApiKey Key => ApiKey.CreateTopics;

    public int ThrottleTimeMs;
    public List<CreatableTopicResult> Topics = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref ThrottleTimeMs);
        c.Array(ref Topics, version);
        c.EndOfFields();
    }
}

public sealed class CreatableTopicResult : IMessage
{
    public string Name = "";
    public Guid TopicId;
    public ErrorCode ErrorCode;
    public string? ErrorMessage = "";
    public ErrorCode TopicConfigErrorCode;
    public int NumPartitions = -1;
    public short ReplicationFactor = -1;

    /// <summary>v5+. Java clients take null for a crash: give a list, or say why not in <see cref="TopicConfigErrorCode"/>.</summary>
    public List<CreatableTopicConfigs>? Configs = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref Name);
        if (version >= 7) c.Uuid(ref TopicId);
        c.Error(ref ErrorCode);
        c.NullableString(ref ErrorMessage);
        if (version >= 5)
        {
            c.Int32(ref NumPartitions);
            c.Int16(ref ReplicationFactor);
            c.NullableArray(ref Configs, version);
        }
        var tags = c.BeginTags();
        if (c.Tag(ref tags, 0, TopicConfigErrorCode != ErrorCode.None))
        {
            c.Error(ref TopicConfigErrorCode);
            c.EndTag(ref tags);
        }
        c.EndOfFields(ref tags);
    }
}

public sealed class CreatableTopicConfigs : IMessage
{
    public string Name = "";
    public string? Value = "";
    public bool ReadOnly;

    /// <summary>Java clients crash on -1: name a known source (1 topic, 5 default).</summary>
    public sbyte ConfigSource = -1;

    public bool IsSensitive;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref Name);
        c.NullableString(ref Value);
        c.Bool(ref ReadOnly);
        c.Int8(ref ConfigSource);
        c.Bool(ref IsSensitive);
        c.EndOfFields();
    }
}
