using Broker.Protocol;
using Broker.Runtime;

namespace Verify.Clients;

/// <summary>What a group's member does about an answer of its coordinator.</summary>
public enum GroupReaction : byte
{
    GoOn,

    /// <summary>Take the id that was given, and join with it.</summary>
    TakeId,

    /// <summary>Ask again after a pause.</summary>
    Wait,

    /// <summary>Look for the coordinator.</summary>
    FindCoordinator,

    /// <summary>Join, as who one is.</summary>
    JoinAgain,

    /// <summary>Join as nobody: the id is not worth anything any more.</summary>
    JoinAnew,

    /// <summary>Report, and leave the group alone.</summary>
    GiveUp,
}

/// <summary>Consecutive partitions of one topic.</summary>
public record struct PartitionRange(int First, int Count);

/// <summary>This part: being a member of a group.</summary>
public partial class ClientRules
{
    [Rule("How an answer of a coordinator is met", "Kafka's ConsumerCoordinator and AbstractCoordinator; KIP-345, KIP-394")]
    public virtual GroupReaction ReactToCoordinator(ErrorCode error) => error switch
    {
        ErrorCode.None => GroupReaction.GoOn,
        ErrorCode.MemberIdRequired => GroupReaction.TakeId,
        ErrorCode.CoordinatorLoadInProgress => GroupReaction.Wait,
        ErrorCode.CoordinatorNotAvailable or ErrorCode.NotCoordinator or ErrorCode.NetworkException or ErrorCode.RequestTimedOut => GroupReaction.FindCoordinator,
        ErrorCode.RebalanceInProgress => GroupReaction.JoinAgain,
        ErrorCode.UnknownMemberId or ErrorCode.IllegalGeneration => GroupReaction.JoinAnew,
        _ => GroupReaction.GiveUp,
    };

    [Rule("A member is heard of every heartbeat.interval.ms", "consumer setting heartbeat.interval.ms")]
    public virtual bool IsHeartbeatDue(TimeSpan sinceHeartbeat, TimeSpan interval) => sinceHeartbeat >= interval;

    [Rule("A member that was not polled for max.poll.interval.ms leaves", "KIP-62")]
    public virtual bool IsPollOverdue(TimeSpan sincePoll, TimeSpan maxPollInterval) => sincePoll >= maxPollInterval;

    [Rule("What is heard of another generation than the present one is of no concern", "KAFKA-8653, KAFKA-14639")]
    public virtual bool IsPresentGeneration(int generation, int presentGeneration) => generation == presentGeneration;

    [Rule("The leader assigns, unless it is told that all stays as it is", "KIP-814")]
    public virtual bool MustAssign(bool isLeader, bool skips) => isLeader && !skips;

    [Rule("Of a topic's partitions each member gets as many as the next but for one, in the order of their instances or ids", "Kafka's RangeAssignor")]
    public virtual PartitionRange RangeOf(int partitions, int members, int index)
    {
        var (each, more) = (partitions / members, partitions % members);
        return new PartitionRange(each * index + Math.Min(index, more), each + (index < more ? 1 : 0));
    }

    [Rule("Reading begins at the committed offset if there is one, else where the reset policy says", "consumer setting auto.offset.reset")]
    public virtual bool ResumesAt(long committedOffset) => committedOffset >= 0;

    [Rule("A commit names the leader epoch of the last record, so that who resumes there sees a truncation", "KIP-320; KAFKA-7747")]
    public virtual int EpochToCommit(int positionEpoch) => positionEpoch;

    [Rule("Who resumes at a committed offset holds the log against the epoch it was committed with", "KIP-320; KAFKA-7747")]
    public virtual int EpochToResume(int committedEpoch) => committedEpoch;

    [Rule("With a share goes what was reached in it: a later commit must not hold positions of partitions that are another's now", "librdkafka 1.9.0: stored offsets survived a revoke")]
    public virtual bool ForgetsPositions() => true;

    [Rule("A position is committed if it is another than was committed last", "bookkeeping: what is unchanged is not committed again")]
    public virtual bool IsNewPosition(long offset, long committedOffset) => offset != committedOffset;

    [Rule("What was processed is committed automatically every auto.commit.interval.ms", "consumer setting auto.commit.interval.ms")]
    public virtual bool IsAutoCommitDue(TimeSpan sinceCommit, TimeSpan interval) => sinceCommit >= interval;

    [Rule("These answers say that nothing was committed, nor will be", "Kafka's GroupCoordinator: given before the write")]
    public virtual bool SurelyNotCommitted(ErrorCode error) => error is ErrorCode.UnknownMemberId or ErrorCode.IllegalGeneration or ErrorCode.FencedInstanceId or ErrorCode.RebalanceInProgress
        or ErrorCode.CoordinatorLoadInProgress or ErrorCode.InvalidGroupId or ErrorCode.UnknownTopicOrPartition or ErrorCode.OffsetMetadataTooLarge or ErrorCode.GroupIdNotFound;
}
