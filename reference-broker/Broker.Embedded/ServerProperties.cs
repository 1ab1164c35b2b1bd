using System.Collections.Frozen;
using System.Globalization;
using Broker.Core.Controller;
using Broker.Core.Groups;
using Broker.Core.Metadata;
using Broker.Core.Quorum;
using Broker.Runtime;

namespace Broker.Embedded;

/// <summary>Settings of a server under Kafka's names, each read and checked in one place.</summary>
public sealed class ServerProperties
{
    /// <summary>The broker's names for the defaults of topic settings, and the factor to the topic's unit.</summary>
    private static readonly (string Broker, string Topic, long Factor)[] TopicDefaultNames =
    [
        ("min.insync.replicas", "min.insync.replicas", 1),
        ("unclean.leader.election.enable", "unclean.leader.election.enable", 1),
        ("log.flush.interval.messages", "flush.messages", 1),
        ("log.flush.interval.ms", "flush.ms", 1),
        ("message.max.bytes", "max.message.bytes", 1),
        ("log.preallocate", "preallocate", 1),
        ("log.segment.bytes", "segment.bytes", 1),
        ("log.roll.hours", "segment.ms", 3_600_000),
        ("log.roll.ms", "segment.ms", 1),
        ("log.retention.hours", "retention.ms", 3_600_000),
        ("log.retention.minutes", "retention.ms", 60_000),
        ("log.retention.ms", "retention.ms", 1),
        ("log.retention.bytes", "retention.bytes", 1),
        ("log.cleanup.policy", "cleanup.policy", 1),
        ("log.cleaner.delete.retention.ms", "delete.retention.ms", 1),
        ("log.cleaner.min.cleanable.ratio", "min.cleanable.dirty.ratio", 1),
        ("log.message.timestamp.type", "message.timestamp.type", 1),
    ];

    private static readonly string[] ServerNames =
    [
        "process.roles", "node.id", "controller.quorum.voters", "listeners", "advertised.listeners", "controller.listener.names", "log.dirs", "log.dir",
        "num.partitions", "default.replication.factor", "auto.create.topics.enable", "broker.heartbeat.interval.ms", "broker.session.timeout.ms", "replica.lag.time.max.ms",
        "replica.fetch.wait.max.ms", "replica.fetch.backoff.ms", "replica.socket.timeout.ms", "replica.fetch.max.bytes", "controller.quorum.election.timeout.ms",
        "controller.quorum.fetch.timeout.ms", "controller.quorum.request.timeout.ms", "controller.quorum.retry.backoff.ms", "unclean.leader.election.interval.ms",
        "offsets.topic.num.partitions", "offsets.topic.replication.factor", "offsets.topic.segment.bytes", "offsets.commit.timeout.ms", "offset.metadata.max.bytes", "offsets.retention.minutes",
        "offsets.retention.check.interval.ms", "group.min.session.timeout.ms", "group.max.session.timeout.ms", "group.initial.rebalance.delay.ms", "group.max.size",
        "max.incremental.fetch.session.cache.slots", "socket.request.max.bytes", "connections.max.idle.ms", "max.connections", "max.connections.per.ip", "queued.max.request.bytes", "log.cleaner.backoff.ms", "log.retention.check.interval.ms",
    ];

    private static readonly FrozenSet<string> Known = ServerNames.Concat(TopicDefaultNames.Select(name => name.Broker)).ToFrozenSet(StringComparer.Ordinal);

    private readonly SortedDictionary<string, string> values = new(StringComparer.Ordinal);

    /// <param name="settings">Later ones override earlier ones of the same name.</param>
    /// <exception cref="ServerConfigurationException">A name that this broker does not know, or a topic default that is not allowed.</exception>
    public ServerProperties(params IEnumerable<KeyValuePair<string, string>> settings)
    {
        foreach (var (name, value) in settings)
        {
            if (!Known.Contains(name)) throw new ServerConfigurationException($"unknown setting '{name}'");
            values[name] = value;
        }
        foreach (var (broker, topic, factor) in TopicDefaultNames)
            if (Text(broker) is { } text && TopicConfigs.Refuse(topic, Scaled(broker, text, factor)) is not null) throw new ServerConfigurationException($"{broker}: '{text}' is not a value that it takes");
    }

    /// <summary>Every name that has an effect, in ordinal order.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Known.Order(StringComparer.Ordinal)];

    public IReadOnlyDictionary<string, string> Values => values;

    /// <summary>These settings with others over them.</summary>
    public ServerProperties With(params IEnumerable<KeyValuePair<string, string>> others) => new(values.Concat(others));

    /// <summary>These settings where nothing else is said.</summary>
    public ServerProperties Over(IEnumerable<KeyValuePair<string, string>> defaults) => new(defaults.Concat(values));

    internal string? Text(string name) => values.GetValueOrDefault(name);

    internal NodeId NodeId(string name, int otherwise) => Text(name) is { } text ? ParseNodeId(name, text) : new NodeId(otherwise);

