using Broker.Runtime;

namespace Broker.Core.Metadata;

/// <summary>One entry of the metadata log: a closed family. Records hold results, not requests, so that replaying them asks no rule.</summary>
public abstract record MetadataRecord
{
    private MetadataRecord()
    {
    }

    /// <summary>A broker's start, or a second registration of the same incarnation, which keeps epoch and state.</summary>
    /// <param name="PreviousBrokerEpoch">What the broker said its last clean shutdown's epoch was; -1: none.</param>
    public sealed record RegisterBroker(BrokerRegistration Registration, long PreviousBrokerEpoch) : MetadataRecord;

    public sealed record FenceBroker(int Broker, long BrokerEpoch) : MetadataRecord;

    public sealed record UnfenceBroker(int Broker, long BrokerEpoch) : MetadataRecord;

    public sealed record StartControlledShutdown(int Broker, long BrokerEpoch) : MetadataRecord;

    /// <summary>A topic without partitions and settings, which follow as records of their own in the same batch.</summary>
    public sealed record CreateTopic(Guid Topic, string Name) : MetadataRecord;

    public sealed record RemoveTopic(Guid Topic) : MetadataRecord;

    /// <summary>A new partition (its number is then the count of those before it) or the new state of one.</summary>
    public sealed record PartitionChange(Guid Topic, int Partition, PartitionState State) : MetadataRecord;

    /// <summary>Null takes the setting back to its default.</summary>
    public sealed record TopicConfig(Guid Topic, string Name, string? Value) : MetadataRecord;

    /// <summary>Ids below <paramref name="NextProducerId"/> are given out.</summary>
    public sealed record ProducerIds(int Broker, long BrokerEpoch, long NextProducerId) : MetadataRecord;
}
