namespace Broker.Protocol;

/// <summary>What consumers put into the opaque bytes of their groups: to what they subscribe, and what they are given. Source: Kafka's ConsumerProtocolSubscription and -Assignment.</summary>
/// <remarks>Written in version 0, read in any: later versions only add fields behind these.</remarks>
public static class ConsumerProtocol
{
    public const string Type = "consumer";

    public static byte[] Subscription(IReadOnlyList<string> topics)
    {
        var words = new List<string>(topics);
        return Write(new TopicNames { Topics = words });
    }

    public static byte[] Assignment(IReadOnlyList<(string Topic, IReadOnlyList<int> Partitions)> assigned) =>
        Write(new TopicPartitionLists { Topics = [.. assigned.Select(static topic => new TopicPartitionList { Topic = topic.Topic, Partitions = [.. topic.Partitions] })] });

    /// <summary>The topics, or null for bytes that are no subscription.</summary>
    public static IReadOnlyList<string>? TopicsOf(ReadOnlyMemory<byte> subscription) => Read(subscription, new TopicNames())?.Topics;

    /// <summary>The partitions, none for no bytes at all; null for bytes that are no assignment.</summary>
    public static IReadOnlyList<(string Topic, IReadOnlyList<int> Partitions)>? PartitionsOf(ReadOnlyMemory<byte> assignment)
    {
        if (assignment.IsEmpty) return [];
        return Read(assignment, new TopicPartitionLists())?.Topics.ConvertAll(static topic => (topic.Topic, (IReadOnlyList<int>)topic.Partitions));
    }

    private static byte[] Write<T>(T message) where T : IMessage
    {
        var sizer = new FrameSizer(flexible: false, default);
        message.Visit(ref sizer, 0);
        var bytes = new byte[sizer.Size];
        var writer = new FrameWriter(bytes, 0, flexible: false);
        message.Visit(ref writer, 0);
        return bytes;
    }

    private static T? Read<T>(ReadOnlyMemory<byte> bytes, T into) where T : class, IMessage
    {
        try
        {
            var reader = new FrameReader(bytes.ToArray(), 0, flexible: false, default);
            into.Visit(ref reader, 0);
            return into;
        }
        catch (MalformedFrameException)
        {
            return null;                                               // a group may use the name and write what it likes
        }
    }

    private sealed class TopicNames : IMessage
    {
        public List<string> Topics = [];

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            short written = 0;
            ReadOnlyMemory<byte>? userData = null;
            c.Int16(ref written);
            c.StringArray(ref Topics);
            c.Records(ref userData);
        }
    }

    private sealed class TopicPartitionLists : IMessage
    {
        public List<TopicPartitionList> Topics = [];

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            short written = 0;
            ReadOnlyMemory<byte>? userData = null;
            c.Int16(ref written);
            c.Array(ref Topics, version);
            c.Records(ref userData);
        }
    }

    private sealed class TopicPartitionList : IMessage
    {
        public string Topic = "";
        public List<int> Partitions = [];

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.String(ref Topic);
            c.Int32Array(ref Partitions);
        }
    }
}