    internal static NodeId ParseNodeId(string setting, string text) => new((int)Parse(setting, text, 0, MetadataImage.BrokerLimit - 1));

    internal long Whole(string name, long otherwise, long least, long most) => Text(name) is { } text ? Parse(name, text, least, most) : otherwise;

    internal bool Boolean(string name, bool otherwise) => Text(name) switch
    {
        null => otherwise,
        var text when bool.TryParse(text, out var value) => value,
        var text => throw new ServerConfigurationException($"{name}: '{text}' is not one of true, false"),
    };

    internal TimeSpan Duration(string name, TimeSpan otherwise) => TimeSpan.FromMilliseconds(Whole(name, (long)otherwise.TotalMilliseconds, 1, int.MaxValue));

    internal QuorumSettings QuorumTimes()
    {
        var kafka = QuorumSettings.Kafka;
        var fetch = Duration("controller.quorum.fetch.timeout.ms", kafka.FetchTimeout);
        return new QuorumSettings(
            Duration("controller.quorum.election.timeout.ms", kafka.ElectionTimeout),
            fetch,
            fetch / 4,
            Duration("controller.quorum.request.timeout.ms", kafka.RequestTimeout),
            Duration("controller.quorum.retry.backoff.ms", kafka.RetryBackoff));
    }

    internal ControllerSettings Controller()
    {
        var defaults = new ControllerSettings();
        return defaults with
        {
            SessionTimeout = Duration("broker.session.timeout.ms", defaults.SessionTimeout),
            UncleanElectionInterval = Duration("unclean.leader.election.interval.ms", defaults.UncleanElectionInterval),
            DefaultPartitions = (int)Whole("num.partitions", defaults.DefaultPartitions, 1, defaults.PartitionLimit),
            DefaultReplicationFactor = (short)Whole("default.replication.factor", defaults.DefaultReplicationFactor, 1, MetadataImage.BrokerLimit),
        };
    }

    /// <summary>Where default.replication.factor is given and offsets.topic.replication.factor is not, the first holds for the topic of offsets too: otherwise a small cluster would have no groups.</summary>
    internal GroupSettings Groups()
    {
        var defaults = new GroupSettings();
        var replicas = Whole("default.replication.factor", defaults.OffsetsTopicReplicationFactor, 1, MetadataImage.BrokerLimit);
        return defaults with
        {
            OffsetsTopicPartitions = (int)Whole("offsets.topic.num.partitions", defaults.OffsetsTopicPartitions, 1, new ControllerSettings().PartitionLimit),
            OffsetsTopicReplicationFactor = (short)Whole("offsets.topic.replication.factor", replicas, 1, MetadataImage.BrokerLimit),
            OffsetsTopicSegmentBytes = (int)Whole("offsets.topic.segment.bytes", defaults.OffsetsTopicSegmentBytes, 1024, int.MaxValue),
            CommitTimeout = Duration("offsets.commit.timeout.ms", defaults.CommitTimeout),
            OffsetMetadataMaxBytes = (int)Whole("offset.metadata.max.bytes", defaults.OffsetMetadataMaxBytes, 0, int.MaxValue),
            OffsetsRetention = TimeSpan.FromMinutes(Whole("offsets.retention.minutes", (long)defaults.OffsetsRetention.TotalMinutes, 1, int.MaxValue)),
            RetentionCheckInterval = Duration("offsets.retention.check.interval.ms", defaults.RetentionCheckInterval),
            MinSessionTimeout = Duration("group.min.session.timeout.ms", defaults.MinSessionTimeout),
            MaxSessionTimeout = Duration("group.max.session.timeout.ms", defaults.MaxSessionTimeout),
            InitialRebalanceDelay = TimeSpan.FromMilliseconds(Whole("group.initial.rebalance.delay.ms", (long)defaults.InitialRebalanceDelay.TotalMilliseconds, 0, int.MaxValue)),
            MaxSize = (int)Whole("group.max.size", defaults.MaxSize, 1, int.MaxValue),
        };
    }

    internal TopicSettings TopicDefaults()
    {
        var given = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (broker, topic, factor) in TopicDefaultNames)
            if (Text(broker) is { } text) given[topic] = Scaled(broker, text, factor);   // the finer unit stands later, and holds
        return TopicSettings.From(given, TopicSettings.KafkaDefaults);
    }

    private static string Scaled(string name, string text, long factor) =>
        factor == 1 ? text : (Parse(name, text, -1, long.MaxValue / factor) is var number and >= 0 ? number * factor : -1).ToString(CultureInfo.InvariantCulture);

    private static long Parse(string name, string text, long least, long most) =>
        long.TryParse(text.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new ServerConfigurationException(most == long.MaxValue ? $"{name}: '{text}' is not a whole number of at least {least}" : $"{name}: '{text}' is not a whole number from {least} to {most}");
}
