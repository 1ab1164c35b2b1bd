namespace Broker.Protocol;

/// <summary>Moves partitions to other replicas; null replicas cancel. Source: KIP-455.</summary>
public sealed class AlterPartitionReassignmentsRequest : IRequest<AlterPartitionReassignmentsResponse>
{
    public static ApiKey Key => ApiKey.AlterPartitionReassignments;
    public static VersionRange Versions => new(0, 0);
    public static short FlexibleFrom => 0;

    public int TimeoutMs = 60_000;
    public List<ReassignableTopic> Topics = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref TimeoutMs);
        c.Array(ref Topics, version);
        c.EndOfFields();
    }
}

public sealed class ReassignableTopic : IMessage
{
    public string Name = "";
    public List<ReassignablePartition> Partitions = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref Name);
        c.Array(ref Partitions, version);
        c.EndOfFields();
    }
}

public sealed class ReassignablePartition : IMessage
{
    public int PartitionIndex;
    public List<int>? Replicas;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref PartitionIndex);
        c.NullableInt32Array(ref Replicas);
        c.EndOfFields();
    }
}

public sealed class AlterPartitionReassignmentsResponse : IResponse
{
    public static ApiKey Key => ApiKey.AlterPartitionReassignments;

    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public string? ErrorMessage = "";
    public List<ReassignableTopicResponse> Responses = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref ThrottleTimeMs);
        c.Error(ref ErrorCode);
        c.NullableString(ref ErrorMessage);
        c.Array(ref Responses, version);
        c.EndOfFields();
    }
}

public sealed class ReassignableTopicResponse : IMessage
{
    public string Name = "";
    public List<ReassignablePartitionResponse> Partitions = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref Name);
        c.Array(ref Partitions, version);
        c.EndOfFields();
    }
}

public sealed class ReassignablePartitionResponse : IMessage
{
    public int PartitionIndex;
    public ErrorCode ErrorCode;
    public string? ErrorMessage = "";

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref PartitionIndex);
        c.Error(ref ErrorCode);
        c.NullableString(ref ErrorMessage);
        c.EndOfFields();
    }
}
