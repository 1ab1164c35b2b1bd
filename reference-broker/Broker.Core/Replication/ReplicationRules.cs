using Broker.Core.Log;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Core.Replication;

/// <summary>What a follower does with its log when the leader's answer shows that they have parted.</summary>
/// <param name="TruncateTo">New log end offset (exclusive).</param>
/// <param name="IsSettled">The logs are taken to agree from here on: later fetches of this leader epoch do not ask again.</param>
public readonly record struct Reconciliation(long TruncateTo, bool IsSettled);

/// <summary>The steps of taking in a leader's answer, in the order in which they are done.</summary>
public enum ReplicationStep
{
    Append,
    AdvanceHighWatermark,
}

/// <summary>The steps of serving a produce request, in the order in which they are done.</summary>
public enum ProduceStep
{
    Append,
    Flush,
    Count,
    AwaitCommit,
}

/// <summary>The steps of deleting records, in the order in which they are done.</summary>
public enum TrimStep
{
    MoveStart,
    SaveStart,
    AwaitReplicas,
}

/// <summary>Decisions about leading and following a partition. Times are <see cref="TimeSpan"/>; sets of replicas are <see cref="NodeSet"/>.</summary>
public class ReplicationRules
{
    // Which state of the partition is the newer one

    [Rule("leadership is taken from the metadata only in a higher leader epoch", "KIP-101, KIP-631")]
    public virtual bool IsNewLeadership(int leaderEpoch, int knownLeaderEpoch) => leaderEpoch > knownLeaderEpoch;

    [Rule("an ISR is taken from the metadata only in a higher partition epoch", "KIP-497: the ZkVersion's successor")]
    public virtual bool IsNewPartitionState(int partitionEpoch, int knownPartitionEpoch) => partitionEpoch > knownPartitionEpoch;

    [Rule("a broker serves once its metadata has reached its own registration", "KIP-631: a broker stays fenced until it has caught up")]
    public virtual bool MayServe(long metadataEndOffset, long brokerEpoch) => metadataEndOffset > brokerEpoch;

    [Rule("a follower counts as alive only under the registration with which it fetched", "KIP-903: a restarted replica may have lost data")]
    public virtual bool IsSameRegistration(long brokerEpoch, long fetchedWithEpoch) => brokerEpoch == fetchedWithEpoch;

    [Rule("after waiting, a leader answers only in the epoch in which it was asked", "KIP-101: leadership may have moved meanwhile")]
    public virtual bool StillLeads(int leaderEpochBefore, int leaderEpochNow) => leaderEpochBefore == leaderEpochNow;

    [Rule("a request of an older leader epoch is fenced, one of a newer is not known yet", "KIP-320: FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH")]
    public virtual ErrorCode FenceRequest(int requestLeaderEpoch, int leaderEpoch) =>
        requestLeaderEpoch < 0 || requestLeaderEpoch == leaderEpoch ? ErrorCode.None
        : requestLeaderEpoch < leaderEpoch ? ErrorCode.FencedLeaderEpoch
        : ErrorCode.UnknownLeaderEpoch;

    [Rule("append, flush where flush.messages asks for it, count the own log, and with acks=all wait for the ISR", "Kafka: ReplicaManager.appendRecords")]
    public virtual IReadOnlyList<ProduceStep> ProduceSteps() => [ProduceStep.Append, ProduceStep.Flush, ProduceStep.Count, ProduceStep.AwaitCommit];

    // ISR and high watermark

    [Rule("until the controller has answered, everyone in the committed or the proposed ISR counts", "KIP-497: maximal ISR; KAFKA-12686")]
    public virtual NodeSet MaximalIsr(NodeSet committed, NodeSet proposed) => new(committed.Bits | proposed.Bits);

    [Rule("acks=all needs min.insync.replicas in the ISR before the append", "Kafka: NOT_ENOUGH_REPLICAS")]
    public virtual bool HasEnoughReplicas(int inSyncReplicas, int minInSyncReplicas) => inSyncReplicas >= minInSyncReplicas;

    [Rule("the high watermark stands still while the ISR is smaller than min.insync.replicas", "KIP-966, KAFKA-15583")]
    public virtual bool HighWatermarkMayMove(int inSyncReplicas, int minInSyncReplicas) => inSyncReplicas >= minInSyncReplicas;

    [Rule("the high watermark is the lowest log end among the ISR, the leader's own included", "Kafka: high watermark")]
    public virtual long LowestEnd(long one, long other) => Math.Min(one, other);

    [Rule("a leader's high watermark never goes back", "Kafka: maybeIncrementLeaderHW")]
    public virtual bool HighWatermarkAdvances(long candidate, long highWatermark) => candidate > highWatermark;

    [Rule("a follower's high watermark is its leader's, but never past its own log end", "KAFKA: follower high watermark; reserve bench: follower-hw-unclamped")]
    public virtual long FollowerHighWatermark(long leaderHighWatermark, long logEndOffset) => Math.Min(leaderHighWatermark, logEndOffset);

    [Rule("acks=all is answered once the high watermark has reached the end of the append", "Kafka: acks=all")]
    public virtual bool IsCommitted(long highWatermark, long nextOffset) => highWatermark >= nextOffset;

    [Rule("a follower joins the ISR when it has all up to the high watermark and the start of the leader's own epoch", "KAFKA-7128, TLA+ Kip320")]
    public virtual bool MayJoinIsr(long followerEnd, long highWatermark, long epochStartOffset) =>
        followerEnd >= highWatermark && followerEnd >= epochStartOffset;

