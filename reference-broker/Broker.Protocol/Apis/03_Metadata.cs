namespace Broker.Protocol;

/// <summary>Who is in the cluster and who leads what. All topics: null, in v0 an empty list.</summary>
public sealed class MetadataRequest : IRequest<MetadataResponse>
{
    public static ApiKey Key => ApiKey.Metadata;
    public static VersionRange Versions => new(0, 12);
    public static short FlexibleFrom => 9;

    public List<MetadataRequestTopic>? Topics = [];
    public bool AllowAutoTopicCreation = true;
    public bool IncludeClusterAuthorizedOperations;
    public bool IncludeTopicAuthorizedOperations;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.NullableArray(ref Topics, version, allowed: version >= 1);
        if (version >= 4) c.Bool(ref AllowAutoTopicCreation);
        if (version is >= 8 and <= 10) c.Bool(ref IncludeClusterAuthorizedOperations);
        if (version >= 8) c.Bool(ref IncludeTopicAuthorizedOperations);
        c.EndOfFields();
    }
}

public sealed class MetadataRequestTopic : IMessage
{
    public Guid TopicId;

    /// <summary>Null from v10, when asked for by id.</summary>
    public string? Name = "";

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        if (version >= 10) c.Uuid(ref TopicId);
        c.NullableString(ref Name, allowed: version >= 10);
        c.EndOfFields();
    }
}

public sealed class MetadataResponse : IResponse
{
    public static ApiKey Key => ApiKey.Metadata;

    public int ThrottleTimeMs;
    public List<MetadataResponseBroker> Brokers = [];
    public string? ClusterId;
    public int ControllerId = -1;
    public List<MetadataResponseTopic> Topics = [];
    public int ClusterAuthorizedOperations = int.MinValue;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        if (version >= 3) c.Int32(ref ThrottleTimeMs);
        c.Array(ref Brokers, version);
        if (version >= 2) c.NullableString(ref ClusterId);
        if (version >= 1) c.Int32(ref ControllerId);
        c.Array(ref Topics, version);
        if (version is >= 8 and <= 10) c.Int32(ref ClusterAuthorizedOperations);
        c.EndOfFields();
    }
}

public sealed class MetadataResponseBroker : IMessage
{
    public int NodeId;
    public string Host = "";
    public int Port;
    public string? Rack;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref NodeId);
        c.String(ref Host);
        c.Int32(ref Port);
        if (version >= 1) c.NullableString(ref Rack);
        c.EndOfFields();
    }
}

public sealed class MetadataResponseTopic : IMessage
{
    public ErrorCode ErrorCode;

    /// <summary>Null from v12, when an id is unknown.</summary>
    public string? Name = "";

    public Guid TopicId;
    public bool IsInternal;
    public List<MetadataResponsePartition> Partitions = [];
    public int TopicAuthorizedOperations = int.MinValue;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Error(ref ErrorCode);
        c.NullableString(ref Name, allowed: version >= 12);
        if (version >= 10) c.Uuid(ref TopicId);
        if (version >= 1) c.Bool(ref IsInternal);
        c.Array(ref Partitions, version);
        if (version >= 8) c.Int32(ref TopicAuthorizedOperations);
        c.EndOfFields();
    }
}

public sealed class MetadataResponsePartition : IMessage
{
    public ErrorCode ErrorCode;
    public int PartitionIndex;
    public int LeaderId;
    public int LeaderEpoch = -1;
    public List<int> ReplicaNodes = [];
    public List<int> IsrNodes = [];
    public List<int> OfflineReplicas = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Error(ref ErrorCode);
        c.Int32(ref PartitionIndex);
        c.Int32(ref LeaderId);
        if (version >= 7) c.Int32(ref LeaderEpoch);
        c.Int32Array(ref ReplicaNodes);
        c.Int32Array(ref IsrNodes);
        if (version >= 5) c.Int32Array(ref OfflineReplicas);
        c.EndOfFields();
    }
}
