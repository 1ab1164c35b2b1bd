namespace Verify.Checkers;

/// <summary>Nothing is read that nobody sent to this partition.</summary>
/// <remarks>Judged at the end, since a bare history may tell of a send only at its completion. Jepsen's analysis stops at such a record.</remarks>
internal sealed class NoPhantomWrites(RecordLedger ledger, CheckContract contract) : IChecker
{
    public void Observe(in LedgerEvent e)
    {
    }

    private static bool IsPhantom(in RecordEntry entry) => entry.Is(RecordFlags.Read) && !entry.Is(RecordFlags.Sent);

    public Finding Conclude()
    {
        var phantoms = new CaseList(AnomalyName.PhantomRecord, contract.CaseLimit);
        var read = 0L;
        foreach (var partition in ledger.Partitions)
        {
            read += partition.ReadCount;
            for (var i = 0; i < partition.Count; i++)
                if (IsPhantom(partition[i]) && phantoms.Count1()) phantoms.Keep(Explain(partition, i));
        }
        return Finding.From(Guarantee.NoPhantomWrites, read, read == 0 ? "nothing was read" : null, phantoms);
    }

    public IEnumerable<AffectedRecord> Affected(string anomaly)
    {
        if (anomaly != AnomalyName.PhantomRecord) yield break;
        foreach (var partition in ledger.Partitions)
            for (var i = 0; i < partition.Count; i++)
                if (IsPhantom(partition[i])) yield return ledger.Affected(partition, i);
    }

    private AnomalyCase Explain(PartitionLedger partition, int number)
    {
        var value = partition[number].Value;
        var offset = partition.OffsetOf(number);
        var elsewhere = ledger.Partitions.FirstOrDefault(p => p != partition && p.Knows(value));
        var note = elsewhere is null ? "nobody sent it" : $"it was sent to {ledger.Keys[elsewhere.Key]}, not here";
        return ledger.Case(partition, [number], offset < 0 ? [] : [offset], [partition[number].FirstRead], $"{ledger.Show(value)} was read; {note}");
    }
}
