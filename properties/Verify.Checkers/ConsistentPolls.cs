using Verify.History;

namespace Verify.Checkers;

/// <summary>A consumer is handed its partition in order, nothing left out, nothing again, nothing from the future.</summary>
/// <remarks>
/// Per process and partition, the last offset it was handed. A next one not above it is nonmonotonic at once; one that leaves a gap is a skip if, at the end, some record is known to lie in the gap
/// (gaps as such are legal: markers, aborted, compacted); in a compacted topic, if one of those, sent before, was read later by
/// anybody, and no cleaner may have removed it before (see <see cref="Cleanable"/>; each replica cleans for itself). int- means: within one operation. An operation that was not ok is checked and does not move the position. The position of a partition is forgotten
/// when the process crashes, assigns without it or seeks to its beginning, subscribes, or has it assigned or revoked. A subscribed process of which no
/// assigned or revoked event is known may have been rebalanced at any time: then only int- anomalies can be told. Source: Jepsen's poll anomalies; waivers are per event here, not per run.
/// </remarks>
internal sealed class ConsistentPolls(RecordLedger ledger, CheckContract contract) : IChecker
{
    private struct Position
    {
        public long Offset;
        public int Event;                                              // of the operation that moved it, + 1; 0 for nowhere yet
    }

    /// <summary>A step from one offset to another. Its hash mixes: the framework's own of a long is the exclusive or of its halves.</summary>
    private readonly record struct Leap(int Key, long From, long To)
    {
        public override int GetHashCode() => (int)(((ulong)From * 0x9E3779B97F4A7C15 + (ulong)To) * 0xC2B2AE3D27D4EB4F + (ulong)Key * 0x165667B19E3779F9 >> 32);
    }

    /// <summary>How often somebody went from one offset to another past nothing known, within an operation and between two.</summary>
    private struct Gap
    {
        public int Inside, Between;
        public int InsideEvent, BetweenEvent, InsideProcess, BetweenProcess;
    }

    /// <summary>Positions by partition in pages, since a process reads few of many partitions.</summary>
    private sealed class Reader
    {
        private const int PageSize = 32;
        private Position[]?[] pages = new Position[]?[2];

        public bool Subscribed { get; set; }

        /// <summary>Somebody tells about its rebalances.</summary>
        public bool Told { get; set; }

        public ref Position At(int key)
        {
            if (key / PageSize >= pages.Length) Array.Resize(ref pages, Math.Max(key / PageSize + 1, pages.Length * 2));
            return ref (pages[key / PageSize] ??= new Position[PageSize])[key % PageSize];
        }

        public void Forget(int key)
        {
            if (key / PageSize < pages.Length && pages[key / PageSize] is { } page) page[key % PageSize] = default;
        }

        public void ForgetAll() => Array.Clear(pages);

        public void KeepOnly(ReadOnlySpan<int> keys)
        {
            var kept = new List<(int Key, Position Position)>();
            foreach (var key in keys)
                if (key / PageSize < pages.Length && pages[key / PageSize] is { } page && page[key % PageSize].Event > 0) kept.Add((key, page[key % PageSize]));
            ForgetAll();
            foreach (var (key, position) in kept) At(key) = position;
        }
    }

    private readonly Dictionary<int, Reader> readers = [];
    private readonly Dictionary<Leap, Gap> gaps = [];
    private readonly List<(int Key, Position Before)> undo = [];
    private readonly Dictionary<(int Key, long Offset), (int Event, int Entry)> lastRead = [];   // of compacted topics
    private readonly CaseList nonmonotonic = new(AnomalyName.NonmonotonicPoll, contract.CaseLimit);
    private readonly CaseList internalNonmonotonic = new(AnomalyName.InternalNonmonotonicPoll, contract.CaseLimit);
    private long compared;

    public void Observe(in LedgerEvent e)
    {
        switch (e.Event.Function)
        {
            case EventFunction.Poll or EventFunction.Txn when e.Entries.Length > 0: Walk(e); break;
            case EventFunction.Assign when e.Event.Type is EventType.Ok or EventType.Info: Assign(e.Event); break;
            case EventFunction.Subscribe when e.Event.Type is EventType.Ok or EventType.Info: Subscribe(ReaderOf(e.Event.Process)); break;
            case EventFunction.Assigned or EventFunction.Revoked when e.Event.Type != EventType.Invoke: Rebalance(e.Event); break;
            case EventFunction.Crash: readers.Remove(e.Event.Process); break;
        }
    }

    private Reader ReaderOf(int process)
    {
        if (readers.TryGetValue(process, out var reader)) return reader;
        return readers[process] = new Reader { Subscribed = contract.Subscription == Subscription.Subscribe };
    }

    private void Assign(in HistoryEvent e)
    {
        var reader = ReaderOf(e.Process);
        reader.Subscribed = false;
        if (e.SeekToBeginning) reader.ForgetAll();
        else reader.KeepOnly(e.Keys);
    }

    private static void Subscribe(Reader reader)
    {
        (reader.Subscribed, reader.Told) = (true, false);
        reader.ForgetAll();
    }

    private void Rebalance(in HistoryEvent e)
    {
        var reader = ReaderOf(e.Process);
        (reader.Subscribed, reader.Told) = (true, true);
        foreach (var key in e.Keys) reader.Forget(key);
    }

