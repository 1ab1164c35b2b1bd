namespace Broker.Protocol;

/// <summary>Reads record batches; consumers and follower replicas alike. Topics go by name up to v12, by id from v13.</summary>
public sealed class FetchRequest : IRequest<FetchResponse>
{
    public static ApiKey Key => ApiKey.Fetch;
    public static VersionRange Versions => new(4, 16);
    public static short FlexibleFrom => 12;

    /// <summary>v12+; checked by the metadata quorum.</summary>
    public string? ClusterId;

    /// <summary>Up to v14; -1 for consumers. From v15 see <see cref="ReplicaState"/>.</summary>
    public int ReplicaId = -1;

    public ReplicaState ReplicaState = new();
    public int MaxWaitMs;
    public int MinBytes;
    public int MaxBytes = int.MaxValue;

    /// <summary>0 read uncommitted, 1 read committed.</summary>
    public sbyte IsolationLevel;

    public int SessionId;
    public int SessionEpoch = -1;
    public List<FetchTopic> Topics = [];
    public List<ForgottenTopic> ForgottenTopicsData = [];
    public string RackId = "";

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        if (version <= 14) c.Int32(ref ReplicaId);
        c.Int32(ref MaxWaitMs);
        c.Int32(ref MinBytes);
        c.Int32(ref MaxBytes);
        c.Int8(ref IsolationLevel);
        if (version >= 7)
        {
            c.Int32(ref SessionId);
            c.Int32(ref SessionEpoch);
        }
        c.Array(ref Topics, version);
        if (version >= 7) c.Array(ref ForgottenTopicsData, version);
        if (version >= 11) c.String(ref RackId);
        var tags = c.BeginTags();
        if (c.Tag(ref tags, 0, ClusterId is not null))
        {
            c.NullableString(ref ClusterId);
            c.EndTag(ref tags);
        }
        if (version >= 15 && c.Tag(ref tags, 1, ReplicaState != new ReplicaState()))
        {
            ReplicaState.Visit(ref c, version);
            c.EndTag(ref tags);
        }
        c.EndOfFields(ref tags);
    }
}

/// <summary>A follower and its broker epoch, v15+. Source: KIP-903.</summary>
public record struct ReplicaState() : IMessage
{
    public int ReplicaId = -1;
    public long ReplicaEpoch = -1;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref ReplicaId);
        c.Int64(ref ReplicaEpoch);
        c.EndOfFields();
    }
}

public sealed class FetchTopic : IMessage
{
    public string Topic = "";
    public Guid TopicId;
    public List<FetchPartition> Partitions = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        if (version <= 12) c.String(ref Topic);
        else c.Uuid(ref TopicId);
        c.Array(ref Partitions, version);
        c.EndOfFields();
    }
}

public sealed class FetchPartition : IMessage
{
    public int Partition;

    /// <summary>v9+: the epoch in which the reader believes; -1 does not say.</summary>
    public int CurrentLeaderEpoch = -1;

    public long FetchOffset;

    /// <summary>v12+: the epoch of the last record that a follower has; -1 for consumers that do not check. Source: KIP-595.</summary>
    public int LastFetchedEpoch = -1;

    /// <summary>v5+: the follower's own; -1 for consumers.</summary>
    public long LogStartOffset = -1;

    public int PartitionMaxBytes;

    /// <summary>v12+, from followers of compacted topics: up to where the follower's log outlives a power loss; -1 does not say. Kafka has no such field and passes it over.</summary>
    public long DurableEndOffset = -1;

    /// <summary>Kafka gives its tags out from 0 on.</summary>
    private const int DurableEndTag = 39;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref Partition);
        if (version >= 9) c.Int32(ref CurrentLeaderEpoch);
        c.Int64(ref FetchOffset);
        if (version >= 12) c.Int32(ref LastFetchedEpoch);
        if (version >= 5) c.Int64(ref LogStartOffset);
        c.Int32(ref PartitionMaxBytes);
        var tags = c.BeginTags();
        if (version >= 12 && c.Tag(ref tags, DurableEndTag, DurableEndOffset != -1))
        {
            c.Int64(ref DurableEndOffset);
            c.EndTag(ref tags);
        }
        c.EndOfFields(ref tags);
    }
}

