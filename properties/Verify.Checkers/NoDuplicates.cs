namespace Verify.Checkers;

/// <summary>What was sent once is in the log once.</summary>
/// <remarks>
/// One value at two or more offsets, by the evidence of acknowledgements and of polls of any outcome. A value that the application itself sent twice is its own copy.
/// Source: Jepsen's duplicate; KIP-98 for the promise.
/// </remarks>
internal sealed class NoDuplicates(RecordLedger ledger, CheckContract contract) : IChecker
{
    public void Observe(in LedgerEvent e)
    {
    }

    private static bool IsDuplicate(in RecordEntry entry) => entry.Is(RecordFlags.Copied) && !entry.Is(RecordFlags.SentTwice);

    public Finding Conclude()
    {
        var duplicates = new CaseList(AnomalyName.Duplicate, contract.CaseLimit);
        var placed = 0L;
        foreach (var partition in ledger.Partitions)
        {
            for (var i = 0; i < partition.Count; i++)
            {
                if (partition[i].Placement >= 0) placed++;
                if (!IsDuplicate(partition[i])) continue;
                var offsets = partition.Copies()[i];
                if (duplicates.Count1(offsets.Count)) duplicates.Keep(offsets.Count, Explain(partition, i, offsets));
            }
        }
        return Finding.From(Guarantee.NoDuplicates, placed, placed == 0 ? "no record's offset is known" : null, duplicates);
    }

    public IEnumerable<AffectedRecord> Affected(string anomaly)
    {
        if (anomaly != AnomalyName.Duplicate) yield break;
        foreach (var partition in ledger.Partitions)
            for (var i = 0; i < partition.Count; i++)
                if (IsDuplicate(partition[i])) yield return ledger.Affected(partition, i);
    }

    private AnomalyCase Explain(PartitionLedger partition, int number, List<long> offsets)
    {
        var entry = partition[number];
        return ledger.Case(partition, [number], [.. offsets], [entry.Invoked, entry.Acknowledged, entry.FirstRead], $"{ledger.Show(entry.Value)} is at offsets {string.Join(", ", offsets)}");
    }
}
