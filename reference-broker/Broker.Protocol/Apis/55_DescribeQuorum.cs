namespace Broker.Protocol;

/// <summary>The state of the metadata quorum, as its leader sees it. Source: KIP-836.</summary>
public sealed class DescribeQuorumRequest : IRequest<DescribeQuorumResponse>
{
    public static ApiKey Key => ApiKey.DescribeQuorum;
    public static VersionRange Versions => new(0, 1);
    public static short FlexibleFrom => 0;

    public List<QuorumTopic<PartitionData>> Topics = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Array(ref Topics, version);
        c.EndOfFields();
    }

    public sealed class PartitionData : IMessage
    {
        public int PartitionIndex;

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.Int32(ref PartitionIndex);
            c.EndOfFields();
        }
    }
}

public sealed class DescribeQuorumResponse : IResponse
{
    public static ApiKey Key => ApiKey.DescribeQuorum;

    public ErrorCode ErrorCode;
    public List<QuorumTopic<PartitionData>> Topics = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Error(ref ErrorCode);
        c.Array(ref Topics, version);
        c.EndOfFields();
    }

    public sealed class PartitionData : IMessage
    {
        public int PartitionIndex;
        public ErrorCode ErrorCode;
        public int LeaderId;
        public int LeaderEpoch;
        public long HighWatermark;
        public List<ReplicaState> CurrentVoters = [];
        public List<ReplicaState> Observers = [];

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.Int32(ref PartitionIndex);
            c.Error(ref ErrorCode);
            c.Int32(ref LeaderId);
            c.Int32(ref LeaderEpoch);
            c.Int64(ref HighWatermark);
            c.Array(ref CurrentVoters, version);
            c.Array(ref Observers, version);
            c.EndOfFields();
        }
    }

    public sealed class ReplicaState : IMessage
    {
        public int ReplicaId;
        public long LogEndOffset;
        public long LastFetchTimestamp = -1;
        public long LastCaughtUpTimestamp = -1;

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.Int32(ref ReplicaId);
            c.Int64(ref LogEndOffset);
            if (version >= 1)
            {
                c.Int64(ref LastFetchTimestamp);
                c.Int64(ref LastCaughtUpTimestamp);
            }
            c.EndOfFields();
        }
    }
}