    [Rule("a follower is caught up when it has the leader's log end, or what that was at its previous fetch", "Kafka: replica.lag.time.max.ms")]
    public virtual bool IsCaughtUp(long followerEnd, long leaderEnd) => followerEnd >= leaderEnd;

    [Rule("a follower that was not caught up for replica.lag.time.max.ms leaves the ISR", "Kafka: replica.lag.time.max.ms")]
    public virtual bool HasLagged(TimeSpan sinceCaughtUp, TimeSpan maximum) => sinceCaughtUp > maximum;

    // Following

    [Rule("a log is not cut when its replica becomes a follower: the leader's answers say where they part", "KIP-101 scenario 1, KIP-595")]
    public virtual long TruncateOnBecomingFollower(long highWatermark, long logEndOffset) => logEndOffset;

    [Rule("logs have parted when the leader's end of the follower's last epoch is another epoch or lies below what it fetches", "KIP-320, KIP-595")]
    public virtual bool HasDiverged(int lastFetchedEpoch, long fetchOffset, EpochEnd leaders) =>
        lastFetchedEpoch >= 0 && (leaders.Epoch != lastFetchedEpoch || leaders.EndOffset < fetchOffset);

    [Rule("cut to the lower end of the epoch both know, then ask again", "KIP-279, KAFKA-6361")]
    public virtual Reconciliation Reconcile(EpochEnd leaders, EpochEnd own, long logEndOffset) =>
        new(Math.Min(leaders.EndOffset, own.EndOffset), IsSettled: false);

    [Rule("append first, then take over the high watermark", "KAFKA-14704")]
    public virtual IReadOnlyList<ReplicationStep> ReplicationSteps() => [ReplicationStep.Append, ReplicationStep.AdvanceHighWatermark];

    [Rule("an end or a watermark that is another than before has moved", "bookkeeping: what is unchanged is not told again")]
    public virtual bool Moves(long offset, long before) => offset != before;

    // Deleting

    [Rule("move the start, make that durable, then wait for the replicas to follow", "KIP-107: DeleteRecords answers once the low watermark is there")]
    public virtual IReadOnlyList<TrimStep> TrimSteps() => [TrimStep.MoveStart, TrimStep.SaveStart, TrimStep.AwaitReplicas];

    [Rule("records are deleted up to the high watermark at most", "KIP-107: OFFSET_OUT_OF_RANGE")]
    public virtual bool MayTrimTo(long offset, long highWatermark) => offset >= 0 && offset <= highWatermark;

    [Rule("a deletion is answered once every replica alive starts there", "KIP-107: low watermark")]
    public virtual bool IsTrimmed(long lowWatermark, long offset) => lowWatermark >= offset;

    [Rule("the low watermark is the lowest log start among the replicas alive", "KIP-107")]
    public virtual long LowestStart(long one, long other) => Math.Min(one, other);

    [Rule("a follower's log starts where its leader's does, but never past its own high watermark", "KIP-107: maybeIncrementLogStartOffset")]
    public virtual long FollowerStart(long leaderLogStartOffset, long highWatermark) => Math.Min(leaderLogStartOffset, highWatermark);

    [Rule("a high watermark never lies below the log's start", "Kafka: UnifiedLog.updateHighWatermark")]
    public virtual long HighWatermarkFrom(long logStartOffset, long highWatermark) => Math.Max(logStartOffset, highWatermark);

    [Rule("a follower whose log ends below its leader's start begins anew there", "Kafka: fetchOffsetAndTruncate, truncateFullyAndStartAt")]
    public virtual bool HasFallenBehind(long leaderLogStartOffset, long logEndOffset) => leaderLogStartOffset > logEndOffset;

    // Reading

    [Rule("consumers see up to the high watermark, followers up to the log end", "Kafka: isolation of fetch")]
    public virtual long VisibleEnd(bool isFollower, long highWatermark, long logEndOffset) => isFollower ? logEndOffset : highWatermark;

    [Rule("a new leader tells its end offset once its high watermark reached the start of its epoch", "KIP-207: OFFSET_NOT_AVAILABLE")]
    public virtual bool MayTellEnd(long highWatermark, long epochStartOffset) => highWatermark >= epochStartOffset;

    [Rule("A leader answers for its own epoch, with or without a batch in it, and knows nothing of later ones", "KIP-320; Kafka's LeaderEpochFileCache.endOffsetFor, as 4.3.1 answers")]
    public virtual EpochEnd AnswerEpoch(int askedEpoch, int leaderEpoch, EpochEnd inLog, long logEndOffset) =>
        askedEpoch == leaderEpoch ? new EpochEnd(leaderEpoch, logEndOffset) : askedEpoch > leaderEpoch ? new EpochEnd(-1, -1) : inLog;

    [Rule("asked by time: the first record at or after it; asked for the largest timestamp: the first that has it", "Kafka: ListOffsets, KIP-734")]
    public virtual bool IsSought(long timestamp, long wanted, long best) => wanted >= 0 ? timestamp >= wanted : timestamp > best;

    [Rule("a fetch waits while nothing lies past its offset", "Kafka: fetch.min.bytes, fetch.max.wait.ms")]
    public virtual bool HasNews(long visibleEnd, long fetchOffset) => visibleEnd > fetchOffset;
}
