using Broker.Runtime;

namespace Chaos.Faults;

/// <summary>
/// Keeps power losses within what acks=all with min.insync.replicas promises to survive: between two moments of full ISR of a partition, at most so many
/// brokers lose unsynced data. Feed it the observations and use <see cref="Forbids"/> as <see cref="Nemesis.Veto"/>.
/// </summary>
/// <param name="limit">Usually min.insync.replicas - 1.</param>
/// <param name="brokers">Power losses of others (controllers flush before they answer) are not limited.</param>
/// <param name="replicationFactor">An ISR of this size is full.</param>
public sealed class PowerLimit(int limit, NodeSet brokers, int replicationFactor)
{
    private readonly Dictionary<TopicPartition, NodeSet> lostSinceFull = [];
    private NodeSet lostSinceStart;

    /// <summary>The most brokers that lost data between two moments of full ISR of any one partition, in this run.</summary>
    public int Worst { get; private set; }

    public void Observe(in Observation seen)
    {
        switch (seen.Kind)
        {
            case ObservationKind.PowerLost when brokers.Contains(seen.Node.Value) && seen.Offset > 0:
                Lost(seen.Node);
                break;
            case ObservationKind.IsrCommitted or ObservationKind.Elected when seen.Partition.Topic is not null:
                var isFull = seen.Nodes.Count >= replicationFactor;
                lostSinceFull[seen.Partition] = isFull ? NodeSet.Empty : lostSinceFull.GetValueOrDefault(seen.Partition);
                break;
            default:
                break;
        }
    }

    public bool Forbids(Fault fault)
    {
        if (fault is not Fault.Power { Node: var subject } || !brokers.Contains(Fault.NodeOf(subject).Value)) return false;
        var node = Fault.NodeOf(subject).Value;
        if (lostSinceFull.Count == 0) return lostSinceStart.With(node).Count > limit;
        foreach (var lost in lostSinceFull.Values)
        {
            if (lost.With(node).Count > limit) return true;
        }

        return false;
    }

    private void Lost(NodeId node)
    {
        lostSinceStart = lostSinceStart.With(node.Value);
        foreach (var partition in lostSinceFull.Keys)
        {
            var lost = lostSinceFull[partition] = lostSinceFull[partition].With(node.Value);
            Worst = Math.Max(Worst, lost.Count);
        }

        if (lostSinceFull.Count == 0) Worst = Math.Max(Worst, lostSinceStart.Count);
    }
}
