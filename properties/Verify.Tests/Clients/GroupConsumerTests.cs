using Broker.Core;
using Broker.Core.Groups;
using Broker.Core.Metadata;
using Broker.Hosting;
using Broker.Protocol;
using Broker.Runtime;
using Broker.Tests;
using Chaos.Faults;
using Chaos.Simulation;
using Verify.Campaign.Running;
using Verify.Clients;
using Xunit.Abstractions;

namespace Verify.Tests.Clients;

/// <summary>A group of consumers reads a topic while its members come and go and its coordinator dies, on the reference broker in simulation and on Kafka.</summary>
public sealed class GroupConsumerTests
{
    private const int Brokers = 3;

    [Fact]
    public void Members_share_the_partitions_by_ranges_and_read_every_record_once()
    {
        var story = Play(seed: 1, CommitPolicy.AfterProcessing, static async story =>
        {
            var (one, two) = (story.Start("one"), story.Start("two"));
            await story.UntilAsync(() => one.Owns.Count == 2 && two.Owns.Count == 2);
            await story.SendAsync(200);
            await story.UntilAsync(() => story.Processed.Count >= 200);
            await one.StopAsync();
            await story.UntilAsync(() => two.Owns.Count == 4);
            await story.SendAsync(100);
            await story.UntilAsync(() => story.Processed.Count >= 300);
            await two.StopAsync();
        });
        Assert.Equal(Enumerable.Range(0, 300).Select(i => $"{i}").Order(StringComparer.Ordinal), story.Processed.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void At_least_once_nothing_is_left_out_when_coordinator_and_member_crash(ulong seed)
    {
        var story = Play(seed, CommitPolicy.AfterProcessing, CrashesAsync);
        Assert.Empty(Enumerable.Range(0, 400).Select(i => $"{i}").Except(story.Processed));
    }

    [Theory]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    public void At_most_once_nothing_is_processed_twice_when_coordinator_and_member_crash(ulong seed)
    {
        var story = Play(seed, CommitPolicy.BeforeProcessing, CrashesAsync);
        Assert.Equal(story.Processed.Distinct(), story.Processed);
    }

    /// <summary>Mutated so, a group's offsets are gone for as long as its new coordinator has not read them.</summary>
    private sealed class AnswersUnread : GroupRules
    {
        public override bool MayServe(bool isLoaded) => true;

        public override bool MayReplay(long highWatermark, long endAtTakeover) => false;
    }

    [Fact]
    public void A_coordinator_that_has_not_read_its_log_is_seen() =>
        Assert.ThrowsAny<Exception>(static () => Play(seed: 2, CommitPolicy.AfterProcessing, CrashesAsync, static () => new BrokerRules { Groups = new AnswersUnread() }));

    [Fact]
    public void Automatic_commits_are_behind_what_was_processed()
    {
        var story = Play(seed: 8, CommitPolicy.Automatic, static async story =>
        {
            var one = story.Start("one");
            await story.UntilAsync(() => one.Owns.Count == 4);
            await story.SendAsync(100);
            await story.UntilAsync(() => story.Processed.Count >= 100);
            await one.StopAsync();
            var two = story.Start("two");
            await story.UntilAsync(() => two.Owns.Count == 4);
            await story.SendAsync(1);
            await story.UntilAsync(() => story.Processed.Count >= 101);
        });
        Assert.Equal(101, story.Processed.Distinct().Count());
        Assert.Equal(101, story.Processed.Count);
    }

    /// <remarks>Kafka's coordinator refuses these before it writes; the others it also gives after a write that its replicas may yet get.</remarks>
    [Theory]
    [InlineData(ErrorCode.None, OutcomeKind.Ok)]
    [InlineData(ErrorCode.UnknownMemberId, OutcomeKind.Fail)]
    [InlineData(ErrorCode.IllegalGeneration, OutcomeKind.Fail)]
    [InlineData(ErrorCode.OffsetMetadataTooLarge, OutcomeKind.Fail)]
    [InlineData(ErrorCode.CoordinatorNotAvailable, OutcomeKind.Info)]
    [InlineData(ErrorCode.NotCoordinator, OutcomeKind.Info)]
    [InlineData(ErrorCode.UnknownServerError, OutcomeKind.Info)]
    public void A_commit_is_failed_only_where_nothing_was_stored(ErrorCode error, OutcomeKind expected)
    {
        var loop = new VirtualLoop();
        loop.Run(async () =>
        {
            var cluster = new ScriptedCluster(loop) { CommitError = error };
            var consumer = new WireGroupConsumer(new ScriptedHost(loop, cluster), new TaskScope(), new GroupConsumerSettings(new ConsumerSettings(new ConnectionSettings(ScriptedCluster.Bootstrap)), "g"), UnderTest.Or<ClientRules>());
            var outcome = await consumer.CommitAsync(new Dictionary<TopicPartition, long> { [new(ScriptedCluster.Topic, 0)] = 5 }, TimeSpan.FromSeconds(5));
            Assert.Equal((expected, error), (outcome.Kind, outcome.Error));
        });
    }

    [Fact]
    public void Every_member_gets_as_many_partitions_as_the_next_but_for_one()
    {
        Assert.Equal([new PartitionRange(0, 3), new PartitionRange(3, 2), new PartitionRange(5, 2)], Enumerable.Range(0, 3).Select(index => ClientRules.Faithful.RangeOf(7, 3, index)));
        Assert.Equal([new PartitionRange(0, 1), new PartitionRange(1, 0)], Enumerable.Range(0, 2).Select(index => ClientRules.Faithful.RangeOf(1, 2, index)));
    }

    private static async Task CrashesAsync(GroupStory story)
    {
        story.Start("one");
        story.Start("two");
        await story.SendAsync(100);
        await story.UntilAsync(() => story.Processed.Count >= 30);
        await story.CrashCoordinatorAsync();
        await story.SendAsync(100);
        story.Start("three");
        await story.UntilAsync(() => story.Processed.Count >= 150);
        story.Crash("two");
        await story.SendAsync(100);
        await story.CrashCoordinatorAsync();
        await story.SendAsync(100);
        await story.UntilAsync(() => story.IsDrained);
    }

    private static GroupStory Play(ulong seed, CommitPolicy policy, Func<GroupStory, Task> script, Func<BrokerRules>? rules = null)
    {
        var (world, planted) = (new SimWorld(seed), UnderTest.Rules);
        var settings = new ClusterSettings { Brokers = NodeSet.Of(Enumerable.Range(1, Brokers)), TopicDefaults = TopicSettings.KafkaDefaults with { MinInSyncReplicas = 2 } };
        var cluster = new SimCluster(world, settings, rules ?? (() => planted));
        world.AfterTurn = cluster.AssertInvariants;
        var story = new GroupStory(world, cluster, policy);
        world.Run(async () =>
        {
            cluster.Start();
            await story.CreateAsync(Brokers);
            await script(story);
            story.AssertConsistent();
        }, TimeSpan.FromMinutes(10));
        Assert.Empty(world.Failures.Select(failure => failure.ToString()));
        return story;
    }
}

/// <summary>One topic of four partitions, a producer, and members that process what they poll.</summary>
internal sealed class GroupStory(SimWorld world, SimCluster cluster, CommitPolicy policy)
{
    private const string Topic = "t", Group = "g";
    private const int Partitions = 4;

    private readonly ClientNode sender = new(world, new NodeId(50), "sender");
    private readonly SortedDictionary<string, GroupActor> actors = new(StringComparer.Ordinal);
    private readonly Dictionary<(int Generation, TopicPartition Partition), string> owners = [];
    private readonly Dictionary<TopicPartition, long> committed = [];
    private WireProducer? producer;
    private WireGroupConsumer? witness;
    private int sent, faults;

    public List<string> Processed { get; } = [];

    /// <summary>The group has committed all that was sent.</summary>
    public bool IsDrained { get; private set; }

    public async Task CreateAsync(int replicas)
    {
        await sender.DoAsync(async host =>
        {
            var scope = new TaskScope();
            var connection = Connection();
            var admin = new WireAdmin(host, scope, connection, UnderTest.Or<ClientRules>());
            while ((await admin.CreateTopicAsync(new NewTopic(Topic, Partitions, (short)replicas), TimeSpan.FromSeconds(20))).Kind is not OutcomeKind.Ok) await host.Time.DelayAsync(TimeSpan.FromMilliseconds(200));
            producer = new WireProducer(host, scope, new ProducerSettings(connection), UnderTest.Or<ClientRules>());
            witness = new WireGroupConsumer(host, scope, new GroupConsumerSettings(new ConsumerSettings(connection), Group), UnderTest.Or<ClientRules>());
        });
        world.Start(new NodeId(50));
    }

    public Task SendAsync(int records) => sender.DoAsync(async _ =>
    {
        var first = sent;
        sent += records;
        await Task.WhenAll(Enumerable.Range(first, records).Select(async i => Assert.Equal(OutcomeKind.Ok, (await producer!.SendAsync(new TopicPartition(Topic, i % Partitions), null, ScriptedCluster.Bytes($"{i}"))).Kind)));
    });

    public GroupActor Start(string name)
    {
        var actor = new GroupActor(this, name);
        actors.Add(name, actor);
        var node = new ClientNode(world, new NodeId(51 + actors.Count), name);
        actor.Node = new NodeId(51 + actors.Count);
        _ = node.DoAsync(host => actor.RunAsync(host, new GroupConsumerSettings(new ConsumerSettings(Connection()) { OffsetReset = OffsetReset.Earliest, FetchMaxWait = TimeSpan.FromMilliseconds(200), MaxPollRecords = 10 }, Group)
        {
            SessionTimeout = TimeSpan.FromSeconds(3), HeartbeatInterval = TimeSpan.FromMilliseconds(500), MaxPollInterval = TimeSpan.FromSeconds(5), Commits = policy, AutoCommitInterval = TimeSpan.FromMilliseconds(300),
        }));
        return actor;
    }

    /// <summary>A process that dies: it neither commits nor leaves.</summary>
    public void Crash(string name) => world.Inject(faults++, new Fault.Crash(Trigger.AtMs(0), TimeSpan.Zero, new NodeRef.Fixed(actors[name].Node)));

    /// <summary>Kills whoever leads the partition that keeps the group, and starts it again a little later.</summary>
    public async Task CrashCoordinatorAsync()
    {
        var fault = faults++;
        var partition = new TopicPartition(OffsetsTopic.Name, OffsetsTopic.PartitionOf(Group, new ClusterSettings { Brokers = default }.Groups.OffsetsTopicPartitions));
        world.Inject(fault, new Fault.Crash(Trigger.AtMs(0), TimeSpan.Zero, new NodeRef.LeaderOf(partition)));
        await world.Time.DelayAsync(TimeSpan.FromSeconds(4));
        world.Heal(fault);
        await world.Time.DelayAsync(TimeSpan.FromSeconds(2));
    }

    public async Task UntilAsync(Func<bool> isSo)
    {
        for (var waited = 0; !isSo(); waited++)
        {
            Assert.True(waited < 1200, $"never so: {Processed.Count} of {sent} processed, {string.Join(", ", actors.Select(actor => $"{actor.Key} owns {actor.Value.Owns.Count}"))}");
            await world.Time.DelayAsync(TimeSpan.FromMilliseconds(100));
            if (waited % 10 == 9) await LookAtOffsetsAsync();
        }
    }

    public void AssertConsistent() => Assert.True(owners.Count > 0, "nobody ever owned anything");

    public void Own(string member, int generation, IReadOnlyList<TopicPartition> partitions)
    {
        foreach (var partition in partitions) Assert.Equal(member, owners.TryAdd((generation, partition), member) ? member : owners[(generation, partition)]);
    }

    /// <summary>What the group has committed never goes back.</summary>
    private Task LookAtOffsetsAsync() => sender.DoAsync(async _ =>
    {
        var answer = await witness!.CommittedAsync([.. Enumerable.Range(0, Partitions).Select(partition => new TopicPartition(Topic, partition))], TimeSpan.FromSeconds(2));
        if (answer.Value is not { } now) return;
        foreach (var (partition, offset) in now)
        {
            Assert.True(offset >= committed.GetValueOrDefault(partition, -1), $"{partition} went back from {committed.GetValueOrDefault(partition)} to {offset}");
            committed[partition] = offset;
        }
        IsDrained = committed.Values.Sum() >= sent;
    });

    private ConnectionSettings Connection() => new(cluster.Bootstrap) { RequestTimeout = TimeSpan.FromSeconds(2), ConnectTimeout = TimeSpan.FromSeconds(1) };
}

/// <summary>A member on a node of its own, which polls until it is stopped.</summary>
internal sealed class GroupActor(GroupStory story, string name)
{
    private bool isStopping, isDone;

    public NodeId Node { get; set; }

    public string Name => name;

    public IReadOnlyList<TopicPartition> Owns { get; private set; } = [];

    public async Task RunAsync(IHost host, GroupConsumerSettings settings)
    {
        var scope = new TaskScope();
        var consumer = new WireGroupConsumer(host, scope, settings, UnderTest.Or<ClientRules>());
        consumer.Subscribe(["t"]);
        while (!isStopping)
        {
            var polled = await consumer.PollAsync(TimeSpan.FromMilliseconds(300));
            Assert.Equal(ErrorCode.None, polled.Error);
            foreach (var change in polled.Changes)
            {
                Owns = change.IsAssigned ? change.Partitions : [];
                if (change.IsAssigned) story.Own(change.Member, change.Generation, change.Partitions);
            }
            foreach (var record in polled.Records.Batches.SelectMany(batch => batch.Records)) story.Processed.Add(ScriptedCluster.Text(record.Value));
        }
        await consumer.CloseAsync(TimeSpan.FromSeconds(5));
        Owns = [];
        isDone = true;
    }

    public async Task StopAsync()
    {
        isStopping = true;
        await story.UntilAsync(() => isDone);
    }
}

/// <summary>The same consumer in a group of Kafka's.</summary>
public sealed class RealKafkaGroupTests(RealKafka kafka, ITestOutputHelper output) : IClassFixture<RealKafka>
{
    [SkippableFact]
    public Task Two_members_share_what_was_sent_and_the_one_that_stays_takes_all() => kafka.RunAsync(output, async (host, scope, endpoint) => await GroupOverSockets.PlayAsync(host, scope, [endpoint]));
}

/// <summary>What is asked of a live cluster, whoever's.</summary>
internal static class GroupOverSockets
{
    public static async Task PlayAsync(RealHost host, TaskScope scope, IReadOnlyList<Endpoint> bootstrap)
    {
        var connection = new ConnectionSettings(bootstrap);
        var admin = new WireAdmin(host, scope, connection, UnderTest.Or<ClientRules>());
        Assert.Equal(OutcomeKind.Ok, (await admin.CreateTopicAsync(new NewTopic("shared", 4, 1), TimeSpan.FromSeconds(30))).Kind);
        var settings = new GroupConsumerSettings(new ConsumerSettings(connection) { OffsetReset = OffsetReset.Earliest }, "sharers")
        {
            SessionTimeout = TimeSpan.FromSeconds(6), HeartbeatInterval = TimeSpan.FromMilliseconds(200), MaxPollInterval = TimeSpan.FromSeconds(20), Commits = CommitPolicy.AfterProcessing,
        };
        var (one, two) = (new WireGroupConsumer(host, scope, settings, UnderTest.Or<ClientRules>()), new WireGroupConsumer(host, scope, settings));
        var (ones, twos) = (new List<TopicPartition>(), new List<TopicPartition>());
        List<string> read = [];
        one.Subscribe(["shared"]);
        two.Subscribe(["shared"]);
        while (ones.Count != 2 || twos.Count != 2) await Task.WhenAll(PollAsync(one, ones), PollAsync(two, twos));
        Assert.Equal(4, ones.Concat(twos).Distinct().Count());

        var producer = new WireProducer(host, scope, new ProducerSettings(connection), UnderTest.Or<ClientRules>());
        await Task.WhenAll(Enumerable.Range(0, 100).Select(i => producer.SendAsync(new TopicPartition("shared", i % 4), null, ScriptedCluster.Bytes($"{i}"))));
        while (read.Count < 100) await Task.WhenAll(PollAsync(one, ones), PollAsync(two, twos));
        await one.CloseAsync(TimeSpan.FromSeconds(10));
        while (twos.Count != 4) await PollAsync(two, twos);
        await Task.WhenAll(Enumerable.Range(100, 20).Select(i => producer.SendAsync(new TopicPartition("shared", i % 4), null, ScriptedCluster.Bytes($"{i}"))));
        while (read.Count < 120) await PollAsync(two, twos);
        await PollAsync(two, twos);
        Assert.Equal(Enumerable.Range(0, 120).Select(i => $"{i}").Order(StringComparer.Ordinal), read.Order(StringComparer.Ordinal));
        var committed = await two.CommittedAsync([.. Enumerable.Range(0, 4).Select(partition => new TopicPartition("shared", partition))], TimeSpan.FromSeconds(10));
        Assert.Equal(120, committed.Value!.Values.Sum());
        await two.CloseAsync(TimeSpan.FromSeconds(10));
        await producer.CloseAsync();
        admin.Close();

        async Task PollAsync(WireGroupConsumer consumer, List<TopicPartition> owns)
        {
            var polled = await consumer.PollAsync(TimeSpan.FromMilliseconds(300));
            Assert.Equal(ErrorCode.None, polled.Error);
            foreach (var change in polled.Changes)
            {
                owns.Clear();
                if (change.IsAssigned) owns.AddRange(change.Partitions);
            }
            read.AddRange(polled.Records.Batches.SelectMany(batch => batch.Records).Select(record => ScriptedCluster.Text(record.Value)));
        }
    }
}
