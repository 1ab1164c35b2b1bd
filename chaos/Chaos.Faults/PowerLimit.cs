using Broker.Runtime;

namespace Chaos.Faults;

/// <summary>
/// Counts the brokers that lose power between two moments of full ISR of a partition, and keeps them within what acks=all with min.insync.replicas
/// promises to survive (KIP-966). Feed it every observation and use <see cref="Forbids"/> as <see cref="Nemesis.Veto"/>.
/// </summary>
/// <remarks>
/// An ISR that still names a broker which has not registered again since its loss is full in name only: that broker may lack anything. A loss of nothing
/// counts as well: the broker leaves the ISR and the eligible replicas by its unclean restart, whatever its disk kept.
/// </remarks>
/// <param name="limit">Usually min.insync.replicas - 1; null: count, and forbid nothing.</param>
/// <param name="brokers">Power losses of others (controllers flush before they answer) do not count.</param>
/// <param name="replicas">Of a partition: an ISR of this size is full.</param>
public sealed class PowerLimit(int? limit, NodeSet brokers, Func<TopicPartition, int> replicas)
{
    private readonly Dictionary<TopicPartition, NodeSet> lostSinceFull = [];
    private NodeSet away, restarted;                                   // lost power and not registered since; of these, those that run again

    /// <summary>The most brokers that lost power between two moments of full ISR of any one partition, in this run.</summary>
    public int Worst { get; private set; }

    /// <summary>True when this shows a partition with its ISR full, in name and in fact.</summary>
    public bool Observe(in Observation seen)
    {
        switch (seen.Kind)
        {
            case ObservationKind.PowerLost when brokers.Contains(seen.Node.Value): Lost(seen.Node.Value); break;
            case ObservationKind.NodeStarted when away.Contains(seen.Node.Value): restarted = restarted.With(seen.Node.Value); break;
            case ObservationKind.UncleanRegistration: Returned(seen.Other); break;
            case ObservationKind.BrokerUnfenced when restarted.Contains(seen.Other): Returned(seen.Other); break;   // it had stopped in good order before
            case ObservationKind.IsrCommitted or ObservationKind.Elected when seen.Partition.Topic is not null:
                var isFull = seen.Nodes.Count >= replicas(seen.Partition) && (seen.Nodes.Bits & away.Bits) == 0;
                lostSinceFull[seen.Partition] = isFull ? NodeSet.Empty : lostSinceFull.GetValueOrDefault(seen.Partition);
                return isFull;
            case ObservationKind.TopicChanged when seen.Other == 0: Forget(seen.Partition.Topic); break;
            default: break;
        }
        return false;
    }

    /// <summary>Whether the fault would be one power loss too many.</summary>
    public bool Forbids(Fault fault)
    {
        if (limit is not { } most || fault is not Fault.Power { Node: var subject } || !brokers.Contains(Fault.NodeOf(subject).Value)) return false;
        var node = Fault.NodeOf(subject).Value;
        if (lostSinceFull.Count == 0) return away.With(node).Count > most;
        foreach (var lost in lostSinceFull.Values)
            if (lost.With(node).Count > most) return true;
        return false;
    }

    private void Lost(int node)
    {
        (away, restarted) = (away.With(node), restarted.Without(node));
        foreach (var partition in lostSinceFull.Keys)
        {
            var lost = lostSinceFull[partition] = lostSinceFull[partition].With(node);
            Worst = Math.Max(Worst, lost.Count);
        }
        if (lostSinceFull.Count == 0) Worst = Math.Max(Worst, away.Count);
    }

    private void Returned(int node) => (away, restarted) = (away.Without(node), restarted.Without(node));

    private void Forget(string topic)
    {
        foreach (var partition in lostSinceFull.Keys.Where(partition => partition.Topic == topic).ToArray()) lostSinceFull.Remove(partition);
    }
}
