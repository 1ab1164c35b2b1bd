namespace Broker.Core.Metadata;

/// <summary>What a setting's value is, in the numbers of DescribeConfigs.</summary>
public enum ConfigType : sbyte
{
    Boolean = 1,
    String = 2,
    Int = 3,
    Short = 4,
    Long = 5,
    Double = 6,
    List = 7,
}

/// <summary>Where a setting's value comes from, in the numbers of DescribeConfigs; what stands earlier is not hidden by what stands later.</summary>
public enum ConfigSource : sbyte
{
    Topic = 1,
    Broker = 2,
    BrokersDefault = 3,
    StaticBroker = 4,
    Default = 5,
}

/// <summary>The settings of a broker that have an effect here or are the default of a topic's setting, with Kafka 4.3's types and defaults; where Kafka knows no bound on memory, max.connections and queued.max.request.bytes have ours.</summary>
public static class BrokerConfigs
{
    private static readonly SortedDictionary<string, (ConfigType Type, string? Default)> Known = new(StringComparer.Ordinal)
    {
        ["advertised.listeners"] = (ConfigType.List, null),
        ["auto.create.topics.enable"] = (ConfigType.Boolean, "true"),
        ["broker.heartbeat.interval.ms"] = (ConfigType.Int, "2000"),
        ["broker.session.timeout.ms"] = (ConfigType.Int, "9000"),
        ["connections.max.idle.ms"] = (ConfigType.Long, "600000"),
        ["controller.listener.names"] = (ConfigType.List, null),
        ["controller.quorum.election.timeout.ms"] = (ConfigType.Int, "1000"),
        ["controller.quorum.fetch.timeout.ms"] = (ConfigType.Int, "2000"),
        ["controller.quorum.request.timeout.ms"] = (ConfigType.Int, "2000"),
        ["controller.quorum.retry.backoff.ms"] = (ConfigType.Int, "20"),
        ["controller.quorum.voters"] = (ConfigType.List, ""),
        ["default.replication.factor"] = (ConfigType.Int, "1"),
        ["group.initial.rebalance.delay.ms"] = (ConfigType.Int, "3000"),
        ["group.max.session.timeout.ms"] = (ConfigType.Int, "1800000"),
        ["group.max.size"] = (ConfigType.Int, "2147483647"),
        ["group.min.session.timeout.ms"] = (ConfigType.Int, "6000"),
        ["listeners"] = (ConfigType.List, "PLAINTEXT://:9092"),
        ["log.cleaner.backoff.ms"] = (ConfigType.Long, "15000"),
        ["log.dir"] = (ConfigType.String, null),
        ["log.dirs"] = (ConfigType.String, null),
        ["log.flush.scheduler.interval.ms"] = (ConfigType.Long, "9223372036854775807"),
        ["log.retention.check.interval.ms"] = (ConfigType.Long, "300000"),
        ["log.retention.hours"] = (ConfigType.Int, "168"),
        ["log.retention.minutes"] = (ConfigType.Int, null),
        ["log.roll.hours"] = (ConfigType.Int, "168"),
        ["log.roll.jitter.hours"] = (ConfigType.Int, "0"),
        ["max.connections"] = (ConfigType.Int, "4096"),
        ["max.connections.per.ip"] = (ConfigType.Int, "2147483647"),
        ["max.incremental.fetch.session.cache.slots"] = (ConfigType.Int, "1000"),
        ["node.id"] = (ConfigType.Int, null),
        ["num.partitions"] = (ConfigType.Int, "1"),
        ["offset.metadata.max.bytes"] = (ConfigType.Int, "4096"),
        ["offsets.commit.timeout.ms"] = (ConfigType.Int, "5000"),
        ["offsets.retention.check.interval.ms"] = (ConfigType.Long, "600000"),
        ["offsets.retention.minutes"] = (ConfigType.Int, "10080"),
        ["offsets.topic.num.partitions"] = (ConfigType.Int, "50"),
        ["offsets.topic.replication.factor"] = (ConfigType.Short, "3"),
        ["offsets.topic.segment.bytes"] = (ConfigType.Int, "104857600"),
        ["process.roles"] = (ConfigType.List, null),
        ["queued.max.request.bytes"] = (ConfigType.Long, "268435456"),
        ["replica.fetch.backoff.ms"] = (ConfigType.Int, "1000"),
        ["replica.fetch.max.bytes"] = (ConfigType.Int, "1048576"),
        ["replica.fetch.wait.max.ms"] = (ConfigType.Int, "500"),
        ["replica.lag.time.max.ms"] = (ConfigType.Long, "30000"),
        ["replica.socket.timeout.ms"] = (ConfigType.Int, "30000"),
        ["socket.request.max.bytes"] = (ConfigType.Int, "104857600"),
        ["unclean.leader.election.interval.ms"] = (ConfigType.Long, "300000"),
    };

    static BrokerConfigs()
    {
        foreach (var topic in TopicConfigs.Names)
            if (TopicConfigs.BrokerNameOf(topic) is { } name)
                Known[name] = (TypeHere(name, topic), Spellings(name).Length > 1 ? null : TopicConfigs.DefaultOf(topic, TopicSettings.KafkaDefaults));
    }

    /// <summary>In ordinal order.</summary>
    public static IReadOnlyCollection<string> Names => Known.Keys;

    /// <summary>Of a known setting.</summary>
    public static ConfigType TypeOf(string name) => Known[name].Type;

    /// <summary>Kafka's own default of a known setting; null: it has none.</summary>
    public static string? DefaultOf(string name) => Known[name].Default;

    /// <summary>All names that say the same in finer and coarser units, the finest first. Source: Kafka's DynamicBrokerConfig.brokerConfigSynonyms.</summary>
    public static string[] Spellings(string name) => name switch
    {
        "log.roll.ms" or "log.roll.hours" => ["log.roll.ms", "log.roll.hours"],
        "log.roll.jitter.ms" or "log.roll.jitter.hours" => ["log.roll.jitter.ms", "log.roll.jitter.hours"],
        "log.flush.interval.ms" => ["log.flush.interval.ms", "log.flush.scheduler.interval.ms"],
        "log.retention.ms" or "log.retention.minutes" or "log.retention.hours" => ["log.retention.ms", "log.retention.minutes", "log.retention.hours"],
        _ => [name],
    };

    private static ConfigType TypeHere(string broker, string topic) => broker is "log.index.interval.bytes" or "log.index.size.max.bytes" ? ConfigType.Int : TopicConfigs.TypeOf(topic);
}
