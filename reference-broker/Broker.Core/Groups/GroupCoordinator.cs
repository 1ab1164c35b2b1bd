using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Core.Groups;

/// <summary>
/// The coordinator of all groups of one partition of __consumer_offsets, for one term of that partition's leadership: a step machine. It is fed the partition's log, then requests, the fates of
/// its writes and the passing of time; it says what to answer and what to append. Who loses the leadership throws it away; its successor reads the log.
/// </summary>
/// <remarks>The classic protocol. Sources: Kafka's GroupCoordinator; KIP-62, KIP-134, KIP-211, KIP-345, KIP-394, KIP-814.</remarks>
public sealed partial class GroupCoordinator(GroupRules rules, GroupSettings settings, Prng prng)
{
    private readonly SortedDictionary<string, Group> groups = new(StringComparer.Ordinal);
    private readonly List<PendingWrite> writes = [];                   // in the order of the log
    private List<GroupEffect> effects = [];
    private long lastWrite;
    private TimeSpan lastRetentionCheck;

    public bool IsLoaded { get; private set; }

    /// <summary>The next record of the log, before <see cref="Loaded"/>.</summary>
    public void Replay(GroupRecord record, GroupTime at)
    {
        switch (record)
        {
            case GroupRecord.Offset { Value: { } value } it: Known(it.Group).Offsets[(it.Topic, it.Partition)] = value; break;
            case GroupRecord.Offset it when groups.TryGetValue(it.Group, out var group): group.Offsets.Remove((it.Topic, it.Partition)); break;
            case GroupRecord.Metadata { Value: { } value } it: Restore(Known(it.Group), value, at); break;
            case GroupRecord.Metadata it when groups.TryGetValue(it.Group, out var group): Forget(group); break;
        }
    }

    /// <summary>The whole log is replayed. Every member gets a full session from here.</summary>
    public void Loaded(GroupTime at)
    {
        IsLoaded = true;
        lastRetentionCheck = at.Monotonic;
        foreach (var member in groups.Values.SelectMany(static group => group.Members)) member.LastContact = at.Monotonic;
    }

    public IReadOnlyList<GroupEffect> Step(GroupInput input, GroupTime at)
    {
        switch (input)
        {
            case GroupInput.Request it when !rules.MayServe(IsLoaded): Answer(it.Caller, GroupRefusal.Of(it.Body, it.Caller.Version, ErrorCode.CoordinatorLoadInProgress)); break;
            case GroupInput.Request it: Serve(it.Caller, it.Body, at); break;
            case GroupInput.Appended it: LiesInLog(it.Write, it.NextOffset); break;
            case GroupInput.Refused it: Refuse(it.Write, it.Error, at); break;
            case GroupInput.Committed it: Commit(it.HighWatermark, at); break;
            case GroupInput.TopicsGone it: DropOffsets(it.IsGone, at); break;
            case GroupInput.Tick: Pass(at); break;
            default: throw new InvalidOperationException($"unknown input {input}");
        }
        var done = effects;
        effects = [];
        return done;
    }

    /// <summary>How long until <see cref="GroupInput.Tick"/> may have something to do, at least 1 ms.</summary>
    public TimeSpan UntilNextTick(TimeSpan now)
    {
        var next = lastRetentionCheck + settings.RetentionCheckInterval;
        foreach (var write in writes)
            if (!write.WasLate) Sooner(write.Since + settings.CommitTimeout);
        foreach (var group in groups.Values)
        {
            if (group.State is GroupState.PreparingRebalance || IsAwaitingSync(group)) Sooner(group.PhaseStart + group.PhaseLimit);
            foreach (var (since, limit) in group.ToCome.Values) Sooner(since + limit);
            foreach (var member in group.Members)
                if (!IsKeptAlive(member)) Sooner(member.LastContact + member.SessionTimeout);
        }
        return TimeSpan.FromTicks(Math.Max((next - now).Ticks, TimeSpan.TicksPerMillisecond));

        void Sooner(TimeSpan other) => next = TimeSpan.FromTicks(Math.Min(next.Ticks, other.Ticks));
    }

    /// <summary>Between any two steps. A stable group has a leader among its members, a protocol that all of them know, and nobody waiting to be told.</summary>
    public void AssertInvariants()
    {
        foreach (var group in groups.Values)
        {
            Invariant.Holds(group.State is not GroupState.Dead);
            Invariant.Holds(group.State is not GroupState.Empty || group.Members.Count == 0);
            if (group.State is not (GroupState.Stable or GroupState.CompletingRebalance)) continue;
            Invariant.Holds(group.Members.Exists(member => member.Id == group.Leader));
            Invariant.Holds(group.CommonProtocols().Contains(group.Protocol!));
            Invariant.Holds(!group.Members.Exists(static member => member.Joining is not null));
            Invariant.Holds(group.State is not GroupState.Stable || !group.Members.Exists(static member => member.Syncing is not null));
        }
    }

    private void Serve(GroupCaller caller, IMessage body, GroupTime at)
    {
        switch (body)
        {
            case JoinGroupRequest it: Join(caller, it, at); break;
            case SyncGroupRequest it: Sync(caller, it, at); break;
            case HeartbeatRequest it: Heartbeat(caller, it, at); break;
            case LeaveGroupRequest it: Leave(caller, it, at); break;
            case OffsetCommitRequest it: CommitOffsets(caller, it, at); break;
            case OffsetDeleteRequest it: DeleteOffsets(caller, it, at); break;
            case DeleteGroupsRequest it: DeleteGroup(caller, it, at); break;
            default: throw new InvalidOperationException($"no request to a group: {body}");
        }
    }

