using Broker.Core.Log;
using Broker.Runtime;

namespace Broker.Core.Quorum;

/// <summary>In which order a voter grants its vote.</summary>
public enum VoteStep { Persist, Answer }

/// <summary>In which order a candidate starts an election.</summary>
public enum CandidacyStep { Persist, Solicit }

/// <summary>In which order a winner takes up leadership. <c>Open</c> appends its leader-change entry.</summary>
public enum LeadershipStep { Persist, Open, Announce }

/// <summary>In which order a voter begins to follow a leader.</summary>
public enum FollowStep { Persist, Fetch }

/// <summary>In which order a follower stores entries. <c>Fetch</c> tells the leader that they are durable.</summary>
public enum FollowerAppendStep { Append, Flush, Fetch }

/// <summary>In which order a leader stores entries. <c>Count</c> counts the leader among the voters that have them; <c>Offer</c> gives them to waiting fetches.</summary>
public enum LeaderAppendStep { Append, Flush, Count, Offer }

/// <summary>In which order a follower cuts its log.</summary>
public enum TruncateStep { Truncate, Flush, Fetch }

/// <summary>What a voter does with what it found on its disk before it takes part.</summary>
public enum StartStep { Persist, Flush }

/// <summary>A voter and the end of its durable log, as its leader knows it.</summary>
public readonly record struct VoterOffset(NodeId Voter, long EndOffset);

/// <summary>
/// Every decision of the metadata quorum: what is compared, who is chosen, and what comes first. The machine does the bookkeeping.
/// Sources: Raft (Ongaro and Ousterhout 2014), KIP-595 (pull-based Raft), KIP-853 for the vote's wording.
/// </summary>
public class QuorumRules
{
    private static readonly VoteStep[] Vote = [VoteStep.Persist, VoteStep.Answer];
    private static readonly CandidacyStep[] Candidacy = [CandidacyStep.Persist, CandidacyStep.Solicit];
    private static readonly LeadershipStep[] Leadership = [LeadershipStep.Persist, LeadershipStep.Open, LeadershipStep.Announce];
    private static readonly FollowStep[] Follow = [FollowStep.Persist, FollowStep.Fetch];
    private static readonly FollowerAppendStep[] FollowerAppend = [FollowerAppendStep.Append, FollowerAppendStep.Flush, FollowerAppendStep.Fetch];
    private static readonly LeaderAppendStep[] LeaderAppend = [LeaderAppendStep.Append, LeaderAppendStep.Flush, LeaderAppendStep.Count, LeaderAppendStep.Offer];
    private static readonly TruncateStep[] Truncation = [TruncateStep.Truncate, TruncateStep.Flush, TruncateStep.Fetch];
    private static readonly StartStep[] Begin = [StartStep.Persist, StartStep.Flush];

    // Epochs

    [Rule("A message of a newer epoch makes a voter join that epoch", "Raft 5.1; KIP-595")]
    public virtual bool IsNewerEpoch(int epoch, int current) => epoch > current;

    [Rule("A message of an older epoch is refused", "Raft 5.1; KIP-595 FENCED_LEADER_EPOCH")]
    public virtual bool IsOlderEpoch(int epoch, int current) => epoch < current;

    [Rule("A candidate stands for the epoch after the newest it knows", "Raft 5.2")]
    public virtual int NextEpoch(int current) => current + 1;

    // Votes

    [Rule("One vote per epoch; the same candidate may ask again", "Raft 5.2, figure 2 votedFor")]
    public virtual bool VoteIsFree(NodeId votedFor, NodeId candidate) => votedFor == NodeId.None || votedFor == candidate;

    [Rule("A voter that knows the epoch's leader votes for nobody else in it", "KIP-595, handling of Vote")]
    public virtual bool MayVoteUnder(NodeId leader) => leader == NodeId.None;

    [Rule("Only a log at least as up to date as one's own gets the vote: last epoch first, then length", "Raft 5.4.1")]
    public virtual bool LogIsUpToDate(int candidateLastEpoch, long candidateEndOffset, int lastEpoch, long endOffset) =>
        candidateLastEpoch > lastEpoch || (candidateLastEpoch == lastEpoch && candidateEndOffset >= endOffset);

