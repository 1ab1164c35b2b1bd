using Broker.Runtime;

namespace Verify.Campaign.Judging;

/// <summary>One election as the controller made it.</summary>
internal sealed record Election(int Epoch, int Leader, ElectionKind Kind, NodeSet Isr, EligibleReplicas Eligible);

/// <summary>
/// The elections of one partition. A controller may die, or be deposed, between its decision and its word, and the decision stand all the same: that it was told, or that a leader took office by it, or that a
/// later one was built on it, proves it. Of two controllers that decided the same epoch the later one did not know the earlier one's decision, so that was lost.
/// </summary>
internal sealed class ElectionLog
{
    private readonly SortedDictionary<int, List<(int QuorumEpoch, Election Decided)>> decided = [];
    private int proved = -1;

    /// <summary>The last one told: what the controller last wanted.</summary>
    public Election? Last { get; private set; }

    /// <summary>All that stand, those without a leader included. Proof may come late: ask when all is over.</summary>
    public IEnumerable<Election> All => decided.Where(epoch => epoch.Key <= proved).Select(static epoch => epoch.Value.MaxBy(static one => one.QuorumEpoch).Decided);

    /// <summary>The election by which a node that took office did so.</summary>
    public Election Of(int epoch, int leader) => decided[epoch].Where(one => one.Decided.Leader == leader).MaxBy(static one => one.QuorumEpoch).Decided;

    public void Observe(in Observation seen)
    {
        switch (seen.Kind)
        {
            case ObservationKind.ElectionDecided: Decided(seen); break;
            case ObservationKind.Elected: (Last, proved) = (Read(seen), Math.Max(proved, seen.Epoch)); break;
            case ObservationKind.BecameLeader: proved = Math.Max(proved, seen.Epoch); break;
        }
    }

    private void Decided(in Observation seen)
    {
        if (!decided.TryGetValue(seen.Epoch, out var rivals)) decided.Add(seen.Epoch, rivals = []);
        rivals.Add((seen.Connection, Read(seen)));
    }

    private static Election Read(in Observation seen) => new(seen.Epoch, seen.Other, (ElectionKind)seen.Offset, seen.Nodes, EligibleReplicas.Of(seen.EndOffset));
}
