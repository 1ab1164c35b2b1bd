using Broker.Protocol;
using Broker.Runtime;

namespace Verify.Clients;

/// <summary>
/// A Kafka consumer in a group, classic protocol: subscribes, joins, takes the share that the leader gives (by ranges, eagerly: everything is given up before a new generation), reads, and commits as its
/// settings say. Everything that it decides is in <see cref="ClientRules"/>.
/// </summary>
/// <remarks>Between two polls only heartbeats are sent. Assignments change within polls alone.</remarks>
public sealed class WireGroupConsumer : IGroupConsumer
{
    private readonly IHost host;
    private readonly TaskScope scope;
    private readonly GroupConsumerSettings settings;
    private readonly ClientRules rules;
    private readonly IGroupWatcher? watcher;
    private readonly WireConsumer consumer;
    private readonly GroupMembership group;
    private readonly Signal wake;
    private readonly SortedDictionary<TopicPartition, Reached> reached = new(Comparer<TopicPartition>.Create(static (one, other) =>
        string.CompareOrdinal(one.Topic, other.Topic) is var byTopic and not 0 ? byTopic : one.Partition.CompareTo(other.Partition)));
    private readonly List<AssignmentChange> changes = [];
    private readonly List<CommitOutcome> commits = [];
    private IReadOnlyList<string> topics = [];
    private IReadOnlyList<TopicPartition> assigned = [];
    private int assignedIn = -1;
    private string assignedTo = "";
    private TimeSpan polledAt, committedAt;
    private Task? joining;
    private bool isBeating, isClosed;

    /// <param name="scope">Whoever owns it sees the failures of the consumer's background work.</param>
    /// <param name="watcher">Hears what the member asks of its coordinator, and what it is told; null: nobody listens.</param>
    public WireGroupConsumer(IHost host, TaskScope scope, GroupConsumerSettings settings, ClientRules? rules = null, IGroupWatcher? watcher = null)
    {
        this.host = host;
        this.scope = scope;
        this.settings = settings;
        this.rules = rules ?? ClientRules.Faithful;
        this.watcher = watcher;
        wake = new Signal(host.Time);
        consumer = new WireConsumer(host, scope, settings.Consumer, this.rules);
        group = new GroupMembership(host, scope, settings, this.rules, wake.Set);
        polledAt = committedAt = Now;
    }

    private TimeSpan Now => host.Time.GetElapsedTime(0);

    /// <summary>A poll may be shorter than a request: what it began is not cut off by its end.</summary>
    private TimeSpan RequestDeadline => Now + settings.Consumer.Connection.RequestTimeout;

    public void Subscribe(IReadOnlyList<string> topics)
    {
        this.topics = topics;
        group.Rejoin();
    }

    public async Task<GroupPollResult> PollAsync(TimeSpan timeout)
    {
        var deadline = Now + timeout;
        polledAt = Now;
        Beat();
        await CommitProcessedAsync();
        var records = new PollResult([], [], []);
        while (!isClosed)
        {
            if (group.MustJoin) await GiveUpSharesAsync();
            if (group.MustJoin || assignedIn < 0) await TakeSharesAsync(deadline);
            if (changes.Count > 0 || group.Fatal != ErrorCode.None || rules.IsDue(Now, deadline)) break;
            if (assignedIn < 0) continue;
            records = await consumer.PollAsync(ClusterMetadata.Shorter(deadline - Now, settings.HeartbeatInterval / 4));   // the coordinator may want something meanwhile
            if (records.Batches.Count > 0 && settings.Commits is CommitPolicy.BeforeProcessing && !await CommitBeforeAsync(records)) records = new PollResult([], [], records.Incidents);
            if (records.Batches.Count > 0 || records.Incidents.Count > 0) break;
        }
        foreach (var batch in records.Batches) Note(batch);
        polledAt = Now;
        var result = new GroupPollResult(records, [.. changes], [.. commits], group.Fatal);
        changes.Clear();
        commits.Clear();
        return result;
    }

    public Task<CommitOutcome> CommitAsync(TimeSpan timeout) => CommitReachedAsync(Now + timeout);

    public Task<CommitOutcome> CommitAsync(IReadOnlyDictionary<TopicPartition, long> offsets, TimeSpan timeout) =>
        CommitAsync(offsets.ToDictionary(static one => one.Key, static one => (one.Value, -1)), Now + timeout);

    public async Task<Answer<IReadOnlyDictionary<TopicPartition, long>>> CommittedAsync(IReadOnlyList<TopicPartition> partitions, TimeSpan timeout)
    {
        var answer = await group.CommittedAsync(partitions, Now + timeout);
        return new(answer.Error, answer.Value?.ToDictionary(static one => one.Key, static one => one.Value.Offset));
    }

    public async Task CloseAsync(TimeSpan timeout)
    {
        if (settings.Commits is CommitPolicy.AfterProcessing or CommitPolicy.Automatic && HasNews()) await CommitReachedAsync(Now + timeout);
        isClosed = true;
        await group.LeaveAsync(Now + timeout);
        group.Close();
        consumer.Close();
    }

    // Shares

