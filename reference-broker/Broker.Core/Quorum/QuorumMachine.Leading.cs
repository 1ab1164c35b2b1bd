using Broker.Runtime;

namespace Broker.Core.Quorum;

// Leading: taking entries in, giving them out, and counting who has them.
public sealed partial class QuorumMachine
{
    private readonly Dictionary<NodeId, VoterProgress> progress = [];      // the other voters
    private readonly List<WaitingFetch> waiting = [];                      // at most one per replica, in order of arrival
    private readonly Queue<WaitingProposal> proposals = [];
    private readonly SortedDictionary<NodeId, long> toldHighWatermark = [];
    private long epochStartOffset;
    private long ownCounted;
    private TimeSpan lastLed;

    /// <summary>What a leader knows of another voter: durable up to where, and when it last fetched.</summary>
    private readonly record struct VoterProgress(long EndOffset, TimeSpan LastFetch);

    private readonly record struct WaitingFetch(long ReplyTo, NodeId Replica, long FetchOffset, TimeSpan Until);

    private readonly record struct WaitingProposal(long ReplyTo, long Offset, long NextOffset);

    private void TakeLeadership(TimeSpan now)
    {
        (Leader, Role) = (Id, QuorumRole.Leader);
        epochStartOffset = log.EndOffset;
        ownCounted = 0;
        lastLed = now;
        progress.Clear();
        foreach (var voter in others) progress[voter] = new VoterProgress(0, now);
        foreach (var step in rules.LeadershipSteps())
        {
            if (step == LeadershipStep.Persist) PersistState();
            else if (step == LeadershipStep.Open) Store(new QuorumBatch(log.EndOffset, log.EndOffset + 1, Epoch, default, IsLeaderChange: true));
            else AskAll(now);
        }
        Emit(new QuorumEffect.BecameLeader(Epoch, epochStartOffset));
    }

    /// <summary>A leader's tick: am I still heard, whom must I tell again, which fetches have waited long enough.</summary>
    private void Lead(TimeSpan now)
    {
        lastLed = now;
        var heard = 1 + progress.Values.Count(p => rules.IsHeard(p.LastFetch, now, settings.CheckQuorumTimeout));
        if (!rules.KeepsQuorum(heard, voters.Count))
        {
            Resign(now);
            return;
        }
        Solicit(now);
        Offer(fetch => rules.IsDue(fetch.Until, now));
    }

    private IEnumerable<TimeSpan> WakesOfLeader()
    {
        foreach (var voter in unheard) yield return retryAt[voter];
        foreach (var fetch in waiting) yield return fetch.Until;
        foreach (var known in progress.Values)
            if (rules.IsHeard(known.LastFetch, lastLed, settings.CheckQuorumTimeout)) yield return known.LastFetch + settings.CheckQuorumTimeout;
        yield return TimeSpan.MaxValue;
    }

    private void OnPropose(QuorumInput.Propose proposal)
    {
        if (Role != QuorumRole.Leader)
        {
            Emit(new QuorumEffect.ProposalLost(proposal.ReplyTo));
            return;
        }
        var batch = new QuorumBatch(log.EndOffset, log.EndOffset + proposal.Records, Epoch, proposal.Bytes);
        proposals.Enqueue(new WaitingProposal(proposal.ReplyTo, batch.BaseOffset, batch.NextOffset));
        Store(batch);
    }

    private void Store(QuorumBatch batch)
    {
        foreach (var step in rules.LeaderAppendSteps())
        {
            switch (step)
            {
                case LeaderAppendStep.Append:
                    log.Append(batch.Epoch, batch.NextOffset);
                    Emit(new QuorumEffect.Append([batch]));
                    break;
                case LeaderAppendStep.Flush: FlushLog(); break;
                case LeaderAppendStep.Count:
                    ownCounted = log.EndOffset;
                    Commit();
                    break;
                case LeaderAppendStep.Offer: Offer(_ => false); break;
                default: throw new InvalidOperationException($"no such step: {step}");
            }
        }
    }

