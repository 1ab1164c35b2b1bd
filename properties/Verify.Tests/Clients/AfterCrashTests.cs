using Broker.Core.Metadata;
using Broker.Protocol;
using Broker.Runtime;
using Broker.Tests;
using Chaos.Faults;
using Chaos.Simulation;
using Verify.Campaign.Running;
using Verify.Clients;

namespace Verify.Tests.Clients;

/// <summary>What clients were told holds after a crash at the worst moment, in simulation.</summary>
public sealed class AfterCrashTests
{
    /// <remarks>KIP-107: what is deleted does not come back.</remarks>
    [Fact]
    public void What_was_deleted_is_gone_after_a_loss_of_power() => CrashStory.Play(1, brokers: 1, static async story =>
    {
        await story.SendAsync("a", "b", "c");
        await story.DeleteAsync(2);
        await story.LosePowerAsync();
        Assert.Equal(2, await story.EarliestAsync());
    });

    [Fact]
    public void What_was_deleted_is_gone_from_whoever_leads_next() => CrashStory.Play(1, brokers: 3, static async story =>
    {
        await story.SendAsync("a", "b", "c");
        await story.DeleteAsync(2);
        await story.CrashLeaderAsync();
        Assert.Equal(2, await story.EarliestAsync());
    });

    [Fact]
    public void With_flush_messages_of_1_what_was_acknowledged_outlives_the_power() => CrashStory.Play(1, brokers: 1, static async story =>
    {
        await story.SendAsync("a", "b");
        await story.LosePowerAsync();
        Assert.Equal(["a", "b"], await story.ReadAsync());
    }, KeyValuePair.Create("flush.messages", "1"));

    [Fact]
    public void With_flush_messages_of_1_what_was_read_outlives_the_power() => CrashStory.Play(1, brokers: 1, static async story =>
    {
        story.SlowDisk();
        var sending = story.SendOnceAsync("a");
        var read = await story.ReadAsync();
        await story.LosePowerAsync();
        Assert.Equal(read, (await story.ReadAsync()).Take(read.Count));
        await sending;
    }, KeyValuePair.Create("flush.messages", "1"));

    /// <remarks>The marker of a clean stop speaks of one stop: were it back after the next crash, the log would be taken for what it was at that stop.</remarks>
    [Fact]
    public void After_a_clean_stop_and_a_loss_of_power_all_is_there_that_was_flushed()
    {
        for (var seed = 1ul; seed <= 20; seed++) CrashStory.Play(seed, brokers: 1, static async story =>
        {
            await story.SendAsync("a", "b");
            await story.RestartAsync();
            await story.SendAsync("c", "d");
            await story.LosePowerAsync();
            Assert.Equal(["a", "b", "c", "d"], await story.ReadAsync());
        }, KeyValuePair.Create("flush.messages", "1"));
    }

    /// <remarks>KIP-62: heartbeats go on while records are processed, up to max.poll.interval.ms.</remarks>
    [Fact]
    public void Who_works_longer_than_its_session_on_what_it_read_may_commit_it() => CrashStory.Play(1, brokers: 1, static async story =>
    {
        await story.SendAsync("a");
        var member = await story.JoinAndReadAsync(maxPollRecords: 1);
        await story.PassAsync(CrashStory.Session * 3);
        Assert.Equal(OutcomeKind.Ok, await story.CommitAsync(member));
    });

    /// <remarks>A zombie's positions are nobody's: the group has gone on without it.</remarks>
    [Fact]
    public void Who_was_out_of_the_group_without_knowing_commits_nothing() => CrashStory.Play(1, brokers: 1, static async story =>
    {
        await story.SendAsync("a", "b", "c");
        var zombie = await story.JoinAndReadAsync(maxPollRecords: 1);
        story.PauseClient();
        Assert.Equal(3, await story.ReadAllInGroupAsync());
        story.Heal();
        await story.PassAsync(CrashStory.Session);                     // by then it has heard that it is out
        Assert.Equal(OutcomeKind.Fail, await story.CommitAsync(zombie));
        Assert.Equal(3, await story.CommittedAsync());
    });
}

