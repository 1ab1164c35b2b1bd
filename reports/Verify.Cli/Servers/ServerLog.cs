using System.Globalization;
using System.Text;
using Broker.Protocol;
using Broker.Runtime;

namespace Verify.Cli.Servers;

/// <summary>Tells what the nodes of this process do, one line for each event. Called on the nodes' threads.</summary>
/// <remarks>What all nodes see (a topic is created) is told once. A client's error that repeats is told once a second, with how often it came in between.</remarks>
internal sealed class ServerLog(TextWriter output, TimeProvider time)
{
    private static readonly TimeSpan RepeatAfter = TimeSpan.FromSeconds(1);

    private readonly Lock writing = new();
    private readonly Dictionary<(int Node, TopicPartition Partition, int Error), Repeated> errors = [];
    private readonly HashSet<string> topics = new(StringComparer.Ordinal);
    private bool caughtUp;

    /// <summary>What the metadata brought from an earlier life is known now; topics that come from now on are new.</summary>
    /// <returns>How many topics there are.</returns>
    public int CaughtUp()
    {
        lock (writing)
        {
            caughtUp = true;
            return topics.Count;
        }
    }

    public void Write(string line)
    {
        lock (writing) output.WriteLine($"{time.GetLocalNow().ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture)} {line}");
    }

    public void Observe(Observation seen)
    {
        lock (writing)
            if (Text(seen) is { } text) Write($"node {seen.Node}: {text}");
    }

    private string? Text(in Observation seen) => seen.Kind switch
    {
        ObservationKind.NodeStarted => "starts",
        ObservationKind.LogRecovered when seen.EndOffset > 0 => $"cut a torn tail of {seen.EndOffset} bytes off {seen.Partition}, which ends at {seen.Offset}",
        ObservationKind.QuorumLeader => $"is the active controller, in quorum epoch {seen.Epoch}",
        ObservationKind.BecameLeader => $"leads {seen.Partition} in epoch {seen.Epoch}; in-sync replicas {Ids(seen.Nodes)}",
        ObservationKind.Elected when seen.Offset == (long)ElectionKind.None => $"finds no leader for {seen.Partition}; in-sync replicas {Ids(seen.Nodes)}",
        ObservationKind.Elected when seen.Offset == (long)ElectionKind.Unclean => $"elects node {seen.Other} leader of {seen.Partition} uncleanly: records may be lost",
        ObservationKind.IsrCommitted => $"in-sync replicas of {seen.Partition} are {Ids(seen.Nodes)}",
        ObservationKind.BrokerFenced => $"fences node {seen.Other}",
        ObservationKind.BrokerUnfenced => $"lets node {seen.Other} in",
        ObservationKind.UncleanRegistration => $"hears that node {seen.Other} lost what it had not flushed",
        ObservationKind.Truncated when seen.EndOffset > seen.Offset => $"cuts {seen.Partition} from {seen.EndOffset} to {seen.Offset} to follow node {seen.Other}",
        ObservationKind.ConnectionClosed => Told((seen.Node.Value, default, -1), $"closes the connection from {Encoding.UTF8.GetString(seen.Bytes.Span)}"),
        ObservationKind.TopicChanged => Topic(seen),
        ObservationKind.ProduceReceived when seen.Other != 0 => Refusal(seen),
        _ => null,
    };

    private string? Topic(in Observation seen)
    {
        var created = seen.Other == 1;
        var isNews = created ? topics.Add(seen.Partition.Topic) : topics.Remove(seen.Partition.Topic);
        return isNews && caughtUp ? $"topic {seen.Partition.Topic} is {(created ? "created" : "deleted")}" : null;
    }

    private string? Refusal(in Observation seen) =>
        Told((seen.Node.Value, seen.Partition, seen.Other), $"refuses a batch for {seen.Partition}: {NameOf((ErrorCode)seen.Other)}");

    /// <summary>Null where the same was told less than a second ago.</summary>
    private string? Told((int, TopicPartition, int) what, string text)
    {
        if (!errors.TryGetValue(what, out var repeated)) errors.Add(what, repeated = new Repeated());
        repeated.Count++;
        var now = time.GetTimestamp();
        if (repeated.LastTold is { } last && time.GetElapsedTime(last, now) < RepeatAfter) return null;
        var often = repeated.Count > 1 ? $" ({repeated.Count} times)" : "";
        (repeated.LastTold, repeated.Count) = (now, 0);
        return text + often;
    }

    private static string Ids(NodeSet nodes) => $"[{string.Join(',', nodes.Ids())}]";

    /// <summary>Kafka's spelling: NOT_LEADER_OR_FOLLOWER.</summary>
    private static string NameOf(ErrorCode error)
    {
        var name = new StringBuilder();
        foreach (var letter in error.ToString())
        {
            if (char.IsUpper(letter) && name.Length > 0) name.Append('_');
            name.Append(char.ToUpperInvariant(letter));
        }
        return name.ToString();
    }

    private sealed class Repeated
    {
        public long? LastTold { get; set; }

        public int Count { get; set; }
    }
}
