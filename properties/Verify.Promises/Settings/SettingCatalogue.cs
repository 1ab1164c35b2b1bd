using System.Collections.Frozen;
using System.Collections.Immutable;
using static Verify.Promises.SettingScope;
using static Verify.Promises.SettingType;

namespace Verify.Promises;

/// <summary>
/// Every setting that acts on the reference broker and its client, under the names Kafka gives them, with our defaults beside Kafka's.
/// </summary>
/// <remarks>
/// Time-outs are scaled down, so that half a minute sees several elections. Kafka's defaults are those of 4.3 (broker, topic and producer
/// documentation); <c>eligible.leader.replicas.version</c> is a feature level, set when storage is formatted (KIP-966).
/// </remarks>
public static class SettingCatalogue
{
    public const string Acks = "acks";
    public const string Retries = "retries";
    public const string EnableIdempotence = "enable.idempotence";
    public const string MaxInFlight = "max.in.flight.requests.per.connection";
    public const string RequestTimeout = "request.timeout.ms";
    public const string DeliveryTimeout = "delivery.timeout.ms";
    public const string ReplicationFactor = "replication.factor";
    public const string MinInsyncReplicas = "min.insync.replicas";
    public const string UncleanLeaderElection = "unclean.leader.election.enable";
    public const string FlushMessages = "flush.messages";
    public const string Preallocate = "preallocate";
    public const string RetentionBytes = "retention.bytes";
    public const string Partitions = "num.partitions";
    public const string EligibleLeaderReplicas = "eligible.leader.replicas.version";
    public const string ReplicaLagTime = "replica.lag.time.max.ms";
    public const string SessionTimeout = "broker.session.timeout.ms";
    public const string HeartbeatInterval = "broker.heartbeat.interval.ms";
    public const string ElectionTimeout = "controller.quorum.election.timeout.ms";
    public const string QuorumFetchTimeout = "controller.quorum.fetch.timeout.ms";
    public const string ProcessRoles = "process.roles";
    public const string Commit = "commit";
    public const string EnableAutoCommit = "enable.auto.commit";
    public const string GroupProtocol = "group.protocol";
    public const string OffsetsRetention = "offsets.retention.minutes";
    public const string OffsetsRetentionCheck = "offsets.retention.check.interval.ms";

    /// <summary>More brokers than this no simulated cluster has.</summary>
    public const int MostReplicas = 32;

    private const int MaxInt = int.MaxValue;

