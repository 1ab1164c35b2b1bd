using Broker.Runtime;

namespace Broker.Core.Controller;

/// <summary>Who may lead a partition, and what an election does to epochs, ISR and eligible leader replicas.</summary>
public class ElectionRules
{
    [Rule("While the feature is on, replicas that leave an ISR below min.insync.replicas stay eligible as leaders, and the ISR may become empty.",
        "KIP-966; without it the last ISR member keeps its place whatever it lost")]
    public virtual bool TracksEligibleReplicas(bool featureIsOn) => featureIsOn;

    [Rule("Only a broker that is registered, let in and not shutting down may lead.", "KIP-631")]
    public virtual bool MayLeadAtAll(bool fenced, bool inControlledShutdown) => !fenced && !inControlledShutdown;

    [Rule("A clean leader comes from the ISR, or from the eligible replicas once the ISR is empty.", "KIP-966; KAFKA-1028")]
    public virtual bool MayLeadCleanly(bool inIsr, bool isrIsEmpty, bool inElr) => inIsr || isrIsEmpty && inElr;

    [Rule("The last known leader may lead only when neither an ISR member nor an eligible replica is left.", "KIP-966: balanced recovery")]
    public virtual bool LastKnownLeaderMayLead(bool tracksEligible, bool isrIsEmpty, bool elrIsEmpty) => tracksEligible && isrIsEmpty && elrIsEmpty;

    [Rule("A replica that may lag leads only where unclean election was asked for.", "unclean.leader.election.enable; KIP-106")]
    public virtual bool OutsiderMayLead(bool uncleanElectionAllowed) => uncleanElectionAllowed;

    [Rule("A leader that may stay stays, unless the preferred one is wanted; else the first in replica order.", "KIP-460; Kafka's partition change builder")]
    public virtual int ChooseClean(IReadOnlyList<int> candidates, int current, int wanted) =>
        candidates.Contains(wanted) ? wanted : candidates.Contains(current) ? current : candidates[0];

    [Rule("Among replicas that may lag, the first in replica order leads.", "Kafka's partition change builder")]
    public virtual int ChooseUnclean(IReadOnlyList<int> candidates) => candidates[0];

    [Rule("A leader that is not the one before is a change of leader.", "KIP-101")]
    public virtual bool LeaderChanges(int before, int after) => before != after;

    [Rule("A new leader, and nobody as leader too, gets the next leader epoch.", "KIP-101; KIP-320")]
    public virtual int NextLeaderEpoch(int epoch) => epoch + 1;

    [Rule("Every change of a partition gets the next partition epoch.", "KIP-497")]
    public virtual int NextPartitionEpoch(int epoch) => epoch + 1;

    [Rule("After an election of a replica that may lag it is the whole ISR.", "KIP-106: the others must copy it")]
    public virtual bool LeavesIsrOnUncleanElection(int replica, int leader) => replica != leader;

    [Rule("No replica stays eligible after an election of one that may lag.", "KIP-966: they may hold what the leader has not")]
    public virtual bool StaysEligibleAfterUncleanElection(int replica) => false;

    [Rule("The ISR may become empty only where eligible replicas are tracked; else its last members keep their places.", "KIP-966")]
    public virtual bool IsrMayBecomeEmpty(bool tracksEligible) => tracksEligible;

    [Rule("Replicas become eligible when the ISR falls below min.insync.replicas, or the number of replicas if that is less.", "KIP-966: above it the high watermark moves on without them")]
    public virtual bool IsrIsSufficient(int isrSize, int minInSyncReplicas, int replicas) => isrSize >= Math.Min(minInSyncReplicas, replicas);

    [Rule("Eligible is who was in the ISR or eligible before, is not in the ISR now, and did not restart after an unclean shutdown.", "KIP-966")]
    public virtual bool IsEligible(bool wasInIsr, bool wasEligible, bool inIsr, bool shutDownUncleanly) => (wasInIsr || wasEligible) && !inIsr && !shutDownUncleanly;

    [Rule("Who led last is remembered from the moment that the ISR is empty until somebody leads.", "KIP-966: last known leader")]
    public virtual bool RemembersLeader(bool tracksEligible, bool isrIsEmpty, bool hadLeader) => tracksEligible && isrIsEmpty && hadLeader;

    [Rule("A partition with a leader has no last known one.", "KIP-966")]
    public virtual bool ForgetsLastKnownLeader(bool hasLeader) => hasLeader;

    [Rule("A fenced or leaving broker, and one that restarted uncleanly, leaves the ISR.", "KIP-631; KIP-966")]
    public virtual bool LeavesIsr(int replica, int leaving) => replica == leaving;

    [Rule("A change of min.insync.replicas makes nobody eligible any more.", "KIP-966: eligibility was measured by the old value")]
    public virtual bool EligibilitySurvivesMinIsrChange(int replica) => false;

    [Rule("While a partition is without a leader the controller looks for an unclean one every so often.", "unclean.leader.election.interval.ms")]
    public virtual bool UncleanCheckIsDue(TimeSpan sinceLast, TimeSpan interval) => sinceLast >= interval;

    [Rule("A preferred election is needed where the first replica does not lead, any other where nobody does.", "KIP-460: ELECTION_NOT_NEEDED")]
    public virtual bool ElectionIsNeeded(bool preferredWanted, int leader, int preferred) => preferredWanted ? leader != preferred : leader is -1;
}
