namespace Broker.Protocol;

/// <summary>A partition's leader proposes in-sync replicas to the controller. Sources: KIP-497; KIP-903 for v3.</summary>
public sealed class AlterPartitionRequest : IRequest<AlterPartitionResponse>
{
    public static ApiKey Key => ApiKey.AlterPartition;
    public static VersionRange Versions => new(2, 3);
    public static short FlexibleFrom => 0;

    public int BrokerId;
    public long BrokerEpoch = -1;
    public List<TopicData> Topics = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref BrokerId);
        c.Int64(ref BrokerEpoch);
        c.Array(ref Topics, version);
        c.EndOfFields();
    }

    public sealed class TopicData : IMessage
    {
        public Guid TopicId;
        public List<PartitionData> Partitions = [];

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.Uuid(ref TopicId);
            c.Array(ref Partitions, version);
            c.EndOfFields();
        }
    }

    public sealed class PartitionData : IMessage
    {
        public int PartitionIndex;
        public int LeaderEpoch;

        /// <summary>v2; from v3 with epochs.</summary>
        public List<int> NewIsr = [];

        public List<BrokerState> NewIsrWithEpochs = [];

        /// <summary>0 recovered, 1 recovering after an unclean election.</summary>
        public sbyte LeaderRecoveryState;

        /// <summary>The state on which the proposal builds; another one at the controller refuses it.</summary>
        public int PartitionEpoch;

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.Int32(ref PartitionIndex);
            c.Int32(ref LeaderEpoch);
            if (version <= 2) c.Int32Array(ref NewIsr);
            else c.Array(ref NewIsrWithEpochs, version);
            c.Int8(ref LeaderRecoveryState);
            c.Int32(ref PartitionEpoch);
            c.EndOfFields();
        }
    }

    public sealed class BrokerState : IMessage
    {
        public int BrokerId;
        public long BrokerEpoch = -1;

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.Int32(ref BrokerId);
            c.Int64(ref BrokerEpoch);
            c.EndOfFields();
        }
    }
}

public sealed class AlterPartitionResponse : IResponse
{
    public static ApiKey Key => ApiKey.AlterPartition;

    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public List<TopicData> Topics = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref ThrottleTimeMs);
        c.Error(ref ErrorCode);
        c.Array(ref Topics, version);
        c.EndOfFields();
    }

    public sealed class TopicData : IMessage
    {
        public Guid TopicId;
        public List<PartitionData> Partitions = [];

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.Uuid(ref TopicId);
            c.Array(ref Partitions, version);
            c.EndOfFields();
        }
    }

    public sealed class PartitionData : IMessage
    {
        public int PartitionIndex;
        public ErrorCode ErrorCode;
        public int LeaderId;
        public int LeaderEpoch;
        public List<int> Isr = [];
        public sbyte LeaderRecoveryState;
        public int PartitionEpoch;

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.Int32(ref PartitionIndex);
            c.Error(ref ErrorCode);
            c.Int32(ref LeaderId);
            c.Int32(ref LeaderEpoch);
            c.Int32Array(ref Isr);
            c.Int8(ref LeaderRecoveryState);
            c.Int32(ref PartitionEpoch);
            c.EndOfFields();
        }
    }
}
