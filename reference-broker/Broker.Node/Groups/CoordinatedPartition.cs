using Broker.Core.Groups;
using Broker.Core.Log;
using Broker.Node.Serving;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Node.Groups;

/// <summary>
/// One term of one partition of __consumer_offsets on its leader: replays its log, then carries out what the coordinator wants, tells it how far the replicas are, and ends with the leadership.
/// </summary>
internal sealed class CoordinatedPartition
{
    /// <summary>How long it may take until a term that nothing happens in looks whether it is over.</summary>
    private static readonly TimeSpan Glance = TimeSpan.FromSeconds(1);

    private readonly Dictionary<long, Question> asked = [];
    private readonly HashSet<string> deleted = [];                     // topics, while the log is not replayed
    private readonly IHost host;
    private readonly GroupRules rules;
    private readonly HostedPartition hosted;
    private readonly Predicate<string> isTopic;
    private readonly TaskScope scope;
    private readonly Signal changed;
    private readonly int epoch;
    private readonly long endAtTakeover;
    private long lastTicket;
    private bool isDirty, isOver;

    /// <param name="isTopic">Whether a topic is there, by metadata that has come at least to this term's beginning: whoever coordinated before knew of none that came later.</param>
    public CoordinatedPartition(IHost host, GroupRules rules, GroupSettings settings, HostedPartition hosted, Predicate<string> isTopic, TaskScope scope)
    {
        this.host = host;
        this.rules = rules;
        this.hosted = hosted;
        this.isTopic = isTopic;
        this.scope = scope;
        changed = new Signal(host.Time);
        (epoch, endAtTakeover) = (hosted.Core.LeaderEpoch, hosted.Core.Log.LogEndOffset);
        Groups = new GroupCoordinator(rules, settings, host.Random.Split(unchecked((ulong)hosted.Core.Id.Partition << 32 | (uint)epoch)));
    }

    /// <summary>For questions; what changes groups goes through <see cref="AskAsync"/>.</summary>
    public GroupCoordinator Groups { get; }

    /// <summary>This broker still leads, in the epoch in which this term began.</summary>
    public bool IsCurrent => !isOver && hosted.Core.IsLeader && rules.IsSameTerm(epoch, hosted.Core.LeaderEpoch);

    private GroupTime Now => new(host.Time.Monotonic(), host.Time.GetUtcNow().ToUnixTimeMilliseconds());

    public async Task RunAsync()
    {
        hosted.Core.Changed += LookAgain;
        while (IsCurrent)
        {
            isDirty = false;
            if (!Groups.IsLoaded && rules.MayReplay(hosted.Core.HighWatermark, endAtTakeover)) Replay();
            Step(new GroupInput.Committed(hosted.Core.HighWatermark));
            if (Groups.IsLoaded) Step(new GroupInput.Tick());
            if (isDirty) await Task.Yield();
            else await changed.WaitAsync(Groups.IsLoaded ? Groups.UntilNextTick(host.Time.Monotonic()) : Glance);
        }
        hosted.Core.Changed -= LookAgain;
        End();
    }

    /// <summary>A request to one group, and its answer: NOT_COORDINATOR if the term ends before there is one.</summary>
    public Task<IMessage> AskAsync(IMessage body, short version, string clientId, string clientHost)
    {
        if (!IsCurrent) return Task.FromResult(GroupRefusal.Of(body, version, ErrorCode.NotCoordinator));
        var question = new Question(body, version);
        asked.Add(++lastTicket, question);
        Step(new GroupInput.Request(new GroupCaller(lastTicket, version, clientId, clientHost), body));
        LookAgain();
        return question.Task;
    }

    public void TopicDeleted(string topic)
    {
        if (!Groups.IsLoaded) deleted.Add(topic);
        else if (IsCurrent) Step(new GroupInput.TopicsGone(name => name == topic));
    }

    /// <summary>The partition is another's, or gone.</summary>
    public void End()
    {
        isOver = true;
        LookAgain();
        foreach (var ticket in asked.Keys.Order().ToArray()) Conclude(ticket, GroupRefusal.Of(asked[ticket].Body, asked[ticket].Version, ErrorCode.NotCoordinator));
    }

    private void LookAgain()
    {
        isDirty = true;
        changed.Set();
    }

    private void Replay()
    {
        foreach (var batch in hosted.Core.Log.Batches())
        {
            if (batch.IsControl) continue;
            foreach (var record in batch.Records)
                if (record.Key is { } key && GroupRecordCodec.Decode(key, record.Value) is { } decoded) Groups.Replay(decoded, Now);
        }
        Groups.Loaded(Now);
        Step(new GroupInput.TopicsGone(name => deleted.Contains(name) || !isTopic(name)));
    }

    private void Step(GroupInput input)
    {
        var effects = Groups.Step(input, Now);
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case GroupEffect.Answer it: Conclude(it.Ticket, it.Message); break;
                case GroupEffect.Append it: Append(it); break;
                default: throw new InvalidOperationException($"unknown effect {effect}");
            }
        }
    }

    private void Append(GroupEffect.Append write)
    {
        var outcome = Store(write.Records);
        if (outcome.Error != ErrorCode.None)
        {
            Step(new GroupInput.Refused(write.Write, outcome.Error));
            return;
        }
        Step(new GroupInput.Appended(write.Write, outcome.NextOffset));
        if (hosted.Core.Log.NeedsFlush) scope.Start(() => FlushAndCountAsync(outcome.NextOffset));
        else hosted.Core.Appended(epoch, outcome.NextOffset);
    }

    private AppendOutcome Store(IReadOnlyList<GroupRecord> records)
    {
        if (!IsCurrent) return new AppendOutcome(ErrorCode.NotLeaderOrFollower, -1, -1);
        var builder = new RecordBatchBuilder();
        foreach (var record in records)
        {
            var (key, value) = GroupRecordCodec.Encode(record);
            builder.Append(Now.UtcMs, key, value);
        }
        RecordBatch.TryRead(builder.ToArray(), out var batch, out _);
        return batch.SizeInBytes > hosted.Core.MaxMessageBytes ? new AppendOutcome(ErrorCode.RecordListTooLarge, -1, -1) : hosted.Core.Append(batch, acks: -1);
    }

    private async Task FlushAndCountAsync(long nextOffset)
    {
        await hosted.Core.FlushAsync();
        hosted.Core.Appended(epoch, nextOffset);
    }

    /// <summary>The answer is given in a turn of its own: whoever waits for it may ask the next thing at once.</summary>
    private void Conclude(long ticket, IMessage answer)
    {
        if (!asked.Remove(ticket, out var question)) return;
        if (SynchronizationContext.Current is { } context) context.Post(_ => question.TrySetResult(answer), null);
        else question.TrySetResult(answer);
    }

    private sealed class Question(IMessage body, short version) : TaskCompletionSource<IMessage>
    {
        public IMessage Body { get; } = body;

        public short Version { get; } = version;
    }
}
