namespace Verify.Checkers;

/// <summary>An offset holds one value for ever.</summary>
/// <remarks>Evidence: acknowledgements, and polls of any outcome. Source: Jepsen's inconsistent-offsets.</remarks>
internal sealed class StableOffsets(RecordLedger ledger, CheckContract contract) : IChecker
{
    public void Observe(in LedgerEvent e)
    {
    }

    public Finding Conclude()
    {
        var conflicts = new CaseList(AnomalyName.InconsistentOffsets, contract.CaseLimit);
        var offsets = 0L;
        foreach (var partition in ledger.Partitions)
        {
            var placements = partition.Placements;
            var followers = Followers(placements);
            for (var i = 0; i < placements.Length; i++)
            {
                if (followers?.Contains(i) == true) continue;
                offsets++;
                if (placements[i].Next < 0) continue;
                var numbers = Chain(placements, i);
                if (conflicts.Count1(numbers.Length)) conflicts.Keep(numbers.Length, Explain(partition, numbers, placements[i].Offset));
            }
        }
        return Finding.From(Guarantee.StableOffsets, offsets, offsets == 0 ? "no record's offset is known" : null, conflicts);
    }

    public IEnumerable<AffectedRecord> Affected(string anomaly)
    {
        if (anomaly != AnomalyName.InconsistentOffsets) yield break;
        foreach (var partition in ledger.Partitions)
        {
            var followers = Followers(partition.Placements);
            for (var i = 0; i < partition.PlacementCount; i++)
                if (partition.Placements[i].Next >= 0 || followers?.Contains(i) == true)
                    yield return ledger.Affected(partition, partition.Placements[i].Entry) with { Offset = partition.Placements[i].Offset };
        }
    }

    /// <summary>Placements that share their offset with an earlier one; null for none.</summary>
    private static HashSet<int>? Followers(ReadOnlySpan<Placement> placements)
    {
        HashSet<int>? followers = null;
        foreach (ref readonly var placement in placements)
            if (placement.Next >= 0) (followers ??= []).Add(placement.Next);
        return followers;
    }

    private static int[] Chain(ReadOnlySpan<Placement> placements, int first)
    {
        var entries = new List<int>();
        for (var p = first; p >= 0; p = placements[p].Next) entries.Add(placements[p].Entry);
        return [.. entries];
    }

    private AnomalyCase Explain(PartitionLedger partition, int[] numbers, long offset)
    {
        var events = numbers.SelectMany(n => new[] { partition[n].Acknowledged, partition[n].FirstRead });
        var values = string.Join(" and ", numbers.Select(n => $"{ledger.Show(partition[n].Value)} ({(partition[n].Is(RecordFlags.Read) ? "read" : "acknowledged")})"));
        return ledger.Case(partition, numbers, [offset], events, $"offset {offset} holds {values}");
    }
}
