using System.Collections.Immutable;
using Verify.History;
using Verify.Promises;

namespace Verify.Campaign.Judging;

/// <summary>Who had which partition in a group when, what they processed of it and what they committed, from one pass over a history.</summary>
internal sealed class GroupLives
{
    private readonly List<Stay> stays = [];
    private readonly Dictionary<int, Stay> asking = [];
    private readonly Dictionary<int, Stay> present = [];               // by process
    private readonly Dictionary<int, CommitCall> open = [];            // by process: it commits one at a time

    public GroupLives(HistoryLog history)
    {
        for (var i = 0; i < history.Count; i++) Observe(history[i], i);
    }

    /// <summary>What a group did about one record of a partition.</summary>
    /// <param name="value">Only the processing of this value counts; null: whatever stood at the offset.</param>
    /// <param name="since">Since when the record is there: what was committed past its offset before was past another record.</param>
    public GroupEvidence Of(int group, int key, long offset, long? value = null, long since = 0) => new(offset,
    [
        .. stays.Where(stay => stay.Group == group && stay.Begins.ContainsKey(key)).OrderBy(static stay => stay.Asked).Select(stay => new Tenure(
            stay.Process, stay.Asked, stay.Told, IsBehind(stay, group, key, offset, since) ? offset : Math.Max(0, stay.Begins[key]),
            [.. stay.Processed.Where(one => (one.Key, one.Offset) == (key, offset) && (value is null || one.Value == value)).Select(static one => one.At)],
            [.. stay.Commits.Where(call => call.Invoked >= since && call.IsPast(key, offset)).Select(static call => new PassingCommit(call.Fate, call.Invoked, call.Ended))],
            stay.Crashed)),
    ]);

    /// <summary>It was told that the group stands beyond the offset, and nobody had committed past the record that is there since: the log was cut, and its position with it.</summary>
    private bool IsBehind(Stay stay, int group, int key, long offset, long since) =>
        since > 0 && stay.Begins[key] > offset && !stays.Any(other => other.Group == group && other.Commits.Any(call => call.Invoked >= since && call.Invoked < stay.Asked && call.IsPast(key, offset)));

    /// <summary>The values that a group processed at an offset, in order.</summary>
    public IReadOnlyList<long> ValuesAt(int group, int key, long offset) =>
        [.. stays.Where(stay => stay.Group == group).SelectMany(static stay => stay.Processed).Where(one => (one.Key, one.Offset) == (key, offset)).OrderBy(static one => one.At).Select(static one => one.Value)];

    /// <summary>Confirmed commits of a group past an offset of a partition: what they committed there, and the events that confirmed them.</summary>
    public IReadOnlyList<(long Committed, long Ended)> ConfirmedPast(int group, int key, long offset) =>
    [
        .. stays.Where(stay => stay.Group == group).SelectMany(static stay => stay.Commits).Where(static call => call.Fate == CommitFate.Confirmed).OrderBy(static call => call.Ended)
            .SelectMany(call => call.Offsets.Where(one => one.Key == key && one.Offset > offset).Select(one => (one.Offset, call.Ended))),
    ];

    /// <summary>When the process asked, and was told, where its group stands, the last time before an event; null: it never was.</summary>
    public (long Asked, long Told)? AnswerBefore(int process, long at) =>
        stays.Where(stay => stay.Process == process && stay.Told <= at).MaxBy(static stay => stay.Told) is { } last ? (last.Asked, last.Told) : null;

    /// <summary>
    /// The process that had the partition at an event had been told that its group stands where one commit of unknown outcome had put it, invoked before another commit past the offset that was confirmed by then,
    /// both of one member in one generation: the coordinator may have taken the first after the second.
    /// </summary>
    public bool WasSetBack(int group, int key, long offset, int process, long at)
    {
        if (stays.Where(stay => stay.Process == process && stay.Group == group && stay.Told <= at && stay.Begins.ContainsKey(key)).MaxBy(static stay => stay.Told) is not { } last) return false;
        var commits = stays.Where(stay => stay.Group == group).SelectMany(stay => stay.Commits.Select(call => (stay.Process, Call: call))).ToList();
        return commits.Exists(late => late.Call.Fate == CommitFate.Unknown && late.Call.Offsets.Any(one => one.Key == key && one.Offset == last.Begins[key])
            && commits.Exists(other => other.Process == late.Process && other.Call.Generation == late.Call.Generation && other.Call.Invoked > late.Call.Invoked
                && other.Call.Fate == CommitFate.Confirmed && other.Call.Ended < last.Asked && other.Call.IsPast(key, offset)));
    }

    /// <summary>Groups of which a member once had the partition.</summary>
    public IReadOnlyList<int> GroupsOf(int key) => [.. stays.Where(stay => stay.Begins.ContainsKey(key)).Select(static stay => stay.Group).Distinct().Order()];

    private void Observe(in HistoryEvent e, int at)
    {
        switch (e.Function)
        {
            case EventFunction.Assigned when e.Type == EventType.Invoke: asking[e.Process] = new Stay(e.Process, e.Detail.Group, at); break;
            case EventFunction.Assigned when e.Type == EventType.Ok && asking.Remove(e.Process, out var stay):
                foreach (var (key, offset) in e.Offsets) stay.Begins[key] = offset;
                stay.Told = at;
                stays.Add(present[e.Process] = stay);
                break;
            case EventFunction.Assigned when e.Type == EventType.Fail: asking.Remove(e.Process); break;
            case EventFunction.Revoked: present.Remove(e.Process); break;
            case EventFunction.Process when present.TryGetValue(e.Process, out var stay): stay.Processed.Add((e.Detail.Key, e.Detail.Offset, e.Detail.Value, at)); break;
            case EventFunction.Commit when e.Type == EventType.Invoke && present.TryGetValue(e.Process, out var stay): stay.Commits.Add(open[e.Process] = new CommitCall(e.Detail.Generation, at, [.. e.Offsets])); break;
            case EventFunction.Commit when open.Remove(e.Process, out var call):
                (call.Fate, call.Ended) = (e.Type switch { EventType.Ok => CommitFate.Confirmed, EventType.Fail => CommitFate.Refused, _ => CommitFate.Unknown }, at);
                break;
            case EventFunction.Crash:
                if (present.Remove(e.Process, out var died)) died.Crashed = at;
                asking.Remove(e.Process);
                open.Remove(e.Process);
                break;
        }
    }

    private sealed class Stay(int process, int group, long asked)
    {
        public int Process { get; } = process;

        public int Group { get; } = group;

        public long Asked { get; } = asked;

        public long Told { get; set; }

        /// <summary>Where the group stood, by partition; -1 for nowhere.</summary>
        public SortedDictionary<int, long> Begins { get; } = [];

        public List<(int Key, long Offset, long Value, long At)> Processed { get; } = [];

        public List<CommitCall> Commits { get; } = [];

        public long? Crashed { get; set; }
    }

    private sealed class CommitCall(int generation, long invoked, ImmutableArray<KeyOffset> offsets)
    {
        public int Generation { get; } = generation;

        public long Invoked { get; } = invoked;

        public ImmutableArray<KeyOffset> Offsets { get; } = offsets;

        public bool IsPast(int key, long offset) => Offsets.Any(one => one.Key == key && one.Offset > offset);

        public CommitFate Fate { get; set; } = CommitFate.Unknown;

        public long Ended { get; set; } = long.MaxValue;
    }
}
