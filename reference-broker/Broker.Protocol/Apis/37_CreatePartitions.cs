namespace Broker.Protocol;

/// <summary>Adds partitions to topics. Source: KIP-195.</summary>
public sealed class CreatePartitionsRequest : IRequest<CreatePartitionsResponse>
{
    public static ApiKey Key => ApiKey.CreatePartitions;
    public static VersionRange Versions => new(0, 3);
    public static short FlexibleFrom => 2;

    public List<CreatePartitionsTopic> Topics = [];
    public int TimeoutMs;
    public bool ValidateOnly;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Array(ref Topics, version);
        c.Int32(ref TimeoutMs);
        c.Bool(ref ValidateOnly);
        c.EndOfFields();
    }

    public sealed class CreatePartitionsTopic : IMessage
    {
        public string Name = "";

        /// <summary>Of all partitions, not only the new ones.</summary>
        public int Count;

        /// <summary>Of the new partitions, in order; null: the controller chooses.</summary>
        public List<CreatePartitionsAssignment>? Assignments = [];

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.String(ref Name);
            c.Int32(ref Count);
            c.NullableArray(ref Assignments, version);
            c.EndOfFields();
        }
    }

    public sealed class CreatePartitionsAssignment : IMessage
    {
        public List<int> BrokerIds = [];

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.Int32Array(ref BrokerIds);
            c.EndOfFields();
        }
    }
}

public sealed class CreatePartitionsResponse : IResponse
{
    public static ApiKey Key => ApiKey.CreatePartitions;

    public int ThrottleTimeMs;
    public List<CreatePartitionsTopicResult> Results = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref ThrottleTimeMs);
        c.Array(ref Results, version);
        c.EndOfFields();
    }

    public sealed class CreatePartitionsTopicResult : IMessage
    {
        public string Name = "";
        public ErrorCode ErrorCode;
        public string? ErrorMessage;

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.String(ref Name);
            c.Error(ref ErrorCode);
            c.NullableString(ref ErrorMessage);
            c.EndOfFields();
        }
    }
}
