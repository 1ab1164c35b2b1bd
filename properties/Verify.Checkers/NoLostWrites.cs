using Verify.History;

namespace Verify.Checkers;

/// <summary>Every acknowledged record can be read.</summary>
/// <remarks>
/// lost-write needs a witness: a complete read of the partition (<c>final</c>) that began after the acknowledgement and lacks the record, or,
/// where nobody read the record at all, a successful read at or past its offset. unseen needs none: acknowledged, and returned by no successful poll until
/// the end; each lost record that nobody ever read is unseen too. With acks=0 what was sent without error takes the place of what was acknowledged.
/// A record that has enough others behind it may be gone where old records go (<see cref="CheckContract.MustKeep"/>). In a compacted topic a record is not lost when it may have been cleaned by right before the first complete read that lacks it (see <see cref="Cleanable"/>).
/// Source: Jepsen's lost-write and unseen; there, a record read once is never lost, even if a later read of the whole log lacks it.
/// </remarks>
internal sealed class NoLostWrites(RecordLedger ledger, CheckContract contract) : IChecker
{
    /// <summary>A read from the beginning: which entries of which partition it has returned so far.</summary>
    private sealed class Pass(int start)
    {
        public int Start { get; } = start;

        public Dictionary<int, ulong[]> Seen { get; } = [];
    }

    private readonly Dictionary<int, Pass> passes = [];
    private readonly Dictionary<(int Key, int Entry), int> missed = [];    // of compacted topics: the end of the first complete read that lacks it

    public void Observe(in LedgerEvent e)
    {
        switch (e.Event.Function)
        {
            case EventFunction.Poll or EventFunction.Txn when e.Entries.Length > 0 && e.Event.Type == EventType.Ok: Read(e); break;
            case EventFunction.Assign when e.Event.Type is EventType.Ok or EventType.Info: Assign(e); break;
            case EventFunction.Crash or EventFunction.Subscribe: passes.Remove(e.Event.Process); break;
            case EventFunction.Final when e.Event.Type == EventType.Ok && e.Event.Detail.Group < 0: Final(e); break;
        }
    }

    private void Assign(in LedgerEvent e)
    {
        if (e.Event.SeekToBeginning) passes[e.Event.Process] = new Pass(e.Position);
        else passes.Remove(e.Event.Process);
    }

    private void Read(in LedgerEvent e)
    {
        if (!passes.TryGetValue(e.Event.Process, out var pass)) return;
        var (key, at) = (-1, 0);
        ulong[] seen = [];
        foreach (ref readonly var operation in e.Event.Operations)
        {
            foreach (ref readonly var record in e.Event.Records(operation))
            {
                var entry = e.Entries[at++];
                if (record.Key != key || entry >> 6 >= seen.Length) seen = Seen(pass, key = record.Key, entry);
                seen[entry >> 6] |= 1ul << entry;
            }
        }
    }

    private ulong[] Seen(Pass pass, int key, int entry)
    {
        if (pass.Seen.TryGetValue(key, out var seen) && entry >> 6 < seen.Length) return seen;
        var grown = new ulong[(Math.Max(entry, ledger.Find(key)!.Count) >> 6) + 1];
        seen?.CopyTo(grown, 0);
        return pass.Seen[key] = grown;
    }

    private void Final(in LedgerEvent e)
    {
        if (!passes.TryGetValue(e.Event.Process, out var pass)) return;
        foreach (var key in e.Event.Keys)
        {
            if (ledger.Find(key) is not { } partition) continue;
            var seen = pass.Seen.GetValueOrDefault(key, []);
            for (var i = 0; i < partition.Count; i++)
            {
                ref var entry = ref partition[i];
                var missing = i >> 6 >= seen.Length || (seen[i >> 6] >> i & 1) == 0;
                if (missing && entry.Acknowledged >= 0 && entry.Acknowledged < pass.Start)
                {
                    entry.Flags |= RecordFlags.MissingInFinal;
                    if (contract.Compacted) missed.TryAdd((key, i), e.Position);
                }
            }
        }
    }

