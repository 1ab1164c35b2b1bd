using Broker.Core.Log;
using Broker.Core.Metadata;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Core.Replication;

/// <summary>An ISR that a leader has asked the controller for, from the state of the partition in which it asked.</summary>
public sealed record IsrProposal(NodeSet Isr, int LeaderEpoch, int PartitionEpoch);

/// <summary>What a change of metadata made of the local replica.</summary>
public enum RoleChange
{
    None,
    BecameLeader,
    BecameFollower,
}

/// <summary>One replica of a partition on one broker: its log, its role, and the high watermark it knows.</summary>
/// <remarks>
/// Synchronous: every call changes state completely or not at all. <see cref="Changed"/> is raised when the log end or the high watermark moved, or
/// the role did. Invariant: LogStartOffset &lt;= HighWatermark &lt;= LogEndOffset; a leader's epoch and high watermark never go back.
/// </remarks>
public sealed class Partition(int self, TopicPartition id, Guid topicId, PartitionLog log, ReplicationRules rules, Action<Observation> observe)
{
    private readonly SortedDictionary<int, Follower> followers = [];
    private PartitionState state = new([], default, default, -1, PartitionState.NoLeader, -1, -1);
    private TopicSettings settings = TopicSettings.KafkaDefaults;
    private long countedEndOffset;                                     // what this leader counts of its own log: flushed, where flush.messages asks for it
    private long epochStartOffset;
    private bool settled;

    public TopicPartition Id { get; } = id;

    public Guid TopicId { get; } = topicId;

    public PartitionLog Log { get; } = log;

    public PartitionState State => state;

    public int LeaderEpoch => state.LeaderEpoch;

    /// <summary>min.insync.replicas, at most the number of replicas.</summary>
    public int MinInSyncReplicas => Math.Min(settings.MinInSyncReplicas, state.Replicas.Length);

    public bool IsLeader => state.Leader == self;

    public long HighWatermark { get; private set; } = log.LogStartOffset;

    /// <summary>max.message.bytes: of one batch.</summary>
    public int MaxMessageBytes => settings.MaxMessageBytes;

    /// <summary>cleanup.policy has "delete": records may be deleted before their time.</summary>
    public bool DeletesRecords => settings.Delete;

    /// <summary>cleanup.policy has "compact": of each key the newest record is kept.</summary>
    public bool Compacts => settings.Compact;

    /// <summary>Records get the time at which their leader appended them (message.timestamp.type=LogAppendTime).</summary>
    public bool StampsTime => settings.LogAppendTime;

    /// <summary>The ISR asked of the controller and not answered yet; null when none.</summary>
    public IsrProposal? Proposal { get; private set; }

    public event Action? Changed;

    /// <summary>Nothing is written any more: the node is stopping, and what it saves of the log must stay true.</summary>
    public bool IsFrozen { get; private set; }

    public void Freeze() => IsFrozen = true;

    // Role

    public RoleChange Apply(PartitionState next, TopicSettings topic)
    {
        settings = topic;
        Log.Settings = LogSettings.Of(topic);
        if (!rules.IsNewPartitionState(next.PartitionEpoch, state.PartitionEpoch))
        {
            AdvanceHighWatermark();                                    // min.insync.replicas may be another now
            return RoleChange.None;
        }
        var newLeadership = rules.IsNewLeadership(next.LeaderEpoch, state.LeaderEpoch);
        state = next;
        Proposal = null;
        if (!newLeadership)
        {
            GiveIsrItsTime();
            AdvanceHighWatermark();
            return RoleChange.None;
        }
        settled = false;
        followers.Clear();
        return IsLeader ? Lead() : Follow();
    }

    private RoleChange Lead()
    {
        epochStartOffset = Log.LogEndOffset;
        countedEndOffset = Log.NeedsFlush ? Log.FlushedEndOffset : Log.LogEndOffset;
        foreach (var replica in state.Replicas)
            if (replica != self) followers.Add(replica, new Follower());
        observe(new Observation(ObservationKind.BecameLeader, new NodeId(self), Id, LeaderEpoch, Log.LogEndOffset, HighWatermark, Nodes: state.Isr));
        AdvanceHighWatermark();
        Changed?.Invoke();
        return RoleChange.BecameLeader;
    }

