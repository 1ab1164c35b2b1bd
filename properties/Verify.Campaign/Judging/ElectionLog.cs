using Broker.Runtime;

namespace Verify.Campaign.Judging;

/// <summary>One election as the controller made it.</summary>
internal sealed record Election(int Epoch, int Leader, ElectionKind Kind, NodeSet Isr, EligibleReplicas Eligible);

/// <summary>
/// The elections of one partition: those that controllers told, and those that a leader's taking office proves although the controller that made them died, or
/// was deposed, between its decision and its word. What the ISR was before that epoch, and who was fenced when it was first heard of, tells the kind of these.
/// </summary>
internal sealed class ElectionLog
{
    private readonly List<Election> told = [];
    private readonly SortedDictionary<(int Epoch, int Leader), NodeSet> offices = [];   // taken, with the ISR as their leader knew it
    private readonly SortedDictionary<int, NodeSet> isrOf = [];                         // the last known of each epoch
    private readonly List<(int Epoch, NodeSet Fenced)> heard = [];                      // who was fenced when a higher epoch than ever was heard of

    /// <summary>The last one told: what the controller last wanted.</summary>
    public Election? Last => told.Count > 0 ? told[^1] : null;

    /// <summary>All, those without a leader included. Told late is told: ask when all is over.</summary>
    public IEnumerable<Election> All => told.Concat(offices.Keys.Where(office => Told(office.Epoch, office.Leader) is null).Select(office => Guess(office.Epoch, office.Leader)));

    /// <summary>The election by which a node that took office did so.</summary>
    public Election Of(int epoch, int leader) => Told(epoch, leader) ?? Guess(epoch, leader);

    /// <param name="fenced">Brokers that the controller holds for dead.</param>
    public void Observe(in Observation seen, NodeSet fenced)
    {
        switch (seen.Kind)
        {
            case ObservationKind.Elected:
                told.Add(new Election(seen.Epoch, seen.Other, (ElectionKind)seen.Offset, seen.Nodes, EligibleReplicas.Of(seen.EndOffset)));
                isrOf[seen.Epoch] = seen.Nodes;
                break;
            case ObservationKind.IsrCommitted: isrOf[seen.Epoch] = seen.Nodes; break;
            case ObservationKind.BecameLeader:
                offices.TryAdd((seen.Epoch, seen.Node.Value), seen.Nodes);
                isrOf.TryAdd(seen.Epoch, seen.Nodes);                  // the ISR of its first moment: what was committed since is newer
                break;
            default: return;
        }
        if (heard.Count == 0 || seen.Epoch > heard[^1].Epoch) heard.Add((seen.Epoch, fenced));
    }

    /// <summary>A node may learn of its office long after its time: how things were when it did says nothing of how they were when it was elected.</summary>
    private Election Guess(int epoch, int leader)
    {
        var isr = isrOf.LastOrDefault(known => known.Key < epoch).Value;
        var fenced = heard.Find(first => first.Epoch >= epoch).Fenced;
        var eligible = new EligibleReplicas(isr.Count, new NodeSet(isr.Bits & ~fenced.Bits).Count);
        return new Election(epoch, leader, isr.Contains(leader) ? ElectionKind.Clean : ElectionKind.Unclean, offices[(epoch, leader)], eligible);
    }

    private Election? Told(int epoch, int leader) => told.FindLast(known => known.Epoch == epoch && known.Leader == leader);
}
