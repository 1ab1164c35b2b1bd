namespace Verify.Checkers;

/// <summary>Records lie in the order in which they were sent.</summary>
/// <remarks>
/// Judged per partition over the records that survive (a witnessed loss is <see cref="NoLostWrites"/>' business, a failed send that is there <see cref="NoAbortedReads"/>'), by their first copy, from acknowledgements and polls.
/// A later send of the same process must lie higher if the earlier one was acknowledged, or if producers are idempotent and both are of one session; across processes, if the earlier one
/// was acknowledged before the later one was invoked (not with acks=0, where ok says only: sent). int- means: within one operation. Sources: Jepsen's nonmonotonic-send and int-send-skip, its G0-realtime, KIP-98.
/// </remarks>
internal sealed class Ordering(RecordLedger ledger, CheckContract contract) : IChecker
{
    private readonly CaseList nonmonotonic = new(AnomalyName.NonmonotonicSend, contract.CaseLimit);
    private readonly CaseList internalNonmonotonic = new(AnomalyName.InternalNonmonotonicSend, contract.CaseLimit);
    private readonly CaseList internalSkip = new(AnomalyName.InternalSendSkip, contract.CaseLimit, breaks: false);
    private readonly CaseList realtime = new(AnomalyName.RealtimeSendOrder, contract.CaseLimit);
    private readonly CaseList keyOrder = new(AnomalyName.KeyOrder, contract.CaseLimit);
    private long compared;

    public void Observe(in LedgerEvent e)
    {
    }

    public Finding Conclude()
    {
        foreach (var partition in ledger.Partitions)
        {
            var lowest = partition.LowestOffsets();
            var survivors = Survivors(partition, lowest);
            if (survivors.Length < 2) continue;
            ByProcess(partition, lowest, survivors);
            if (partition.RecordKeys is not null) ByRecordKey(partition, lowest, survivors);
            if (contract.Acks != Acks.None) ByRealTime(partition, lowest, survivors);
        }
        return Finding.From(Guarantee.Ordering, compared, compared == 0 ? "no two sends could be compared" : null, nonmonotonic, internalNonmonotonic, realtime, keyOrder, internalSkip);
    }

    /// <summary>Entries that somebody sent, not certainly in vain, and that lie somewhere, in order of invocation; within one operation as listed there.</summary>
    private static int[] Survivors(PartitionLedger partition, long[] lowest)
    {
        var survivors = new int[partition.Count];
        var count = 0;
        var sorted = true;
        for (var i = 0; i < survivors.Length; i++)
        {
            ref readonly var entry = ref partition[i];
            if (lowest[i] == long.MaxValue || !entry.Is(RecordFlags.Sent) || entry.IsFailed || partition.IsLost(entry)) continue;
            if (count > 0 && Sent(entry).CompareTo(Sent(partition[survivors[count - 1]])) < 0) sorted = false;
            survivors[count++] = i;
        }
        Array.Resize(ref survivors, count);
        if (!sorted) Array.Sort(survivors, (a, b) => Sent(partition[a]).CompareTo(Sent(partition[b])));
        return survivors;
    }

    private static (int Operation, int Order) Sent(in RecordEntry entry) => (entry.Invoked, entry.Order);

    private void ByProcess(PartitionLedger partition, long[] lowest, int[] survivors)
    {
        var last = new Dictionary<int, (int Any, int Acknowledged)>();
        long[]? offsets = null;
        foreach (var next in survivors)
        {
            ref readonly var entry = ref partition[next];
            var process = ledger.ProcessOf(entry.Writer);
            var (any, acknowledged) = last.GetValueOrDefault(process, (-1, -1));
            var previous = any >= 0 && Binds(partition[any], entry) ? any : acknowledged;
            if (previous >= 0)
            {
                compared++;
                var inside = partition[previous].Invoked == entry.Invoked;
                if (lowest[next] <= lowest[previous]) Report(inside ? internalNonmonotonic : nonmonotonic, partition, lowest, previous, next, "its producer sent it later");
                else if (inside) Skip(partition, lowest, previous, next, offsets ??= partition.SortedOffsets());
            }
            last[process] = (next, entry.Is(RecordFlags.Ok) ? next : acknowledged);
        }
    }

    /// <summary>Whether a send must lie below the next one of its process.</summary>
    private bool Binds(in RecordEntry earlier, in RecordEntry later) => earlier.Is(RecordFlags.Ok) || contract.Idempotence && earlier.Writer == later.Writer;

    private void Skip(PartitionLedger partition, long[] lowest, int previous, int next, long[] offsets)
    {
        var between = Array.BinarySearch(offsets, lowest[next]) - Array.BinarySearch(offsets, lowest[previous]) - 1;
        if (between > 0 && internalSkip.Count1(between))
            internalSkip.Keep(between, Case(partition, lowest, previous, next, $"{between} other records lie between two that one operation sent in a row"));
    }

    private void ByRecordKey(PartitionLedger partition, long[] lowest, int[] survivors)
    {
        var last = new Dictionary<(int Process, int RecordKey), int>();
        foreach (var next in survivors)
        {
            ref readonly var entry = ref partition[next];
            if (partition.RecordKeyOf(next) is not (>= 0 and var recordKey)) continue;
            var sender = (ledger.ProcessOf(entry.Writer), recordKey);
            if (last.TryGetValue(sender, out var previous) && Binds(partition[previous], entry))
            {
                compared++;
                if (lowest[next] <= lowest[previous]) Report(keyOrder, partition, lowest, previous, next, $"it has the same record key {ledger.Names[recordKey]} and was sent later");
            }
            last[sender] = next;
        }
    }

    /// <summary>From the highest offset down, with the earliest acknowledgement above: who was invoked after that lies too low.</summary>
    private void ByRealTime(PartitionLedger partition, long[] lowest, int[] survivors)
    {
        var byOffset = (int[])survivors.Clone();
        Array.Sort([.. byOffset.Select(i => lowest[i])], byOffset);
        var (earliest, at, run) = (int.MaxValue, -1, byOffset.Length - 1);
        for (var i = byOffset.Length - 1; i >= 0; i--)
        {
            for (; lowest[byOffset[run]] > lowest[byOffset[i]]; run--)                  // entries at the very same offset do not bind each other
                if (partition[byOffset[run]].Acknowledged is >= 0 and var acknowledged && acknowledged < earliest) (earliest, at) = (acknowledged, byOffset[run]);
            ref readonly var entry = ref partition[byOffset[i]];
            if (!entry.Is(RecordFlags.Invoked) || at < 0) continue;
            compared++;
            if (entry.Invoked > earliest) Report(realtime, partition, lowest, at, byOffset[i], "it was invoked after the other was acknowledged");
        }
    }

    private void Report(CaseList cases, PartitionLedger partition, long[] lowest, int previous, int next, string why)
    {
        var distance = lowest[previous] - lowest[next];
        if (cases.Count1(distance))
            cases.Keep(distance, Case(partition, lowest, previous, next, $"{ledger.Show(partition[next].Value)} lies at offset {lowest[next]}, not above {ledger.Show(partition[previous].Value)} at {lowest[previous]}, though {why}"));
    }

    private AnomalyCase Case(PartitionLedger partition, long[] lowest, int previous, int next, string note) =>
        ledger.Case(partition, [previous, next], [lowest[previous], lowest[next]], [partition[previous].Invoked, partition[previous].Acknowledged, partition[next].Invoked, partition[next].Acknowledged], note);
}
