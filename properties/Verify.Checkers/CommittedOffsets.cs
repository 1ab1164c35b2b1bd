using Verify.History;

namespace Verify.Checkers;

/// <summary>What a group has committed, its members find again.</summary>
/// <remarks>
/// A committed offset is a register: whoever asks finds the last commit. A member asked between the invocation and the completion of its <c>assigned</c>; an assignment without an invocation is not judged. What it was
/// told is too low if a higher commit was acknowledged before it asked, and no other commit that may explain the answer can have come after that one: none at or below the answer ended (or may yet take effect) later
/// than the higher one was invoked. An unknown outcome may take effect at any time until a later generation is known to have begun; a commit invoked after that explains nothing, for it must be refused
/// (<see cref="FencedZombies"/>). offset-regression: the answer is such an offset; lost-commit: the answer is none at all. Sources: Kafka's OffsetFetch and OffsetCommit; KAFKA-5600, KAFKA-4682.
/// </remarks>
internal sealed class CommittedOffsets(GroupLedger groups, CheckContract contract) : IChecker
{
    /// <summary>A commit of one offset that ended, and may have taken effect. <paramref name="Ended"/> is the acknowledgement, -1 for none.</summary>
    private sealed record Commit(long Offset, CommitCall Call, int Ended)
    {
        public int NotAfter => Ended >= 0 ? Ended : Call.NotAfter;
    }

    private readonly Dictionary<(int Group, int Key), List<Commit>> commits = [];
    private readonly Dictionary<int, (int Group, int Event)> asking = [];
    private readonly CaseList regressions = new(AnomalyName.OffsetRegression, contract.CaseLimit);
    private readonly CaseList lost = new(AnomalyName.LostCommit, contract.CaseLimit);
    private long judged;

    public void Observe(in LedgerEvent e)
    {
        switch (e.Event.Function)
        {
            case EventFunction.Commit when groups.Ended is { IsZombie: false } call && e.Event.Type != EventType.Fail: Keep(call, e.Event.Type == EventType.Ok ? e.Position : -1); break;
            case EventFunction.Assigned when e.Event.Type == EventType.Invoke: asking[e.Event.Process] = (e.Event.Detail.Group, e.Position); break;
            case EventFunction.Assigned when asking.Remove(e.Event.Process, out var asked) && e.Event.Type == EventType.Ok && asked.Group == e.Event.Detail.Group: Answer(e, asked.Event); break;
            case EventFunction.Crash: asking.Remove(e.Event.Process); break;
        }
    }

    private void Keep(CommitCall call, int ended)
    {
        foreach (var (key, offset) in call.Offsets)
        {
            if (offset < 0) continue;
            if (!commits.TryGetValue((call.Group, key), out var kept)) commits.Add((call.Group, key), kept = []);
            var commit = new Commit(offset, call, ended);
            if (ended >= 0 && asking.Count == 0) kept.RemoveAll(old => old.Offset <= offset && old.NotAfter < call.Invoked);   // whatever they accuse or explain, this one does
            kept.Add(commit);
        }
    }

    private void Answer(in LedgerEvent e, int asked)
    {
        foreach (var (key, answer) in e.Event.Offsets)
        {
            if (!commits.TryGetValue((e.Event.Detail.Group, key), out var kept)) continue;
            var explained = ExplainedUntil(e.Event.Detail.Group, key, answer, kept);
            Commit? missed = null;
            var exercised = false;
            foreach (var commit in kept)
            {
                if (commit.Ended < 0 || commit.Ended >= asked) continue;
                exercised = true;
                if (commit.Offset > answer && commit.Call.Invoked > explained && commit.Offset > (missed?.Offset ?? -1)) missed = commit;
            }
            if (exercised) judged++;
            if (missed is not null) Tell(e, key, answer, missed);
        }
    }

    /// <summary>The last moment at which a commit at or below the answer may have taken effect; -2 for none.</summary>
    private int ExplainedUntil(int group, int key, long answer, List<Commit> kept)
    {
        var until = -2;
        foreach (var commit in kept)
            if (commit.Offset <= answer) until = Math.Max(until, commit.NotAfter);
        foreach (var call in groups.Pending)
            if (call.Group == group && !call.IsZombie && call.Offsets.Any(o => o.Key == key && o.Offset >= 0 && o.Offset <= answer)) until = Math.Max(until, call.NotAfter);
        return until;
    }

    private void Tell(in LedgerEvent e, int key, long answer, Commit missed)
    {
        var cases = answer < 0 ? lost : regressions;
        if (!cases.Count1(missed.Offset - answer)) return;
        var found = answer < 0 ? "that nothing was" : $"{answer}";
        cases.Keep(missed.Offset - answer, new AnomalyCase(
            e.Event.KeyNames[key], answer < 0 ? [missed.Offset] : [missed.Offset, answer], [], [missed.Call.Process, e.Event.Process], [missed.Ended, e.Position],
            $"process {missed.Call.Process} committed {missed.Offset} for {groups.NameOf(missed.Call.Group)}, and process {e.Event.Process} was told later {found}"));
    }

    public Finding Conclude() =>
        Finding.From(Guarantee.CommittedOffsets, judged, judged == 0 ? "no member asked where its group stands after a commit was acknowledged" : null, regressions, lost);
}
