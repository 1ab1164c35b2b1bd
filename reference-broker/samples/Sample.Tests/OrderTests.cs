using Broker.Embedded;
using Broker.Runtime;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Xunit.Abstractions;
using TopicPartition = Confluent.Kafka.TopicPartition;

namespace Sample.Tests;

/// <summary>An application's tests, with a cluster of their own each: started in a fraction of a second, gone at the end.</summary>
public sealed class OrderTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [SkippableFact]
    public async Task Orders_are_read_in_the_order_in_which_they_were_placed()
    {
        SkipWithoutLibrdkafka();
        await using var cluster = await EmbeddedCluster.StartAsync();
        using var producer = ProducerOf(cluster);
        for (var i = 0; i < 100; i++)
        {
            var placed = await producer.ProduceAsync("orders", new Message<string, string> { Key = "customer 1", Value = $"order {i}" });
            Assert.Equal(i, placed.Offset.Value);
        }
        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"order {i}"), Read(cluster, "orders", 100));
    }

    [SkippableFact]
    public async Task An_acknowledged_order_survives_the_crash_of_its_leader()
    {
        SkipWithoutLibrdkafka();
        await using var cluster = await EmbeddedCluster.StartAsync(brokers: 3);
        using var producer = ProducerOf(cluster);
        await producer.ProduceAsync("orders", new Message<string, string> { Value = "before" });

        cluster.Crash(LeaderOf(cluster, "orders"));
        await producer.ProduceAsync("orders", new Message<string, string> { Value = "after" });

        Assert.Equal(["before", "after"], Read(cluster, "orders", 2));
    }

    [SkippableTheory]
    [InlineData(CompressionType.None)]
    [InlineData(CompressionType.Gzip)]
    [InlineData(CompressionType.Snappy)]
    [InlineData(CompressionType.Lz4)]
    [InlineData(CompressionType.Zstd)]
    public async Task Compressed_batches_come_back_as_they_were_sent(CompressionType compression)
    {
        SkipWithoutLibrdkafka();
        var stored = 0;
        var options = new EmbeddedClusterOptions { Observe = seen => Interlocked.Add(ref stored, seen.Kind == ObservationKind.Appended ? seen.Bytes.Length : 0) };
        await using var cluster = await EmbeddedCluster.StartAsync(brokers: 1, options);
        using var producer = ProducerOf(cluster, compression);
        var sent = Enumerable.Range(0, 200).Select(i => $"{i} {new string('x', 500)}").ToArray();
        foreach (var value in sent) producer.Produce("large", new Message<string, string> { Value = value });
        producer.Flush(Patience);
        Assert.Equal(sent, Read(cluster, "large", sent.Length));

        if (compression == CompressionType.None) Assert.True(stored > 100_000, $"{stored} bytes");
        else Assert.True(stored < 50_000, $"{stored} bytes: librdkafka sent them uncompressed");
    }

    [SkippableFact]
    public async Task Topics_are_made_and_described_by_the_admin_client()
    {
        SkipWithoutLibrdkafka();
        await using var cluster = await EmbeddedCluster.StartAsync(brokers: 3);
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = cluster.BootstrapServers }).Build();
        await admin.CreateTopicsAsync([new TopicSpecification { Name = "made", NumPartitions = 6, ReplicationFactor = 3, Configs = new() { ["min.insync.replicas"] = "2" } }]);
        var topic = admin.GetMetadata("made", Patience).Topics.Single();
        Assert.Equal(6, topic.Partitions.Count);
        Assert.All(topic.Partitions, partition => Assert.Equal([1, 2, 3], partition.Replicas.Order()));
        Assert.Equal([1, 2, 3], admin.GetMetadata(Patience).Brokers.Select(broker => broker.BrokerId).Order());

        var again = await Assert.ThrowsAsync<CreateTopicsException>(() => admin.CreateTopicsAsync([new TopicSpecification { Name = "made" }]));
        Assert.Equal(ErrorCode.TopicAlreadyExists, again.Results[0].Error.Code);
        await admin.DeleteTopicsAsync(["made"]);
    }

    [SkippableFact]
    public async Task Offsets_are_found_at_the_ends_and_by_time()
    {
        SkipWithoutLibrdkafka();
        await using var cluster = await EmbeddedCluster.StartAsync();
        using var producer = ProducerOf(cluster);
        var start = DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000);
        for (var i = 0; i < 10; i++) await producer.ProduceAsync("timed", new Message<string, string> { Value = $"{i}", Timestamp = new Timestamp(start.AddSeconds(i)) });

        using var consumer = ConsumerOf(cluster);
        var partition = new TopicPartition("timed", 0);
        var ends = consumer.QueryWatermarkOffsets(partition, Patience);
        Assert.Equal((0, 10), (ends.Low.Value, ends.High.Value));
        var found = consumer.OffsetsForTimes([new TopicPartitionTimestamp(partition, new Timestamp(start.AddSeconds(6.5)))], Patience);
        Assert.Equal(7, found[0].Offset.Value);
    }

    [SkippableFact]
    public async Task A_consumer_that_has_read_everything_is_told_so_and_woken_by_the_next_record()
    {
        SkipWithoutLibrdkafka();
        await using var cluster = await EmbeddedCluster.StartAsync();
        using var producer = ProducerOf(cluster);
        await producer.ProduceAsync("t", new Message<string, string> { Value = "first" });
        using var consumer = ConsumerOf(cluster);
        consumer.Assign(new TopicPartitionOffset("t", 0, Offset.Beginning));
        Assert.Equal("first", consumer.Consume(Patience).Message.Value);
        Assert.True(consumer.Consume(Patience).IsPartitionEOF);
        await producer.ProduceAsync("t", new Message<string, string> { Value = "second" });
        Assert.Equal("second", consumer.Consume(Patience).Message.Value);
    }

    [SkippableFact]
    public async Task A_group_shares_the_partitions_and_goes_on_where_it_had_committed()
    {
        SkipWithoutLibrdkafka();
        await using var cluster = await EmbeddedCluster.StartAsync(brokers: 3, new EmbeddedClusterOptions { Partitions = 4 });
        using var producer = ProducerOf(cluster);
        for (var i = 0; i < 40; i++) await producer.ProduceAsync(new TopicPartition("orders", i % 4), new Message<string, string> { Value = $"{i}" });

        var firstHalf = new List<string>();
        using (var consumer = MemberOf(cluster))
        {
            consumer.Subscribe("orders");
            while (firstHalf.Count < 20) firstHalf.Add(consumer.Consume(Patience).Message.Value);
            Assert.Equal(4, consumer.Assignment.Count);
            consumer.Commit();
            consumer.Close();
        }
        var rest = new List<string>();
        using var next = MemberOf(cluster);
        next.Subscribe("orders");
        while (rest.Count < 20) rest.Add(next.Consume(Patience).Message.Value);
        Assert.Equal(Enumerable.Range(0, 40).Select(i => $"{i}").Order(), firstHalf.Concat(rest).Order());
        next.Close();
    }

    private static IConsumer<string, string> MemberOf(EmbeddedCluster cluster) => new ConsumerBuilder<string, string>(new ConsumerConfig
    {
        BootstrapServers = cluster.BootstrapServers,
        GroupId = "shipping",
        EnableAutoCommit = false,
        AutoOffsetReset = AutoOffsetReset.Earliest,
    }).Build();

    private static IProducer<string, string> ProducerOf(EmbeddedCluster cluster, CompressionType compression = CompressionType.None) => new ProducerBuilder<string, string>(new ProducerConfig
    {
        BootstrapServers = cluster.BootstrapServers,
        Acks = Acks.All,
        EnableIdempotence = true,
        CompressionType = compression,
        LingerMs = 5,
    }).Build();

    private static IConsumer<string, string> ConsumerOf(EmbeddedCluster cluster) => new ConsumerBuilder<string, string>(new ConsumerConfig
    {
        BootstrapServers = cluster.BootstrapServers,
        GroupId = "unused by assign",
        EnableAutoCommit = false,
        EnablePartitionEof = true,
    }).Build();

    /// <summary>The first records of partition 0.</summary>
    private static List<string> Read(EmbeddedCluster cluster, string topic, int count)
    {
        using var consumer = ConsumerOf(cluster);
        consumer.Assign(new TopicPartitionOffset(topic, 0, Offset.Beginning));
        var read = new List<string>();
        while (read.Count < count)
            if (consumer.Consume(Patience) is not { } consumed) break;
            else if (!consumed.IsPartitionEOF) read.Add(consumed.Message.Value);
        return read;
    }

    private static int LeaderOf(EmbeddedCluster cluster, string topic)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = cluster.BootstrapServers }).Build();
        return admin.GetMetadata(topic, Patience).Topics.Single().Partitions.Single().Leader;
    }

    private void SkipWithoutLibrdkafka()
    {
        if (LibrdkafkaOfTheSystem.WhyNot is { } reason) output.WriteLine($"skipped: {reason}");
        Skip.If(LibrdkafkaOfTheSystem.WhyNot is not null, LibrdkafkaOfTheSystem.WhyNot);
    }
}