    private RoleChange Follow()
    {
        observe(new Observation(ObservationKind.BecameFollower, new NodeId(self), Id, LeaderEpoch, Log.LogEndOffset, HighWatermark, state.Leader));
        if (!IsFrozen) Truncate(rules.TruncateOnBecomingFollower(HighWatermark, Log.LogEndOffset));
        Changed?.Invoke();
        return RoleChange.BecameFollower;
    }

    /// <summary>Makes the log durable up to its present end; the observation tells how far that got.</summary>
    public async ValueTask FlushAsync()
    {
        var before = Log.FlushedEndOffset;
        await Log.FlushAsync();
        if (rules.Moves(Log.FlushedEndOffset, before)) observe(new Observation(ObservationKind.Flushed, new NodeId(self), Id, LeaderEpoch, EndOffset: Log.FlushedEndOffset));
    }

    /// <summary>Compacts the log as far as that is worth while and allowed; the observation tells how far it came, and what it left out.</summary>
    /// <param name="now">Monotonic time.</param>
    public async ValueTask CleanAsync(TimeSpan now)
    {
        if (IsFrozen) return;
        var before = Log.FlushedEndOffset;
        var bounds = new CleaningBounds(HighWatermark, LowestDurableEnd, now, TimeSpan.FromMilliseconds(settings.DeleteRetentionMs), settings.MinCleanableDirtyRatio);
        var removed = await Log.CleanAsync(bounds);
        if (rules.Moves(Log.FlushedEndOffset, before)) observe(new Observation(ObservationKind.Flushed, new NodeId(self), Id, LeaderEpoch, EndOffset: Log.FlushedEndOffset));
        if (removed > 0) observe(new Observation(ObservationKind.Cleaned, new NodeId(self), Id, LeaderEpoch, Log.LogStartOffset, Log.CleanedEndOffset, removed));
    }

    /// <summary>A power loss would take something.</summary>
    public bool HasUnflushed => rules.Moves(Log.LogEndOffset, Log.FlushedEndOffset);

    /// <summary>flush.ms: how long an append may wait for its flush at most; <see cref="long.MaxValue"/>: for ever.</summary>
    public long FlushMs => settings.FlushMs;

    /// <summary>Its topic deletes records by time or size.</summary>
    public bool Retains => settings.Delete && (settings.RetentionMs >= 0 || settings.RetentionBytes >= 0);

    /// <summary>Leader: deletes segments that are too old or too many, up to the high watermark; durably, once it returns. Followers hear of it with their next fetch.</summary>
    /// <param name="nowMs">Wall clock, milliseconds since 1970.</param>
    public async ValueTask RetainAsync(long nowMs)
    {
        if (!IsLeader || !Retains || IsFrozen) return;
        Log.MoveStartTo(Log.RetainedStart(nowMs, settings.RetentionMs, settings.RetentionBytes, HighWatermark));
        if (Log.HasUnsavedStart) await Log.SaveStartAsync();
    }

    /// <summary>Below it every replica has everything, safe from a power loss. Only a leader knows, and only of followers that told it in its epoch: -1.</summary>
    private long LowestDurableEnd
    {
        get
        {
            if (!IsLeader) return -1;
            var lowest = Log.FlushedEndOffset;
            foreach (var follower in followers.Values) lowest = rules.LowestEnd(lowest, follower.DurableEndOffset);
            return lowest;
        }
    }

    // Leading

    /// <summary>Judges and appends one validated batch; <see cref="Appended"/> must follow once it may count.</summary>
    public AppendOutcome Append(in RecordBatch batch, short acks)
    {
        if (!IsLeader || IsFrozen) return new AppendOutcome(ErrorCode.NotLeaderOrFollower, -1, -1);
        if (acks == -1 && !rules.HasEnoughReplicas(state.Isr.Count, MinInSyncReplicas))
            return new AppendOutcome(ErrorCode.NotEnoughReplicas, -1, -1);

        var outcome = Log.Append(batch, LeaderEpoch);
        if (outcome.Error == ErrorCode.None && !outcome.IsDuplicate)
            observe(new Observation(ObservationKind.Appended, new NodeId(self), Id, LeaderEpoch, outcome.BaseOffset, outcome.NextOffset, Bytes: batch.Bytes));
        return outcome;
    }

