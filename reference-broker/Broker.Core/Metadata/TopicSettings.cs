using System.Globalization;

namespace Broker.Core.Metadata;

/// <summary>A topic's settings in typed form. The defaults are Kafka's own; a cluster may set others.</summary>
public sealed record TopicSettings
{
    public static readonly TopicSettings KafkaDefaults = new();

    /// <summary>min.insync.replicas</summary>
    public int MinInSyncReplicas { get; init; } = 1;

    /// <summary>unclean.leader.election.enable</summary>
    public bool UncleanLeaderElection { get; init; }

    /// <summary>flush.messages: fsync after so many records.</summary>
    public long FlushMessages { get; init; } = long.MaxValue;

    /// <summary>flush.ms</summary>
    public long FlushMs { get; init; } = long.MaxValue;

    /// <summary>max.message.bytes: of one batch.</summary>
    public int MaxMessageBytes { get; init; } = 1_048_588;

    /// <summary>segment.bytes</summary>
    public int SegmentBytes { get; init; } = 1 << 30;

    /// <summary>segment.ms</summary>
    public long SegmentMs { get; init; } = 604_800_000;

    /// <summary>preallocate: a segment's file has its final length from the start.</summary>
    public bool Preallocate { get; init; }

    /// <summary>retention.ms; -1: for ever.</summary>
    public long RetentionMs { get; init; } = 604_800_000;

    /// <summary>retention.bytes; -1: without limit.</summary>
    public long RetentionBytes { get; init; } = -1;

    /// <summary>cleanup.policy contains "delete".</summary>
    public bool Delete { get; init; } = true;

    /// <summary>cleanup.policy contains "compact".</summary>
    public bool Compact { get; init; }

    /// <summary>delete.retention.ms: how long a tombstone stays once it has been cleaned around.</summary>
    public long DeleteRetentionMs { get; init; } = 86_400_000;

    /// <summary>min.cleanable.dirty.ratio</summary>
    public double MinCleanableDirtyRatio { get; init; } = 0.5;

    /// <summary>message.timestamp.type is LogAppendTime.</summary>
    public bool LogAppendTime { get; init; }

    /// <summary>The named settings over the defaults. Values must have passed <see cref="TopicConfigs.Refuse"/>.</summary>
    public static TopicSettings From(IReadOnlyDictionary<string, string> configs, TopicSettings defaults)
    {
        int Int32(string name, int otherwise) =>
            configs.TryGetValue(name, out var text) ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
        long Int64(string name, long otherwise) =>
            configs.TryGetValue(name, out var text) ? long.Parse(text, CultureInfo.InvariantCulture) : otherwise;
        string Text(string name, string otherwise) => configs.TryGetValue(name, out var text) ? text : otherwise;

        return new TopicSettings
        {
            MinInSyncReplicas = Int32(TopicConfigs.MinInSyncReplicas, defaults.MinInSyncReplicas),
            UncleanLeaderElection = bool.Parse(Text(TopicConfigs.UncleanLeaderElection, defaults.UncleanLeaderElection.ToString())),
            FlushMessages = Int64("flush.messages", defaults.FlushMessages),
            FlushMs = Int64("flush.ms", defaults.FlushMs),
            MaxMessageBytes = Int32("max.message.bytes", defaults.MaxMessageBytes),
            SegmentBytes = Int32("segment.bytes", defaults.SegmentBytes),
            SegmentMs = Int64("segment.ms", defaults.SegmentMs),
            Preallocate = bool.Parse(Text("preallocate", defaults.Preallocate.ToString())),
            RetentionMs = Int64("retention.ms", defaults.RetentionMs),
            RetentionBytes = Int64("retention.bytes", defaults.RetentionBytes),
            Compact = Text("cleanup.policy", defaults.Compact ? "compact" : "delete").Contains("compact", StringComparison.Ordinal),
            Delete = configs.TryGetValue("cleanup.policy", out var policy) ? policy.Contains("delete", StringComparison.Ordinal) : defaults.Delete,
            DeleteRetentionMs = Int64("delete.retention.ms", defaults.DeleteRetentionMs),
            MinCleanableDirtyRatio = configs.TryGetValue("min.cleanable.dirty.ratio", out var ratio) ? double.Parse(ratio, CultureInfo.InvariantCulture) : defaults.MinCleanableDirtyRatio,
            LogAppendTime = Text("message.timestamp.type", defaults.LogAppendTime ? "LogAppendTime" : "CreateTime") == "LogAppendTime",
        };
    }
}