/// <summary>A topic of one partition, and a client that writes, reads and deletes.</summary>
internal sealed class CrashStory(SimWorld world, SimCluster cluster, int brokers)
{
    private static readonly TopicPartition Partition = new("t", 0);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20), Look = TimeSpan.FromSeconds(1);

    private const int Client = 50, Other = 51;

    private readonly ClientNode client = new(world, new NodeId(Client), "client"), other = new(world, new NodeId(Other), "other");
    private int faults, healed, leader;

    public static TimeSpan Session { get; } = TimeSpan.FromSeconds(2);

    private ConnectionSettings Connection => new(cluster.Bootstrap) { RequestTimeout = TimeSpan.FromSeconds(2), ConnectTimeout = TimeSpan.FromSeconds(1) };

    public static void Play(ulong seed, int brokers, Func<CrashStory, Task> tell, params KeyValuePair<string, string>[] settings)
    {
        var (world, rules) = (new SimWorld(seed), UnderTest.Rules);
        var cluster = new SimCluster(world, new ClusterSettings { Brokers = NodeSet.Of(Enumerable.Range(1, brokers)), TopicDefaults = TopicSettings.KafkaDefaults }, () => rules);
        world.AfterTurn = cluster.AssertInvariants;
        world.Run(async () =>
        {
            cluster.Start();
            var story = new CrashStory(world, cluster, brokers);
            await story.CreateAsync(settings);
            await tell(story);
        }, TimeSpan.FromMinutes(5));
        Assert.Empty(world.Failures.Select(static failure => failure.ToString()));
    }

    public async Task SendAsync(params string[] values)
    {
        foreach (var value in values) Assert.Equal(OutcomeKind.Ok, await TrySendAsync(value));
    }

    /// <summary>One attempt, whatever becomes of it.</summary>
    public Task SendOnceAsync(string value) => TrySendAsync(value, once: true);

    private Task<OutcomeKind> TrySendAsync(string value, bool once = false) => client.DoAsync(async host =>
    {
        var producer = new WireProducer(host, new TaskScope(), new ProducerSettings(Connection) { DeliveryTimeout = Patience, EnableIdempotence = !once, Retries = once ? 0 : int.MaxValue });
        var outcome = await producer.SendAsync(Partition, null, ScriptedCluster.Bytes(value));
        await producer.CloseAsync();
        return outcome.Kind;
    });

    /// <summary>All there is, from the beginning, as far as it comes within a second.</summary>
    public Task<List<string>> ReadAsync() => client.DoAsync(async host =>
    {
        var (consumer, read) = (new WireConsumer(host, new TaskScope(), new ConsumerSettings(Connection) { OffsetReset = OffsetReset.Earliest }), new List<string>());
        consumer.Assign([Partition]);
        while (await consumer.PollAsync(Look) is { } polled && (polled.Batches.Count > 0 || polled.Incidents.Count > 0))
            read.AddRange(polled.Batches.SelectMany(static batch => batch.Records).Select(static record => ScriptedCluster.Text(record.Value)));
        consumer.Close();
        return read;
    });

    public Task<long> EarliestAsync() => client.DoAsync(async host =>
    {
        var consumer = new WireConsumer(host, new TaskScope(), new ConsumerSettings(Connection));
        var found = await consumer.ListOffsetAsync(Partition, OffsetAt.Earliest, Patience);
        consumer.Close();
        Assert.Equal(ErrorCode.None, found.Error);
        return found.Value.Offset;
    });

    public Task DeleteAsync(long offset) => client.DoAsync(async host =>
    {
        var link = new BrokerLink(host, Connection, ClientRules.Faithful, cluster.Bootstrap[leader - 1], static () => { });
        await link.OpenAsync();
        var asked = new DeleteRecordsRequest.DeleteRecordsPartition { PartitionIndex = 0, Offset = offset };
        var request = new DeleteRecordsRequest { Topics = [new DeleteRecordsRequest.DeleteRecordsTopic { Name = Partition.Topic, Partitions = [asked] }], TimeoutMs = 10_000 };
        Assert.Equal(ErrorCode.None, (await link.AskAsync<DeleteRecordsRequest, DeleteRecordsResponse>(request, Patience, null)).Message!.Topics.Single().Partitions.Single().ErrorCode);
        link.Close();
    });

    public Task<WireGroupConsumer> JoinAndReadAsync(int maxPollRecords) => client.DoAsync(async host =>
    {
        var member = Member(host, maxPollRecords);
        while ((await member.PollAsync(Look)).Records.Batches.Count == 0) { }
        return member;
    });

    public Task<OutcomeKind> CommitAsync(WireGroupConsumer member) => client.DoAsync(async _ => (await member.CommitAsync(Patience)).Kind);

    /// <summary>Another member takes over, reads what is new, commits and leaves: what it committed.</summary>
    public Task<long> ReadAllInGroupAsync() => other.DoAsync(async host =>
    {
        var (member, next) = (Member(host, maxPollRecords: 100), 0L);
        while (next < 3)
            foreach (var batch in (await member.PollAsync(Look)).Records.Batches) next = batch.Records[^1].Offset + 1;
        Assert.Equal(OutcomeKind.Ok, (await member.CommitAsync(Patience)).Kind);
        await member.CloseAsync(Patience);
        return next;
    });

    public Task<long> CommittedAsync() => other.DoAsync(async host =>
    {
        var member = Member(host, maxPollRecords: 1);
        var told = await member.CommittedAsync([Partition], Patience);
        await member.CloseAsync(Patience);
        return told.Value![Partition];
    });

    private WireGroupConsumer Member(IHost host, int maxPollRecords)
    {
        var consumer = new ConsumerSettings(Connection) { OffsetReset = OffsetReset.Earliest, MaxPollRecords = maxPollRecords };
        var settings = new GroupConsumerSettings(consumer, "g") { SessionTimeout = Session, HeartbeatInterval = Session / 4, MaxPollInterval = Session * 5, Commits = CommitPolicy.Manual };
        var member = new WireGroupConsumer(host, new TaskScope(), settings, UnderTest.Or<ClientRules>());
        member.Subscribe([Partition.Topic]);
        return member;
    }

    public Task PassAsync(TimeSpan time) => world.Time.DelayAsync(time);

    /// <summary>All nodes at once, and what was not flushed is gone; back when they serve again.</summary>
    public async Task LosePowerAsync()
    {
        for (var id = 1; id <= brokers; id++) Inject(new Fault.Power(Trigger.AtMs(0), TimeSpan.Zero, NodeRef.Of(id), UnsyncedTail.Lost));
        await PassAsync(TimeSpan.FromSeconds(1));
        Heal();
        await PassAsync(TimeSpan.FromSeconds(5));
    }

    /// <summary>Back when another leads.</summary>
    public Task CrashLeaderAsync()
    {
        Inject(new Fault.Crash(Trigger.AtMs(0), TimeSpan.Zero, NodeRef.Of(leader)));
        return PassAsync(TimeSpan.FromSeconds(5));
    }

    public void SlowDisk() => Inject(new Fault.Disk(Trigger.AtMs(0), TimeSpan.Zero, NodeRef.Of(1), DiskTrouble.Slow, TimeSpan.FromSeconds(5)));

    public void PauseClient() => Inject(new Fault.Pause(Trigger.AtMs(0), TimeSpan.Zero, NodeRef.Of(Client)));

    public void Heal()
    {
        for (; healed < faults; healed++) world.Heal(healed);
    }

    private void Inject(Fault fault) => world.Inject(faults++, fault);

    public async Task RestartAsync()
    {
        await cluster.RestartAsync(NodeSet.Of([1]));
        await PassAsync(TimeSpan.FromSeconds(5));
    }

    private Task CreateAsync(KeyValuePair<string, string>[] settings) => client.DoAsync(async host =>
    {
        var admin = new WireAdmin(host, new TaskScope(), Connection);
        IReadOnlyList<NodeId> replicas = [.. Enumerable.Range(1, brokers).Select(static id => new NodeId(id))];
        while ((await admin.CreateTopicAsync(new NewTopic(Partition.Topic, -1, -1, [replicas], settings), Patience)).Kind is not OutcomeKind.Ok) await host.Time.DelayAsync(TimeSpan.FromMilliseconds(200));
        PartitionDescription? known;
        while ((known = (await admin.DescribeTopicAsync(Partition.Topic, Patience)).Value?.Partitions[0])?.InSyncReplicas.Count != brokers) await host.Time.DelayAsync(TimeSpan.FromMilliseconds(200));
        leader = known!.Leader.Value;
        admin.Close();
    });
}
