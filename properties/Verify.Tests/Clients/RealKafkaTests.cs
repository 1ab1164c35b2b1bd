using System.Reflection;
using Broker.Hosting;
using Broker.Protocol;
using Broker.Runtime;
using Verify.Clients;
using Xunit.Abstractions;

namespace Verify.Tests.Clients;

/// <summary>One Kafka node for all tests of a class; none where it cannot be had.</summary>
public sealed class RealKafka : IDisposable
{
    public RealKafka() => (Node, Reason) = RealKafkaNode.TryStart();

    public RealKafkaNode? Node { get; }

    public string Reason { get; }

    public void Dispose() => Node?.Dispose();

    /// <summary>Runs a client of the node on a loop of its own; prints the node's log when it fails, and the reason when there is no node.</summary>
    public async Task RunAsync(ITestOutputHelper output, Func<RealHost, TaskScope, Endpoint, Task> test)
    {
        using var host = new RealHost(new NodeId(50), Path.GetTempPath(), new Prng(11));
        await RunAsync(output, endpoint => host.Loop.RunAsync(async () =>
        {
            var scope = new TaskScope();
            var run = test(host, scope, endpoint);
            await await Task.WhenAny(run, scope.Failed);
        }).WaitAsync(TimeSpan.FromMinutes(3)));
    }

    /// <summary>Runs a test that brings its own clients; prints the node's log when it fails, and the reason when there is no node.</summary>
    public async Task RunAsync(ITestOutputHelper output, Func<Endpoint, Task> test)
    {
        if (Node is null) output.WriteLine($"skipped: {Reason}");
        Skip.If(Node is null, Reason);
        try
        {
            await test(Node.Endpoint);
        }
        catch
        {
            output.WriteLine(Node.LogTail());
            throw;
        }
    }
}

/// <summary>The conversation with unmodified Apache Kafka, on a fresh node.</summary>
public sealed class RealKafkaConversationTests(RealKafka kafka, ITestOutputHelper output) : IClassFixture<RealKafka>
{
    [SkippableFact]
    public Task The_conversation_goes_as_recorded() => kafka.RunAsync(output, async (host, _, endpoint) =>
    {
        var observed = await new ProtocolConversation(host, endpoint, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() - 60_000).RunAsync();
        output.WriteLine(string.Join('\n', observed));
        Assert.Equal(RecordedConversation.Lines, observed);
    });
}

