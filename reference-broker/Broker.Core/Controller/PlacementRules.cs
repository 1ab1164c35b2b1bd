using Broker.Runtime;

namespace Broker.Core.Controller;

/// <summary>Where the replicas of new partitions go, and what new producers are called.</summary>
public class PlacementRules
{
    [Rule("Leaders go round the brokers, partition by partition.", "Kafka's striped placement, without its random start")]
    public virtual int FirstReplica(int brokers, int partitionsBefore) => partitionsBefore % brokers;

    [Rule("The other replicas are the brokers that follow.", "Kafka's striped placement")]
    public virtual int NextReplica(int brokers, int first, int replica) => (first + replica) % brokers;

    [Rule("A replica on a broker that is let in starts in the ISR: the log is empty everywhere.", "KIP-631")]
    public virtual bool StartsInSync(bool fenced, bool inControlledShutdown) => !fenced && !inControlledShutdown;

    [Rule("The next block of producer ids starts where the last one ended.", "KIP-730")]
    public virtual long FirstProducerId(long nextProducerId) => nextProducerId;

    [Rule("A block of producer ids has 1000.", "KIP-730")]
    public virtual int ProducerIdBlock() => 1000;
}
