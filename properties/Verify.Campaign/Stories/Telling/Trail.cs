using Broker.Runtime;
using Chaos.Simulation;
using Verify.Campaign.Judging;
using Verify.Campaign.Results;

namespace Verify.Campaign.Stories.Telling;

/// <summary>
/// Follows one record through the logs of all replicas, as the journal shows it: where it was appended, who copied it, who cut it away or lost it with the power.
/// Tells it twice: as beats of the story, and as steps of the record's life.
/// </summary>
/// <param name="tour">From here on leaderships are moved about by an operator: who is elected tells nothing any more.</param>
internal sealed class Trail(long value, TopicPartition partition, Cast cast, TimeSpan start, TimeSpan tour)
{
    /// <summary>Where each broker has it now.</summary>
    private readonly SortedDictionary<int, long> held = [];
    private readonly SortedDictionary<int, TimeSpan> withoutPower = [];
    private readonly HashSet<int> flushed = [];
    private readonly Dictionary<long, int> epochs = [];                // of the leaders that gave it its places
    private bool appended, committed, replaced, led;
    private (int Epoch, bool Unclean) elected = (-1, false);

    public List<Beat> Beats { get; } = [];

    public List<(TimeSpan At, string Text)> Steps { get; } = [];

    /// <summary>The last place it was given by a leader, -1 for none.</summary>
    public long Offset { get; private set; } = -1;

    public long Value => value;

    public string Name => $"value {value}";

    /// <summary>Brokers that lost it with their power, and when.</summary>
    public List<(int Node, TimeSpan At)> LostToPower { get; } = [];

    /// <summary>Who lost the last copy that is gone, and how, as a verb; null when none is.</summary>
    public (int Node, string How)? LastLoss { get; private set; }

    /// <summary>The leader that appended it last.</summary>
    public int? Appender { get; private set; }

    public void Observe(in JournalEntry entry)
    {
        var seen = entry.What;
        var at = entry.At - start;
        if (seen.Kind == ObservationKind.PowerLost) withoutPower[seen.Node.Value] = at;
        if (seen.Kind == ObservationKind.FrameLost) LostOnTheWay(at, seen);
        if (seen.Partition != partition) return;
        switch (seen.Kind)
        {
            case ObservationKind.ProduceReceived when seen.Other != 0: Refused(at, seen); break;
            case ObservationKind.Appended: Stored(at, seen, leads: true); break;
            case ObservationKind.Replicated: Stored(at, seen, leads: false); break;
            case ObservationKind.Flushed: Flushed(at, seen); break;
            case ObservationKind.HighWatermark: Watermark(at, seen); break;
            case ObservationKind.Elected when entry.At < tour: Elected(at, seen); break;
            case ObservationKind.BecameLeader when entry.At < tour: TookOffice(at, seen); break;
            case ObservationKind.Truncated: Truncated(at, seen); break;
            case ObservationKind.LogRecovered: Recovered(at, seen); break;
        }
    }

    private void LostOnTheWay(TimeSpan at, in Observation seen)
    {
        if (!BatchValues.OfRequest(seen.Bytes).Any(sent => sent.Partition == partition && Values(sent.Batch).Contains(value))) return;
        var why = (FrameLoss)seen.Other == FrameLoss.NodeDied ? "it was down, or died before reading it" : "the connection died first";
        Tell(at, seen.Node.Value, StoryKind.Note, $"never gets the request with {Name}: {why}", $"lost on the way to {cast.Name(seen.Node.Value)}: {why}");
    }

    private static List<long> Values(ReadOnlyMemory<byte> batches)
    {
        var values = new List<long>();
        BatchValues.Read(batches, values);
        return values;
    }

    private void Refused(TimeSpan at, in Observation seen)
    {
        if (!Values(seen.Bytes).Contains(value)) return;
        Tell(at, seen.Node.Value, StoryKind.Refuse, $"refuses {Name}: {(Broker.Protocol.ErrorCode)seen.Other}", $"refused by {cast.Name(seen.Node.Value)}: {(Broker.Protocol.ErrorCode)seen.Other}");
    }

    private void Stored(TimeSpan at, in Observation seen, bool leads)
    {
        var node = seen.Node.Value;
        var first = leads ? seen.Offset : 0;                           // what a leader was sent begins at 0
        foreach (var (at0, stored) in BatchValues.Placed(seen.Bytes, long.MaxValue))
        {
            var offset = first + at0;
            if (stored != value)
            {
                if (leads && offset == Offset && !held.ContainsKey(node)) Replaced(at, node, stored);
                continue;
            }
            held[node] = offset;
            appended = true;
            if (leads)
            {
                Offset = offset;
                epochs[offset] = seen.Epoch;
                Appender = node;
                led = false;
                Tell(at, node, StoryKind.Append, $"appends {Name} at offset {offset} of {partition} as leader of epoch {seen.Epoch}", $"appended by {cast.Name(node)}, leader of epoch {seen.Epoch}, at offset {offset}");
            }
            else
            {
                var from = seen.Other;
                Beats.Add(new Beat(at, from, StoryKind.Replicate, $"{cast.Name(node)} copies {Name}, offset {offset}, from {cast.Name(from)}") { To = node, Focus = true });
                Steps.Add((at, $"replicated to {cast.Name(node)} from {cast.Name(from)}, offset {offset}"));
            }
        }
    }

