using System.Collections.Immutable;
using Broker.Core.Groups;
using Broker.Runtime;

namespace Broker.Node.Serving;

/// <summary>Settings of one broker, under the names Kafka gives them. Durations are monotonic.</summary>
public sealed record BrokerSettings
{
    public required NodeId Id { get; init; }

    /// <summary>Where it listens.</summary>
    public required Endpoint Endpoint { get; init; }

    /// <summary>advertised.listeners: what it tells clients and other brokers; null: where it listens.</summary>
    public Endpoint? Advertised { get; init; }

    /// <summary>auto.create.topics.enable: a client that asks for the metadata of a topic that is not there, and allows it, has it made. Kafka's default is true.</summary>
    public bool AutoCreateTopics { get; init; }

    /// <summary>The voters of the metadata quorum.</summary>
    public required IReadOnlyList<Endpoint> Controllers { get; init; }

    /// <summary>log.dirs: a folder of the node's disk.</summary>
    public string LogDirectory { get; init; } = "data";

    /// <summary>broker.heartbeat.interval.ms</summary>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>replica.lag.time.max.ms</summary>
    public TimeSpan ReplicaLagTimeMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>replica.fetch.wait.max.ms</summary>
    public TimeSpan ReplicaFetchWaitMax { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>replica.fetch.backoff.ms, also between other repeated requests to peers.</summary>
    public TimeSpan Backoff { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Of requests to controllers and other brokers (replica.socket.timeout.ms).</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Of a heartbeat: a controller that stands still must not be waited for until the session with the next one is over (KAFKA-14392). Null: as other requests.</summary>
    public TimeSpan? HeartbeatTimeout { get; init; }

    /// <summary>replica.fetch.max.bytes, per partition.</summary>
    public int ReplicaFetchMaxBytes { get; init; } = 1 << 20;

    /// <summary>log.cleaner.backoff.ms: between two looks at the compacted logs.</summary>
    public TimeSpan CleanerBackoff { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>log.retention.check.interval.ms: between two looks for segments that are too old or too many.</summary>
    public TimeSpan RetentionCheckInterval { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>max.incremental.fetch.session.cache.slots</summary>
    public int FetchSessionSlots { get; init; } = 1000;

    /// <summary>What the broker was started with, under Kafka's names: what it tells of itself, not what it does.</summary>
    public IReadOnlyDictionary<string, string> Configured { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Of the groups that this broker coordinates.</summary>
    public GroupSettings Groups { get; init; } = new();
}
