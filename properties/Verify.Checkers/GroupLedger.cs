using Verify.History;

namespace Verify.Checkers;

/// <summary>A member's time in one generation, from an assignment on.</summary>
internal sealed class Term(int generation)
{
    public int Generation { get; } = generation;

    /// <summary>The first later event at which some member had its assignment of a later generation; -1 for none. Compared with later ones only: a group that died and is born again counts from the start.</summary>
    public int Superseded { get; set; } = -1;
}

/// <summary>A commit that has not ended, or has just.</summary>
/// <param name="Group">-1: a group without a name.</param>
/// <param name="Generation">-1 when not told.</param>
/// <param name="Process">Who commits.</param>
/// <param name="Invoked">-1 when only its completion is known.</param>
/// <param name="Offsets">The next offset of each partition.</param>
/// <param name="Term">The assignment in whose generation it is; null when not known.</param>
internal sealed record CommitCall(int Group, int Generation, int Process, int Invoked, KeyOffset[] Offsets, Term? Term)
{
    /// <summary>A later generation was known to some member when this was invoked: it must be refused.</summary>
    public bool IsZombie { get; } = Invoked >= 0 && Term is { Superseded: >= 0 };

    /// <summary>It cannot take effect later than this event; <see cref="int.MaxValue"/> where nothing is known.</summary>
    public int NotAfter => Term is { Superseded: >= 0 and var shown } ? shown : int.MaxValue;

    /// <summary>Per offset, what was not processed when the commit was invoked: by what was told, and by polls.</summary>
    public List<(List<(long From, long To)> Told, List<(long From, long To)> Polled)> Missing { get; init; } = [];
}

/// <summary>What all checkers of groups share: who is in which group and generation, what was processed, what was committed. It judges nothing.</summary>
/// <remarks>
/// Where a history has no <c>process</c> event, what a poll of a subscribed process returned is processed, and what a transaction polled that may have been committed. Where it has no <c>commit</c> event either,
/// a poll is committed by the process's next one, and an ok transaction commits what it polled. Whether it has such events is known at its end only, so each reading is kept until it is refuted.
/// Memory follows the number of gaps in what was processed, not the number of records.
/// </remarks>
internal sealed class GroupLedger(RecordLedger records, CheckContract contract)
{
    private const int NoGroup = -2;                                    // -1: a group without a name

    private readonly Dictionary<(int Group, int Key), GroupPartition> partitions = [];
    private readonly Dictionary<int, int> groupOf = [];
    private readonly Dictionary<(int Group, int Member, int Generation), Term> terms = [];
    private readonly Dictionary<int, List<Term>> present = [];                             // by group: terms not yet superseded
    private readonly Dictionary<int, List<CommitCall>> pending = [];
    private readonly Dictionary<int, Dictionary<int, long>> uncommitted = [];              // by process: the next offsets that its next poll commits
    private bool sawProcess, sawCommit;

    public IEnumerable<(int Group, int Key, GroupPartition Partition)> Partitions =>
        partitions.OrderBy(static p => p.Key).Select(static p => (p.Key.Group, p.Key.Key, p.Value));

    /// <summary>The commit that the present event ends; null for none.</summary>
    public CommitCall? Ended { get; private set; }

    /// <summary>Commits that have not ended.</summary>
    public IEnumerable<CommitCall> Pending => pending.Values.SelectMany(static calls => calls);

    /// <summary>The reading that the whole history leaves.</summary>
    public Progress ReadingOf(GroupPartition partition) => sawProcess ? partition.Told : sawCommit ? partition.Polled : partition.Bare;

    public string NameOf(int group) => group < 0 ? "the group" : $"group {records.Names[group]}";

    public void Observe(in HistoryEvent e, int position)
    {
        Ended = null;
        switch (e.Function)
        {
            case EventFunction.Poll or EventFunction.Txn: Poll(e, position); break;
            case EventFunction.Process: Process(e, position); break;
            case EventFunction.Commit: Commit(e, position); break;
            case EventFunction.Subscribe when e.Type is EventType.Ok or EventType.Info: Join(e.Process, e.Detail.Group); break;
            case EventFunction.Assign when e.Type is EventType.Ok or EventType.Info: Join(e.Process, NoGroup); break;
            case EventFunction.Assigned or EventFunction.Revoked when e.Type != EventType.Invoke && e.Detail.Group >= 0: Rebalance(e, position); break;
            case EventFunction.Crash: Crash(e.Process); break;
            case EventFunction.Final when e.Type == EventType.Ok && e.Detail.Group >= 0: Drain(e, position); break;
        }
    }

    private GroupPartition At(int group, int key)
    {
        if (!partitions.TryGetValue((group, key), out var partition)) partitions.Add((group, key), partition = new GroupPartition());
        return partition;
    }

    private int GroupOf(int process) => groupOf.TryGetValue(process, out var group) ? group : contract.Subscription == Subscription.Subscribe ? -1 : NoGroup;

    private void Join(int process, int group)
    {
        groupOf[process] = group;
        uncommitted.Remove(process);
    }

