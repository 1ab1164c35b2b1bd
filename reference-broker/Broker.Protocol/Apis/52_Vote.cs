namespace Broker.Protocol;

/// <summary>A candidate of the metadata quorum asks for a vote. Sources: KIP-595; KIP-853 for v1.</summary>
public sealed class VoteRequest : IRequest<VoteResponse>
{
    public static ApiKey Key => ApiKey.Vote;
    public static VersionRange Versions => new(0, 1);
    public static short FlexibleFrom => 0;

    public string? ClusterId;
    public int VoterId = -1;
    public List<QuorumTopic<PartitionData>> Topics = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.NullableString(ref ClusterId);
        if (version >= 1) c.Int32(ref VoterId);
        c.Array(ref Topics, version);
        c.EndOfFields();
    }

    public sealed class PartitionData : IMessage
    {
        public int PartitionIndex;
        public int CandidateEpoch;
        public int CandidateId;
        public Guid CandidateDirectoryId;
        public Guid VoterDirectoryId;

        /// <summary>The epoch of the last record in the candidate's log.</summary>
        public int LastOffsetEpoch;

        /// <summary>The end of the candidate's log, exclusive despite its name.</summary>
        public long LastOffset;

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.Int32(ref PartitionIndex);
            c.Int32(ref CandidateEpoch);
            c.Int32(ref CandidateId);
            if (version >= 1)
            {
                c.Uuid(ref CandidateDirectoryId);
                c.Uuid(ref VoterDirectoryId);
            }
            c.Int32(ref LastOffsetEpoch);
            c.Int64(ref LastOffset);
            c.EndOfFields();
        }
    }
}

public sealed class VoteResponse : IResponse
{
    public static ApiKey Key => ApiKey.Vote;

    public ErrorCode ErrorCode;
    public List<QuorumTopic<PartitionData>> Topics = [];
    public List<NodeEndpoint> NodeEndpoints = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Error(ref ErrorCode);
        c.Array(ref Topics, version);
        var tags = c.BeginTags();
        if (version >= 1 && c.Tag(ref tags, 0, NodeEndpoints.Count > 0))
        {
            c.Array(ref NodeEndpoints, version);
            c.EndTag(ref tags);
        }
        c.EndOfFields(ref tags);
    }

    public sealed class PartitionData : IMessage
    {
        public int PartitionIndex;
        public ErrorCode ErrorCode;

        /// <summary>-1 when unknown.</summary>
        public int LeaderId;

        public int LeaderEpoch;
        public bool VoteGranted;

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.Int32(ref PartitionIndex);
            c.Error(ref ErrorCode);
            c.Int32(ref LeaderId);
            c.Int32(ref LeaderEpoch);
            c.Bool(ref VoteGranted);
            c.EndOfFields();
        }
    }

    public sealed class NodeEndpoint : IMessage
    {
        public int NodeId;
        public string Host = "";
        public ushort Port;

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.Int32(ref NodeId);
            c.String(ref Host);
            c.UInt16(ref Port);
            c.EndOfFields();
        }
    }
}
