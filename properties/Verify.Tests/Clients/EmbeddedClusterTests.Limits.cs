using Broker.Embedded;
using Broker.Hosting;
using Broker.Protocol;
using Broker.Runtime;
using Verify.Clients;

namespace Verify.Tests.Clients;

public sealed partial class EmbeddedClusterTests
{
    private const int MostOfOneAnswer = 55 << 20;

    [Fact]
    public async Task However_much_a_fetch_asks_for_one_answer_is_bounded()
    {
        await using var cluster = await EmbeddedCluster.StartAsync();
        using var client = new TestClient(cluster);
        await client.CreateAsync("t");
        for (var i = 0; i < 64; i++) await client.SendAsync("t", new string('x', 1_000_000));
        var asked = new FetchPartition { CurrentLeaderEpoch = -1, PartitionMaxBytes = int.MaxValue, LastFetchedEpoch = -1, LogStartOffset = -1 };
        var request = new FetchRequest { ReplicaId = -1, MinBytes = 1, MaxBytes = int.MaxValue, SessionEpoch = -1, Topics = { new FetchTopic { Topic = "t", Partitions = { asked } } } };
        var answer = (await client.AskAsync<FetchRequest, FetchResponse>(request, 12))!;
        Assert.InRange(answer.Responses[0].Partitions[0].Records!.Value.Length, MostOfOneAnswer - 1_100_000, MostOfOneAnswer);
    }

    [Fact]
    public async Task Who_asks_a_follower_is_told_who_leads_and_where()
    {
        await using var cluster = await EmbeddedCluster.StartAsync(brokers: 3);
        using var client = new TestClient(cluster);
        await client.CreateAsync("t");
        var leader = await client.UntilAsync("t", static partition => partition.InSyncReplicas.Count == 3);
        if (leader.Leader.Value == 1)                                  // the one that the client asks
        {
            cluster.Crash(1);
            leader = await client.UntilAsync("t", static partition => partition.Leader.Value > 1);
            await cluster.StartAsync(1);
            leader = await client.UntilAsync("t", static partition => partition.InSyncReplicas.Count == 3);
        }
        var produce = new ProduceRequest { Acks = 1, TimeoutMs = 1000, TopicData = { new TopicProduceData { Name = "t", PartitionData = { new PartitionProduceData { Records = ReadOnlyMemory<byte>.Empty } } } } };
        var answer = (await client.AskAsync<ProduceRequest, ProduceResponse>(produce, 10))!;
        var refused = answer.Responses[0].PartitionResponses[0];
        Assert.Equal((ErrorCode.NotLeaderOrFollower, leader.Leader.Value), (refused.ErrorCode, refused.CurrentLeader.LeaderId));
        Assert.Equal([cluster.Bootstrap[leader.Leader.Value - 1].Port], answer.NodeEndpoints.Select(static endpoint => endpoint.Port));
        var before = (await client.AskAsync<ProduceRequest, ProduceResponse>(produce, 9))!;
        Assert.Equal((-1, 0), (before.Responses[0].PartitionResponses[0].CurrentLeader.LeaderId, before.NodeEndpoints.Count));
    }

    [Fact]
    public async Task The_limit_of_requests_is_none_of_what_a_replica_fetches()
    {
        await using var cluster = await EmbeddedCluster.StartAsync(brokers: 3, new EmbeddedClusterOptions { Settings = new Dictionary<string, string> { ["socket.request.max.bytes"] = "100000" } });
        using var client = new TestClient(cluster);
        await client.CreateAsync("t");
        var follower = (await client.UntilAsync("t", static partition => partition.InSyncReplicas.Count == 3)) is var before && before.Leader.Value == 3 ? 2 : 3;
        cluster.Crash(follower);
        for (var i = 0; i < 12; i++) await client.SendAsync("t", new string('x', 80_000));
        await cluster.StartAsync(follower);                            // it fetches all of them at once
        await client.UntilAsync("t", static partition => partition.InSyncReplicas.Count == 3);
        Assert.False(cluster.Failed.IsCompleted);
    }

