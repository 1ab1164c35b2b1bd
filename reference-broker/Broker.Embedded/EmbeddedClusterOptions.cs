using System.Collections.Immutable;
using System.Globalization;
using Broker.Core;
using Broker.Runtime;

namespace Broker.Embedded;

/// <summary>How an embedded cluster is built. Everything has a default that suits a test.</summary>
public sealed record EmbeddedClusterOptions
{
    /// <summary>Times for nodes of one process: a leader that crashes is replaced after two seconds, not ten. A machine too busy for that has its leaders changed needlessly; <see cref="Settings"/> may be calmer.</summary>
    public static ImmutableSortedDictionary<string, string> QuickTimes { get; } = ImmutableSortedDictionary.CreateRange(StringComparer.Ordinal, new KeyValuePair<string, string>[]
    {
        new("controller.quorum.election.timeout.ms", "150"),
        new("controller.quorum.fetch.timeout.ms", "1500"),
        new("controller.quorum.request.timeout.ms", "1000"),
        new("broker.heartbeat.interval.ms", "100"),
        new("broker.session.timeout.ms", "2000"),
        new("replica.lag.time.max.ms", "2000"),
        new("replica.fetch.backoff.ms", "20"),
        new("replica.socket.timeout.ms", "2000"),
        new("group.initial.rebalance.delay.ms", "0"),
    });

    /// <summary>Nodes of their own for the metadata quorum; 0: every broker is a controller too.</summary>
    public int Controllers { get; init; }

    /// <summary>default.replication.factor, for topics that name none: automatically created ones, say. Null: as many as there are brokers, at most three.</summary>
    public int? ReplicationFactor { get; init; }

    /// <summary>num.partitions, for topics that name none.</summary>
    public int Partitions { get; init; } = 1;

    /// <summary>min.insync.replicas of topics that name none. Null: 2 where there are three replicas, else 1.</summary>
    public int? MinInSyncReplicas { get; init; }

    /// <summary>Further settings of the servers, under Kafka's names; they go before all others. <see cref="ServerProperties.Names"/> lists them.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>log.dirs: where the nodes' folders are made and kept, so that a later cluster finds them. Null: nothing is kept.</summary>
    public string? DataDirectory { get; init; }

    /// <summary>Where no folder is named: true for one that goes with the cluster, false for memory.</summary>
    public bool OnDisk { get; init; }

    /// <summary>Gets what each node does, on that node's own thread.</summary>
    public Action<Observation>? Observe { get; init; }

    /// <summary>The rules of one life of one node; null: the faithful ones.</summary>
    public Func<BrokerRules>? Rules { get; init; }

    /// <summary>How long a start may take until all nodes serve.</summary>
    public TimeSpan StartLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a graceful stop may wait for the leaderships to go elsewhere.</summary>
    public TimeSpan StopLimit { get; init; } = TimeSpan.FromSeconds(3);

    internal ServerProperties Properties(int brokers)
    {
        var replicas = ReplicationFactor ?? Math.Min(brokers, 3);
        return new ServerProperties([
            .. QuickTimes,
            new("default.replication.factor", replicas.ToString(CultureInfo.InvariantCulture)),
            new("min.insync.replicas", (MinInSyncReplicas ?? (replicas >= 3 ? 2 : 1)).ToString(CultureInfo.InvariantCulture)),
            new("num.partitions", Partitions.ToString(CultureInfo.InvariantCulture)),
            .. Settings,
            .. DataDirectory is null ? [] : new[] { KeyValuePair.Create("log.dirs", DataDirectory) },
        ]);
    }
}
