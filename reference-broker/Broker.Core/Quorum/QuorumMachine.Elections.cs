using System.Collections.Immutable;
using Broker.Runtime;

namespace Broker.Core.Quorum;

// Elections: standing, voting, winning, and stepping down.
public sealed partial class QuorumMachine
{
    private readonly SortedSet<NodeId> unheard = [];                       // voters that have not answered this role's question
    private int votes;
    private ImmutableArray<NodeId> successors = [];

    private void StandForElection(TimeSpan now)
    {
        Leave();
        (Epoch, VotedFor, Leader, Role) = (rules.NextEpoch(Epoch), Id, NodeId.None, QuorumRole.Candidate);
        votes = 1;
        WaitForElection(now);
        foreach (var step in rules.CandidacySteps())
        {
            if (step == CandidacyStep.Persist) PersistState();
            else AskAll(now);
        }
        if (rules.IsElected(votes, voters.Count)) TakeLeadership(now);
    }

    private void OnVoteAsked(long replyTo, QuorumRequest.Vote asked, TimeSpan now)
    {
        if (!voters.Contains(asked.Candidate.Value))
        {
            Answer(replyTo, new QuorumAnswer.Vote(QuorumError.Inconsistent, Epoch, Leader, false));
            return;
        }
        if (rules.IsOlderEpoch(asked.Epoch, Epoch))
        {
            Answer(replyTo, new QuorumAnswer.Vote(QuorumError.FencedEpoch, Epoch, Leader, false));
            return;
        }
        if (rules.IsNewerEpoch(asked.Epoch, Epoch)) JoinEpoch(asked.Epoch, now);

        var granted = rules.MayVoteUnder(Leader) && rules.VoteIsFree(VotedFor, asked.Candidate)
            && rules.LogIsUpToDate(asked.LastEpoch, asked.EndOffset, log.LastEpoch, log.EndOffset);
        if (granted)
        {
            VotedFor = asked.Candidate;
            WaitForElection(now);
        }
        foreach (var step in rules.VoteSteps())
        {
            if (step == VoteStep.Persist) PersistState();
            else Answer(replyTo, new QuorumAnswer.Vote(QuorumError.None, Epoch, Leader, granted));
        }
    }

    private void OnVoteAnswered(NodeId from, QuorumAnswer.Vote answer, TimeSpan now)
    {
        if (Role != QuorumRole.Candidate || answer.Error != QuorumError.None || !unheard.Remove(from)) return;
        if (!answer.Granted) return;
        votes++;
        if (rules.IsElected(votes, voters.Count)) TakeLeadership(now);
    }

    /// <summary>Steps down: waiting fetches and proposals are sent away, and the best successors are told.</summary>
    private void Resign(TimeSpan now)
    {
        successors = [.. rules.PreferredSuccessors([.. others.Select(v => new VoterOffset(v, progress[v].EndOffset))])];
        Leave();
        (Leader, Role) = (NodeId.None, QuorumRole.Resigned);
        WaitForElection(now);
        AskAll(now);
    }

    private void OnEndEpochAsked(long replyTo, QuorumRequest.EndEpoch asked, TimeSpan now)
    {
        if (rules.IsOlderEpoch(asked.Epoch, Epoch) || !voters.Contains(asked.Leader.Value))
        {
            Answer(replyTo, new QuorumAnswer.EndEpoch(QuorumError.FencedEpoch, Epoch, Leader));
            return;
        }
        if (rules.IsNewerEpoch(asked.Epoch, Epoch)) JoinEpoch(asked.Epoch, now);
        if (rules.MayFollow(Leader, asked.Leader, Id) && Role is QuorumRole.Follower or QuorumRole.Unattached)
        {
            (Leader, Role) = (NodeId.None, QuorumRole.Unattached);
            var position = asked.PreferredSuccessors.IndexOf(Id);
            if (position >= 0) deadline = now + rules.SuccessorDelay(position, settings.ElectionTimeout);
            else WaitForElection(now);
        }
        PersistState();
        Answer(replyTo, new QuorumAnswer.EndEpoch(QuorumError.None, Epoch, Leader));
    }

    /// <summary>Puts this role's question to every other voter.</summary>
    private void AskAll(TimeSpan now)
    {
        unheard.Clear();
        foreach (var voter in others)
        {
            unheard.Add(voter);
            retryAt[voter] = now;
        }
        Solicit(now);
    }

    /// <summary>Puts this role's question to the voters that have not answered and are due to be asked (again).</summary>
    private void Solicit(TimeSpan now)
    {
        foreach (var voter in others)
        {
            if (!unheard.Contains(voter) || !rules.IsDue(retryAt[voter], now)) continue;
            retryAt[voter] = now + settings.RequestTimeout;
            Send(voter, Role switch
            {
                QuorumRole.Candidate => new QuorumRequest.Vote(Epoch, Id, rules.LastEpochInVoteRequest(log.LastEpoch, Epoch), log.EndOffset),
                QuorumRole.Leader => new QuorumRequest.BeginEpoch(Epoch, Id),
                QuorumRole.Resigned => new QuorumRequest.EndEpoch(Epoch, Id, successors),
                _ => throw new InvalidOperationException($"a voter that is {Role} has no question"),
            });
        }
    }

    /// <summary>Ends the current role. The caller sets the next one.</summary>
    private void Leave()
    {
        unheard.Clear();
        votes = 0;
        awaitedFetch = NoFetch;
        if (Role == QuorumRole.Leader) EndLeadership();
    }
}