/// <summary>v7+: partitions that leave the fetch session.</summary>
public sealed class ForgottenTopic : IMessage
{
    public string Topic = "";
    public Guid TopicId;
    public List<int> Partitions = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        if (version <= 12) c.String(ref Topic);
        else c.Uuid(ref TopicId);
        c.Int32Array(ref Partitions);
        c.EndOfFields();
    }
}

public sealed class FetchResponse : IResponse
{
    public static ApiKey Key => ApiKey.Fetch;

    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public int SessionId;
    public List<FetchableTopicResponse> Responses = [];
    public List<NodeEndpoint> NodeEndpoints = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref ThrottleTimeMs);
        if (version >= 7)
        {
            c.Error(ref ErrorCode);
            c.Int32(ref SessionId);
        }
        c.Array(ref Responses, version);
        var tags = c.BeginTags();
        if (version >= 16 && c.Tag(ref tags, 0, NodeEndpoints.Count > 0))
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
        public long HighWatermark;
        public long LastStableOffset = -1;
        public long LogStartOffset = -1;

        /// <summary>v12+: where the reader's log and this one part; both -1 where they do not. Source: KIP-595.</summary>
        public EpochEndOffset DivergingEpoch = new();

        public LeaderIdAndEpoch CurrentLeader = new();
        public SnapshotId SnapshotId = new();
        public List<AbortedTransaction>? AbortedTransactions = [];
        public int PreferredReadReplica = -1;

        /// <summary>Whole batches, though the last may be cut short by the size limit.</summary>
        public ReadOnlyMemory<byte>? Records;

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.Int32(ref PartitionIndex);
            c.Error(ref ErrorCode);
            c.Int64(ref HighWatermark);
            c.Int64(ref LastStableOffset);
            if (version >= 5) c.Int64(ref LogStartOffset);
            c.NullableArray(ref AbortedTransactions, version);
            if (version >= 11) c.Int32(ref PreferredReadReplica);
            c.Records(ref Records);
            var tags = c.BeginTags();
            if (c.Tag(ref tags, 0, DivergingEpoch != new EpochEndOffset()))
            {
                DivergingEpoch.Visit(ref c, version);
                c.EndTag(ref tags);
            }
            if (c.Tag(ref tags, 1, CurrentLeader != new LeaderIdAndEpoch()))
            {
                CurrentLeader.Visit(ref c, version);
                c.EndTag(ref tags);
            }
            if (c.Tag(ref tags, 2, SnapshotId != new SnapshotId()))
            {
                SnapshotId.Visit(ref c, version);
                c.EndTag(ref tags);
            }
            c.EndOfFields(ref tags);
        }
    }

    /// <summary>An epoch and the offset at which it ends, exclusive, in the log of whoever answers.</summary>
    public record struct EpochEndOffset() : IMessage
    {
        public int Epoch = -1;
        public long EndOffset = -1;

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.Int32(ref Epoch);
            c.Int64(ref EndOffset);
            c.EndOfFields();
        }
    }
}

public sealed class FetchableTopicResponse : IMessage
{
    public string Topic = "";
    public Guid TopicId;
    public List<FetchResponse.PartitionData> Partitions = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        if (version <= 12) c.String(ref Topic);
        else c.Uuid(ref TopicId);
        c.Array(ref Partitions, version);
        c.EndOfFields();
    }
}

/// <summary>The snapshot from which a replica of the metadata log must start. Both -1: none.</summary>
public record struct SnapshotId() : IMessage
{
    public long EndOffset = -1;
    public int Epoch = -1;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int64(ref EndOffset);
        c.Int32(ref Epoch);
        c.EndOfFields();
    }
}

public sealed class AbortedTransaction : IMessage
{
    public long ProducerId;
    public long FirstOffset;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int64(ref ProducerId);
        c.Int64(ref FirstOffset);
        c.EndOfFields();
    }
}