    [Rule("A candidate reports the epoch of its last entry, not the epoch it stands for", "Raft 5.4.1; DLedger #52")]
    public virtual int LastEpochInVoteRequest(int lastEpoch, int currentEpoch) => lastEpoch;

    [Rule("A vote is durable before anybody hears of it", "Raft figure 2; KAFKA-10661")]
    public virtual IReadOnlyList<VoteStep> VoteSteps() => Vote;

    [Rule("A candidate's own vote is durable before it asks for others", "Raft figure 2")]
    public virtual IReadOnlyList<CandidacyStep> CandidacySteps() => Candidacy;

    [Rule("A candidate wins with the votes of more than half of all voters", "Raft 5.2")]
    public virtual bool IsElected(int votes, int voters) => votes > voters / 2;

    // Leadership

    [Rule("A winner's epoch is durable, and its opening entry in its log, before it makes itself known", "KIP-595, LeaderChangeMessage")]
    public virtual IReadOnlyList<LeadershipStep> LeadershipSteps() => Leadership;

    [Rule("An epoch has one leader: another one is not believed, and nobody follows itself", "Raft 5.2 election safety")]
    public virtual bool MayFollow(NodeId known, NodeId announced, NodeId self) => announced != self && (known == NodeId.None || known == announced);

    [Rule("Entries are taken only from the leader that is followed", "KIP-595")]
    public virtual bool IsFromLeader(NodeId from, NodeId leader) => from == leader;

    [Rule("Whom a voter follows is durable before it fetches", "KIP-595, quorum-state")]
    public virtual IReadOnlyList<FollowStep> FollowSteps() => Follow;

    [Rule("After a restart a voter follows the leader it knew; if it led itself, it does not lead that epoch again", "KAFKA-10661; KIP-595 Resigned")]
    public virtual QuorumRole RoleAfterRestart(NodeId persistedLeader, NodeId self) =>
        persistedLeader == NodeId.None ? QuorumRole.Unattached : persistedLeader == self ? QuorumRole.Resigned : QuorumRole.Follower;

    [Rule("A voter counts as heard when its last fetch is younger than the check-quorum time-out", "KAFKA-15489")]
    public virtual bool IsHeard(TimeSpan lastFetch, TimeSpan now, TimeSpan timeout) => now - lastFetch < timeout;

    [Rule("A leader that is not heard by more than half of the voters, itself included, resigns", "KAFKA-15489; Raft dissertation 6.2")]
    public virtual bool KeepsQuorum(int heard, int voters) => heard > voters / 2;

    [Rule("The voter with the longest log should succeed", "KIP-595, preferred successors")]
    public virtual IReadOnlyList<NodeId> PreferredSuccessors(IReadOnlyList<VoterOffset> others) =>
        [.. others.OrderByDescending(o => o.EndOffset).ThenBy(o => o.Voter).Select(o => o.Voter)];

    [Rule("The first successor stands at once, the others each an election time-out later", "KIP-595, EndQuorumEpoch")]
    public virtual TimeSpan SuccessorDelay(int position, TimeSpan electionTimeout) => electionTimeout * position;

    // Commitment

    [Rule("Only fetches of voters count for commitment", "KIP-595, observers")]
    public virtual bool Counts(NodeSet voters, NodeId replica) => voters.Contains(replica.Value);

    [Rule("What a voter once had durable it keeps: a late fetch does not lower it", "KIP-595; Raft matchIndex")]
    public virtual long Progress(long known, long fetchOffset) => Math.Max(known, fetchOffset);

    [Rule("An offset is held by a majority when more than half of the voters reach it", "Raft 5.3; KIP-595")]
    public virtual long MajorityOffset(IReadOnlyList<long> endOffsetsDescending) => endOffsetsDescending[endOffsetsDescending.Count / 2];

    [Rule("A leader commits by counting only once an entry of its own epoch is held by a majority; older entries follow", "Raft 5.4.2, figure 8; KAFKA-12619; LogCabin #44")]
    public virtual bool MayCommit(long majorityOffset, long epochStartOffset) => majorityOffset > epochStartOffset;

    [Rule("The high watermark never goes back", "Raft figure 2 commitIndex")]
    public virtual bool Advances(long highWatermark, long to) => to > highWatermark;

