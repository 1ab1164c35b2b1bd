namespace Broker.Protocol;

/// <summary>Moves the start of partitions' logs up: what lies below is gone. Source: KIP-107.</summary>
public sealed class DeleteRecordsRequest : IRequest<DeleteRecordsResponse>
{
    public static ApiKey Key => ApiKey.DeleteRecords;
    public static VersionRange Versions => new(0, 2);
    public static short FlexibleFrom => 2;

    public List<DeleteRecordsTopic> Topics = [];
    public int TimeoutMs;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Array(ref Topics, version);
        c.Int32(ref TimeoutMs);
        c.EndOfFields();
    }

    public sealed class DeleteRecordsTopic : IMessage
    {
        public string Name = "";
        public List<DeleteRecordsPartition> Partitions = [];

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.String(ref Name);
            c.Array(ref Partitions, version);
            c.EndOfFields();
        }
    }

    public sealed class DeleteRecordsPartition : IMessage
    {
        public int PartitionIndex;

        /// <summary>The first offset to be kept; -1: the high watermark.</summary>
        public long Offset;

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.Int32(ref PartitionIndex);
            c.Int64(ref Offset);
            c.EndOfFields();
        }
    }
}

public sealed class DeleteRecordsResponse : IResponse
{
    public static ApiKey Key => ApiKey.DeleteRecords;

    public int ThrottleTimeMs;
    public List<DeleteRecordsTopicResult> Topics = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref ThrottleTimeMs);
        c.Array(ref Topics, version);
        c.EndOfFields();
    }

    public sealed class DeleteRecordsTopicResult : IMessage
    {
        public string Name = "";
        public List<DeleteRecordsPartitionResult> Partitions = [];

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.String(ref Name);
            c.Array(ref Partitions, version);
            c.EndOfFields();
        }
    }

    public sealed class DeleteRecordsPartitionResult : IMessage
    {
        public int PartitionIndex;

        /// <summary>The lowest log start offset of the replicas that are alive; -1 with an error.</summary>
        public long LowWatermark;

        public ErrorCode ErrorCode;

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.Int32(ref PartitionIndex);
            c.Int64(ref LowWatermark);
            c.Error(ref ErrorCode);
            c.EndOfFields();
        }
    }
}