    public Finding Conclude()
    {
        var lost = new CaseList(AnomalyName.LostWrite, contract.CaseLimit);
        var unseen = new CaseList(AnomalyName.Unseen, contract.CaseLimit);
        var acknowledged = 0L;
        foreach (var partition in ledger.Partitions)
        {
            var cleanable = CleanableOf(partition);
            var kept = KeptFrom(partition);
            for (var i = 0; i < partition.Count; i++)
            {
                ref readonly var entry = ref partition[i];
                if (!entry.Is(RecordFlags.Ok)) continue;
                acknowledged++;
                if (IsCleaned(cleanable, partition, i) || IsOld(kept, partition, i)) continue;
                if (partition.IsLost(entry) && lost.Count1()) lost.Keep(Explain(partition, i, Witness(partition, entry)));
                if (!entry.Is(RecordFlags.ReadOk) && unseen.Count1()) unseen.Keep(Explain(partition, i, "no successful poll returned it until the end"));
            }
        }
        var why = acknowledged == 0 ? "no send was acknowledged" : ledger.SawPoll ? null : "nothing was read";
        return ledger.SawPoll ? Finding.From(Guarantee.NoLostWrites, acknowledged, why, lost, unseen) : Finding.From(Guarantee.NoLostWrites, acknowledged, why);
    }

    public IEnumerable<AffectedRecord> Affected(string anomaly)
    {
        if (anomaly is not (AnomalyName.LostWrite or AnomalyName.Unseen) || !ledger.SawPoll) yield break;
        foreach (var partition in ledger.Partitions)
        {
            var cleanable = CleanableOf(partition);
            for (var i = 0; i < partition.Count; i++)
            {
                if (IsCleaned(cleanable, partition, i)) continue;
                if (anomaly == AnomalyName.LostWrite ? partition.IsLost(partition[i]) : partition[i].Is(RecordFlags.Ok) && !partition[i].Is(RecordFlags.ReadOk))
                    yield return ledger.Affected(partition, i);
            }
        }
    }

    private int[]? CleanableOf(PartitionLedger partition) => contract.Compacted ? Cleanable.Since(partition) : null;

    /// <summary>The offset from which on all must be kept.</summary>
    private long KeptFrom(PartitionLedger partition) =>
        contract.MustKeep is { } most && partition.SortedOffsets() is var offsets && offsets.Length > most ? offsets[^most] : 0;

    private static bool IsOld(long keptFrom, PartitionLedger partition, int entry) => partition.OffsetOf(entry) is >= 0 and var offset && offset < keptFrom;

    /// <summary>It may be gone by right, and was before anybody missed it.</summary>
    private bool IsCleaned(int[]? cleanable, PartitionLedger partition, int entry) =>
        cleanable is not null && cleanable[entry] != Cleanable.Never && (!missed.TryGetValue((partition.Key, entry), out var end) || cleanable[entry] < end);

    private static string Witness(PartitionLedger partition, in RecordEntry entry) => entry.Is(RecordFlags.MissingInFinal)
        ? entry.Is(RecordFlags.ReadOk) ? "it was read once, and a complete read of the partition that began later lacks it" : "a complete read of the partition that began later lacks it"
        : $"nobody read it, though the partition was read up to offset {partition.MaxReadOffset}";

    private AnomalyCase Explain(PartitionLedger partition, int number, string witness)
    {
        var entry = partition[number];
        var offset = partition.OffsetOf(number);
        var said = contract.Acks == Acks.None ? "sent" : "acknowledged";
        var where = offset < 0 ? "" : $" at offset {offset}";
        return ledger.Case(partition, [number], offset < 0 ? [] : [offset], [entry.Invoked, entry.Acknowledged, entry.FirstRead], $"{ledger.Show(entry.Value)} was {said}{where}; {witness}");
    }
}
