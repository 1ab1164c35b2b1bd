using Broker.Protocol;
using Broker.Runtime;

namespace Verify.Clients;

/// <summary>
/// A Kafka consumer on the wire, with manual assignment: one fetch at a time per leader, without sessions, answers kept until they are polled. Deterministic and on one loop;
/// everything that it decides is in <see cref="ClientRules"/>.
/// </summary>
/// <remarks>A position never moves without the caller but past records that were returned (or that nobody may see), or together with a <see cref="PollIncident"/>.</remarks>
public sealed partial class WireConsumer : ILogConsumer
{
    private const int SessionlessEpoch = -1;
    private const int ConsumerReplicaId = -1;

    private readonly IHost host;
    private readonly TaskScope scope;
    private readonly ConsumerSettings settings;
    private readonly ClientRules rules;
    private readonly ClusterMetadata metadata;
    private readonly Signal wake;
    private readonly List<PollIncident> incidents = [];
    private readonly HashSet<BrokerLink> fetching = [];
    private List<AssignedPartition> assigned = [];
    private int firstInTurn;
    private bool isDirty;

    /// <param name="scope">Whoever owns it sees the failures of the consumer's background work.</param>
    public WireConsumer(IHost host, TaskScope scope, ConsumerSettings settings, ClientRules? rules = null)
    {
        this.host = host;
        this.scope = scope;
        this.settings = settings;
        this.rules = rules ?? ClientRules.Faithful;
        wake = new Signal(host.Time);
        metadata = new ClusterMetadata(host, scope, settings.Connection, this.rules, Wake);
    }

    private TimeSpan Now => host.Time.GetElapsedTime(0);

    public void Assign(IReadOnlyList<TopicPartition> partitions)
    {
        var before = assigned;
        assigned = [.. partitions.Select(partition => before.Find(a => a.Partition == partition) ?? Begin(partition))];
        foreach (var left in before)
            if (!assigned.Contains(left)) left.GiveUp();
        firstInTurn = 0;
    }

    public void Seek(TopicPartition partition, long offset) => Assigned(partition).SeekTo(offset, positionEpoch: -1, validatedUnder: -1);

    public void Resume(TopicPartition partition, long offset, int epoch) => Assigned(partition).SeekTo(offset, epoch, validatedUnder: -1);

    public void SeekToBeginning(TopicPartition partition) => LookFor(Assigned(partition), OffsetAt.Earliest);

    public void SeekToEnd(TopicPartition partition) => LookFor(Assigned(partition), OffsetAt.Latest);

    public long? Position(TopicPartition partition) => Assigned(partition) is { HasPosition: true } known ? known.Position : null;

    public async Task<PollResult> PollAsync(TimeSpan timeout)
    {
        var deadline = Now + timeout;
        foreach (var partition in assigned) partition.AnsweredEmpty = false;
        while (true)
        {
            isDirty = false;
            var next = StartWork(deadline);
            if (HasSomething() || rules.IsDue(Now, deadline)) return Harvest();
            if (isDirty) await Task.Yield();
            else await wake.WaitAsync(ClusterMetadata.Shorter(next, deadline) - Now);
        }
    }

    public async Task<Answer<ListedOffset>> ListOffsetAsync(TopicPartition partition, OffsetAt at, TimeSpan timeout)
    {
        var deadline = Now + timeout;
        var error = ErrorCode.RequestTimedOut;
        for (var attempt = 1; await metadata.FindLeaderAsync(partition, deadline) is { } leader; attempt++)
        {
            (error, var found) = await AskOffsetAsync(leader.Link, partition, leader.Leadership.Epoch, at, ClusterMetadata.Shorter(deadline - Now, settings.Connection.RequestTimeout));
            if (error is ErrorCode.None) return new Answer<ListedOffset>(error, found);
            if (rules.ReactToFetch(error) is FetchReaction.Report) break;
            if (rules.LeaderMayHaveMoved(error)) metadata.RequestUpdate();
            await metadata.Changed.WaitAsync(ClusterMetadata.Shorter(deadline - Now, Backoff(attempt)));
        }
        return new Answer<ListedOffset>(error, default);
    }

    public void Close() => metadata.Close();

    private AssignedPartition Assigned(TopicPartition partition) =>
        assigned.Find(a => a.Partition == partition) ?? throw new ArgumentException($"{partition} is not assigned");

    private AssignedPartition Begin(TopicPartition partition)
    {
        var begun = new AssignedPartition(partition);
        if (ResetTarget() is { } at) LookFor(begun, at);
        return begun;
    }

