using Broker.Runtime;

namespace Verify.Campaign.Judging;

/// <summary>One election as the controller made it.</summary>
internal sealed record Election(int Epoch, int Leader, ElectionKind Kind, NodeSet Isr, EligibleReplicas Eligible);

/// <summary>
/// The elections of one partition: those that controllers told, and those that a leader's taking office proves although the controller that made them died
/// between the commit of its decision and its word. What the ISR was, and who was fenced, tells the kind of these.
/// </summary>
internal sealed class ElectionLog
{
    private readonly List<Election> told = [];
    private readonly Dictionary<(int Epoch, int Leader), Election> guessed = [];
    private NodeSet isr;
    private int isrEpoch = -1;

    /// <summary>The last one told: what the controller last wanted.</summary>
    public Election? Last => told.Count > 0 ? told[^1] : null;

    /// <summary>All, those without a leader included. Told late is told: ask when all is over.</summary>
    public IEnumerable<Election> All => told.Concat(guessed.Values.Where(guess => Told(guess.Epoch, guess.Leader) is null));

    /// <summary>The election by which a node that took office did so.</summary>
    public Election Of(int epoch, int leader) => Told(epoch, leader) ?? guessed[(epoch, leader)];

    /// <param name="fenced">Brokers that the controller holds for dead.</param>
    public void Observe(in Observation seen, NodeSet fenced)
    {
        switch (seen.Kind)
        {
            case ObservationKind.Elected: told.Add(new Election(seen.Epoch, seen.Other, (ElectionKind)seen.Offset, seen.Nodes, EligibleReplicas.Of(seen.EndOffset))); break;
            case ObservationKind.BecameLeader: guessed.TryAdd((seen.Epoch, seen.Node.Value), Guess(seen, fenced)); break;
            case ObservationKind.IsrCommitted: break;
            default: return;
        }
        if (seen.Epoch >= isrEpoch) (isr, isrEpoch) = (seen.Nodes, seen.Epoch);   // one that took office long after its time tells an old ISR
    }

    private Election Guess(in Observation seen, NodeSet fenced)
    {
        var kind = isr.Contains(seen.Node.Value) ? ElectionKind.Clean : ElectionKind.Unclean;
        return new Election(seen.Epoch, seen.Node.Value, kind, seen.Nodes, new EligibleReplicas(isr.Count, new NodeSet(isr.Bits & ~fenced.Bits).Count));
    }

    private Election? Told(int epoch, int leader) => told.FindLast(known => known.Epoch == epoch && known.Leader == leader);
}
