namespace Verify.Checkers;

/// <summary>A group processes every acknowledged record before it commits past it, and leaves none behind.</summary>
/// <remarks>
/// A record is owed once the group's committed offset has passed it (its commit was acknowledged, or a member was told of the offset), or once the group came to the end of the partition after the record was acknowledged.
/// group-loss: owed, and not processed when the commit that passed it was invoked, or not at all where the group came to the end. Where members do not commit after processing, a record that was processed at any time
/// is not lost. Records that the log itself has lost are <see cref="NoLostWrites"/>' business. A commit of unknown outcome passes nothing by itself: what it skipped shows where the group resumes, or at the end.
/// Sources: Kafka's consumer documentation; Jepsen's checker has no such rule.
/// </remarks>
internal sealed class AtLeastOnce(RecordLedger ledger, GroupLedger groups, CheckContract contract) : IChecker
{
    /// <summary>A record that a group owed and did not process; <paramref name="By"/> is null when the group only came to the end without it.</summary>
    private readonly record struct Loss(PartitionLedger Partition, int Entry, int Group, Passed? By, int Drained);

    private long owed;

    public void Observe(in LedgerEvent e)
    {
    }

    public Finding Conclude()
    {
        var lost = new CaseList(AnomalyName.GroupLoss, contract.CaseLimit);
        foreach (var loss in Losses())
            if (lost.Count1()) lost.Keep(Explain(loss));
        return Finding.From(Guarantee.AtLeastOnce, owed, owed == 0 ? "no acknowledged record was passed by a committed offset" : null, lost);
    }

    public IEnumerable<AffectedRecord> Affected(string anomaly) => anomaly == AnomalyName.GroupLoss ? Losses().Select(loss => ledger.Affected(loss.Partition, loss.Entry)) : [];

    private IEnumerable<Loss> Losses()
    {
        owed = 0;
        foreach (var (group, key, consumed) in groups.Partitions)
        {
            if (ledger.Find(key) is not { } partition) continue;
            var progress = groups.ReadingOf(consumed);
            for (var i = 0; i < partition.Count; i++)
                if (Judge(partition, i, progress, consumed.Drained, out var by)) yield return new Loss(partition, i, group, by, consumed.Drained);
        }
    }

    private bool Judge(PartitionLedger partition, int number, Progress progress, int drained, out Passed? by)
    {
        by = null;
        var entry = partition[number];
        var offset = partition.OffsetOf(number);
        var processed = progress.Processing.All;
        if (!entry.Is(RecordFlags.Ok) || offset < 0 || partition.IsLost(entry)) return false;
        if (contract.GroupStart == GroupStart.Latest && (processed.Lowest < 0 || offset < processed.Lowest)) return false;
        var passed = offset < progress.End;
        var atEnd = entry.Acknowledged < drained;
        if (!passed && !atEnd) return false;
        owed++;
        if (entry.Is(RecordFlags.Copied) && partition.Copies()[number].Any(processed.Contains)) return false;
        if (contract.Commit == CommitMode.AfterProcessing) by = progress.PassedUnprocessed(offset);
        return by is not null || !processed.Contains(offset);
    }

    private AnomalyCase Explain(Loss loss)
    {
        var (partition, number) = (loss.Partition, loss.Entry);
        var entry = partition[number];
        var offset = partition.OffsetOf(number);
        var by = loss.By is { } passed ? $"passed it by process {passed.Process}'s offset, and nobody had processed it" : loss.Drained >= 0 ? "came to the end of the partition, and nobody had processed it" : "passed it, and nobody processed it";
        return ledger.Case(partition, [number], [offset], [entry.Invoked, entry.Acknowledged, loss.By?.Event ?? loss.Drained], $"{ledger.Show(entry.Value)} was acknowledged at offset {offset}; {groups.NameOf(loss.Group)} {by}");
    }
}