    /// <summary>The leader's own log counts up to here: appended, and flushed where flush.messages demands it before the answer.</summary>
    public void Appended(int leaderEpoch, long nextOffset)
    {
        if (!rules.StillLeads(leaderEpoch, LeaderEpoch) || !IsLeader) return;
        countedEndOffset = Math.Max(countedEndOffset, nextOffset);
        AdvanceHighWatermark();
        Changed?.Invoke();
    }

    /// <summary>Whether an acks=all append that ended at <paramref name="nextOffset"/> may be answered now.</summary>
    public bool IsCommitted(long nextOffset) => rules.IsCommitted(HighWatermark, nextOffset);

    public bool HasEnoughReplicas => rules.HasEnoughReplicas(state.Isr.Count, MinInSyncReplicas);

    /// <summary>Whether this leader knows a broker as another replica of the partition.</summary>
    public bool HasFollower(int replica) => followers.ContainsKey(replica);

    /// <summary>A follower fetches from <paramref name="fetchOffset"/>: it has everything below. May make it worth asking for a larger ISR.</summary>
    public void FollowerFetched(int follower, long brokerEpoch, long fetchOffset, TimeSpan now)
    {
        if (!IsLeader || !followers.TryGetValue(follower, out var known)) return;
        known.Fetched(brokerEpoch, fetchOffset, Log.LogEndOffset, now, rules);
        AdvanceHighWatermark();
    }

    /// <summary>A follower tells where its log starts.</summary>
    public void FollowerStarts(int follower, long logStartOffset)
    {
        if (!IsLeader || !followers.TryGetValue(follower, out var known) || !rules.Moves(logStartOffset, known.StartOffset)) return;
        known.StartOffset = logStartOffset;
        Changed?.Invoke();
    }

    /// <summary>A follower tells up to where its log outlives a power loss; -1: it does not say.</summary>
    public void FollowerIsDurable(int follower, long durableEnd)
    {
        if (IsLeader && followers.TryGetValue(follower, out var known)) known.DurableEndOffset = durableEnd;
    }

    /// <summary>Deletes what lies below an offset, -1 the high watermark, here; followers hear of it. Errors: NOT_LEADER_OR_FOLLOWER, POLICY_VIOLATION, OFFSET_OUT_OF_RANGE.</summary>
    public ErrorCode Trim(long offset, out long movedTo)
    {
        movedTo = offset == -1 ? HighWatermark : offset;
        if (!IsLeader || IsFrozen) return ErrorCode.NotLeaderOrFollower;
        if (!DeletesRecords) return ErrorCode.PolicyViolation;
        if (!rules.MayTrimTo(movedTo, HighWatermark)) return ErrorCode.OffsetOutOfRange;
        Log.MoveStartTo(movedTo);
        return ErrorCode.None;
    }

    /// <summary>Where the logs of all replicas alive have started at least; -1 while one has not told.</summary>
    public long LowWatermark(Func<int, bool> isAlive)
    {
        var lowest = Log.LogStartOffset;
        foreach (var (replica, follower) in followers)
            if (isAlive(replica)) lowest = rules.LowestStart(lowest, follower.StartOffset);
        return lowest;
    }

    /// <summary>The ISR without those who lag, to be looked at now and then; null when nobody does, or a question is open: there is one at a time.</summary>
    /// <param name="now">Monotonic time.</param>
    public NodeSet? IsrWithoutLaggards(TimeSpan now, TimeSpan maximumLag)
    {
        if (!IsLeader || Proposal is not null) return null;
        var wanted = state.Isr;
        foreach (var (replica, follower) in followers)
            if (state.Isr.Contains(replica) && follower.HasLagged(now, maximumLag, Log.LogEndOffset, rules)) wanted = wanted.Without(replica);
        return wanted == state.Isr ? null : wanted;
    }

    /// <summary>The ISR with a follower that has just fetched; null when it may not join, is in it, or a question is open.</summary>
    /// <param name="isAlive">Unfenced in this broker's metadata, with the broker epoch given (KIP-903).</param>
    public NodeSet? IsrWith(int replica, Func<int, long, bool> isAlive)
    {
        if (!IsLeader || Proposal is not null || state.Isr.Contains(replica) || !followers.TryGetValue(replica, out var follower)) return null;
        var joins = follower.HasFetched && rules.MayJoinIsr(follower.EndOffset, HighWatermark, epochStartOffset) && isAlive(replica, follower.BrokerEpoch);
        return joins ? state.Isr.With(replica) : null;
    }

