using System.Globalization;

namespace Broker.Core.Metadata;

/// <summary>The topic settings that Kafka 4.3 knows by name, their defaults and the values they take.</summary>
/// <remarks>Settings that this broker has no use for (compression.type, preallocate, ...) are kept and shown back.</remarks>
public static class TopicConfigs
{
    public const string MinInSyncReplicas = "min.insync.replicas";
    public const string UncleanLeaderElection = "unclean.leader.election.enable";

    private static readonly SortedDictionary<string, Setting> Known = new(StringComparer.Ordinal)
    {
        ["cleanup.policy"] = new("delete", OneOrMoreOf("delete", "compact")),
        ["compression.gzip.level"] = new("-1", Integer(-1, 9)),
        ["compression.lz4.level"] = new("9", Integer(1, 17)),
        ["compression.type"] = new("producer", OneOf("uncompressed", "zstd", "lz4", "snappy", "gzip", "producer")),
        ["compression.zstd.level"] = new("3", Integer(-131072, 22)),
        ["delete.retention.ms"] = new("86400000", Integer(0)),
        ["file.delete.delay.ms"] = new("60000", Integer(0)),
        ["flush.messages"] = new("9223372036854775807", Integer(1)),
        ["flush.ms"] = new("9223372036854775807", Integer(0)),
        ["follower.replication.throttled.replicas"] = new("", Anything),
        ["index.interval.bytes"] = new("4096", Integer(0, int.MaxValue)),
        ["leader.replication.throttled.replicas"] = new("", Anything),
        ["local.retention.bytes"] = new("-2", Integer(-2)),
        ["local.retention.ms"] = new("-2", Integer(-2)),
        ["max.compaction.lag.ms"] = new("9223372036854775807", Integer(1)),
        ["max.message.bytes"] = new("1048588", Integer(0, int.MaxValue)),
        ["message.timestamp.after.max.ms"] = new("3600000", Integer(0)),
        ["message.timestamp.before.max.ms"] = new("9223372036854775807", Integer(0)),
        ["message.timestamp.type"] = new("CreateTime", OneOf("CreateTime", "LogAppendTime")),
        ["min.cleanable.dirty.ratio"] = new("0.5", Fraction),
        ["min.compaction.lag.ms"] = new("0", Integer(0)),
        [MinInSyncReplicas] = new("1", Integer(1, int.MaxValue)),
        ["preallocate"] = new("false", Boolean),
        ["remote.log.copy.disable"] = new("false", Boolean),
        ["remote.log.delete.on.disable"] = new("false", Boolean),
        ["remote.storage.enable"] = new("false", OneOf("false")),
        ["retention.bytes"] = new("-1", Integer(-1)),
        ["retention.ms"] = new("604800000", Integer(-1)),
        ["segment.bytes"] = new("1073741824", Integer(1024, int.MaxValue)),
        ["segment.index.bytes"] = new("10485760", Integer(4, int.MaxValue)),
        ["segment.jitter.ms"] = new("0", Integer(0)),
        ["segment.ms"] = new("604800000", Integer(1)),
        [UncleanLeaderElection] = new("false", Boolean),
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
        "retention.bytes" => cluster.RetentionBytes.ToString(CultureInfo.InvariantCulture),
        _ => Known.TryGetValue(name, out var setting) ? setting.Default : null,
    };

    /// <summary>The settings whose value is a list of words.</summary>
    public static bool IsList(string name) => name is "cleanup.policy" or "leader.replication.throttled.replicas" or "follower.replication.throttled.replicas";

    private static Func<string, bool> Integer(long least, long most = long.MaxValue) =>
        text => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most;

    private static Func<string, bool> OneOf(params string[] words) => text => Array.IndexOf(words, text) >= 0;

    private static Func<string, bool> OneOrMoreOf(params string[] words) =>
        text => Array.TrueForAll(text.Split(',', StringSplitOptions.TrimEntries), word => Array.IndexOf(words, word) >= 0);

    private static bool Boolean(string text) => bool.TryParse(text, out _);

    private static bool Fraction(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number is >= 0 and <= 1;

    private static bool Anything(string text) => true;

    private sealed record Setting(string Default, Func<string, bool> Takes);
}