    [Rule("A proposal is committed when the high watermark reaches its end", "Raft 5.3")]
    public virtual bool IsCommitted(long nextOffset, long highWatermark) => nextOffset <= highWatermark;

    [Rule("A leader's own entries are durable before it counts itself", "Raft 3.8 persisted state; KAFKA-13884")]
    public virtual IReadOnlyList<LeaderAppendStep> LeaderAppendSteps() => LeaderAppend;

    // Fetches at the leader

    [Rule("A log diverges when its last epoch is not the leader's at that offset", "KIP-595, DivergingEpoch; KIP-320")]
    public virtual bool Diverges(long fetchOffset, int lastFetchedEpoch, EpochEnd leaders) =>
        leaders.Epoch != lastFetchedEpoch || leaders.EndOffset < fetchOffset;

    [Rule("Voters read to the end of the log, observers only what is committed", "KIP-595; KIP-630")]
    public virtual long ReadLimit(bool counts, long endOffset, long highWatermark) => counts ? endOffset : highWatermark;

    [Rule("A waiting fetch is answered for new entries or for a high watermark that the asker has not heard", "KIP-595; KIP-1166")]
    public virtual bool HasNews(long fetchOffset, long readLimit, long toldHighWatermark, long highWatermark) =>
        readLimit > fetchOffset || highWatermark > toldHighWatermark;

    // Following

    [Rule("Only the answer to the fetch in flight may cut the log or ask for the next fetch", "KIP-595: correlation ids")]
    public virtual bool IsAwaited(long requestId, long awaited) => requestId == awaited;

    [Rule("A diverging log is cut where the largest common epoch ends on the shorter side", "KIP-595; KIP-279")]
    public virtual long TruncationOffset(EpochEnd leaders, EpochEnd own) =>
        leaders.Epoch == own.Epoch ? Math.Min(leaders.EndOffset, own.EndOffset) : own.EndOffset;

    [Rule("A cut is durable before anything is written behind it", "torn writes could otherwise join old and new entries")]
    public virtual IReadOnlyList<TruncateStep> TruncateSteps() => Truncation;

    [Rule("An entry conflicts when the log holds another epoch at its offset", "Raft 5.3, log matching")]
    public virtual bool Conflicts(int ownEpoch, int batchEpoch) => ownEpoch != batchEpoch;

    [Rule("A batch that ends at or below the log's end is there already", "Raft figure 2, AppendEntries 4")]
    public virtual bool IsPresent(long batchNextOffset, long endOffset) => batchNextOffset <= endOffset;

    [Rule("A batch is appended only right at the log's end", "Raft figure 2, AppendEntries 2")]
    public virtual bool Continues(long batchBaseOffset, long endOffset) => batchBaseOffset == endOffset;

    [Rule("Storing entries cuts the log only where they conflict with it, never because they are old or few", "Raft figure 2, AppendEntries 3")]
    public virtual long? CutBeforeAppend(long firstOffset, long endOffset, long? conflictOffset) => conflictOffset;

    [Rule("A follower's entries are durable before its next fetch says so", "KIP-595; KAFKA-10533; etcd #12589")]
    public virtual IReadOnlyList<FollowerAppendStep> FollowerAppendSteps() => FollowerAppend;

    [Rule("A follower's high watermark is its leader's, within its own log", "KIP-595; Raft figure 2, AppendEntries 5")]
    public virtual long FollowerHighWatermark(long leaders, long endOffset) => Math.Min(leaders, endOffset);

    // Time and restart

    [Rule("A deadline is due when the clock reaches it", "KIP-595")]
    public virtual bool IsDue(TimeSpan deadline, TimeSpan now) => now >= deadline;

    [Rule("Election time-outs are spread by chance over one to two of the setting", "Raft 5.2")]
    public virtual TimeSpan ElectionDelay(TimeSpan electionTimeout, double chance) => electionTimeout * (1 + chance);

    [Rule("Fetch time-outs are spread by chance over one to one and a half of the setting", "KIP-595; Raft 5.2")]
    public virtual TimeSpan FetchDelay(TimeSpan fetchTimeout, double chance) => fetchTimeout * (1 + chance / 2);

    [Rule("What a restarted voter found in its page cache is durable before it acts on it", "KAFKA-10533; etcd #14370")]
    public virtual IReadOnlyList<StartStep> StartSteps() => Begin;
}
