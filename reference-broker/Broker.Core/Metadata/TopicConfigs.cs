using System.Globalization;

namespace Broker.Core.Metadata;

/// <summary>The topic settings that Kafka 4.3 knows by name, their defaults and the values they take.</summary>
/// <remarks>Settings that this broker has no use for (compression.type, file.delete.delay.ms, ...) are kept and shown back.</remarks>
public static class TopicConfigs
{
    public const string MinInSyncReplicas = "min.insync.replicas";
    public const string UncleanLeaderElection = "unclean.leader.election.enable";

    private static readonly SortedDictionary<string, Setting> Known = new(StringComparer.Ordinal)
    {
        ["cleanup.policy"] = new("delete", ConfigType.List, "log.cleanup.policy", OneOrMoreOf("delete", "compact")),
        ["compression.gzip.level"] = new("-1", ConfigType.Int, "compression.gzip.level", Integer(-1, 9)),
        ["compression.lz4.level"] = new("9", ConfigType.Int, "compression.lz4.level", Integer(1, 17)),
        ["compression.type"] = new("producer", ConfigType.String, "compression.type", OneOf("uncompressed", "zstd", "lz4", "snappy", "gzip", "producer")),
        ["compression.zstd.level"] = new("3", ConfigType.Int, "compression.zstd.level", Integer(-131072, 22)),
        ["delete.retention.ms"] = new("86400000", ConfigType.Long, "log.cleaner.delete.retention.ms", Integer(0)),
        ["file.delete.delay.ms"] = new("60000", ConfigType.Long, "log.segment.delete.delay.ms", Integer(0)),
        ["flush.messages"] = new("9223372036854775807", ConfigType.Long, "log.flush.interval.messages", Integer(1)),
        ["flush.ms"] = new("9223372036854775807", ConfigType.Long, "log.flush.interval.ms", Integer(0)),
        ["follower.replication.throttled.replicas"] = new("", ConfigType.List, null, Anything),
        ["index.interval.bytes"] = new("4096", ConfigType.Int, "log.index.interval.bytes", Integer(0, int.MaxValue)),
        ["leader.replication.throttled.replicas"] = new("", ConfigType.List, null, Anything),
        ["local.retention.bytes"] = new("-2", ConfigType.Long, "log.local.retention.bytes", Integer(-2)),
        ["local.retention.ms"] = new("-2", ConfigType.Long, "log.local.retention.ms", Integer(-2)),
        ["max.compaction.lag.ms"] = new("9223372036854775807", ConfigType.Long, "log.cleaner.max.compaction.lag.ms", Integer(1)),
        ["max.message.bytes"] = new("1048588", ConfigType.Int, "message.max.bytes", Integer(0, int.MaxValue)),
        ["message.timestamp.after.max.ms"] = new("3600000", ConfigType.Long, "log.message.timestamp.after.max.ms", Integer(0)),
        ["message.timestamp.before.max.ms"] = new("9223372036854775807", ConfigType.Long, "log.message.timestamp.before.max.ms", Integer(0)),
        ["message.timestamp.type"] = new("CreateTime", ConfigType.String, "log.message.timestamp.type", OneOf("CreateTime", "LogAppendTime")),
        ["min.cleanable.dirty.ratio"] = new("0.5", ConfigType.Double, "log.cleaner.min.cleanable.ratio", Fraction),
        ["min.compaction.lag.ms"] = new("0", ConfigType.Long, "log.cleaner.min.compaction.lag.ms", Integer(0)),
        [MinInSyncReplicas] = new("1", ConfigType.Int, MinInSyncReplicas, Integer(1, int.MaxValue)),
        ["preallocate"] = new("false", ConfigType.Boolean, "log.preallocate", Boolean),
        ["remote.log.copy.disable"] = new("false", ConfigType.Boolean, null, Boolean),
        ["remote.log.delete.on.disable"] = new("false", ConfigType.Boolean, null, Boolean),
        ["remote.storage.enable"] = new("false", ConfigType.Boolean, null, OneOf("false")),
        ["retention.bytes"] = new("-1", ConfigType.Long, "log.retention.bytes", Integer(-1)),
        ["retention.ms"] = new("604800000", ConfigType.Long, "log.retention.ms", Integer(-1)),
        ["segment.bytes"] = new("1073741824", ConfigType.Int, "log.segment.bytes", Integer(1024, int.MaxValue)),
        ["segment.index.bytes"] = new("10485760", ConfigType.Int, "log.index.size.max.bytes", Integer(4, int.MaxValue)),
        ["segment.jitter.ms"] = new("0", ConfigType.Long, "log.roll.jitter.ms", Integer(0)),
        ["segment.ms"] = new("604800000", ConfigType.Long, "log.roll.ms", Integer(1)),
        [UncleanLeaderElection] = new("false", ConfigType.Boolean, UncleanLeaderElection, Boolean),
    };

