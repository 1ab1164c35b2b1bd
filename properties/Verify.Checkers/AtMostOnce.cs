namespace Verify.Checkers;

/// <summary>A group processes no record twice.</summary>
/// <remarks>A record is one offset of one partition, so copies that the log holds are <see cref="NoDuplicates"/>' business. Counted once per record, however often; a poll of unknown outcome counts for nothing.</remarks>
internal sealed class AtMostOnce(RecordLedger ledger, GroupLedger groups, CheckContract contract) : IChecker
{
    public void Observe(in LedgerEvent e)
    {
    }

    public Finding Conclude()
    {
        var repeated = new CaseList(AnomalyName.GroupDoubleConsume, contract.CaseLimit);
        var processed = 0L;
        foreach (var (group, key, partition) in groups.Partitions)
        {
            var processing = groups.ReadingOf(partition).Processing;
            processed += processing.Count;
            foreach (var (offset, value, process, position) in processing.Repetitions)
                if (repeated.Count1())
                    repeated.Keep(new AnomalyCase(ledger.Keys[key], [offset], [ledger.Show(value)], [process], [position], $"offset {offset} was processed in {groups.NameOf(group)} before process {process} did so again"));
        }
        return Finding.From(Guarantee.AtMostOnce, processed, processed == 0 ? "no group processed anything" : null, repeated);
    }
}