    private void Replaced(TimeSpan at, int node, long other)
    {
        if (replaced) return;
        replaced = true;
        Beats.Add(new Beat(at, node, StoryKind.Append, $"appends value {other} at offset {Offset} of {partition}, where {Name} was"));
        Steps.Add((at, $"its offset {Offset} is given to value {other} by {cast.Name(node)}"));
    }

    private void Flushed(TimeSpan at, in Observation seen)
    {
        if (held.TryGetValue(seen.Node.Value, out var offset) && seen.EndOffset > offset && flushed.Add(seen.Node.Value))
            Tell(at, seen.Node.Value, StoryKind.Flush, $"has {Name} on its disk", $"on the disk of {cast.Name(seen.Node.Value)}");
    }

    private void Watermark(TimeSpan at, in Observation seen)
    {
        var node = seen.Node.Value;
        if (!held.TryGetValue(node, out var offset) || seen.Offset <= offset || committed) return;
        committed = true;
        Tell(at, node, StoryKind.Watermark, $"moves its high watermark to {seen.Offset}: {Name} is committed", $"committed: the high watermark of {cast.Name(node)} passed it");
    }

    private void Elected(TimeSpan at, in Observation seen)
    {
        elected = (seen.Epoch, (ElectionKind)seen.Offset == ElectionKind.Unclean);
        if (!appended || led || seen.Other < 0 || held.ContainsKey(seen.Other)) return;
        Steps.Add((at, $"{cast.Name(seen.Other)}, which does not have it, is elected leader of epoch {seen.Epoch}, {ClusterBeats.Words((ElectionKind)seen.Offset)}"));
    }

    private void TookOffice(TimeSpan at, in Observation seen)
    {
        if (!appended || led || held.ContainsKey(seen.Node.Value)) return;
        led = true;                                                    // who leads without it after this one only repeats it
        Beats.Add(new Beat(at, seen.Node.Value, StoryKind.Elect, $"leads {partition} in epoch {seen.Epoch}, its log ending at {seen.Offset}: it does not have {Name}") { Focus = true });
    }

    private void Truncated(TimeSpan at, in Observation seen)
    {
        var node = seen.Node.Value;
        if (!held.TryGetValue(node, out var offset) || seen.Offset > offset) return;
        held.Remove(node);
        var leader = cast.Name(seen.Other);
        var lacks = held.ContainsKey(seen.Other) ? "" : $", which does not have {Name}";
        Tell(at, node, StoryKind.Truncate, $"follows {leader} in epoch {seen.Epoch} and cuts its log of {partition} from {seen.EndOffset} to {seen.Offset}: {Name} is gone here",
            $"truncated by {cast.Name(node)} (log end {seen.EndOffset} to {seen.Offset}), following {leader}, leader of epoch {seen.Epoch}{lacks}");
        var how = elected.Epoch == seen.Epoch && elected.Unclean ? " after an unclean election" : "";
        LastLoss = (node, $"cut it off to follow {leader}, which leads epoch {seen.Epoch}{how}{(lacks.Length > 0 ? " without it" : "")}");
        NobodyLeft(at);
    }

    private void Recovered(TimeSpan at, in Observation seen)
    {
        var node = seen.Node.Value;
        withoutPower.Remove(node, out var dark);
        if (!held.TryGetValue(node, out var offset)) return;
        var isShorter = seen.Offset <= offset;
        if (!isShorter && seen.Epoch >= epochs.GetValueOrDefault(offset, -1)) return;
        held.Remove(node);
        if (dark != default) LostToPower.Add((node, dark));
        var cause = dark != default ? "it was not on the disk when the power went" : "it is not in what the disk kept";
        var (finds, how) = isShorter ? ($"finds {partition} only up to offset {seen.Offset}", $"which comes up with its log ending at {seen.Offset}")
            : ($"finds {partition} as it was before it cut it", "which comes up with what it had cut before");
        Tell(at, node, StoryKind.Lost, $"{finds}: {Name} is gone here, {cause}", $"gone from {cast.Name(node)}, {how}: {cause}");
        LastLoss = (node, dark != default ? "lost it with its power before it was on disk" : "came up again without it");
        NobodyLeft(at);
    }

    private void NobodyLeft(TimeSpan at)
    {
        if (held.Count > 0) return;
        Tell(at, Beat.Nobody, StoryKind.Lost, $"No broker has {Name} any more.", "no broker has it any more", rank: 2);
    }

    private void Tell(TimeSpan at, int node, StoryKind kind, string beat, string step, int rank = 1)
    {
        Beats.Add(new Beat(at, node, kind, beat) { Focus = true, Rank = rank });
        Steps.Add((at, step));
    }
}