    [Fact]
    public async Task An_offset_by_time_in_a_batch_that_cannot_be_read_is_that_of_its_first_record()
    {
        await using var cluster = await EmbeddedCluster.StartAsync();
        using var client = new TestClient(cluster);
        await client.CreateAsync("t");
        await client.SendAsync("t", "before");
        var future = DateTimeOffset.UtcNow.AddMinutes(1).ToUnixTimeMilliseconds();
        foreach (var codec in new[] { Compression.Snappy, Compression.Lz4, Compression.Zstd }) await ProduceAsync(client, codec, future + 10 * (int)codec);
        foreach (var (at, codec, offset) in new[] { (future, Compression.Snappy, 1L), (future + 10 * (int)Compression.Snappy + 2, Compression.Snappy, 1L), (future + 10 * (int)Compression.Snappy + 3, Compression.Lz4, 4L), (-3, Compression.Zstd, 7L) })
            Assert.Equal((offset, future + 10 * (int)codec + 2), await AtAsync(client, at));
    }

    [Fact]
    public async Task A_cluster_of_one_serves_groups_as_it_is()
    {
        await using var cluster = await EmbeddedCluster.StartAsync();
        using var client = new TestClient(cluster);
        await client.CreateAsync("t");
        for (var i = 0; i < 5; i++) await client.SendAsync("t", $"{i}");
        using var host = new RealHost(new NodeId(52), new MemoryDisk(), new Prng(7));
        await cluster.WhileUpAsync(host.Loop.RunAsync(async () =>
        {
            var member = new WireGroupConsumer(host, new TaskScope(), new GroupConsumerSettings(new ConsumerSettings(new ConnectionSettings(cluster.Bootstrap)) { OffsetReset = OffsetReset.Earliest }, "g"));
            member.Subscribe(["t"]);
            for (var read = 0; read < 5;) read += (await member.PollAsync(TimeSpan.FromSeconds(1))).Records.Batches.Sum(static batch => batch.Records.Count);
            var partition = new TopicPartition("t", 0);
            Assert.Equal(OutcomeKind.Ok, (await member.CommitAsync(new Dictionary<TopicPartition, long> { [partition] = 5 }, Patience)).Kind);
            Assert.Equal(5, (await member.CommittedAsync([partition], Patience)).Value![partition]);
            await member.CloseAsync(Patience);
            return true;
        }).WaitAsync(Patience));
    }

    /// <summary>Three records as a batch whose bytes claim to be compressed: nobody here opens it.</summary>
    private static async Task ProduceAsync(TestClient client, Compression codec, long timestamp)
    {
        var bytes = new RecordBatchBuilder().Append(timestamp, null, "a"u8.ToArray()).Append(timestamp + 1, null, "b"u8.ToArray()).Append(timestamp + 2, null, "c"u8.ToArray()).ToArray();
        bytes[22] = (byte)codec;                                       // the attributes' low byte
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(17), Crc32C.Compute(bytes.AsSpan(21)));
        var request = new ProduceRequest { Acks = -1, TimeoutMs = 10_000, TopicData = { new TopicProduceData { Name = "t", PartitionData = { new PartitionProduceData { Records = bytes } } } } };
        Assert.Equal(ErrorCode.None, (await client.AskAsync<ProduceRequest, ProduceResponse>(request, 9))!.Responses[0].PartitionResponses[0].ErrorCode);
    }

    private static async Task<(long Offset, long Timestamp)> AtAsync(TestClient client, long timestamp)
    {
        var request = new ListOffsetsRequest { ReplicaId = -1, Topics = { new ListOffsetsTopic { Name = "t", Partitions = { new ListOffsetsPartition { CurrentLeaderEpoch = -1, Timestamp = timestamp } } } } };
        var answer = (await client.AskAsync<ListOffsetsRequest, ListOffsetsResponse>(request, 7))!.Topics[0].Partitions[0];
        Assert.Equal(ErrorCode.None, answer.ErrorCode);
        return (answer.Offset, answer.Timestamp);
    }
}