    private void Walk(in LedgerEvent e)
    {
        var reader = ReaderOf(e.Event.Process);
        var blind = reader.Subscribed && !reader.Told;
        var ok = e.Event.Type == EventType.Ok;
        var now = e.Position + 1;
        var at = 0;                                                    // of the operation's first record among all of the event
        foreach (ref readonly var operation in e.Event.Operations)
        {
            var records = e.Event.Records(operation);
            for (var i = 0; i < records.Length;)
            {
                var key = records[i].Key;
                ref var position = ref reader.At(key);
                if (!ok) undo.Add((key, position));
                for (; i < records.Length && records[i].Key == key; i++)
                {
                    var offset = records[i].Offset;
                    if (offset < 0) continue;
                    if (contract.Compacted && ok) lastRead[(key, offset)] = (e.Position, e.Entries[at + i]);
                    if (position.Event == now || position.Event > 0 && !blind) Step(e, key, position, offset, now);
                    (position.Offset, position.Event) = (offset, now);
                }
            }
            at += records.Length;
        }
        if (!ok) Undo(reader);
    }

    private void Step(in LedgerEvent e, int key, in Position from, long to, int now)
    {
        compared++;
        if (to == from.Offset + 1) return;
        var inside = from.Event == now;
        if (to > from.Offset)
        {
            Jump(key, from.Offset, to, inside, e);
            return;
        }
        var cases = inside ? internalNonmonotonic : nonmonotonic;
        if (cases.Count1(from.Offset - to))
            cases.Keep(from.Offset - to, new AnomalyCase(
                ledger.Keys[key], [from.Offset, to], [], [e.Event.Process], inside ? [e.Position] : [from.Event - 1, e.Position], $"process {e.Event.Process} was handed offset {to} after {from.Offset}"));
    }

    private void Jump(int key, long from, long to, bool inside, in LedgerEvent e)
    {
        ref var gap = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(gaps, new Leap(key, from, to), out _);
        if (inside && gap.Inside++ == 0) (gap.InsideEvent, gap.InsideProcess) = (e.Position, e.Event.Process);
        if (!inside && gap.Between++ == 0) (gap.BetweenEvent, gap.BetweenProcess) = (e.Position, e.Event.Process);
    }

    private void Undo(Reader reader)
    {
        for (var i = undo.Count - 1; i >= 0; i--) reader.At(undo[i].Key) = undo[i].Before;
        undo.Clear();
    }

    public Finding Conclude()
    {
        var skip = new CaseList(AnomalyName.PollSkip, contract.CaseLimit);
        var internalSkip = new CaseList(AnomalyName.InternalPollSkip, contract.CaseLimit);
        foreach (var byKey in gaps.GroupBy(static g => g.Key.Key).OrderBy(static g => g.Key))
        {
            var partition = ledger.Find(byKey.Key)!;
            var offsets = partition.SortedOffsets();
            var cleanable = contract.Compacted ? Cleanable.Since(partition) : null;
            foreach (var ((_, from, to), gap) in byKey.OrderBy(static g => (g.Key.From, g.Key.To)))
            {
                var first = Array.BinarySearch(offsets, from) + 1;                      // both ends were read, so they are known
                var skipped = Array.BinarySearch(offsets, to) - first;
                if (skipped <= 0) continue;
                var between = offsets.AsSpan(first, skipped).ToArray();
                if (contract.Compacted)
                {
                    var at = gap.Inside > 0 ? gap.InsideEvent : gap.BetweenEvent;
                    between = [.. between.Where(offset => lastRead.TryGetValue((partition.Key, offset), out var read) && read.Event > at && partition[read.Entry].Invoked < at && cleanable![read.Entry] >= at)];
                    skipped = between.Length;
                    if (skipped == 0) continue;
                }
                var missed = between.AsSpan(0, Math.Min(skipped, 16)).ToArray();
                if (gap.Inside > 0 && internalSkip.CountMany(gap.Inside, skipped)) internalSkip.Keep(skipped, Skip(partition, from, to, missed, skipped, gap.InsideProcess, gap.InsideEvent));
                if (gap.Between > 0 && skip.CountMany(gap.Between, skipped)) skip.Keep(skipped, Skip(partition, from, to, missed, skipped, gap.BetweenProcess, gap.BetweenEvent));
            }
        }
        var future = Future();
        var read = ledger.SawRecord;
        return Finding.From(Guarantee.ConsistentPolls, compared, compared == 0 && !read ? "nothing was read" : null, nonmonotonic, internalNonmonotonic, skip, internalSkip, future);
    }

    private AnomalyCase Skip(PartitionLedger partition, long from, long to, long[] missed, int skipped, int process, int position)
    {
        var values = new List<string>();
        foreach (ref readonly var placement in partition.Placements)
            if (Array.BinarySearch(missed, placement.Offset) >= 0) values.Add(ledger.Show(partition[placement.Entry].Value));
        return new AnomalyCase(ledger.Keys[partition.Key], [from, to, .. missed], values, [process], [position], $"process {process} was handed offset {to} after {from}, though {skipped} known records lie between");
    }

    private CaseList Future()
    {
        var future = new CaseList(AnomalyName.FutureRead, contract.CaseLimit);
        foreach (var partition in ledger.Partitions)
        {
            for (var i = 0; i < partition.Count; i++)
            {
                var entry = partition[i];
                if (!entry.Is(RecordFlags.ReadBeforeInvoked) || !future.Count1(entry.Invoked - entry.FirstRead)) continue;
                var offset = partition.OffsetOf(i);
                future.Keep(entry.Invoked - entry.FirstRead, ledger.Case(partition, [i], offset < 0 ? [] : [offset], [entry.FirstRead, entry.Invoked], $"{ledger.Show(entry.Value)} was read before its send was invoked"));
            }
        }
        return future;
    }
}