    public IsrProposal ProposeIsr(NodeSet proposed)
    {
        Proposal = new IsrProposal(proposed, LeaderEpoch, state.PartitionEpoch);
        observe(new Observation(ObservationKind.IsrProposed, new NodeId(self), Id, LeaderEpoch, state.PartitionEpoch, Nodes: proposed));
        AdvanceHighWatermark();
        return Proposal;
    }

    /// <summary>The controller answered: it committed this ISR, or (null) refused it for good. An answer to an overtaken question changes nothing.</summary>
    public void IsrAnswered(IsrProposal proposal, NodeSet? committed, int partitionEpoch)
    {
        if (!ReferenceEquals(Proposal, proposal)) return;
        if (committed is { } isr && rules.IsNewPartitionState(partitionEpoch, state.PartitionEpoch))
        {
            state = state with { Isr = isr, PartitionEpoch = partitionEpoch };
            GiveIsrItsTime();
        }
        Proposal = null;
        AdvanceHighWatermark();
    }

    /// <summary>Broker epoch under which a follower last fetched (KIP-903), -1 when it has not.</summary>
    public long BrokerEpochOf(int follower) => followers.TryGetValue(follower, out var known) ? known.BrokerEpoch : -1;

    /// <summary>
    /// Who is in the ISR has replica.lag.time.max.ms from here to reach the log end. Without it, a follower that joins at a high watermark that stands below the log end
    /// would leave at once, for having been away. Source: Kafka's Replica.resetReplicaState, at each new state of the partition.
    /// </summary>
    private void GiveIsrItsTime()
    {
        foreach (var replica in state.Isr.Ids())
            if (followers.TryGetValue(replica, out var follower)) follower.CountAnew();
    }

    private void AdvanceHighWatermark()
    {
        if (!IsLeader || !rules.HighWatermarkMayMove(state.Isr.Count, MinInSyncReplicas)) return;
        var lowest = countedEndOffset;
        foreach (var replica in rules.MaximalIsr(state.Isr, Proposal?.Isr ?? state.Isr).Ids())
            if (replica != self) lowest = rules.LowestEnd(lowest, followers.TryGetValue(replica, out var follower) ? follower.EndOffset : -1);
        if (!rules.HighWatermarkAdvances(lowest, HighWatermark)) return;
        SetHighWatermark(lowest);
        Changed?.Invoke();
    }

    // Following

    /// <summary>Epoch to send with a fetch so that the leader can tell where the logs part; -1 when that is settled or the log is empty.</summary>
    public int LastFetchedEpoch => settled ? -1 : Log.LastEpoch;

    /// <summary>The leader's answer says where the logs part.</summary>
    public void Diverged(EpochEnd leaders)
    {
        if (IsFrozen) return;
        var way = rules.Reconcile(leaders, Log.EndOfEpoch(leaders.Epoch), Log.LogEndOffset);
        settled = way.IsSettled;
        Truncate(way.TruncateTo);
    }

    /// <summary>The leader's answer brings records and its high watermark.</summary>
    public ErrorCode Replicate(ReadOnlyMemory<byte> batches, long leaderHighWatermark)
    {
        if (IsFrozen) return ErrorCode.NotLeaderOrFollower;
        var error = ErrorCode.None;
        foreach (var step in rules.ReplicationSteps())
        {
            switch (step)
            {
                case ReplicationStep.Append: error = AppendReplicated(batches); break;
                case ReplicationStep.AdvanceHighWatermark: SetHighWatermark(rules.HighWatermarkFrom(Log.LogStartOffset, rules.FollowerHighWatermark(leaderHighWatermark, Log.LogEndOffset))); break;
                default: throw new InvalidOperationException($"unknown replication step {step}");
            }
        }
        return error;
    }

    /// <summary>The leader's answer tells where its log starts.</summary>
    public void FollowStart(long leaderLogStartOffset)
    {
        if (!IsFrozen) Log.MoveStartTo(rules.FollowerStart(leaderLogStartOffset, HighWatermark));
    }

    /// <summary>What this follower needs next is no longer there: if its log ends below the leader's start, it begins anew.</summary>
    public void FollowFrom(long leaderLogStartOffset)
    {
        if (IsFrozen || !rules.HasFallenBehind(leaderLogStartOffset, Log.LogEndOffset)) return;
        Log.RestartAt(leaderLogStartOffset);
        SetHighWatermark(leaderLogStartOffset);
    }

