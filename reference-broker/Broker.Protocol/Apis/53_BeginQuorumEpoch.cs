namespace Broker.Protocol;

/// <summary>A new leader of the metadata quorum tells the voters. Source: KIP-595.</summary>
public sealed class BeginQuorumEpochRequest : IRequest<BeginQuorumEpochResponse>
{
    public static ApiKey Key => ApiKey.BeginQuorumEpoch;
    public static VersionRange Versions => new(0, 0);
    public static short FlexibleFrom => 1;

    public string? ClusterId;
    public List<QuorumTopic<PartitionData>> Topics = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.NullableString(ref ClusterId);
        c.Array(ref Topics, version);
        c.EndOfFields();
    }

    public sealed class PartitionData : IMessage
    {
        public int PartitionIndex;
        public int LeaderId;
        public int LeaderEpoch;

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.Int32(ref PartitionIndex);
            c.Int32(ref LeaderId);
            c.Int32(ref LeaderEpoch);
            c.EndOfFields();
        }
    }
}

public sealed class BeginQuorumEpochResponse : IResponse
{
    public static ApiKey Key => ApiKey.BeginQuorumEpoch;

    public ErrorCode ErrorCode;
    public List<QuorumTopic<QuorumLeader>> Topics = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Error(ref ErrorCode);
        c.Array(ref Topics, version);
        c.EndOfFields();
    }
}