/// <summary>Our wire client over real sockets against unmodified Apache Kafka: so that client and broker cannot share one misreading of the protocol.</summary>
public sealed class RealKafkaTests(RealKafka kafka, ITestOutputHelper output) : IClassFixture<RealKafka>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [SkippableTheory]
    [InlineData("0", 0, false, 5)]
    [InlineData("1", 1, false, 5)]
    [InlineData("all", -1, false, 1)]
    [InlineData("idempotent", -1, true, 5)]
    public Task What_is_sent_is_read_back_at_its_offsets(string name, short acks, bool idempotent, int maxInFlight) => kafka.RunAsync(output, async (host, scope, endpoint) =>
    {
        const int partitions = 3, each = 400;
        var connection = new ConnectionSettings([endpoint]);
        var admin = new WireAdmin(host, scope, connection);
        var created = await admin.CreateTopicAsync(new NewTopic($"acks-{name}", partitions, 1), Patience);
        Assert.Equal((OutcomeKind.Ok, ErrorCode.None), (created.Kind, created.Error));

        var consumer = new WireConsumer(host, scope, new ConsumerSettings(connection) { OffsetReset = OffsetReset.Earliest });
        for (var i = 0; i < partitions; i++)                           // a leader may not know its new partition yet: acks=0 would lose there, acks=1 retry and reorder
            Assert.True((await consumer.ListOffsetAsync(new TopicPartition($"acks-{name}", i), OffsetAt.Latest, Patience)).IsKnown);

        var producer = new WireProducer(host, scope, new ProducerSettings(connection) { Acks = acks, EnableIdempotence = idempotent, MaxInFlight = maxInFlight, BatchBytes = 300 });
        List<(TopicPartition Partition, string Value, Task<SendOutcome> Outcome)> sends = [];
        for (var i = 0; i < partitions * each; i++)
        {
            var partition = new TopicPartition($"acks-{name}", i % partitions);
            sends.Add((partition, $"{i}", producer.SendAsync(partition, i % 2 == 0 ? null : ScriptedCluster.Bytes($"key {i}"), ScriptedCluster.Bytes($"{i}"))));
        }
        await producer.CloseAsync();
        await Task.WhenAll(sends.Select(send => send.Outcome));

        consumer.Assign([.. sends.Select(send => send.Partition).Distinct()]);
        Dictionary<TopicPartition, List<ConsumedRecord>> read = [];
        for (var polls = 0; polls < 100 && read.Values.Sum(records => records.Count) < sends.Count; polls++)
            foreach (var batch in (await consumer.PollAsync(TimeSpan.FromSeconds(1))).Batches)
            {
                if (!read.TryGetValue(batch.Partition, out var records)) read[batch.Partition] = records = [];
                records.AddRange(batch.Records);
            }

        foreach (var group in sends.GroupBy(send => send.Partition))
        {
            Assert.All(group, send => Assert.Equal(OutcomeKind.Ok, send.Outcome.Result.Kind));
            Assert.Equal(group.Select(send => send.Value), read[group.Key].Select(record => ScriptedCluster.Text(record.Value)));
            Assert.Equal(Enumerable.Range(0, each).Select(i => (long)i), read[group.Key].Select(record => record.Offset));
            Assert.Equal(group.Select((_, i) => acks == 0 ? -1L : i), group.Select(send => send.Outcome.Result.Offset));
            Assert.Equal(each, (await consumer.ListOffsetAsync(group.Key, OffsetAt.Latest, Patience)).Value.Offset);
        }
        consumer.Close();
        admin.Close();
    });

    [SkippableFact]
    public Task Topics_are_described_moved_and_deleted() => kafka.RunAsync(output, async (host, scope, endpoint) =>
    {
        var admin = new WireAdmin(host, scope, new ConnectionSettings([endpoint]));
        Assert.Equal(OutcomeKind.Ok, (await admin.CreateTopicAsync(new NewTopic("moved", -1, -1, [[new NodeId(1)], [new NodeId(1)]]), Patience)).Kind);
        Assert.Equal((OutcomeKind.Fail, ErrorCode.TopicAlreadyExists), KindOf(await admin.CreateTopicAsync(new NewTopic("moved", 1, 1), Patience)));

        var described = await admin.DescribeTopicAsync("moved", Patience);
        Assert.Equal([(0, new NodeId(1)), (1, new NodeId(1))], described.Value!.Partitions.Select(p => (p.Partition, p.Leader)));
        Assert.Equal(new NodeId(1), (await admin.DescribeClusterAsync(Patience)).Value!.Brokers.Single().Id);
        Assert.Contains("moved", (await admin.ListTopicsAsync(Patience, new NodeId(1))).Value!);

        Assert.Equal(OutcomeKind.Ok, (await admin.MoveLeaderAsync(new TopicPartition("moved", 1), new NodeId(1), Patience)).Kind);
        Assert.Equal((OutcomeKind.Fail, ErrorCode.InvalidReplicaAssignment), KindOf(await admin.MoveLeaderAsync(new TopicPartition("moved", 1), new NodeId(2), Patience)));

        Assert.Equal(OutcomeKind.Ok, (await admin.DeleteTopicAsync("moved", Patience)).Kind);
        Assert.Equal((OutcomeKind.Fail, ErrorCode.UnknownTopicOrPartition), KindOf(await admin.DeleteTopicAsync("moved", Patience)));
        while ((await admin.DescribeTopicAsync("moved", Patience)).IsKnown) await host.Time.DelayAsync(TimeSpan.FromMilliseconds(20));   // a broker hears of the deletion a little after its answer
        admin.Close();
    });

    private static (OutcomeKind, ErrorCode) KindOf(AdminOutcome outcome) => (outcome.Kind, outcome.Error);
}

/// <summary>What Apache Kafka 4.3.1 was seen to answer, line by line; recorded by <see cref="RealKafkaConversationTests"/>.</summary>
public static class RecordedConversation
{
    public static IReadOnlyList<string> Lines { get; } = Read();

    private static string[] Read()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("Clients.conversation.kafka-4.3.1.txt")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