    private static void LookFor(AssignedPartition partition, OffsetAt at) =>
        partition.LookFor(at, new PollIncident(PollIncidentKind.PositionFound, partition.Partition, ErrorCode.None, partition.Position, -1));

    private OffsetAt? ResetTarget() => settings.OffsetReset switch
    {
        OffsetReset.Earliest => OffsetAt.Earliest,
        OffsetReset.Latest => OffsetAt.Latest,
        OffsetReset.None => null,
        _ => throw new InvalidOperationException($"unknown reset policy {settings.OffsetReset}"),
    };

    private void Wake()
    {
        isDirty = true;
        wake.Set();
    }

    private TimeSpan Backoff(int failures) => rules.Backoff(settings.Connection.RetryBackoff, settings.Connection.MaxRetryBackoff, failures, host.Random.NextDouble());

    private bool HasSomething() => incidents.Count > 0 || assigned.Exists(static partition => partition.HasBuffered);

    private PollResult Harvest()
    {
        List<PartitionRecords> batches = [];
        var count = 0;
        for (var i = 0; i < assigned.Count && !rules.IsPollFull(count, settings.MaxPollRecords); i++)
        {
            var partition = assigned[(firstInTurn + i) % assigned.Count];
            if (!partition.HasBuffered) continue;
            var records = partition.Return(settings.MaxPollRecords - count, rules);
            batches.Add(new PartitionRecords(partition.Partition, records));
            count += records.Count;
        }
        if (assigned.Count > 0) firstInTurn = (firstInTurn + 1) % assigned.Count;
        var result = new PollResult(batches, [.. assigned.Where(static p => p.AnsweredEmpty).Select(static p => p.Partition)], [.. incidents]);
        incidents.Clear();
        return result;
    }

    /// <summary>Asks for all that is missing and not asked for yet; returns when to look again if nothing happens until then.</summary>
    private TimeSpan StartWork(TimeSpan deadline)
    {
        var next = deadline;
        List<(BrokerLink Link, List<FetchPosition> Positions)> fetches = [];
        for (var i = 0; i < assigned.Count; i++)
        {
            var partition = assigned[(firstInTurn + i) % assigned.Count];
            if (partition.IsStuck || partition.IsBusy || partition.HasBuffered) continue;
            if (!rules.IsDue(Now, partition.NotBefore))
            {
                next = ClusterMetadata.Shorter(next, partition.NotBefore);
                continue;
            }
            if (metadata.LeaderOf(partition.Partition) is not { } leader) continue;
            if (!rules.MayKnowPosition(leader.Leadership.Epoch, partition.PositionEpoch))
            {
                metadata.RequestUpdate();                              // whoever committed the position has heard of a later one
                continue;
            }
            if (!leader.Link.IsOpen)
            {
                Open(leader.Link, ref next);
                continue;
            }
            if (partition.Wanted is { } at) Start(partition, () => FindPositionAsync(partition, leader.Link, leader.Leadership, at));
            else if (rules.MustValidate(partition.PositionEpoch, partition.ValidatedUnder, leader.Leadership.Epoch)) Start(partition, () => ValidateAsync(partition, leader.Link, leader.Leadership));
            else if (!fetching.Contains(leader.Link)) Gather(fetches, leader.Link, new FetchPosition(partition, partition.Turn, partition.Position, leader.Leadership.Epoch));
        }
        foreach (var (link, positions) in fetches) Start(link, positions, deadline);
        return next;
    }

    private void Open(BrokerLink link, ref TimeSpan next)
    {
        if (link.MayTry) scope.Start(link.OpenAsync);
        else
        {
            metadata.RequestUpdate();                                  // perhaps another broker leads by now
            next = ClusterMetadata.Shorter(next, link.NextTry);
        }
    }

    private void Start(AssignedPartition partition, Func<Task> work)
    {
        partition.IsBusy = true;
        scope.Start(async () =>
        {
            await work();
            partition.IsBusy = false;
            Wake();
        });
    }

    private static void Gather(List<(BrokerLink Link, List<FetchPosition> Positions)> fetches, BrokerLink link, FetchPosition position)
    {
        var positions = fetches.Find(f => f.Link == link).Positions;
        if (positions is null) fetches.Add((link, positions = []));
        positions.Add(position);
    }

    /// <summary>A partition as it stood when it was asked for.</summary>
    private readonly record struct FetchPosition(AssignedPartition Partition, int Turn, long Offset, int LeaderEpoch);
}
