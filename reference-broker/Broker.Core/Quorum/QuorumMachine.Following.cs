using Broker.Runtime;

namespace Broker.Core.Quorum;

// Following: finding the leader's log, cutting one's own to it, and storing what comes.
public sealed partial class QuorumMachine
{
    private const long NoFetch = -1;

    private long awaitedFetch = NoFetch;                                   // the fetch in flight
    private TimeSpan fetchAgainAt;

    private void OnBeginEpochAsked(long replyTo, QuorumRequest.BeginEpoch asked, TimeSpan now)
    {
        var newer = rules.IsNewerEpoch(asked.Epoch, Epoch);
        var error = rules.IsOlderEpoch(asked.Epoch, Epoch) ? QuorumError.FencedEpoch
            : !voters.Contains(asked.Leader.Value) || !rules.MayFollow(newer ? NodeId.None : Leader, asked.Leader, Id) ? QuorumError.Inconsistent
            : QuorumError.None;
        if (error == QuorumError.None && (newer || Role != QuorumRole.Follower)) Follow(asked.Epoch, asked.Leader, now);
        Answer(replyTo, new QuorumAnswer.BeginEpoch(error, Epoch, Leader));
    }

    private void Follow(int epoch, NodeId leader, TimeSpan now)
    {
        Leave();
        if (rules.IsNewerEpoch(epoch, Epoch)) VotedFor = NodeId.None;
        (Epoch, Leader, Role) = (epoch, leader, QuorumRole.Follower);
        WaitForLeader(now);
        foreach (var step in rules.FollowSteps())
        {
            if (step == FollowStep.Persist) PersistState();
            else SendFetch(now);
        }
        Emit(new QuorumEffect.Following(epoch, leader));
    }

    private void WaitForLeader(TimeSpan now) => deadline = now + rules.FetchDelay(settings.FetchTimeout, random.NextDouble());

    private void SendFetch(TimeSpan now)
    {
        Send(Leader, new QuorumRequest.Fetch(Epoch, Id, log.EndOffset, log.LastEpoch, settings.FetchMaxWait));
        awaitedFetch = lastRequestId;
        fetchAgainAt = now + settings.FetchMaxWait + settings.RequestTimeout;
    }

    private void OnFetchAnswered(QuorumInput.Answered answered, QuorumAnswer.Fetch answer, TimeSpan now)
    {
        if (Role != QuorumRole.Follower || !rules.IsFromLeader(answered.From, Leader)) return;
        var awaited = rules.IsAwaited(answered.RequestId, awaitedFetch);
        if (answer.Error != QuorumError.None)
        {
            if (awaited) fetchAgainAt = now + settings.RetryBackoff;
            return;
        }
        if (awaited) WaitForLeader(now);
        if (answer.Diverging is { } leaders)
        {
            if (awaited) CutTo(rules.TruncationOffset(leaders, log.EndOf(leaders.Epoch)), fetch: true, now);
            return;
        }
        Store(answer.Batches, awaited, now);
        AdvanceTo(rules.FollowerHighWatermark(answer.HighWatermark, log.EndOffset));
    }

    private void CutTo(long offset, bool fetch, TimeSpan now)
    {
        Invariant.Holds(offset >= HighWatermark);                          // what is committed is never taken back
        foreach (var step in rules.TruncateSteps())
        {
            switch (step)
            {
                case TruncateStep.Truncate:
                    log.Truncate(offset);
                    Emit(new QuorumEffect.Truncate(offset));
                    break;
                case TruncateStep.Flush: FlushLog(); break;
                case TruncateStep.Fetch: if (fetch) SendFetch(now); break;
                default: throw new InvalidOperationException($"no such step: {step}");
            }
        }
    }

    /// <summary>Stores what is new in the batches. A late or repeated answer finds its batches present and changes nothing.</summary>
    /// <param name="fetch">The answer was awaited: the next fetch follows it.</param>
    private void Store(IReadOnlyList<QuorumBatch> batches, bool fetch, TimeSpan now)
    {
        if (CutBefore(batches) is { } cut) CutTo(cut, fetch: false, now);
        var added = NewOf(batches);
        foreach (var step in rules.FollowerAppendSteps())
        {
            switch (step)
            {
                case FollowerAppendStep.Append: Append(added); break;
                case FollowerAppendStep.Flush: if (added.Count > 0) FlushLog(); break;
                case FollowerAppendStep.Fetch: if (fetch) SendFetch(now); break;
                default: throw new InvalidOperationException($"no such step: {step}");
            }
        }
    }

    private long? CutBefore(IReadOnlyList<QuorumBatch> batches)
    {
        if (batches.Count == 0) return null;
        var conflict = batches.TakeWhile(b => rules.IsPresent(b.NextOffset, log.EndOffset))
            .FirstOrDefault(b => rules.Conflicts(log.EpochAt(b.BaseOffset), b.Epoch));
        return rules.CutBeforeAppend(batches[0].BaseOffset, log.EndOffset, conflict?.BaseOffset);
    }

    private List<QuorumBatch> NewOf(IReadOnlyList<QuorumBatch> batches)
    {
        var added = new List<QuorumBatch>();
        var end = log.EndOffset;
        foreach (var batch in batches)
        {
            if (!rules.Continues(batch.BaseOffset, end)) continue;
            added.Add(batch);
            end = batch.NextOffset;
        }
        return added;
    }

    private void Append(List<QuorumBatch> added)
    {
        if (added.Count == 0) return;
        foreach (var batch in added) log.Append(batch.Epoch, batch.NextOffset);
        Emit(new QuorumEffect.Append([.. added]));
    }
}