    private void Crash(int process)
    {
        groupOf.Remove(process);
        uncommitted.Remove(process);
    }

    private void Drain(in HistoryEvent e, int position)
    {
        foreach (var key in e.Keys) At(e.Detail.Group, key).Drained = position;
    }

    private void Poll(in HistoryEvent e, int position)
    {
        if (sawProcess || GroupOf(e.Process) is var group && group == NoGroup) return;
        if (e.Function == EventFunction.Poll) CommitPolled(e.Process, group, position);
        if (e.Type is EventType.Invoke or EventType.Fail) return;
        var (partition, key) = (default(GroupPartition), -1);
        foreach (ref readonly var operation in e.Operations)
        {
            foreach (ref readonly var record in e.Records(operation))
            {
                if (record.Offset < 0) continue;
                if (record.Key != key) partition = At(group, key = record.Key);
                partition!.Polled.Processing.Add(record.Offset, record.Value, e.Process, position, e.Type == EventType.Ok);
                if (e.Type == EventType.Ok && !sawCommit) Remember(e.Process, record.Key, record.Offset + 1);
            }
        }
        if (e is { Function: EventFunction.Txn, Type: EventType.Ok }) CommitPolled(e.Process, group, position);
    }

    private void Remember(int process, int key, long next)
    {
        if (!uncommitted.TryGetValue(process, out var offsets)) uncommitted.Add(process, offsets = []);
        offsets[key] = next;
    }

    private void CommitPolled(int process, int group, int position)
    {
        if (!uncommitted.Remove(process, out var offsets)) return;
        foreach (var (key, next) in offsets)
            if (At(group, key).Bare is var progress && next > progress.End) progress.Pass(next, progress.Ahead(next), process, position);
    }

    private void Process(in HistoryEvent e, int position)
    {
        sawProcess = true;
        uncommitted.Clear();
        if (e.Type is EventType.Invoke or EventType.Fail) return;
        var detail = e.Detail;
        var offset = detail.Offset >= 0 ? detail.Offset : records.Find(detail.Key)?.OffsetOfValue(detail.Value) ?? -1;
        if (offset >= 0) At(detail.Group, detail.Key).Told.Processing.Add(offset, detail.Value, e.Process, position, e.Type == EventType.Ok);
    }

    private void Commit(in HistoryEvent e, int position)
    {
        sawCommit = true;
        uncommitted.Clear();
        if (e.Type == EventType.Invoke)
        {
            if (!pending.TryGetValue(e.Process, out var calls)) pending.Add(e.Process, calls = []);
            calls.Add(Call(e, position));
            return;
        }
        Ended = Take(e) ?? Call(e, -1);
        if (e.Type != EventType.Ok) return;
        for (var i = 0; i < Ended.Offsets.Length; i++)
        {
            var (key, next) = Ended.Offsets[i];
            At(Ended.Group, key).Told.Pass(next, Ended.Missing[i].Told, e.Process, position);
            At(Ended.Group, key).Polled.Pass(next, Ended.Missing[i].Polled, e.Process, position);
        }
    }

    /// <summary>The call that a completion ends: the process's first with its offsets; without offsets, its first.</summary>
    private CommitCall? Take(in HistoryEvent e)
    {
        if (!pending.TryGetValue(e.Process, out var calls)) return null;
        for (var i = 0; i < calls.Count; i++)
        {
            if (e.Offsets.Length > 0 && !e.Offsets.SequenceEqual(calls[i].Offsets)) continue;
            var call = calls[i];
            calls.RemoveAt(i);
            return call;
        }
        return null;
    }

    private CommitCall Call(in HistoryEvent e, int invoked)
    {
        var (group, generation) = (e.Detail.Group, e.Detail.Generation);
        var offsets = e.Offsets.ToArray();
        return new CommitCall(group, generation, e.Process, invoked, offsets, terms.GetValueOrDefault((group, MemberOf(e), generation)))
        {
            Missing = [.. offsets.Select(o => (At(group, o.Key).Told.Ahead(o.Offset), sawProcess ? [] : At(group, o.Key).Polled.Ahead(o.Offset)))],
        };
    }

    private static int MemberOf(in HistoryEvent e) => e.Detail.Member >= 0 ? e.Detail.Member : -2 - e.Process;

    private void Rebalance(in HistoryEvent e, int position)
    {
        var (group, generation) = (e.Detail.Group, e.Detail.Generation);
        Join(e.Process, group);
        if (e.Function != EventFunction.Assigned || e.Type != EventType.Ok) return;
        foreach (var (key, next) in e.Offsets)
        {
            var partition = At(group, key);
            foreach (var progress in (Progress[])[partition.Told, partition.Polled, partition.Bare]) progress.Pass(next, progress.Ahead(next), e.Process, position);
        }
        if (generation < 0) return;
        if (!present.TryGetValue(group, out var current)) present.Add(group, current = []);
        foreach (var term in current)
            if (term.Generation < generation) term.Superseded = position;
        current.RemoveAll(static term => term.Superseded >= 0);
        current.Add(terms[(group, MemberOf(e), generation)] = new Term(generation));
    }
}
