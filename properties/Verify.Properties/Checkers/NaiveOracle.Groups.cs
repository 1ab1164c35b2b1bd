using Verify.Checkers;
using Verify.History;

namespace Verify.Properties.Checkers;

/// <summary>The anomalies of consumer groups by their definitions.</summary>
internal sealed partial class NaiveOracle
{
    private const int None = -2;

    /// <summary>A handling of one record by a group.</summary>
    private sealed record Handled(int At, int Group, int Key, int Offset, bool Certain);

    /// <summary>A committed offset that took effect by the event <paramref name="At"/>; what was handled before <paramref name="Before"/> was handled in time.</summary>
    private sealed record Shown(int At, int Before, int Group, int Key, long Next);

    /// <summary>A commit with its completion; positions are -1 for none.</summary>
    private sealed record Committing(int Invoked, int Ended, EventType Outcome, Happening Call)
    {
        public int Known => Invoked >= 0 ? Invoked : Ended;
    }

    private bool Has(EventFunction function) => history.Any(e => e.Function == function);

    private void Groups()
    {
        var commits = Commits();
        var handled = Handlings();
        var shown = Passings(commits).OrderBy(static s => s.At).ToList();
        var drains = history.Select(static (e, at) => (e, at)).Where(static p => p.e is { Function: EventFunction.Final, Type: EventType.Ok, Group: >= 0 }).SelectMany(static p => p.e.Keys.Select(key => (p.e.Group, Key: key, p.at))).ToList();
        foreach (var (group, key) in handled.Select(static h => (h.Group, h.Key)).Concat(shown.Select(static s => (s.Group, s.Key))).Concat(drains.Select(static d => (d.Group, d.Key))).Distinct())
        {
            var mine = handled.Where(h => h.Group == group && h.Key == key).ToList();
            var drained = drains.Where(d => d.Group == group && d.Key == key).Select(static d => d.at).DefaultIfEmpty(-1).Max();
            foreach (var _ in mine.Where(static h => h.Certain).GroupBy(static h => h.Offset).Where(static g => g.Count() > 1)) Found(AnomalyName.GroupDoubleConsume);
            foreach (var value in sends.Where(s => s.Key == key).Select(static s => s.Value).Distinct())
                if (LeftBehind(key, value, mine, [.. shown.Where(s => s.Group == group && s.Key == key)], drained)) Found(AnomalyName.GroupLoss);
        }
        foreach (var commit in commits)
            if (commit.Outcome == EventType.Ok && IsZombie(commit)) Found(AnomalyName.ZombieCommit);
        for (var at = 0; at < history.Count; at++)
            if (history[at] is { Function: EventFunction.Assigned, Type: EventType.Ok } && AskedBefore(at) is { } asked)
                foreach (var (key, answer) in history[at].Offsets) Resume(at, asked, key, answer, commits);
    }

    private int GroupAt(int at, int process)
    {
        for (var i = at - 1; i >= 0; i--)
            if (history[i].Process == process && MovesMember(history[i]))
                return history[i].Function switch { EventFunction.Crash => Unsaid, EventFunction.Assign => None, _ => history[i].Group };
        return Unsaid;
    }

    private int Unsaid => contract.Subscription == Subscription.Subscribe ? -1 : None;

    private static bool MovesMember(Happening e) => e.Function switch
    {
        EventFunction.Crash => true,
        EventFunction.Assign or EventFunction.Subscribe => e.Type is EventType.Ok or EventType.Info,
        EventFunction.Assigned or EventFunction.Revoked => e.Type != EventType.Invoke && e.Group >= 0,
        _ => false,
    };

    private List<Handled> Handlings()
    {
        var handled = new List<Handled>();
        for (var at = 0; at < history.Count; at++)
        {
            var e = history[at];
            if (e.Type is not (EventType.Ok or EventType.Info)) continue;
            if (e.Function == EventFunction.Process) handled.Add(new Handled(at, e.Group, e.Offsets[0].Key, (int)e.Offsets[0].Offset, e.Type == EventType.Ok));
            if (Has(EventFunction.Process) || e.Function is not (EventFunction.Poll or EventFunction.Txn) || GroupAt(at, e.Process) == None) continue;
            handled.AddRange(e.Reads.Where(static r => r.Offset >= 0).Select(r => new Handled(at, GroupAt(at, e.Process), r.Key, r.Offset, e.Type == EventType.Ok)));
        }
        return handled;
    }

    private List<Committing> Commits()
    {
        var (open, commits) = (new List<int>(), new List<Committing>());
        for (var at = 0; at < history.Count; at++)
        {
            var e = history[at];
            if (e.Function != EventFunction.Commit) continue;
            if (e.Type == EventType.Invoke) { open.Add(at); continue; }
            var invoked = open.Where(i => history[i].Process == e.Process && (e.Offsets.IsEmpty || history[i].Offsets.SequenceEqual(e.Offsets))).DefaultIfEmpty(-1).First();
            open.Remove(invoked);
            commits.Add(new Committing(invoked, at, e.Type, invoked >= 0 ? history[invoked] : e));
        }
        return [.. commits, .. open.Select(i => new Committing(i, -1, EventType.Info, history[i]))];
    }