    private void OnFetchAsked(long replyTo, QuorumRequest.Fetch asked, TimeSpan now)
    {
        var error = rules.IsOlderEpoch(asked.Epoch, Epoch) ? QuorumError.FencedEpoch
            : rules.IsNewerEpoch(asked.Epoch, Epoch) ? QuorumError.UnknownEpoch
            : Role != QuorumRole.Leader ? QuorumError.NotLeader
            : QuorumError.None;
        if (error != QuorumError.None)
        {
            Answer(replyTo, new QuorumAnswer.Fetch(error, Epoch, Leader, HighWatermark, asked.FetchOffset, asked.FetchOffset, null, []));
            return;
        }

        unheard.Remove(asked.Replica);
        var known = progress.GetValueOrDefault(asked.Replica);
        var leaders = log.EndOf(asked.LastFetchedEpoch);
        if (rules.Diverges(asked.FetchOffset, asked.LastFetchedEpoch, leaders))
        {
            if (rules.Counts(voters, asked.Replica)) progress[asked.Replica] = known with { LastFetch = now };
            Answer(replyTo, new QuorumAnswer.Fetch(QuorumError.None, Epoch, Id, HighWatermark, asked.FetchOffset, asked.FetchOffset, leaders, []));
            return;
        }
        if (rules.Counts(voters, asked.Replica))
        {
            progress[asked.Replica] = new VoterProgress(rules.Progress(known.EndOffset, asked.FetchOffset), now);
            Commit();
        }
        Wait(new WaitingFetch(replyTo, asked.Replica, asked.FetchOffset, now + asked.MaxWait), now);
    }

    /// <summary>Moves the high watermark as far as a majority has flushed, and lets go who waits for that.</summary>
    private void Commit()
    {
        var offset = rules.MajorityOffset([.. progress.Values.Select(p => p.EndOffset).Append(ownCounted).OrderDescending()]);
        if (!rules.MayCommit(offset, epochStartOffset)) return;
        AdvanceTo(offset);
        while (proposals.TryPeek(out var first) && rules.IsCommitted(first.NextOffset, HighWatermark))
            Emit(new QuorumEffect.ProposalCommitted(proposals.Dequeue().ReplyTo, first.Offset));
        Offer(_ => false);
    }

    /// <summary>A replica has one fetch in flight; a newer one sends the older away.</summary>
    private void Wait(WaitingFetch fetch, TimeSpan now)
    {
        var older = waiting.FindIndex(w => w.Replica == fetch.Replica);
        if (older >= 0)
        {
            Give(waiting[older]);
            waiting.RemoveAt(older);
        }
        waiting.Add(fetch);
        Offer(w => rules.IsDue(w.Until, now));
    }

    private void Offer(Predicate<WaitingFetch> isOverdue)
    {
        for (var i = 0; i < waiting.Count;)
        {
            var fetch = waiting[i];
            var told = toldHighWatermark.GetValueOrDefault(fetch.Replica);
            if (rules.HasNews(fetch.FetchOffset, ReadLimit(fetch), told, HighWatermark) || isOverdue(fetch))
            {
                waiting.RemoveAt(i);
                Give(fetch);
            }
            else i++;
        }
    }

    private void Give(WaitingFetch fetch)
    {
        toldHighWatermark[fetch.Replica] = HighWatermark;
        var to = new[] { ReadLimit(fetch), fetch.FetchOffset }.Max();
        Answer(fetch.ReplyTo, new QuorumAnswer.Fetch(QuorumError.None, Epoch, Id, HighWatermark, fetch.FetchOffset, to, null, []));
    }

    private long ReadLimit(WaitingFetch fetch) => rules.ReadLimit(rules.Counts(voters, fetch.Replica), log.EndOffset, HighWatermark);

    private void EndLeadership()
    {
        foreach (var fetch in waiting)
            Answer(fetch.ReplyTo, new QuorumAnswer.Fetch(QuorumError.NotLeader, Epoch, NodeId.None, HighWatermark, fetch.FetchOffset, fetch.FetchOffset, null, []));
        waiting.Clear();
        toldHighWatermark.Clear();
        while (proposals.TryDequeue(out var proposal)) Emit(new QuorumEffect.ProposalLost(proposal.ReplyTo));
        Emit(new QuorumEffect.Resigned(Epoch));
    }
}
