namespace Broker.Protocol;

/// <summary>Who is in the cluster. Sources: KIP-700, KIP-919 (endpoints of controllers), KIP-1073 (fenced brokers).</summary>
public sealed class DescribeClusterRequest : IRequest<DescribeClusterResponse>
{
    public static ApiKey Key => ApiKey.DescribeCluster;
    public static VersionRange Versions => new(0, 2);
    public static short FlexibleFrom => 0;

    public bool IncludeClusterAuthorizedOperations;

    /// <summary>1 brokers, 2 controllers.</summary>
    public sbyte EndpointType = 1;

    public bool IncludeFencedBrokers;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Bool(ref IncludeClusterAuthorizedOperations);
        if (version >= 1) c.Int8(ref EndpointType);
        if (version >= 2) c.Bool(ref IncludeFencedBrokers);
        c.EndOfFields();
    }
}

public sealed class DescribeClusterResponse : IResponse
{
    public static ApiKey Key => ApiKey.DescribeCluster;

    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public string? ErrorMessage;
    public sbyte EndpointType = 1;
    public string ClusterId = "";
    public int ControllerId = -1;
    public List<DescribeClusterBroker> Brokers = [];
    public int ClusterAuthorizedOperations = int.MinValue;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref ThrottleTimeMs);
        c.Error(ref ErrorCode);
        c.NullableString(ref ErrorMessage);
        if (version >= 1) c.Int8(ref EndpointType);
        c.String(ref ClusterId);
        c.Int32(ref ControllerId);
        c.Array(ref Brokers, version);
        c.Int32(ref ClusterAuthorizedOperations);
        c.EndOfFields();
    }

    public sealed class DescribeClusterBroker : IMessage
    {
        public int BrokerId;
        public string Host = "";
        public int Port;
        public string? Rack;
        public bool IsFenced;

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.Int32(ref BrokerId);
            c.String(ref Host);
            c.Int32(ref Port);
            c.NullableString(ref Rack);
            if (version >= 2) c.Bool(ref IsFenced);
            c.EndOfFields();
        }
    }
}