    /// <summary>All settings, in the order in which they are printed.</summary>
    public static ImmutableArray<Setting> All { get; } =
    [
        new(Acks, Word, Producer, "all", "all", "how many replicas must have a record before the producer is told: none, the leader, or all in sync",
            Words: ["0", "1", "all"], Spellings: [("-1", "all")]),
        new(Retries, Number, Producer, "2147483647", "2147483647", "how often the producer sends a batch again after a retriable failure", 0, MaxInt),
        new(EnableIdempotence, SettingType.Boolean, Producer, null, "true", "the broker drops what the producer sends twice; on with acks=all, retries and at most 5 requests in flight"),
        new(MaxInFlight, Number, Producer, "5", "5", "produce requests sent on one connection before the first is answered", 1, 1000),
        new(RequestTimeout, Milliseconds, Producer, "1000", "30000", "how long a client waits for an answer before it sends again", 1, MaxInt),
        new(DeliveryTimeout, Milliseconds, Producer, "5000", "120000", "how long the producer tries before it reports a record as not known to be written", 1, MaxInt),
        new(ReplicationFactor, Number, Topic, "3", "1", "replicas of each partition", 1, MostReplicas, OtherNames: ["default.replication.factor"]),
        new(MinInsyncReplicas, Number, Topic, "2", "1", "in-sync replicas that acks=all and the high watermark need (counted as at most replication.factor)", 1, MaxInt),
        new(UncleanLeaderElection, SettingType.Boolean, Topic, "false", "false", "a replica that may lack data leads when no other can"),
        new(FlushMessages, Number, Topic, "9223372036854775807", "9223372036854775807", "records after which a replica's log is forced to disk; 1: each batch before it counts", 1, OtherNames: ["log.flush.interval.messages"]),
        new(Preallocate, SettingType.Boolean, Topic, "false", "false", "a segment's file has its final length from the start, in zeros", OtherNames: ["log.preallocate"]),
        new(RetentionBytes, Number, Topic, "-1", "-1", "bytes of each partition that are kept, older records may go (counts with the workload log); -1: all are kept", -1, OtherNames: ["log.retention.bytes"]),
        new(Partitions, Number, Topic, "2", "1", "partitions of each topic", 1, 64),
        new(EligibleLeaderReplicas, Number, Cluster, "1", "1", "1: replicas that left the in-sync set with all committed data stay electable (KIP-966); 0: the last in-sync replica always is", 0, 1),
        new(ReplicaLagTime, Milliseconds, Broker, "1000", "30000", "how long a follower may lag before it leaves the in-sync replicas", 1, MaxInt),
        new(SessionTimeout, Milliseconds, Broker, "1500", "9000", "silence after which the controller fences a broker", 1, MaxInt),
        new(HeartbeatInterval, Milliseconds, Broker, "500", "2000", "how often a broker tells the controller that it lives", 1, MaxInt),
        new(ElectionTimeout, Milliseconds, Cluster, "500", "1000", "how long a candidate of the metadata quorum waits for votes", 1, MaxInt),
        new(QuorumFetchTimeout, Milliseconds, Cluster, "1000", "2000", "silence of the quorum's leader after which a voter stands for election", 1, MaxInt),
        new(ProcessRoles, Word, Cluster, "separate", null, "controllers as nodes of their own (separate), or one in each broker (combined)",
            Words: ["separate", "combined"],
            Spellings: [("broker,controller", "combined"), ("controller,broker", "combined"), ("broker", "separate"), ("controller", "separate")]),
        new(Commit, Word, Consumer, "none", "none",
            "when consumer groups commit what they read: before processing it, after it, or by enable.auto.commit; none: nobody subscribes (workload log)",
            Words: ["none", "before", "after", "auto"], Spellings: [("true", "auto"), ("false", "after")], OtherNames: [EnableAutoCommit]),
        new(GroupProtocol, Word, Consumer, "classic", "classic", "by which protocol members of groups share: classic, or consumer (KIP-848), which takes a broker and a client that have it",
            Words: ["classic", "consumer"]),
        new(OffsetsRetention, Number, Broker, "10080", "10080", "minutes for which the offsets of a group without members are kept", 1, MaxInt),
        new(OffsetsRetentionCheck, Milliseconds, Broker, "600000", "600000", "how often a coordinator looks for offsets to expire", 1, MaxInt),
    ];

    /// <summary>The names of <see cref="All"/>, in its order.</summary>
    public static ImmutableArray<string> Names { get; } = [.. All.Select(s => s.Name)];

    private static readonly FrozenDictionary<string, Setting> ByName = All
        .SelectMany(s => (s.OtherNames.IsDefault ? [] : s.OtherNames).Prepend(s.Name), (s, name) => (s, name))
        .ToFrozenDictionary(e => e.name, e => e.s, StringComparer.Ordinal);

    /// <summary>The setting of that name (or of another name of it), or null.</summary>
    public static Setting? Find(string name) => ByName.GetValueOrDefault(name);

    /// <summary>The setting of that name.</summary>
    /// <exception cref="BadInputException">There is none, or it is one of Kafka's that does not act here; the message says which.</exception>
    public static Setting Get(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (Find(name) is { } setting) return setting;
        if (KafkaNames.Knows(name)) throw new BadInputException($"setting '{name}' is Kafka's, but not modelled here: it would have no effect");
        var near = Nearest.To(name, Names) ?? Nearest.To(name, KafkaNames.All);
        throw new BadInputException($"unknown setting '{name}'{(near is null ? "" : $"; did you mean '{near}'?")}");
    }
}
