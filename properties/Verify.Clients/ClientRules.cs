using Broker.Protocol;
using Broker.Runtime;

namespace Verify.Clients;

/// <summary>Decisions of the wire client. This part: finding brokers and leaders, and when to try again.</summary>
public partial class ClientRules
{
    public static readonly ClientRules Faithful = new();

    [Rule("The newest version that both sides speak; -1 when there is none", "KIP-35")]
    public virtual short ChooseVersion(VersionRange ours, VersionRange theirs) => ours.NewestShared(theirs);

    [Rule("Any broker may be asked for metadata: drawn, so that no broker is asked by all", "Kafka's least loaded node, simplified")]
    public virtual Endpoint AskForMetadata(IReadOnlyList<Endpoint> candidates, int draw) => candidates[draw % candidates.Count];

    [Rule("A leader is believed unless a newer epoch is known already", "KIP-320; KAFKA-7738")]
    public virtual bool AcceptsLeader(int knownEpoch, int receivedEpoch) => receivedEpoch >= knownEpoch || receivedEpoch < 0;

    [Rule("A leader epoch above the one last used means another leadership", "KIP-320, KIP-951")]
    public virtual bool IsNewerLeadership(int usedEpoch, int knownEpoch) => knownEpoch > usedEpoch;

    [Rule("A topic recreated under its name starts its epochs anew", "KIP-516")]
    public virtual bool IsSameTopic(Guid knownId, Guid receivedId) => knownId == receivedId;

    [Rule("Metadata is asked for again once it is older than metadata.max.age.ms", "producer documentation")]
    public virtual bool IsMetadataOld(TimeSpan age, TimeSpan maxAge) => age >= maxAge;

    [Rule("These answers mean that the leader may be elsewhere", "Kafka's InvalidMetadataException")]
    public virtual bool LeaderMayHaveMoved(ErrorCode error) => error is ErrorCode.NotLeaderOrFollower or ErrorCode.UnknownTopicOrPartition or ErrorCode.LeaderNotAvailable
        or ErrorCode.FencedLeaderEpoch or ErrorCode.UnknownLeaderEpoch or ErrorCode.KafkaStorageError or ErrorCode.ReplicaNotAvailable or ErrorCode.NetworkException
        or ErrorCode.UnknownTopicId or ErrorCode.InconsistentTopicId or ErrorCode.ListenerNotFound or ErrorCode.RequestTimedOut or ErrorCode.PreferredLeaderNotAvailable;

    [Rule("Nothing is tried again before its time", "KIP-144, KIP-580")]
    public virtual bool IsDue(TimeSpan now, TimeSpan due) => now >= due;

    [Rule("Waiting doubles with each failure up to a bound, give or take a fifth", "KIP-144, KIP-580")]
    public virtual TimeSpan Backoff(TimeSpan first, TimeSpan most, int failures, double draw)
    {
        var doubled = first.TotalSeconds * Math.Pow(2, Math.Clamp(failures - 1, 0, 20));
        return TimeSpan.FromSeconds(Math.Min(doubled, most.TotalSeconds) * (0.8 + 0.4 * draw));
    }

    [Rule("These administrative answers are given before anything is done", "Kafka's ControllerApis; leadership errors and time-outs may come after the write")]
    public virtual bool SurelyNotDone(ErrorCode error) => error is ErrorCode.TopicAlreadyExists or ErrorCode.UnknownTopicOrPartition or ErrorCode.UnknownTopicId
        or ErrorCode.InvalidTopicException or ErrorCode.InvalidPartitions or ErrorCode.InvalidReplicationFactor or ErrorCode.InvalidReplicaAssignment
        or ErrorCode.InvalidConfig or ErrorCode.InvalidRequest or ErrorCode.PolicyViolation or ErrorCode.UnsupportedVersion or ErrorCode.ThrottlingQuotaExceeded
        or ErrorCode.TopicDeletionDisabled or ErrorCode.ClusterAuthorizationFailed or ErrorCode.TopicAuthorizationFailed or ErrorCode.PreferredLeaderNotAvailable
        or ErrorCode.EligibleLeadersNotAvailable or ErrorCode.ElectionNotNeeded or ErrorCode.NoReassignmentInProgress;

    [Rule("These administrative answers are worth another attempt", "Kafka's RetriableException")]
    public virtual bool IsAdminRetriable(ErrorCode error) => error is ErrorCode.NotController or ErrorCode.RequestTimedOut or ErrorCode.NetworkException
        or ErrorCode.CoordinatorNotAvailable or ErrorCode.ThrottlingQuotaExceeded or ErrorCode.BrokerNotAvailable or ErrorCode.LeaderNotAvailable or ErrorCode.CoordinatorLoadInProgress;

    [Rule("An operation that may have been done, by this attempt or an earlier one, is not called failed", "Jepsen's indeterminate operations")]
    public virtual OutcomeKind UnsuccessfulOutcome(bool mayHaveHappened) => mayHaveHappened ? OutcomeKind.Info : OutcomeKind.Fail;
}
