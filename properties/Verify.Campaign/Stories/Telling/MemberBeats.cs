using Verify.Campaign.Results;
using Verify.History;

namespace Verify.Campaign.Stories.Telling;

/// <summary>What members of consumer groups did about the records in focus: who had their partition, who processed them, and whose commits passed them.</summary>
internal sealed class MemberBeats(Cast cast, IReadOnlyCollection<long> values, string? key, List<Beat> beats, List<(TimeSpan At, long Value, string Text)> steps)
{
    private readonly SortedDictionary<long, long> placeOf = [];        // of each value in focus: the offset at which it was last handed out
    private readonly HashSet<(int Process, long Value)> passed = [];   // whose commits have passed it since its assignment
    private readonly Dictionary<int, List<long>> passing = [];         // by process: the values that the commit on its way passes

    public void Observe(in HistoryEvent e, TimeSpan at)
    {
        if (key is null) return;
        switch (e.Function)
        {
            case EventFunction.Poll when e.Type == EventType.Ok: Polled(e); break;
            case EventFunction.Assigned when e.Type == EventType.Ok && e.Detail.Group >= 0 && Has(e): Assigned(e, at); break;
            case EventFunction.Revoked when Has(e): Tell(e, at, StoryKind.Note, $"gives {key} up", focus: false); break;
            case EventFunction.Process when e.KeyNames[e.Detail.Key] == key && values.Contains(e.Detail.Value):
                Tell(e, at, StoryKind.Read, $"has processed value {e.Detail.Value}, offset {e.Detail.Offset}");
                steps.Add((at, e.Detail.Value, $"processed by {Name(e)} in {Group(e)}"));
                break;
            case EventFunction.Commit: Committed(e, at); break;
            case EventFunction.Crash: passing.Remove(e.Process); break;
            case EventFunction.Final when e.Detail.Group >= 0:
                Tell(e, at, StoryKind.Note, e.Type == EventType.Ok ? $"sees that {Group(e)} has come to the end of all partitions" : $"sees that {Group(e)} does not come to the end in time");
                break;
        }
    }

    private static string Group(in HistoryEvent e) => $"group {e.Names[e.Detail.Group]}";

    private string Name(in HistoryEvent e) => cast.Name(Cast.NodeOf(e.Process));

    private bool Has(in HistoryEvent e) => e.Keys.IndexOf(e.KeyNames.Find(key!)) >= 0;

    private void Polled(in HistoryEvent e)
    {
        foreach (ref readonly var operation in e.Operations)
            foreach (ref readonly var record in e.Records(operation))
                if (e.KeyNames[record.Key] == key && values.Contains(record.Value)) placeOf[record.Value] = record.Offset;
    }

    private void Assigned(in HistoryEvent e, TimeSpan at)
    {
        var process = e.Process;
        passed.RemoveWhere(one => one.Process == process);
        var stands = -2L;
        foreach (var (number, offset) in e.Offsets)
            if (e.KeyNames[number] == key) stands = offset;
        var words = stands switch { -2 => "and its position there moved", -1 => "and is told that the group has committed nothing there", _ => $"and is told that the group stands at offset {stands}" };
        Tell(e, at, StoryKind.Note, $"has {key} in generation {e.Detail.Generation} of {Group(e)}, {words}");
    }

    /// <summary>Of a member's commits the first that passes a record is told, and those after it while none was confirmed.</summary>
    private void Committed(in HistoryEvent e, TimeSpan at)
    {
        if (e.Type == EventType.Invoke)
        {
            foreach (var (number, offset) in e.Offsets)
            {
                if (e.KeyNames[number] != key) continue;
                var process = e.Process;
                List<long> past = [.. placeOf.Where(one => one.Value < offset && !passed.Contains((process, one.Key))).Select(static one => one.Key)];
                if (past.Count == 0) continue;
                passing[e.Process] = past;
                Tell(e, at, StoryKind.Send, $"commits offset {offset} of {key} for {Group(e)}");
                foreach (var value in past) steps.Add((at, value, $"passed by a commit of {Name(e)}: offset {offset}"));
            }
        }
        else if (passing.Remove(e.Process, out var past))
        {
            var (kind, words) = e.Type switch
            {
                EventType.Ok => (StoryKind.Ack, "is told that its commit counts"),
                EventType.Fail => (StoryKind.Refuse, "is told that its commit was refused"),
                _ => (StoryKind.Unknown, "does not learn whether its commit counts"),
            };
            Tell(e, at, kind, words);
            if (e.Type != EventType.Ok) return;
            foreach (var value in past) passed.Add((e.Process, value));
        }
    }

    private void Tell(in HistoryEvent e, TimeSpan at, StoryKind kind, string words, bool focus = true) =>
        beats.Add(new Beat(at, Cast.NodeOf(e.Process), kind, words) { Focus = focus, Rank = 2 });
}