    private IEnumerable<Shown> Passings(List<Committing> commits)
    {
        foreach (var commit in commits.Where(static c => c.Outcome == EventType.Ok))
            foreach (var (key, next) in commit.Call.Offsets) yield return new Shown(commit.Ended, commit.Known, commit.Call.Group, key, next);
        for (var at = 0; at < history.Count; at++)
        {
            var e = history[at];
            if (e is { Function: EventFunction.Assigned, Type: EventType.Ok, Group: >= 0 })
                foreach (var (key, next) in e.Offsets) yield return new Shown(at, at, e.Group, key, next);
            if (Has(EventFunction.Process) || Has(EventFunction.Commit) || GroupAt(at, e.Process) is var group && group == None) continue;
            if (e.Function == EventFunction.Poll && PolledBefore(at) is { } poll) foreach (var next in Nexts(poll)) yield return new Shown(at, at, group, next.Key, next.Offset);
            if (e is not { Function: EventFunction.Txn, Type: EventType.Ok }) continue;
            foreach (var next in Nexts(e)) yield return new Shown(at, at + 1, group, next.Key, next.Offset);
            if (PolledBefore(at) is { } earlier)                       // what the member had polled and not committed yet goes with it
                foreach (var next in Nexts(earlier).Where(next => Nexts(e).All(own => own.Key != next.Key))) yield return new Shown(at, at + 1, group, next.Key, next.Offset);
        }
    }

    /// <summary>The ok poll that the process's poll at this place commits.</summary>
    private Happening? PolledBefore(int at)
    {
        for (var i = at - 1; i >= 0; i--)
        {
            var e = history[i];
            if (e.Process != history[at].Process) continue;
            if (MovesMember(e) || e is { Function: EventFunction.Txn, Type: EventType.Ok }) return null;
            if (e.Function == EventFunction.Poll) return e.Type == EventType.Ok ? e : null;
        }
        return null;
    }

    private static IEnumerable<KeyOffset> Nexts(Happening poll) => poll.Reads.Where(static r => r.Offset >= 0).GroupBy(static r => r.Key).Select(static g => new KeyOffset(g.Key, g.Last().Offset + 1));

    private bool LeftBehind(int key, int value, List<Handled> handled, List<Shown> shown, int drained)
    {
        if (!Ended(key, value, EventType.Ok) || Offsets(key, value).Count == 0 || Lost(key, value)) return false;
        var offset = Offsets(key, value)[0];
        if (contract.GroupStart == GroupStart.Latest && handled.All(h => h.Offset > offset)) return false;
        var first = shown.FirstOrDefault(s => s.Next > offset);
        if (first is null && Tries(key, value).First(static s => s.Type == EventType.Ok).At >= drained) return false;
        if (Offsets(key, value).Count > 1 && handled.Any(h => Offsets(key, value).Contains(h.Offset))) return false;
        if (contract.Commit == CommitMode.AfterProcessing && first is not null && !handled.Any(h => h.Offset == offset && h.At < first.Before)) return true;
        return handled.All(h => h.Offset != offset);
    }

    private static int MemberOf(Happening e) => e.Member >= 0 ? e.Member : -2 - e.Process;

    /// <summary>When a generation later than the commit's was first shown, after the member's last assignment in the commit's before it; null for never.</summary>
    private int? Superseded(Committing commit, int before)
    {
        bool Assigns(int at, Func<Happening, bool> which) => history[at] is { Function: EventFunction.Assigned, Type: EventType.Ok, Group: >= 0 } e && e.Group == commit.Call.Group && which(e);
        if (commit.Call.Generation < 0) return null;
        var term = Enumerable.Range(0, commit.Known).LastOrDefault(at => Assigns(at, e => e.Generation == commit.Call.Generation && MemberOf(e) == MemberOf(commit.Call)), -1);
        if (term < 0) return null;
        var later = Enumerable.Range(term + 1, Math.Max(0, before - term - 1)).FirstOrDefault(at => Assigns(at, e => e.Generation > commit.Call.Generation), -1);
        return later < 0 ? null : later;
    }

    private bool IsZombie(Committing commit) => commit.Invoked >= 0 && Superseded(commit, commit.Invoked) is not null;

    /// <summary>Where the question that this assignment answers was put; null where that is not told.</summary>
    private int? AskedBefore(int at)
    {
        for (var i = at - 1; i >= 0; i--)
        {
            var e = history[i];
            if (e.Process != history[at].Process) continue;
            if (e.Function == EventFunction.Crash) return null;
            if (e.Function == EventFunction.Assigned) return e.Type == EventType.Invoke && e.Group == history[at].Group ? i : null;
        }
        return null;
    }

    private void Resume(int at, int asked, int key, long answer, List<Committing> commits)
    {
        var about = commits.Where(c => c.Call.Group == history[at].Group && c.Known < at && !IsZombie(c) && c.Call.Offsets.Any(o => o.Key == key && o.Offset >= 0)).ToList();
        int Until(Committing c) => c.Outcome == EventType.Ok && c.Ended < at ? c.Ended : Superseded(c, at + 1) ?? int.MaxValue;
        bool Explains(Committing c) => (c.Outcome != EventType.Fail || c.Ended > at) && c.Call.Offsets.Any(o => o.Key == key && o.Offset >= 0 && o.Offset <= answer);
        var explained = about.Where(Explains).Select(Until).DefaultIfEmpty(-2).Max();
        if (about.Any(c => c.Outcome == EventType.Ok && c.Ended < asked && c.Invoked > explained && c.Call.Offsets.Any(o => o.Key == key && o.Offset > answer)))
            Found(answer < 0 ? AnomalyName.LostCommit : AnomalyName.OffsetRegression);
    }
}