    private void Beat()
    {
        if (isBeating) return;
        isBeating = true;
        scope.Start(() => group.BeatAsync(() => polledAt));
    }

    /// <summary>The generation is over: its positions are committed where that is automatic, and everything is given up.</summary>
    private async Task GiveUpSharesAsync()
    {
        if (assignedIn < 0) return;
        if (settings.Commits is CommitPolicy.AfterProcessing or CommitPolicy.Automatic && HasNews()) commits.Add(await CommitReachedAsync(RequestDeadline));
        DropShares();
    }

    private void DropShares()
    {
        consumer.Assign([]);
        changes.Add(new AssignmentChange(false, assignedTo, assignedIn, assigned));
        watcher?.GaveUp(assignedTo, assignedIn, assigned);
        if (rules.ForgetsPositions()) reached.Clear();
        (assigned, assignedIn) = ([], -1);
    }

    /// <summary>Joins, in the background if it takes longer than the poll, and begins to read where the group stands.</summary>
    private async Task TakeSharesAsync(TimeSpan deadline)
    {
        if (joining is null && group.MustJoin) scope.Start(() => joining = group.JoinAsync(topics));
        while (joining is { IsCompleted: false } && !rules.IsDue(Now, deadline)) await wake.WaitAsync(deadline - Now);
        if (joining is { IsCompleted: false } || group.Fatal != ErrorCode.None) return;
        joining = null;
        var (share, generation, member) = (group.Share, group.Generation, group.MemberId);
        watcher?.Asks(member, generation, share);
        var committed = await group.CommittedAsync(share, RequestDeadline);
        var isPresent = !group.MustJoin && rules.IsPresentGeneration(generation, group.Generation);
        watcher?.Learns(isPresent ? committed.Value?.ToDictionary(static one => one.Key, static one => one.Value.Offset) : null);
        if (committed.Value is not { } positions || !isPresent) return;
        consumer.Assign(share);
        foreach (var partition in share)
            if (positions.TryGetValue(partition, out var at) && rules.ResumesAt(at.Offset)) consumer.Resume(partition, at.Offset, rules.EpochToResume(at.Epoch));
        (assigned, assignedIn, assignedTo) = (share, generation, member);
        changes.Add(new AssignmentChange(true, member, generation, share));
    }

    // Offsets

    /// <summary>Another poll: what the last one returned is processed.</summary>
    private async Task CommitProcessedAsync()
    {
        var isDue = settings.Commits is CommitPolicy.AfterProcessing || settings.Commits is CommitPolicy.Automatic && rules.IsAutoCommitDue(Now - committedAt, settings.AutoCommitInterval);
        if (isDue && assignedIn >= 0 && HasNews()) commits.Add(await CommitReachedAsync(RequestDeadline));
    }

    private async Task<bool> CommitBeforeAsync(PollResult records)
    {
        foreach (var batch in records.Batches) Note(batch);
        var outcome = await CommitReachedAsync(RequestDeadline);
        commits.Add(outcome);
        if (outcome.Kind is OutcomeKind.Ok) return true;
        DropShares();                                                  // where the group stands is asked again, before anything more is read
        return false;
    }

    private void Note(PartitionRecords batch)
    {
        var last = batch.Records[^1];
        var committed = reached.TryGetValue(batch.Partition, out var before) ? before.Committed : -1;
        reached[batch.Partition] = new Reached(rules.PositionAfter(last.Offset), last.LeaderEpoch, committed);
    }

    private bool HasNews() => reached.Values.Any(position => rules.IsNewPosition(position.Offset, position.Committed));

    private async Task<CommitOutcome> CommitReachedAsync(TimeSpan deadline)
    {
        committedAt = Now;
        if (reached.Count == 0) return Settled(OutcomeKind.Ok, ErrorCode.None);
        if (!rules.IsPresentGeneration(assignedIn, group.Generation)) return Settled(OutcomeKind.Fail, ErrorCode.IllegalGeneration);
        var offsets = reached.ToDictionary(static one => one.Key, static one => (one.Value.Offset, one.Value.Epoch));
        var outcome = await CommitAsync(offsets, deadline);
        if (outcome.Kind is OutcomeKind.Ok)
            foreach (var (partition, (offset, _)) in offsets)
                if (reached.TryGetValue(partition, out var position)) reached[partition] = position with { Committed = offset };
        return outcome;
    }

    private CommitOutcome Settled(OutcomeKind kind, ErrorCode error) => new(kind, error, group.MemberId, group.Generation, new Dictionary<TopicPartition, long>());

    private async Task<CommitOutcome> CommitAsync(Dictionary<TopicPartition, (long Offset, int Epoch)> offsets, TimeSpan deadline)
    {
        watcher?.Commits(group.MemberId, group.Generation, offsets.ToDictionary(static one => one.Key, static one => one.Value.Offset));
        var outcome = await group.CommitAsync(offsets, deadline);
        watcher?.Hears(outcome);
        return outcome;
    }

    /// <summary>The position behind what was returned of a partition.</summary>
    private readonly record struct Reached(long Offset, int Epoch, long Committed);
}
