namespace Verify.Checkers;

/// <summary>Nothing is read whose send certainly failed.</summary>
/// <remarks>Source: Adya's G1a, as Jepsen uses it; but a read counts whatever the outcome of the operation that polled it: a consumer must never be handed it.</remarks>
internal sealed class NoAbortedReads(RecordLedger ledger, CheckContract contract) : IChecker
{
    public void Observe(in LedgerEvent e)
    {
    }

    private static bool IsAborted(in RecordEntry entry) => entry.IsFailed && entry.Is(RecordFlags.Read);

    /// <summary>With read_uncommitted, Kafka hands out what a transaction wrote before it was aborted.</summary>
    private bool IsPermitted(in RecordEntry entry) => contract.Isolation == Isolation.ReadUncommitted && entry.Is(RecordFlags.Transactional);

    public Finding Conclude()
    {
        var aborted = new CaseList(AnomalyName.G1a, contract.CaseLimit);
        var permitted = new CaseList(AnomalyName.G1a, contract.CaseLimit, breaks: false);
        var read = 0L;
        foreach (var partition in ledger.Partitions)
        {
            read += partition.ReadCount;
            for (var i = 0; i < partition.Count; i++)
            {
                if (!IsAborted(partition[i])) continue;
                var cases = IsPermitted(partition[i]) ? permitted : aborted;
                if (cases.Count1()) cases.Keep(Explain(partition, i));
            }
        }
        return Finding.From(Guarantee.NoAbortedReads, read, read == 0 ? "nothing was read" : null, aborted, permitted);
    }

    public IEnumerable<AffectedRecord> Affected(string anomaly)
    {
        if (anomaly != AnomalyName.G1a) yield break;
        foreach (var partition in ledger.Partitions)
            for (var i = 0; i < partition.Count; i++)
                if (IsAborted(partition[i])) yield return ledger.Affected(partition, i);
    }

    private AnomalyCase Explain(PartitionLedger partition, int number)
    {
        var entry = partition[number];
        var offset = partition.OffsetOf(number);
        return ledger.Case(partition, [number], offset < 0 ? [] : [offset], [entry.Invoked, entry.FirstRead], $"{ledger.Show(entry.Value)} was read, though its send failed");
    }
}
