using Broker.Runtime;

namespace Broker.Core.Controller;

/// <summary>What the controller checks before it takes a leader's word for a new ISR.</summary>
public class IsrRules
{
    [Rule("A leader that knows a later leader epoch is right, and this controller is not the active one any more.", "KIP-497: NOT_CONTROLLER")]
    public virtual bool LeaderEpochIsAhead(int known, int given) => given > known;

    [Rule("A leader that knows a later partition epoch is right, and this controller is not the active one any more.", "KIP-497: NOT_CONTROLLER")]
    public virtual bool PartitionEpochIsAhead(int known, int given) => given > known;

    [Rule("A leader of an earlier leader epoch is deposed.", "KIP-497: FENCED_LEADER_EPOCH")]
    public virtual bool LeaderEpochIsStale(int known, int given) => given < known;

    [Rule("Only the leader alters the ISR.", "KIP-497: INVALID_REQUEST")]
    public virtual bool IsLeader(int leader, int broker) => leader == broker;

    [Rule("A leader that missed a change of the partition must look again.", "KIP-497: INVALID_UPDATE_VERSION")]
    public virtual bool PartitionEpochIsStale(int known, int given) => given < known;

    [Rule("The ISR is a subset of the replicas.", "KIP-497: INVALID_REQUEST")]
    public virtual bool MemberIsReplica(bool isReplica) => isReplica;

    [Rule("The leader is in its own ISR.", "KIP-497: INVALID_REQUEST")]
    public virtual bool LeaderIsMember(bool isMember) => isMember;

    [Rule("Who is fenced or shutting down is not in the ISR.", "KIP-841: INELIGIBLE_REPLICA")]
    public virtual bool MemberMayBeInSync(bool fenced, bool inControlledShutdown) => !fenced && !inControlledShutdown;

    [Rule("A member is the incarnation that the leader saw fetching, not a later one that may have lost its log.", "KIP-903: INELIGIBLE_REPLICA; -1: the leader does not say")]
    public virtual bool MemberEpochMatches(long registered, long given) => given is -1 || registered == given;
}