    private void Answer(GroupCaller caller, IMessage message) => effects.Add(new GroupEffect.Answer(caller.Ticket, message));

    // Groups

    private Group Known(string id)
    {
        if (!groups.TryGetValue(id, out var group)) groups.Add(id, group = new Group(id));
        return group;
    }

    private void Restore(Group group, GroupMetadata value, GroupTime at)
    {
        group.Members.Clear();
        group.Become(value.Members.Count == 0 ? GroupState.Empty : GroupState.Stable, at with { UtcMs = value.StateTimestampMs });
        (group.Generation, group.ProtocolType, group.Protocol, group.Leader) = (value.Generation, value.ProtocolType.Length == 0 ? null : value.ProtocolType, value.Protocol, value.Leader);
        foreach (var stored in value.Members)
            group.Members.Add(new Member(stored.MemberId, stored.InstanceId)
            {
                ClientId = stored.ClientId,
                ClientHost = stored.ClientHost,
                SessionTimeout = TimeSpan.FromMilliseconds(stored.SessionTimeoutMs),
                RebalanceTimeout = TimeSpan.FromMilliseconds(stored.RebalanceTimeoutMs),
                Protocols = [new JoinGroupProtocol { Name = value.Protocol ?? "", Metadata = stored.Subscription }],
                Assignment = stored.Assignment,
                LastContact = at.Monotonic,
                HasSynced = true,
            });
    }

    private void Forget(Group group)
    {
        groups.Remove(group.Id);
        group.Become(GroupState.Dead, default);
    }

    // Writes

    /// <param name="committed">Done once the write is replicated, whatever was answered before.</param>
    /// <param name="refused">Done at once where the write fails, or when it took too long: it may be replicated later all the same.</param>
    /// <param name="appended">Done once the write lies in the log.</param>
    private void Write(IReadOnlyList<GroupRecord> records, GroupTime at, Action<GroupTime> committed, Action<ErrorCode, GroupTime> refused, Action? appended = null)
    {
        var write = new PendingWrite(++lastWrite, records[0].Group, at.Monotonic, committed, refused, appended);
        writes.Add(write);
        effects.Add(new GroupEffect.Append(write.Id, records));
    }

    private void LiesInLog(long id, long nextOffset)
    {
        var write = writes.Find(write => write.Id == id)!;
        write.NextOffset = nextOffset;
        write.Appended?.Invoke();
    }

    private void Refuse(long id, ErrorCode error, GroupTime at)
    {
        var write = writes.Find(write => write.Id == id)!;
        writes.Remove(write);
        write.Refused(rules.ErrorOfWrite(error), at);
    }

    private void Commit(long highWatermark, GroupTime at)
    {
        while (writes is [{ NextOffset: >= 0 } first, ..] && rules.IsReplicated(highWatermark, first.NextOffset))
        {
            writes.RemoveAt(0);
            first.Committed(at);
        }
    }

    // Time

    private void Pass(GroupTime at)
    {
        foreach (var write in writes.ToArray())
        {
            if (write.WasLate || !rules.WriteIsLate(at.Monotonic - write.Since, settings.CommitTimeout)) continue;
            write.WasLate = true;
            write.Refused(rules.ErrorOfWrite(ErrorCode.RequestTimedOut), at);
        }
        foreach (var group in groups.Values.ToArray())
        {
            ExpireSessions(group, at);
            if (group.State is GroupState.PreparingRebalance) ExpireJoining(group, at);
            if (IsAwaitingSync(group)) ExpireSync(group, at);
        }
        if (!rules.RetentionCheckIsDue(at.Monotonic - lastRetentionCheck, settings.RetentionCheckInterval)) return;
        lastRetentionCheck = at.Monotonic;
        foreach (var group in groups.Values.ToArray()) ExpireOffsets(group, at);
    }

    private void ExpireSessions(Group group, GroupTime at)
    {
        foreach (var (id, (since, limit)) in group.ToCome.ToArray())
        {
            if (!rules.SessionIsOver(at.Monotonic - since, limit)) continue;
            group.ToCome.Remove(id);
            if (group.State is GroupState.PreparingRebalance) EndJoiningIfComplete(group, at);
        }
        foreach (var member in group.Members.ToArray())
            if (!IsKeptAlive(member) && rules.SessionIsOver(at.Monotonic - member.LastContact, member.SessionTimeout)) Remove(group, member, at);
    }

    private bool IsKeptAlive(Member member) => rules.IsKeptAlive(member.Joining is not null, member.Syncing is not null);

    /// <summary>A write on its way to the replicas, of one group.</summary>
    private sealed class PendingWrite(long id, string group, TimeSpan since, Action<GroupTime> committed, Action<ErrorCode, GroupTime> refused, Action? appended)
    {
        public long Id { get; } = id;

        public string Group { get; } = group;

        public TimeSpan Since { get; } = since;

        public Action<GroupTime> Committed { get; } = committed;

        public Action<ErrorCode, GroupTime> Refused { get; } = refused;

        public Action? Appended { get; } = appended;

        public long NextOffset { get; set; } = -1;

        public bool WasLate { get; set; }
    }
}