    /// <summary>In ordinal order.</summary>
    public static IReadOnlyCollection<string> Names => Known.Keys;

    public static bool IsKnown(string name) => Known.ContainsKey(name);

    /// <summary>A null value is the default's. Null when the setting is fine, else one sentence saying what is wrong.</summary>
    public static string? Refuse(string name, string? value)
    {
        if (!Known.TryGetValue(name, out var setting)) return $"Unknown topic config name: {name}";
        if (value is null) return $"Null value not supported for topic configs: {name}";
        return setting.Takes(value) ? null : $"Invalid value {value} for configuration {name}";
    }

    /// <summary>The default as text, where a cluster has not set its own; null for unknown names.</summary>
    public static string? DefaultOf(string name, TopicSettings cluster) => name switch
    {
        MinInSyncReplicas => cluster.MinInSyncReplicas.ToString(CultureInfo.InvariantCulture),
        UncleanLeaderElection => cluster.UncleanLeaderElection ? "true" : "false",
        "flush.messages" => cluster.FlushMessages.ToString(CultureInfo.InvariantCulture),
        "flush.ms" => cluster.FlushMs.ToString(CultureInfo.InvariantCulture),
        "max.message.bytes" => cluster.MaxMessageBytes.ToString(CultureInfo.InvariantCulture),
        "segment.bytes" => cluster.SegmentBytes.ToString(CultureInfo.InvariantCulture),
        "segment.ms" => cluster.SegmentMs.ToString(CultureInfo.InvariantCulture),
        "retention.ms" => cluster.RetentionMs.ToString(CultureInfo.InvariantCulture),
        "delete.retention.ms" => cluster.DeleteRetentionMs.ToString(CultureInfo.InvariantCulture),
        "min.cleanable.dirty.ratio" => cluster.MinCleanableDirtyRatio.ToString(CultureInfo.InvariantCulture),
        "preallocate" => cluster.Preallocate ? "true" : "false",
        "retention.bytes" => cluster.RetentionBytes.ToString(CultureInfo.InvariantCulture),
        _ => Known.TryGetValue(name, out var setting) ? setting.Default : null,
    };

    /// <summary>The settings whose value is a list of words.</summary>
    public static bool IsList(string name) => name is "cleanup.policy" or "leader.replication.throttled.replicas" or "follower.replication.throttled.replicas";

    /// <summary>Of a known setting.</summary>
    public static ConfigType TypeOf(string name) => Known[name].Type;

    /// <summary>Under which name a broker sets the default of a known setting; null: no broker does. Source: Kafka's ServerTopicConfigSynonyms.</summary>
    public static string? BrokerNameOf(string name) => Known[name].BrokerName;

    private static Func<string, bool> Integer(long least, long most = long.MaxValue) =>
        text => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most;

    private static Func<string, bool> OneOf(params string[] words) => text => Array.IndexOf(words, text) >= 0;

    private static Func<string, bool> OneOrMoreOf(params string[] words) =>
        text => Array.TrueForAll(text.Split(',', StringSplitOptions.TrimEntries), word => Array.IndexOf(words, word) >= 0);

    private static bool Boolean(string text) => bool.TryParse(text, out _);

    private static bool Fraction(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number is >= 0 and <= 1;

    private static bool Anything(string text) => true;

    private sealed record Setting(string Default, ConfigType Type, string? BrokerName, Func<string, bool> Takes);
}
