namespace Broker.Protocol;

/// <summary>Who leads a partition now, told to a client that asked somebody else. Both -1: not told. Produce v10+, Fetch v12+.</summary>
public record struct LeaderIdAndEpoch() : IMessage
{
    public int LeaderId = -1;
    public int LeaderEpoch = -1;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref LeaderId);
        c.Int32(ref LeaderEpoch);
        c.EndOfFields();
    }
}

/// <summary>Where to reach a leader named in the same answer, so that no metadata request is needed. Produce v10+, Fetch v16+. Source: KIP-951.</summary>
public sealed class NodeEndpoint : IMessage
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
        c.NullableString(ref Rack);
        c.EndOfFields();
    }
}

/// <summary>What the quorum's messages say of each partition of a topic; there is one, of the metadata log. Source: KIP-595.</summary>
public sealed class QuorumTopic<TPartition> : IMessage where TPartition : IMessage, new()
{
    public string TopicName = "";
    public List<TPartition> Partitions = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref TopicName);
        c.Array(ref Partitions, version);
        c.EndOfFields();
    }
}

/// <summary>Who leads a partition of the quorum, as an answer to the start or the end of an epoch. Source: KIP-595.</summary>
public sealed class QuorumLeader : IMessage
{
    public int PartitionIndex;
    public ErrorCode ErrorCode;
    public int LeaderId;
    public int LeaderEpoch;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref PartitionIndex);
        c.Error(ref ErrorCode);
        c.Int32(ref LeaderId);
        c.Int32(ref LeaderEpoch);
        c.EndOfFields();
    }
}

/// <summary>What became of one partition where nothing else is to be said.</summary>
public sealed class PartitionError : IMessage
{
    public int PartitionIndex;
    public ErrorCode ErrorCode;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref PartitionIndex);
        c.Error(ref ErrorCode);
        c.EndOfFields();
    }
}
