namespace Broker.Protocol;

/// <summary>An administrator's election. No partitions named (null): all of them. Source: KIP-460.</summary>
public sealed class ElectLeadersRequest : IRequest<ElectLeadersResponse>
{
    public static ApiKey Key => ApiKey.ElectLeaders;
    public static VersionRange Versions => new(0, 2);
    public static short FlexibleFrom => 2;

    /// <summary>v1+: 0 preferred, 1 unclean.</summary>
    public sbyte ElectionType;

    public List<TopicPartitions>? TopicPartitions = [];
    public int TimeoutMs = 60_000;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        if (version >= 1) c.Int8(ref ElectionType);
        c.NullableArray(ref TopicPartitions, version);
        c.Int32(ref TimeoutMs);
        c.EndOfFields();
    }
}

public sealed class TopicPartitions : IMessage
{
    public string Topic = "";
    public List<int> Partitions = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref Topic);
        c.Int32Array(ref Partitions);
        c.EndOfFields();
    }
}

public sealed class ElectLeadersResponse : IResponse
{
    public static ApiKey Key => ApiKey.ElectLeaders;

    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public List<ReplicaElectionResult> ReplicaElectionResults = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref ThrottleTimeMs);
        if (version >= 1) c.Error(ref ErrorCode);
        c.Array(ref ReplicaElectionResults, version);
        c.EndOfFields();
    }

    public sealed class PartitionResult : IMessage
    {
        public int PartitionId;
        public ErrorCode ErrorCode;
        public string? ErrorMessage = "";

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.Int32(ref PartitionId);
            c.Error(ref ErrorCode);
            c.NullableString(ref ErrorMessage);
            c.EndOfFields();
        }
    }
}

public sealed class ReplicaElectionResult : IMessage
{
    public string Topic = "";
    public List<ElectLeadersResponse.PartitionResult> PartitionResult = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref Topic);
        c.Array(ref PartitionResult, version);
        c.EndOfFields();
    }
}
