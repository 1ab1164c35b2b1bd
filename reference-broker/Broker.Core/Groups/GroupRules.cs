using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Core.Groups;

/// <summary>The steps of storing offsets, in the order in which they are done.</summary>
public enum OffsetCommitStep
{
    Append,
    AwaitReplication,

    /// <summary>From now on who asks for the group's offsets is told the new ones.</summary>
    Show,
    Answer,
}

/// <summary>The steps of taking a leader's assignment, in the order in which they are done.</summary>
public enum AssignmentStep
{
    Append,
    AwaitReplication,

    /// <summary>The group is stable, and every member that waits is told its share.</summary>
    HandOut,
}

/// <summary>Decisions of group coordinators, classic protocol.</summary>
public class GroupRules
{
    // Who coordinates

    [Rule("a coordinator answers once it has replayed its partition", "KAFKA-5600: COORDINATOR_LOAD_IN_PROGRESS")]
    public virtual bool MayServe(bool isLoaded) => isLoaded;

    [Rule("a partition is replayed when all that lay in it at the start of the term is committed", "stricter than Kafka, which replays to the log end; KAFKA-15046")]
    public virtual bool MayReplay(long highWatermark, long endAtTakeover) => highWatermark >= endAtTakeover;

    [Rule("a coordinator acts in the leader epoch in which it took over, and in no other", "KAFKA-10614: a late unload must not end a newer term")]
    public virtual bool IsSameTerm(int coordinatorEpoch, int leaderEpoch) => coordinatorEpoch == leaderEpoch;

    [Rule("a write counts once the high watermark has passed it", "Kafka: offsets are committed with acks=all")]
    public virtual bool IsReplicated(long highWatermark, long nextOffset) => highWatermark >= nextOffset;

    [Rule("append, wait for the replicas, show, answer", "Kafka: GroupMetadataManager.storeOffsets; KAFKA-5600")]
    public virtual IReadOnlyList<OffsetCommitStep> OffsetCommitSteps() =>
        [OffsetCommitStep.Append, OffsetCommitStep.AwaitReplication, OffsetCommitStep.Show, OffsetCommitStep.Answer];

    [Rule("append, wait for the replicas, hand out", "Kafka: GroupCoordinator.doSyncGroup")]
    public virtual IReadOnlyList<AssignmentStep> AssignmentSteps() => [AssignmentStep.Append, AssignmentStep.AwaitReplication, AssignmentStep.HandOut];

    [Rule("a write that its replicas do not have in time is answered with an error", "Kafka: offsets.commit.timeout.ms")]
    public virtual bool WriteIsLate(TimeSpan waited, TimeSpan limit) => waited >= limit;

    // Members

    [Rule("a request of another generation than the group's is refused", "Kafka: ILLEGAL_GENERATION")]
    public virtual bool IsSameGeneration(int generation, int groupGeneration) => generation == groupGeneration;

    [Rule("the member that joined last under an instance id is the instance", "KIP-345: FENCED_INSTANCE_ID")]
    public virtual bool IsSameMember(string memberId, string memberIdOfInstance) => memberId == memberIdOfInstance;

    [Rule("who comes without a member id is given one and has to come again, from version 4 on and unless it is static", "KIP-394: MEMBER_ID_REQUIRED")]
    public virtual bool MustComeAgain(short version, bool isStatic) => version >= 4 && !isStatic;

    [Rule("a session's time-out lies within the broker's limits", "Kafka: group.min.session.timeout.ms, group.max.session.timeout.ms")]
    public virtual bool SessionTimeoutIsAllowed(TimeSpan timeout, TimeSpan least, TimeSpan most) => timeout >= least && timeout <= most;

    [Rule("a group has at most group.max.size members", "KIP-389: GROUP_MAX_SIZE_REACHED")]
    public virtual bool HasRoom(int members, int most) => members < most;

    [Rule("a member that was not heard of for its session's time-out is dead", "Kafka: session.timeout.ms")]
    public virtual bool SessionIsOver(TimeSpan silence, TimeSpan sessionTimeout) => silence >= sessionTimeout;

    [Rule("a member that waits for an answer is alive", "Kafka: shouldKeepMemberAlive")]
    public virtual bool IsKeptAlive(bool isAwaitingJoin, bool isAwaitingSync) => isAwaitingJoin || isAwaitingSync;

    [Rule("a static member's new id is stored before it is told", "KIP-345; KAFKA-10284, KAFKA-14639")]
    public virtual bool StoresReplacement() => true;

    // Generations

    [Rule("each rebalance makes the next generation", "Kafka: initNextGeneration")]
    public virtual int NextGeneration(int generation) => generation + 1;

    [Rule("the joining ends when every member has joined again and nobody who was given an id is yet to come", "Kafka: hasAllMembersJoined; KIP-394")]
    public virtual bool AllHaveJoined(int joined, int members, int toCome) => joined == members && toCome == 0;

