namespace Broker.Protocol;

/// <summary>Where an epoch ends in the leader's log: a reader finds out whether its own log was truncated. Sources: KIP-101, KIP-320.</summary>
public sealed class OffsetForLeaderEpochRequest : IRequest<OffsetForLeaderEpochResponse>
{
    public static ApiKey Key => ApiKey.OffsetForLeaderEpoch;
    public static VersionRange Versions => new(2, 4);
    public static short FlexibleFrom => 4;

    /// <summary>-1 for consumers, -2 for a debugger's view.</summary>
    public int ReplicaId = -2;

    public List<OffsetForLeaderTopic> Topics = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        if (version >= 3) c.Int32(ref ReplicaId);
        c.Array(ref Topics, version);
        c.EndOfFields();
    }
}

public sealed class OffsetForLeaderTopic : IMessage
{
    public string Topic = "";
    public List<OffsetForLeaderPartition> Partitions = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref Topic);
        c.Array(ref Partitions, version);
        c.EndOfFields();
    }
}

public sealed class OffsetForLeaderPartition : IMessage
{
    public int Partition;
    public int CurrentLeaderEpoch = -1;
    public int LeaderEpoch;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref Partition);
        c.Int32(ref CurrentLeaderEpoch);
        c.Int32(ref LeaderEpoch);
        c.EndOfFields();
    }
}

public sealed class OffsetForLeaderEpochResponse : IResponse
{
    public static ApiKey Key => ApiKey.OffsetForLeaderEpoch;

    public int ThrottleTimeMs;
    public List<OffsetForLeaderTopicResult> Topics = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref ThrottleTimeMs);
        c.Array(ref Topics, version);
        c.EndOfFields();
    }

    public sealed class EpochEndOffset : IMessage
    {
        public ErrorCode ErrorCode;
        public int Partition;
        public int LeaderEpoch = -1;

        /// <summary>Exclusive; -1 when the epoch is unknown.</summary>
        public long EndOffset = -1;

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.Error(ref ErrorCode);
            c.Int32(ref Partition);
            c.Int32(ref LeaderEpoch);
            c.Int64(ref EndOffset);
            c.EndOfFields();
        }
    }
}

public sealed class OffsetForLeaderTopicResult : IMessage
{
    public string Topic = "";
    public List<OffsetForLeaderEpochResponse.EpochEndOffset> Partitions = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref Topic);
        c.Array(ref Partitions, version);
        c.EndOfFields();
    }
}