    private ErrorCode AppendReplicated(ReadOnlyMemory<byte> batches)
    {
        if (batches.IsEmpty) return ErrorCode.None;
        var from = Log.LogEndOffset;
        var error = Log.AppendReplicated(batches);
        observe(new Observation(ObservationKind.Replicated, new NodeId(self), Id, LeaderEpoch, from, Log.LogEndOffset, state.Leader, Bytes: batches));
        return error;
    }

    private void Truncate(long newEnd)
    {
        var oldEnd = Log.LogEndOffset;
        Log.TruncateTo(newEnd);
        if (!rules.Moves(Log.LogEndOffset, oldEnd)) return;
        observe(new Observation(ObservationKind.Truncated, new NodeId(self), Id, LeaderEpoch, Log.LogEndOffset, oldEnd, state.Leader));
        HighWatermark = Math.Min(HighWatermark, Log.LogEndOffset);
    }

    // Reading

    /// <summary>Whether, and where, a follower's log has parted from this one (KIP-595).</summary>
    public EpochEnd? Divergence(int lastFetchedEpoch, long fetchOffset)
    {
        var own = Log.EndOfEpoch(lastFetchedEpoch);
        return rules.HasDiverged(lastFetchedEpoch, fetchOffset, own) ? own : null;
    }

    /// <summary>What a leader says about the end of an epoch (OffsetForLeaderEpoch).</summary>
    public EpochEnd AnswerEpoch(int askedEpoch) => rules.AnswerEpoch(askedEpoch, LeaderEpoch, Log.EndOfEpoch(askedEpoch), Log.LogEndOffset);

    public ErrorCode Fence(int requestLeaderEpoch) => rules.FenceRequest(requestLeaderEpoch, LeaderEpoch);

    public long VisibleEnd(bool isFollower) => rules.VisibleEnd(isFollower, HighWatermark, Log.LogEndOffset);

    public bool HasNews(bool isFollower, long fetchOffset) => rules.HasNews(VisibleEnd(isFollower), fetchOffset);

    public bool MayTellEnd => rules.MayTellEnd(HighWatermark, epochStartOffset);

    public void AssertInvariants()
    {
        Log.AssertInvariants();
        Invariant.Holds(HighWatermark <= Log.LogEndOffset);
        Invariant.Holds(HighWatermark >= Log.LogStartOffset);
    }

    private void SetHighWatermark(long value)
    {
        if (!rules.Moves(value, HighWatermark)) return;
        HighWatermark = value;
        observe(new Observation(ObservationKind.HighWatermark, new NodeId(self), Id, LeaderEpoch, value));
    }

    /// <summary>What a leader knows of one follower.</summary>
    private sealed class Follower
    {
        private TimeSpan lastCaughtUp = TimeSpan.MinValue;
        private TimeSpan lastFetch = TimeSpan.MinValue;
        private long leaderEndAtLastFetch = long.MaxValue;

        public long EndOffset { get; private set; } = -1;

        public long BrokerEpoch { get; private set; } = -1;

        public long StartOffset { get; set; } = -1;

        public long DurableEndOffset { get; set; } = -1;

        public bool HasFetched => lastFetch != TimeSpan.MinValue;

        public void Fetched(long brokerEpoch, long fetchOffset, long leaderEnd, TimeSpan now, ReplicationRules rules)
        {
            if (rules.IsCaughtUp(fetchOffset, leaderEnd)) lastCaughtUp = now;
            else if (HasFetched && rules.IsCaughtUp(fetchOffset, leaderEndAtLastFetch)) lastCaughtUp = lastFetch;
            (BrokerEpoch, EndOffset, leaderEndAtLastFetch, lastFetch) = (brokerEpoch, fetchOffset, leaderEnd, now);
        }

        /// <summary>Its lag counts from the moment it is looked at next, and not from when it was last caught up.</summary>
        public void CountAnew() => lastCaughtUp = TimeSpan.MinValue;

        /// <summary>A follower that this leader has not heard yet counts from the moment it is first looked at.</summary>
        public bool HasLagged(TimeSpan now, TimeSpan maximum, long leaderEnd, ReplicationRules rules)
        {
            if (lastCaughtUp == TimeSpan.MinValue) lastCaughtUp = now;
            return !rules.IsCaughtUp(EndOffset, leaderEnd) && rules.HasLagged(now - lastCaughtUp, maximum);
        }
    }
}
