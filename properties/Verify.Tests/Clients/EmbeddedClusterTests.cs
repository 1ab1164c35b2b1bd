using System.Collections.Concurrent;
using System.Text;
using Broker.Embedded;
using Broker.Hosting;
using Broker.Protocol;
using Broker.Runtime;
using Verify.Clients;

namespace Verify.Tests.Clients;

/// <summary>The reference broker inside a test, by our own client over real sockets.</summary>
public sealed partial class EmbeddedClusterTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task What_is_sent_is_read_in_order()
    {
        await using var cluster = await EmbeddedCluster.StartAsync();
        using var client = new TestClient(cluster);
        await client.CreateAsync("orders");
        for (var i = 0; i < 20; i++) Assert.Equal(i, await client.SendAsync("orders", $"order {i}"));
        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"order {i}"), await client.ReadAsync("orders", 20));
    }

    [Fact]
    public async Task A_crashed_leader_is_replaced_and_comes_back_in_sync()
    {
        await using var cluster = await EmbeddedCluster.StartAsync(brokers: 3);
        using var client = new TestClient(cluster);
        await client.CreateAsync("t");
        await client.SendAsync("t", "before");

        var leader = (await client.LeadershipAsync("t")).Leader;
        cluster.Crash(leader.Value);
        Assert.False(cluster.IsUp(leader.Value));
        Assert.Equal(1, await client.SendAsync("t", "during"));        // min.insync.replicas is 2 of 3
        var successor = (await client.LeadershipAsync("t")).Leader;
        Assert.NotEqual(leader, successor);

        await cluster.StartAsync(leader.Value);
        await client.UntilAsync("t", partition => partition.InSyncReplicas.Count == 3);
        cluster.Crash(successor.Value);
        Assert.Equal(2, await client.SendAsync("t", "after"));
        Assert.Equal(["before", "during", "after"], await client.ReadAsync("t", 3));
        Assert.False(cluster.Failed.IsCompleted);
    }

    [Fact]
    public async Task A_stopped_leader_has_handed_over_before_it_is_gone()
    {
        await using var cluster = await EmbeddedCluster.StartAsync(brokers: 3);
        using var client = new TestClient(cluster);
        await client.CreateAsync("t");
        await client.SendAsync("t", "before");
        var before = await client.LeadershipAsync("t");

        await cluster.StopAsync(before.Leader.Value);
        var after = await client.LeadershipAsync("t");                 // at once: no session had to end first
        Assert.NotEqual(before.Leader, after.Leader);
        Assert.DoesNotContain(before.Leader, after.InSyncReplicas);
        Assert.Equal(1, await client.SendAsync("t", "after"));
    }

    [Fact]
    public async Task Controllers_may_be_nodes_of_their_own()
    {
        await using var cluster = await EmbeddedCluster.StartAsync(brokers: 2, new EmbeddedClusterOptions { Controllers = 3, Partitions = 4 });
        Assert.Equal(2, cluster.Bootstrap.Count);
        using var client = new TestClient(cluster);
        await client.CreateAsync("t");
        Assert.Equal(4, (await client.DescribeAsync("t")).Partitions.Count);
        Assert.All((await client.DescribeAsync("t")).Partitions, partition => Assert.Equal(2, partition.Replicas.Count));
        cluster.Crash(3);                                              // one of three voters
        Assert.Equal(0, await client.SendAsync("t", "sent"));
        await client.CreateAsync("another");
    }

    [Fact]
    public async Task Eight_clusters_live_side_by_side()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async number =>
        {
            await using var cluster = await EmbeddedCluster.StartAsync(brokers: number % 2 == 0 ? 1 : 3);
            using var client = new TestClient(cluster);
            await client.CreateAsync("same-name");
            await client.SendAsync("same-name", $"of cluster {number}");
            Assert.Equal([$"of cluster {number}"], await client.ReadAsync("same-name", 1));
        }));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Disposed_of_it_leaves_no_thread_no_socket_and_no_file(bool onDisk)
    {
        var threads = new ConcurrentDictionary<Thread, NodeId>();
        var cluster = await EmbeddedCluster.StartAsync(brokers: 3, new EmbeddedClusterOptions { OnDisk = onDisk, Observe = seen => threads.TryAdd(Thread.CurrentThread, seen.Node) });
        var ports = cluster.Nodes.SelectMany(node => new[] { node.Listener!.Value, node.ControllerListener!.Value }).ToArray();
        using (var client = new TestClient(cluster))
        {
            await client.CreateAsync("t");
            await client.SendAsync("t", "v");
        }
        var folder = Path.GetDirectoryName(cluster.Nodes[0].LogDirectory);
        Assert.Equal(3, threads.Keys.Count(thread => thread.IsAlive));
        Assert.Equal(onDisk, folder is not null && Directory.EnumerateFiles(folder, "*.log", SearchOption.AllDirectories).Any());

        await cluster.DisposeAsync();
        Assert.All(threads.Keys, thread => Assert.False(thread.IsAlive));
        Assert.False(folder is not null && Directory.Exists(folder));
        if (OperatingSystem.IsLinux()) Assert.Empty(OpenOnLinux(ports, folder));
        foreach (var port in ports) HeldPort.Take(port).Dispose();     // nobody listens there
    }

    [Fact]
    public async Task A_folder_keeps_topics_settings_and_records_for_the_next_cluster()
    {
        using var folder = new TemporaryFolder();
        var options = new EmbeddedClusterOptions { DataDirectory = folder.Path };
        await using (var first = await EmbeddedCluster.StartAsync(brokers: 3, options))
        {
            using var client = new TestClient(first);
            await client.CreateAsync("kept", KeyValuePair.Create("max.message.bytes", "2000"));
            for (var i = 0; i < 10; i++) await client.SendAsync("kept", $"record {i}");
            await first.StopAsync();
        }
        await using var second = await EmbeddedCluster.StartAsync(brokers: 3, options);
        using var again = new TestClient(second);
        Assert.Equal(["kept"], await again.TopicsAsync());
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"record {i}"), await again.ReadAsync("kept", 10));
        Assert.Equal(10, await again.SendAsync("kept", "the next"));
        Assert.Equal(ErrorCode.MessageTooLarge, await again.RefusedAsync("kept", new string('x', 3000)));
    }

    [Fact]
    public async Task A_topic_that_is_asked_for_is_made_unless_that_is_switched_off()
    {
        await using (var cluster = await EmbeddedCluster.StartAsync(brokers: 3))
        {
            using var client = new TestClient(cluster);
            Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await client.DescribeAnswerAsync("made-by-asking")).Error);   // our client does not allow it
            Assert.Empty(await client.TopicsAsync());
            Assert.Equal(ErrorCode.None, await client.AskForAsync("made-by-asking"));   // Kafka says "unknown" once more
            Assert.Equal(ErrorCode.InvalidTopicException, await client.AskForAsync("not/a/name"));
            Assert.Equal(3, (await client.LeadershipAsync("made-by-asking")).Replicas.Count);
        }
        await using var strict = await EmbeddedCluster.StartAsync(1, new EmbeddedClusterOptions { Settings = new Dictionary<string, string> { ["auto.create.topics.enable"] = "false" } });
        using var other = new TestClient(strict);
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, await other.AskForAsync("absent"));
        await other.CreateAsync("present");
        Assert.Equal(["present"], await other.TopicsAsync());
    }

    /// <remarks>librdkafka 2.0.2 takes a broker whose Produce begins above 0 for one without compression, and sends everything uncompressed.</remarks>
    [Fact]
    public async Task Produce_is_offered_from_version_0_though_it_is_served_from_3()
    {
        await using var cluster = await EmbeddedCluster.StartAsync();
        using var client = new TestClient(cluster);
        var offered = (await client.AskAsync<ApiVersionsRequest, ApiVersionsResponse>(new ApiVersionsRequest(), 3))!.ApiKeys.Single(api => api.ApiKey == ApiKey.Produce);
        Assert.Equal((0, 12), (offered.MinVersion, offered.MaxVersion));
        await client.CreateAsync("t");
        Assert.Equal(0, await client.SendAsync("t", "our own client takes a version that is served"));
    }

    [Fact]
    public async Task A_node_that_stops_by_itself_is_told()
    {
        await using var cluster = await EmbeddedCluster.StartAsync(1, new EmbeddedClusterOptions
        {
            Observe = seen =>
            {
                if (seen.Kind == ObservationKind.ProduceReceived) throw new InvalidOperationException("planted");
            },
        });
        using var client = new TestClient(cluster);
        await client.CreateAsync("t");
        _ = client.SendAsync("t", "v");
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => cluster.Failed.WaitAsync(Patience));
        Assert.Contains("node 1 stopped by itself: planted", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_in_use_and_a_folder_of_another_are_said_in_one_line()
    {
        using var folder = new TemporaryFolder();
        await using var cluster = await EmbeddedCluster.StartAsync(1, new EmbeddedClusterOptions { DataDirectory = folder.Path });
        var second = await Assert.ThrowsAsync<DataFolderException>(() => EmbeddedCluster.StartAsync(1, new EmbeddedClusterOptions { DataDirectory = folder.Path }));
        Assert.Contains("is in use by another broker", second.Message, StringComparison.Ordinal);

        var taken = ClusterPlan.Of(new ServerProperties(), cluster.Bootstrap[0], brokers: 1);
        var refused = await Assert.ThrowsAsync<ServerConfigurationException>(() => EmbeddedCluster.StartAsync(taken, new EmbeddedClusterOptions()));
        Assert.Contains($"node 1 cannot listen on {cluster.BootstrapServers}: address already in use", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>What this process has open of the ports (as listener, holder or accepted) and below the folder.</summary>
    private static IEnumerable<string> OpenOnLinux(Endpoint[] ports, string? folder)
    {
        var inodes = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var table in new[] { "/proc/net/tcp", "/proc/net/tcp6" })
            foreach (var line in File.ReadLines(table).Skip(1))
            {
                var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                var local = Convert.ToInt32(words[1].Split(':')[1], 16);
                if (Array.Exists(ports, port => port.Port == local)) inodes[$"socket:[{words[9]}]"] = words[1];
            }
        foreach (var link in Directory.EnumerateFileSystemEntries("/proc/self/fd"))
        {
            var target = new FileInfo(link).LinkTarget ?? "";
            if (inodes.TryGetValue(target, out var address)) yield return address;
            if (folder is not null && target.StartsWith(folder, StringComparison.Ordinal)) yield return target;
        }
    }

    /// <summary>Our own client on a loop of its own.</summary>
    private sealed class TestClient : IDisposable
    {
        private readonly RealHost host = new(new NodeId(50), new MemoryDisk(), new Prng(5));
        private readonly ConnectionSettings connection;
        private WireProducer producer = null!;
        private WireConsumer consumer = null!;
        private WireAdmin admin = null!;

        public TestClient(EmbeddedCluster cluster)
        {
            connection = new ConnectionSettings(cluster.Bootstrap) { RequestTimeout = TimeSpan.FromSeconds(3) };
            host.Loop.RunAsync(() =>
            {
                var scope = new TaskScope();
                producer = new WireProducer(host, scope, new ProducerSettings(connection) { DeliveryTimeout = Patience });
                consumer = new WireConsumer(host, scope, new ConsumerSettings(connection) { OffsetReset = OffsetReset.Earliest });
                admin = new WireAdmin(host, scope, connection);
                return Task.CompletedTask;
            }).GetAwaiter().GetResult();
        }

        public Task CreateAsync(string topic, params KeyValuePair<string, string>[] settings) => DoAsync(async () =>
        {
            var created = await admin.CreateTopicAsync(new NewTopic(topic, -1, -1, Configuration: settings), Patience);
            Assert.Equal(OutcomeKind.Ok, created.Kind);
        });

        /// <summary>The offset at which the record lies.</summary>
        public Task<long> SendAsync(string topic, string value) => DoAsync(async () =>
        {
            var outcome = await producer.SendAsync(new TopicPartition(topic, 0), null, Encoding.UTF8.GetBytes(value));
            Assert.Equal(OutcomeKind.Ok, outcome.Kind);
            return outcome.Offset;
        });

        public Task<ErrorCode> RefusedAsync(string topic, string value) => DoAsync(async () =>
        {
            var outcome = await producer.SendAsync(new TopicPartition(topic, 0), null, Encoding.UTF8.GetBytes(value));
            Assert.Equal(OutcomeKind.Fail, outcome.Kind);
            return outcome.Error;
        });

        /// <summary>The first records of partition 0.</summary>
        public Task<List<string>> ReadAsync(string topic, int count) => DoAsync(async () =>
        {
            var read = new List<string>();
            consumer.Assign([new TopicPartition(topic, 0)]);
            while (read.Count < count)
                foreach (var batch in (await consumer.PollAsync(TimeSpan.FromSeconds(1))).Batches) read.AddRange(batch.Records.Select(record => Encoding.UTF8.GetString(record.Value!)));
            consumer.Assign([]);
            return read;
        });

        /// <summary>What a client that allows automatic creation is told of a topic.</summary>
        public async Task<ErrorCode> AskForAsync(string topic)
        {
            var request = new MetadataRequest { Topics = [new MetadataRequestTopic { Name = topic }], AllowAutoTopicCreation = true };
            return (await AskAsync<MetadataRequest, MetadataResponse>(request, 12))!.Topics[0].ErrorCode;
        }

        /// <summary>The first broker's answer; null when it closed the connection instead.</summary>
        public Task<TResponse?> AskAsync<TRequest, TResponse>(TRequest request, short version)
            where TRequest : class, IRequest<TResponse>, new()
            where TResponse : class, IResponse, new() => DoAsync(async () =>
        {
            var channel = (await RequestChannel.OpenAsync(host, connection.Bootstrap[0], Patience))!;
            var answer = await channel.ExchangeAsync(RequestFrame.Encode(request, version, 1, "test"), 1, Patience);
            channel.Close();
            return answer is null ? null : ResponseFrame.Decode<TResponse>(answer, version);
        });

        public Task<IReadOnlyList<string>> TopicsAsync() => DoAsync(async () => (await admin.ListTopicsAsync(Patience)).Value!);

        public Task<Answer<TopicDescription>> DescribeAnswerAsync(string topic) => DoAsync(() => admin.DescribeTopicAsync(topic, Patience));

        public async Task<TopicDescription> DescribeAsync(string topic) => (await DescribeAnswerAsync(topic)).Value!;

        /// <summary>Of partition 0, once somebody leads it.</summary>
        public Task<PartitionDescription> LeadershipAsync(string topic) => UntilAsync(topic, partition => partition.Leader != NodeId.None);

        public Task<PartitionDescription> UntilAsync(string topic, Func<PartitionDescription, bool> holds) => DoAsync(async () =>
        {
            while (true)
            {
                var described = await admin.DescribeTopicAsync(topic, Patience);
                if (described.Value is { } known && known.Partitions.Count > 0 && holds(known.Partitions[0])) return known.Partitions[0];
                await host.Time.DelayAsync(TimeSpan.FromMilliseconds(20));
            }
        });

        public void Dispose() => host.Dispose();

        private Task<T> DoAsync<T>(Func<Task<T>> work) => host.Loop.RunAsync(work).WaitAsync(Patience);

        private Task DoAsync(Func<Task> work) => host.Loop.RunAsync(work).WaitAsync(Patience);
    }
}
