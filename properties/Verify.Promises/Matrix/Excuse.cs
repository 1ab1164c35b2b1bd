using System.Collections.Immutable;

namespace Verify.Promises;

/// <summary>A named reason for which a configuration permits a violation, in a run where that reason happened.</summary>
/// <param name="Name">As in reports and result.json.</param>
/// <param name="Says">One clause for people: what happened.</param>
/// <param name="Source">Where the permission is documented.</param>
public sealed record Excuse(string Name, string Says, string Source)
{
    public static readonly Excuse NeverDelivered = new(
        "never-delivered", "sent without asking for an answer over a connection, or to a broker, that died", "producer documentation, acks=0 (T1)");

    public static readonly Excuse RefusedUnseen = new(
        "refused-unseen", "the broker was not the leader and refused; with acks=0 nobody is told", "producer documentation, acks=0 (T1)");

    public static readonly Excuse LeaderChangedBeforeReplication = new(
        "leader-changed-before-replication", "its leader was deposed or died before the in-sync replicas had it", "producer documentation, acks=1 (T2)");

    public static readonly Excuse UncleanElection = new(
        "unclean-election", "no eligible replica was up and a lagging one was elected", "KIP-106, unclean.leader.election.enable (T3)");

    public static readonly Excuse PowerLossOfMinIsr = new(
        "power-loss-of-min-isr", "at least min.insync.replicas replicas lost unsynced data before the ISR was full again", "KIP-966: tolerates min ISR - 1 (T5)");

    public static readonly Excuse LastReplicaStanding = new(
        "last-replica-standing", "the only replica left in the ISR lost unsynced data and led again", "KIP-966, motivation (T4, T5)");

    public static readonly Excuse DiskLossOfMinIsr = new(
        "disk-loss-of-min-isr", "at least min.insync.replicas replicas lost data, synced data on a failed disk among it", "catalogue of promises, fault class D1");

    public static readonly Excuse RetryWithoutIdempotence = new(
        "retry-without-idempotence", "the producer sent it again, not knowing that the first copy had been stored", "KIP-98, KIP-679 (T6)");

    public static readonly Excuse InFlightReorder = new(
        "in-flight-reorder-without-idempotence", "it was sent again after a later batch in flight had been stored", "producer documentation, max.in.flight.requests.per.connection (T7)");

    public static readonly Excuse InFlightToTwoLeaders = new(
        "in-flight-to-two-leaders", "it was in flight to one leader when its successor left for another and was faster", "max.in.flight.requests.per.connection: per connection, not per partition (T7)");

    public static readonly Excuse LateDelivery = new(
        "late-delivery-over-dead-connection", "it arrived after its sender had given it up and gone on", "TCP: a dead connection's bytes may still arrive (T1, section 6.2)");

    public static readonly Excuse AnotherConnection = new(
        "another-connection", "sent without asking for an answer over two connections, of which one was faster", "producer documentation, acks=0 (T1)");

    public static readonly Excuse ProducerSessionChanged = new(
        "producer-session-changed", "it was sent in two producer sessions, and idempotence reaches over one", "KIP-98: one session (T11)");

    public static readonly Excuse CrashBeforeProcessing = new(
        "crash-before-processing", "its member committed past it, and crashed before it had processed it", "consumer documentation: commits before processing, at most once (T8)");

    public static readonly Excuse CrashBeforeCommit = new(
        "crash-before-commit", "its member processed it, and crashed before a commit past it was confirmed", "consumer documentation: commits after processing, at least once (T9)");

    public static readonly Excuse RebalanceBeforeCommit = new(
        "rebalance-before-commit", "its partition went to another member before the first one had committed past it", "consumer documentation: commits after processing, at least once (T9); KIP-62");

    public static readonly Excuse CommitUnconfirmed = new(
        "commit-unconfirmed", "the commit past it was refused or never answered, and its member could not know what became of it", "consumer documentation: commitSync may fail (T8, T9)");

    public static readonly Excuse CommitOvertaken = new(
        "commit-overtaken", "a commit that its member had given up arrived after the next one, in the same generation, and set the group back", "Kafka protocol, OffsetCommit: fenced by generation, not numbered; TCP: a dead connection's bytes may still arrive");

    public static readonly Excuse StaleCoordinator = new(
        "stale-coordinator", "its member asked a coordinator that had been deposed and did not know it yet", "KIP-500: brokers learn of a new leader from the metadata log, each in its own time; OffsetFetch asks nobody else");

    public static readonly Excuse OffsetsExpired = new(
        "offsets-expired", "the group had no members, and what it had committed had been kept for offsets.retention.minutes by its coordinator's clock", "KIP-211; offsets.retention.minutes");

    public static readonly Excuse TooFewReplicasLeft = new(
        "too-few-replicas-left", "too many replicas could not come back for the partition to go on", "min.insync.replicas; unclean.leader.election.enable");

    public static readonly Excuse RecordCorrupt = new(
        "record-corrupt", "a bit had flipped on the disk of a broker or a controller, and what is corrupt is served to nobody", "record batch v2: a CRC tells damage and does not repair it (catalogue, section 6.1)");

    public static readonly Excuse QuorumLost = new(
        "quorum-lost", "a majority of the metadata quorum's voters lost their disks or could not come back", "Raft: majority intersection; KIP-595");

    public static ImmutableArray<Excuse> All { get; } =
    [
        NeverDelivered, RefusedUnseen, LeaderChangedBeforeReplication, UncleanElection, PowerLossOfMinIsr, LastReplicaStanding, DiskLossOfMinIsr,
        RetryWithoutIdempotence, InFlightReorder, InFlightToTwoLeaders, LateDelivery, AnotherConnection, ProducerSessionChanged,
        CrashBeforeProcessing, CrashBeforeCommit, RebalanceBeforeCommit, CommitUnconfirmed, CommitOvertaken, StaleCoordinator, OffsetsExpired, TooFewReplicasLeft, RecordCorrupt, QuorumLost,
    ];

    public override string ToString() => Name;
}
