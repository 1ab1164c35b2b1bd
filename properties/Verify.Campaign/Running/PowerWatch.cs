using Broker.Runtime;
using Chaos.Faults;

namespace Verify.Campaign.Running;

/// <summary>Keeps the number of brokers that lose power between two moments of full ISR within a limit, as min.insync.replicas is meant to tolerate (KIP-966).</summary>
/// <param name="limit">Null: no limit.</param>
public sealed class PowerWatch(int? limit, int replicationFactor, NodeSet brokers)
{
    private readonly Dictionary<TopicPartition, bool> isFull = [];
    private NodeSet lost, unregistered;

    /// <summary>Whether the fault would be one power loss too many.</summary>
    public bool Forbids(Fault fault) =>
        limit is { } most && fault is Fault.Power { Node: NodeRef.Fixed(var node) } && brokers.Contains(node.Value) && lost.With(node.Value).Count > most;

    public void Observe(in Observation seen)
    {
        switch (seen.Kind)
        {
            case ObservationKind.PowerLost when brokers.Contains(seen.Node.Value):
                (lost, unregistered) = (lost.With(seen.Node.Value), unregistered.With(seen.Node.Value));
                foreach (var partition in isFull.Keys.ToArray()) isFull[partition] = false;
                break;
            case ObservationKind.UncleanRegistration: unregistered = unregistered.Without(seen.Other); break;
            case ObservationKind.IsrCommitted or ObservationKind.Elected when seen.Partition.Topic is not null:
                // An ISR that still names a node which has not come back from its loss is full in name only.
                isFull[seen.Partition] = seen.Nodes.Count == replicationFactor && (seen.Nodes.Bits & unregistered.Bits) == 0;
                if (isFull.Values.All(static full => full)) lost = NodeSet.Empty;
                break;
            case ObservationKind.TopicChanged when seen.Other == 0:
                var gone = seen.Partition.Topic;
                foreach (var partition in isFull.Keys.Where(partition => partition.Topic == gone).ToArray()) isFull.Remove(partition);
                break;
        }
    }
}
