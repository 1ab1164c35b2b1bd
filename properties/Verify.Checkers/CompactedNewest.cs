using Verify.History;

namespace Verify.Checkers;

/// <summary>Whoever reads a compacted partition from its start to its end finds of each key the newest record, and of a deleted key nothing.</summary>
/// <remarks>
/// Judged at every complete read (<c>final</c>), for each record key, by the record of it that was acknowledged before the read began and lies highest. compacted-newest: that is a value, and the last record
/// of its key that the read returned lies lower, or there is none, unless a tombstone of unknown outcome may have followed; or it is a tombstone, which may be gone, but the last record
/// returned is an older value. A record behind it is always well, whatever its outcome was. Source: Kafka's documentation of log compaction (what guarantees it provides).
/// </remarks>
internal sealed class CompactedNewest(RecordLedger ledger, CheckContract contract) : IChecker
{
    /// <summary>A read from the beginning: the last record of each partition and record key so far.</summary>
    private sealed class Pass(int start)
    {
        public int Start { get; } = start;

        public Dictionary<(int Partition, int RecordKey), (long Offset, int Entry)> Last { get; } = [];
    }

    private readonly Dictionary<int, Pass> passes = [];
    private readonly List<(Pass Pass, int Partition, int Process, int End)> complete = [];
    private readonly CaseList gone = new(AnomalyName.CompactedNewest, contract.CaseLimit);
    private readonly HashSet<(int Partition, int Newest)> told = [];
    private long compared;

    public void Observe(in LedgerEvent e)
    {
        if (!contract.Compacted) return;                               // elsewhere every record must stay: no-lost-writes
        switch (e.Event.Function)
        {
            case EventFunction.Poll or EventFunction.Txn when e.Entries.Length > 0 && e.Event.Type == EventType.Ok: Read(e); break;
            case EventFunction.Assign when e.Event.Type is EventType.Ok or EventType.Info:
                if (e.Event.SeekToBeginning) passes[e.Event.Process] = new Pass(e.Position);
                else passes.Remove(e.Event.Process);
                break;
            case EventFunction.Crash or EventFunction.Subscribe: passes.Remove(e.Event.Process); break;
            case EventFunction.Final when e.Event.Type == EventType.Ok && passes.TryGetValue(e.Event.Process, out var pass):
                foreach (var key in e.Event.Keys) complete.Add((pass, key, e.Event.Process, e.Position));
                break;
        }
    }

    private void Read(in LedgerEvent e)
    {
        if (!passes.TryGetValue(e.Event.Process, out var pass)) return;
        var at = 0;
        foreach (ref readonly var operation in e.Event.Operations)
        {
            foreach (ref readonly var record in e.Event.Records(operation))
            {
                var entry = e.Entries[at++];
                var recordKey = ledger.Find(record.Key)!.RecordKeyOf(entry);
                if (recordKey < 0 || record.Offset < 0) continue;
                if (!pass.Last.TryGetValue((record.Key, recordKey), out var last) || record.Offset > last.Offset) pass.Last[(record.Key, recordKey)] = (record.Offset, entry);
            }
        }
    }

    public Finding Conclude()
    {
        foreach (var read in complete)
            if (ledger.Find(read.Partition) is { RecordKeys: not null } partition) Judge(read.Pass, partition, read.Process, read.End);
        return Finding.From(Guarantee.TimelyDelivery, compared, !contract.Compacted ? "nothing is compacted" : compared == 0 ? "no key was read to the end after a record of it was acknowledged" : null, gone);
    }

    private void Judge(Pass pass, PartitionLedger partition, int process, int end)
    {
        var newest = new SortedDictionary<int, (long Offset, int Entry)>();
        foreach (ref readonly var placement in partition.Placements)
        {
            ref readonly var entry = ref partition[placement.Entry];
            if (entry.Acknowledged < 0 || entry.Acknowledged >= pass.Start || partition.RecordKeyOf(placement.Entry) is not (>= 0 and var recordKey)) continue;
            if (!newest.TryGetValue(recordKey, out var known) || placement.Offset > known.Offset) newest[recordKey] = (placement.Offset, placement.Entry);
        }
        foreach (var (recordKey, (offset, number)) in newest)
        {
            compared++;
            var isThere = pass.Last.TryGetValue((partition.Key, recordKey), out var last);
            if (isThere && last.Offset >= offset) continue;
            var isTombstone = partition[number].Is(RecordFlags.Tombstone);
            var isHarmless = isTombstone ? !isThere || partition[last.Entry].Is(RecordFlags.Tombstone) : !isThere && MayBeDeleted(partition, recordKey, offset, end);
            if (isHarmless || !told.Add((partition.Key, number))) continue;
            if (gone.Count1()) gone.Keep(Explain(partition, recordKey, number, offset, isThere ? last : null, process, end, isTombstone));
        }
    }

    /// <summary>Some tombstone of the key, sent before the read was over and not failed for certain, may lie behind and be gone.</summary>
    private static bool MayBeDeleted(PartitionLedger partition, int recordKey, long offset, int end)
    {
        for (var i = 0; i < partition.Count; i++)
        {
            ref readonly var entry = ref partition[i];
            if (!entry.Is(RecordFlags.Tombstone) || entry.IsFailed || entry.Invoked > end || partition.RecordKeyOf(i) != recordKey) continue;
            if (partition.OffsetOf(i) is var at && (at < 0 || at > offset)) return true;
        }
        return false;
    }

    private AnomalyCase Explain(PartitionLedger partition, int recordKey, int newest, long offset, (long Offset, int Entry)? last, int process, int end, bool isTombstone)
    {
        var what = isTombstone ? $"{Show(partition, newest)} deleted key {ledger.Names[recordKey]} at offset {offset}" : $"{Show(partition, newest)} was acknowledged for key {ledger.Names[recordKey]} at offset {offset}";
        var found = last is { } old ? $"the last of the key that process {process} finds is {Show(partition, old.Entry)} at {old.Offset}" : $"process {process} finds nothing of the key";
        int[] numbers = last is { } one ? [newest, one.Entry] : [newest];
        long[] offsets = last is { } other ? [offset, other.Offset] : [offset];
        return ledger.Case(partition, numbers, offsets, [partition[newest].Invoked, partition[newest].Acknowledged, end], $"{what}; {found}");
    }

    private string Show(PartitionLedger partition, int number) => ledger.Show(partition[number].Value);
}
