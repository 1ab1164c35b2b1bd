using Broker.Runtime;

namespace Broker.Core.Metadata;

/// <summary>
/// The metadata log, applied: the brokers, topics and partitions of the cluster. Controllers and brokers keep one each.
/// Everything iterates in a fixed order: brokers by id, topics by name in ordinal order, partitions by number.
/// </summary>
/// <param name="defaults">Topic settings of the cluster.</param>
public sealed class MetadataImage(TopicSettings defaults)
{
    /// <summary>Ids of brokers are below it.</summary>
    public const int BrokerLimit = 64;

    private readonly BrokerRegistration?[] brokers = new BrokerRegistration?[BrokerLimit];
    private readonly SortedDictionary<string, TopicState> topics = new(StringComparer.Ordinal);
    private readonly Dictionary<Guid, TopicState> topicsById = [];

    public TopicSettings Defaults { get; } = defaults;

    /// <summary>Of the last record applied; -1: none.</summary>
    public long Offset { get; private set; } = -1;

    /// <summary>First producer id that nobody was given.</summary>
    public long NextProducerId { get; private set; }

    public IEnumerable<TopicState> Topics => topics.Values;

    /// <summary>By id.</summary>
    public IEnumerable<BrokerRegistration> Brokers
    {
        get
        {
            foreach (var broker in brokers)
                if (broker is not null) yield return broker;
        }
    }

    public BrokerRegistration? Broker(int id) => (uint)id < BrokerLimit ? brokers[id] : null;

    public TopicState? Topic(string name) => topics.GetValueOrDefault(name);

    public TopicState? Topic(Guid id) => topicsById.GetValueOrDefault(id);

    public PartitionState? Partition(TopicPartition partition) => Topic(partition.Topic)?.Partition(partition.Partition);

    /// <summary>False when the record speaks of a broker, topic or partition that is not there: the log and this image do not belong together.</summary>
    public bool Apply(MetadataRecord record, long offset)
    {
        Offset = offset;
        switch (record)
        {
            case MetadataRecord.RegisterBroker it:
                if ((uint)it.Registration.Broker >= BrokerLimit) return false;
                brokers[it.Registration.Broker] = it.Registration;
                return true;
            case MetadataRecord.FenceBroker it:
                return Amend(it.Broker, static broker => broker with { Fenced = true });
            case MetadataRecord.UnfenceBroker it:
                return Amend(it.Broker, static broker => broker with { Fenced = false, CleanSince = broker.BrokerEpoch });
            case MetadataRecord.StartControlledShutdown it:
                return Amend(it.Broker, static broker => broker with { InControlledShutdown = true });
            case MetadataRecord.CreateTopic it:
                var created = new TopicState(it.Topic, it.Name, Defaults);
                return topics.TryAdd(it.Name, created) && topicsById.TryAdd(it.Topic, created);
            case MetadataRecord.RemoveTopic it:
                return topicsById.Remove(it.Topic, out var removed) && topics.Remove(removed.Name);
            case MetadataRecord.PartitionChange it:
                return Topic(it.Topic)?.Put(it.Partition, it.State) ?? false;
            case MetadataRecord.TopicConfig it:
                if (Topic(it.Topic) is not { } configured) return false;
                configured.Configure(it.Name, it.Value);
                return true;
            case MetadataRecord.ProducerIds it:
                NextProducerId = it.NextProducerId;
                return true;
            default:
                throw new InvalidOperationException($"no such metadata record: {record}");
        }
    }

    private bool Amend(int id, Func<BrokerRegistration, BrokerRegistration> amend)
    {
        if (Broker(id) is not { } broker) return false;
        brokers[id] = amend(broker);
        return true;
    }
}
