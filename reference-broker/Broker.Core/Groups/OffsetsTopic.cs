namespace Broker.Core.Groups;

/// <summary>The topic that keeps groups and their offsets.</summary>
public static class OffsetsTopic
{
    public const string Name = "__consumer_offsets";

    /// <summary>The only client that may write to internal topics. Source: Kafka's AdminUtils.</summary>
    public const string AdminClient = "__admin_client";

    /// <summary>Topics that brokers write to.</summary>
    public static bool IsInternal(string topic) => topic is Name or "__transaction_state";

    /// <summary>Which partition keeps a group: Java's hash of its name, so that every client and tool finds the same.</summary>
    public static int PartitionOf(string group, int partitions)
    {
        var hash = 0;
        foreach (var letter in group) hash = unchecked(31 * hash + letter);
        return hash == int.MinValue ? 0 : Math.Abs(hash) % partitions;
    }
}
