using Broker.Runtime;

namespace Broker.Core.Controller;

/// <summary>Where the replicas of new partitions go, and what new producers are called.</summary>
public class PlacementRules
{
    [Rule("Leaders go round the brokers, partition by partition; the other replicas are the brokers that follow.", "Kafka's striped placement, without its random start")]
    public virtual int Replica(IReadOnlyList<int> brokers, int partitionsBefore, int replica) => brokers[(partitionsBefore + replica) % brokers.Count];

    [Rule("A replica on a broker that is let in and stays starts in the ISR, for the log is empty everywhere; others come last.", "KIP-631")]
    public virtual bool StartsInSync(bool fenced, bool inControlledShutdown) => !fenced && !inControlledShutdown;

    [Rule("The next block of producer ids starts where the last one ended.", "KIP-730")]
    public virtual long FirstProducerId(long nextProducerId) => nextProducerId;

    [Rule("A block of producer ids has 1000.", "KIP-730")]
    public virtual int ProducerIdBlock() => 1000;
}