    [Rule("the joining ends after the longest rebalance time-out of the members", "KIP-62: rebalance.timeout.ms")]
    public virtual bool JoiningIsOver(TimeSpan elapsed, TimeSpan limit) => elapsed >= limit;

    [Rule("an empty group waits for the initial delay, again and again while members come, up to the rebalance time-out", "KIP-134")]
    public virtual TimeSpan NextDelay(TimeSpan initialDelay, TimeSpan left) => initialDelay < left ? initialDelay : left;

    [Rule("members that have not joined again leave the group, static ones stay until their session ends", "KIP-345")]
    public virtual bool StaysWithoutJoining(bool isStatic) => isStatic;

    [Rule("a member that does not ask for its share within the rebalance time-out leaves the group", "KAFKA-12890")]
    public virtual bool SyncIsLate(TimeSpan elapsed, TimeSpan limit) => elapsed >= limit;

    [Rule("of the protocols that all members know, the one that most prefer; of equals the first", "Kafka: selectProtocol")]
    public virtual string ChooseProtocol(IReadOnlyList<string> candidates, IReadOnlyList<int> votes)
    {
        var best = 0;
        for (var i = 1; i < candidates.Count; i++)
            if (votes[i] > votes[best]) best = i;
        return candidates[best];
    }

    [Rule("the leader stays if it has joined again, else the member that has been there longest leads", "Kafka: maybeElectNewJoinedLeader")]
    public virtual string ChooseLeader(IReadOnlyList<string> joined, string? leader) => leader is not null && joined.Contains(leader) ? leader : joined[0];

    [Rule("a stable group rebalances when its leader joins again or a member knows other protocols than before", "Kafka: doCurrentMemberJoinGroup")]
    public virtual bool JoiningRebalances(bool isLeader, bool hasSameProtocols) => isLeader || !hasSameProtocols;

    // Offsets

    [Rule("without a generation offsets are stored only while the group is empty", "Kafka: simple consumers and operators")]
    public virtual bool MayCommitWithoutGeneration(int generation, bool isEmpty) => generation < 0 && isEmpty;

    [Rule("offsets are stored in a stable group, and in one that rebalances by members of the generation before", "Kafka: REBALANCE_IN_PROGRESS while an assignment is awaited")]
    public virtual bool MayCommitIn(GroupState state) => state is not GroupState.CompletingRebalance;

    [Rule("a commit's metadata has at most offset.metadata.max.bytes", "Kafka: OFFSET_METADATA_TOO_LARGE")]
    public virtual bool MetadataFits(int length, int most) => length <= most;

    [Rule("offsets that a live group may still want do not expire, nor anything of a group that is being written", "KIP-211: KAFKA-4682; KAFKA-8069, KAFKA-13636")]
    public virtual bool MayExpire(bool isEmpty, bool isStable, bool isSubscribed, bool isBeingWritten) => !isBeingWritten && (isEmpty || isStable && !isSubscribed);

    [Rule("an empty group that keeps nothing more, and in which nobody is about to come, is forgotten", "KIP-211")]
    public virtual bool MayForget(bool isEmpty, int toCome, int offsetsLeft, bool isBeingWritten) => isEmpty && toCome == 0 && offsetsLeft == 0 && !isBeingWritten;

    [Rule("retention counts from when the group became empty; of groups that never had members, and of topics nobody subscribes to, from the commit", "KIP-211")]
    public virtual long RetentionStart(bool becameEmpty, long stateTimestampMs, long commitTimestampMs) => becameEmpty ? Math.Max(stateTimestampMs, commitTimestampMs) : commitTimestampMs;

    [Rule("offsets expire after offsets.retention.minutes", "Kafka: offsets.retention.minutes")]
    public virtual bool HasExpired(long ageMs, long retentionMs) => ageMs >= retentionMs;

    [Rule("retention is looked at every offsets.retention.check.interval.ms", "Kafka: offsets.retention.check.interval.ms")]
    public virtual bool RetentionCheckIsDue(TimeSpan elapsed, TimeSpan interval) => elapsed >= interval;

    [Rule("what a client is told when its write failed", "Kafka: CoordinatorOperationExceptionHelper")]
    public virtual ErrorCode ErrorOfWrite(ErrorCode error) => error switch
    {
        ErrorCode.NotLeaderOrFollower or ErrorCode.KafkaStorageError => ErrorCode.NotCoordinator,
        ErrorCode.UnknownTopicOrPartition or ErrorCode.NotEnoughReplicas or ErrorCode.RequestTimedOut => ErrorCode.CoordinatorNotAvailable,
        ErrorCode.MessageTooLarge or ErrorCode.RecordListTooLarge => ErrorCode.UnknownServerError,
        _ => error,
    };
}
