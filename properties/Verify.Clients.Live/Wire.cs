using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Broker.Runtime;
using Chaos.Live;

namespace Verify.Clients.Live;

/// <summary>Partitions, offsets and records as lines of the protocol have them.</summary>
internal static class Wire
{
    public static Comparer<TopicPartition> Order { get; } = Comparer<TopicPartition>.Create(static (one, other) =>
        string.CompareOrdinal(one.Topic, other.Topic) is var byTopic and not 0 ? byTopic : one.Partition.CompareTo(other.Partition));

    public static JsonArray Of(IEnumerable<TopicPartition> partitions) => new([.. partitions.Select(static one => Of(one))]);

    public static JsonArray Of(IEnumerable<KeyValuePair<TopicPartition, long>> offsets) => new([.. offsets.Select(static one =>
    {
        var partition = Of(one.Key);
        partition["offset"] = one.Value;
        return partition;
    })]);

    public static IReadOnlyList<TopicPartition> PartitionsOf(JsonElement line) => [.. Read(line, "partitions", static one => PartitionOf(one))];

    /// <summary>-1 where none is told.</summary>
    public static SortedDictionary<TopicPartition, long> OffsetsOf(JsonElement line) =>
        new(Read(line, "partitions", static one => (Partition: PartitionOf(one), Offset: one.TryGetProperty("offset", out var offset) ? offset.GetInt64() : -1)).ToDictionary(static one => one.Partition, static one => one.Offset), Order);

    /// <exception cref="LiveException">The poll failed for good.</exception>
    public static PollResult PollResultOf(JsonElement answer)
    {
        if (ClientProcess.KindOf(answer) != Verify.Clients.OutcomeKind.Ok) throw new LiveException($"a client could not poll: {ClientProcess.TextOf(answer, "error")}");
        var batches = Read(answer, "records", static one => (Partition: PartitionOf(one), Record: RecordOf(one))).GroupBy(static one => one.Partition, static one => one.Record);
        return new PollResult([.. batches.Select(static batch => new PartitionRecords(batch.Key, [.. batch]))], [], []);
    }

    private static JsonObject Of(TopicPartition partition) => new() { ["topic"] = partition.Topic, ["partition"] = partition.Partition };

    private static TopicPartition PartitionOf(JsonElement one) => new(one.GetProperty("topic").GetString()!, one.GetProperty("partition").GetInt32());

    private static ConsumedRecord RecordOf(JsonElement one) => new(one.GetProperty("offset").GetInt64(), BytesOf(one, "key"), BytesOf(one, "value"), -1, -1);

    private static byte[]? BytesOf(JsonElement one, string field) => one.TryGetProperty(field, out var text) && text.GetString() is { } value ? Encoding.UTF8.GetBytes(value) : null;

    /// <exception cref="LiveException">The client said something else.</exception>
    private static List<T> Read<T>(JsonElement line, string field, Func<JsonElement, T> read)
    {
        try
        {
            return line.TryGetProperty(field, out var all) ? [.. all.EnumerateArray().Select(read)] : [];
        }
        catch (Exception wrong) when (wrong is InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new LiveException($"a client said what is no line of the protocol: '{field}' in {line.GetRawText()}");
        }
    }
}
