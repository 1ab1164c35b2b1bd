using System.Globalization;
using System.Text;
using Broker.Embedded;
using Broker.Hosting;
using Broker.Protocol;
using Broker.Runtime;
using Verify.Cli;
using Verify.Cli.Servers;
using Verify.Clients;
using Verify.Promises;

namespace Reports.Tests;

/// <summary><c>mqverify broker</c>: settings, refusals, and lives of real processes.</summary>
public sealed class BrokerVerbTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("unknown setting 'num.partitons'; did you mean 'num.partitions'?", "--set", "num.partitons=3")]
    [InlineData("unknown option '--node' of mqverify broker; did you mean '--nodes'?", "--node", "3")]
    [InlineData("--port 'ninety': expected a number", "--port", "ninety")]
    [InlineData("min.insync.replicas: '0' is not a value that it takes", "--set", "min.insync.replicas=0")]
    [InlineData("auto.create.topics.enable: 'yes' is not one of true, false", "--set", "auto.create.topics.enable=yes")]
    [InlineData("log.retention.hours: 'many' is not a whole number", "--set", "log.retention.hours=many")]
    [InlineData("process.roles: 'brokr' is not one of broker, controller", "--set", "process.roles=brokr")]
    [InlineData("node.id: '64' is not a whole number from 0 to 63", "--node-id", "64")]
    [InlineData("controller.quorum.voters: '1:9093' is not of the form id@host:port", "--set", "controller.quorum.voters=1:9093")]
    [InlineData("controller.quorum.voters: '1@localhost' has no port", "--set", "controller.quorum.voters=1@localhost")]
    [InlineData("controller.quorum.voters: node 1 is named twice", "--set", "controller.quorum.voters=1@a:9093,1@b:9093")]
    [InlineData("controller.quorum.voters: node 2 has the role controller, but is no voter", "--node-id", "2", "--set", "process.roles=broker,controller", "--set", "controller.quorum.voters=1@127.0.0.1:9093")]
    [InlineData("controller.quorum.voters: node 1 is a voter, but process.roles has no controller", "--set", "process.roles=broker", "--set", "controller.quorum.voters=1@127.0.0.1:9093")]
    [InlineData("controller.quorum.voters is missing: only a node with both roles can be alone", "--set", "process.roles=broker")]
    [InlineData("listeners: the controller listens on port 9095, controller.quorum.voters says 9093", "--set", "controller.quorum.voters=1@127.0.0.1:9093", "--set", "listeners=PLAINTEXT://:9092,CONTROLLER://:9095")]
    [InlineData("listeners: 'SSL://:9092': this broker speaks PLAINTEXT only", "--set", "listeners=SSL://:9092")]
    [InlineData("listeners: 'PLAINTEXT://:x': 'x' is not a port", "--set", "listeners=PLAINTEXT://:x")]
    [InlineData("advertised.listeners: clients cannot reach 0.0.0.0", "--set", "listeners=PLAINTEXT://0.0.0.0:0")]
    [InlineData("listeners: node 1 cannot listen on 192.0.2.1:9092: cannot assign requested address", "--set", "listeners=PLAINTEXT://192.0.2.1:9092")]
    [InlineData("node.id is each node's own", "--nodes", "3", "--node-id", "1")]
    [InlineData("a cluster has 1 to 63 nodes, not 0 brokers and 0 controllers", "--nodes", "0")]
    [InlineData("--controllers goes with --nodes", "--controllers", "3")]
    [InlineData("--memory and log.dirs=here exclude each other", "--memory", "--data", "here")]
    [InlineData("log.dirs: one folder is used, not several", "--data", "a,b")]
    [InlineData("cannot make the folder '/dev/null'", "--port", "0", "--data", "/dev/null")]
    [InlineData("no such property file: 'none.properties'", "--config", "none.properties")]
    public async Task What_cannot_be_is_said_in_one_line_with_254(string expected, params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await Mqverify.RunAsync(["broker", .. arguments], new Streams(() => Stream.Null, output, error, IsTerminal: false)).WaitAsync(Patience);
        Assert.Equal((254, ""), (code, output.ToString()));
        Assert.StartsWith($"mqverify: {expected}", error.ToString(), StringComparison.Ordinal);
        Assert.Equal(1, error.ToString().Count(letter => letter == '\n'));
    }

    [Fact]
    public void Flags_go_before_the_environment_and_that_before_the_file()
    {
        var sources = ServerSources.Read(
            ("server.properties", "num.partitions=1\nlog.dirs=/of/file\nnode.id=7\nnum.io.threads=8\n"),
            [new("KAFKA_NUM_PARTITIONS", "2"), new("KAFKA_LOG_DIRS", "/of/environment"), new("KAFKA_HEAP_OPTS", "-Xmx1G"), new("PATH", "/bin"), new("KAFKA_SSL_KEYSTORE_LOCATION", "x")],
            [new("num.partitions", "3")]);
        Assert.Equal([new("log.dirs", "/of/environment"), new("node.id", "7"), new("num.partitions", "3")], sources.Settings);
        Assert.Equal(["num.io.threads", "ssl.keystore.location"], sources.WithoutEffect);
    }

    [Theory]
    [InlineData("lg.dirs=x", "", "server.properties:1: unknown setting 'lg.dirs'; did you mean 'log.dirs'?")]
    [InlineData("", "KAFKA_LOG_DIR_S", "environment: unknown setting 'KAFKA_LOG_DIR_S'; did you mean 'KAFKA_LOG_DIRS'?")]
    [InlineData("frobnicate=1", "", "server.properties:1: unknown setting 'frobnicate'")]
    public void An_unknown_name_is_told_with_its_source_and_the_nearest_known_one(string file, string variable, string expected)
    {
        var refused = Assert.Throws<BadInputException>(() => ServerSources.Read(("server.properties", file), variable.Length == 0 ? [] : [new(variable, "v")], []));
        Assert.Equal(expected, refused.Message);
    }

    [Fact]
    public void A_node_is_as_its_settings_say()
    {
        var node = ServerConfiguration.Of(new ServerProperties([
            new("node.id", "2"), new("process.roles", "broker,controller"), new("listeners", "PLAINTEXT://0.0.0.0:9092,CONTROLLER://:9093"), new("advertised.listeners", "PLAINTEXT://broker-2:9092"),
            new("controller.quorum.voters", "1@broker-1:9093,2@broker-2:9093"), new("log.retention.hours", "2"), new("log.roll.ms", "5000"), new("log.roll.hours", "1"), new("message.max.bytes", "1000"),
            new("default.replication.factor", "2"), new("broker.session.timeout.ms", "4000")]));
        Assert.Equal((new Endpoint("0.0.0.0", 9092), new Endpoint("broker-2", 9092), new Endpoint("127.0.0.1", 9093)), (node.Listener!.Value, node.Advertised!.Value, node.ControllerListener!.Value));
        var settings = node.ToSettings();
        Assert.Equal((7_200_000, 5000, 1000), (settings.TopicDefaults.RetentionMs, settings.TopicDefaults.SegmentMs, settings.TopicDefaults.MaxMessageBytes));
        Assert.Equal((2, TimeSpan.FromSeconds(4)), (settings.Controller.DefaultReplicationFactor, settings.Controller.SessionTimeout));
        Assert.Equal([new Endpoint("broker-1", 9093), new Endpoint("broker-2", 9093)], settings.Broker!.Controllers);
        Assert.Equal(2, settings.Voter!.Id.Value);

        var observer = ServerConfiguration.Of(new ServerProperties([new("node.id", "9"), new("controller.quorum.voters", "1@broker-1:9093")])).ToSettings();
        Assert.NotNull(observer.Broker);
        Assert.Null(observer.Voter);
    }

    [Fact]
    public void Nothing_but_loopback_is_bound_unless_an_address_is_named()
    {
        var alone = ServerConfiguration.Of(new ServerProperties());
        var unnamed = ServerConfiguration.Of(new ServerProperties([new("listeners", "PLAINTEXT://:9092,CONTROLLER://:9093"), new("controller.quorum.voters", "1@:9093")]));
        var cluster = ClusterPlan.Of(new ServerProperties(), alone.Listener!.Value, brokers: 2, controllers: 1);
        Assert.All(cluster.Append(alone).Append(unnamed), node => Assert.All(new[] { node.Listener, node.Advertised, node.ControllerListener }.OfType<Endpoint>(), bound => Assert.Equal("127.0.0.1", bound.Host)));
        Assert.Equal(9092, alone.Listener!.Value.Port);
    }

    [Fact]
    public async Task It_says_what_it_does_and_ends_with_0_when_told_to()
    {
        using var broker = new BrokerProcess("--nodes", "3", "--port", "0", "--memory");
        using (var client = new Client(await broker.ReadyAsync()))
        {
            await client.CreateAsync("orders");
            Assert.Equal(0, await client.SendAsync("orders", "first"));
            Assert.Equal(ErrorCode.UnknownTopicOrPartition, await client.RefusedAsync("orders", partition: 5));
        }
        Assert.Equal(0, await broker.TerminateAsync());
        foreach (var expected in new[] { "is the active controller, in quorum epoch ", "lets node 3 in", "topic orders is created", "leads orders-0 in epoch 0; in-sync replicas [1,2,3]", "data in memory", "stopping:", "stopped" })
            Assert.Contains(expected, broker.Said, StringComparison.Ordinal);
        Assert.Single(broker.Said.Split('\n'), line => line.Contains("topic orders is created", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Quiet_says_nothing_and_a_port_in_use_is_refused_by_the_second()
    {
        using var first = new BrokerProcess("--port", "0");
        var taken = (await first.ReadyAsync())[0];
        using var second = new BrokerProcess("--quiet", "--port", taken.Port.ToString(CultureInfo.InvariantCulture));
        Assert.Equal(254, await second.ExitAsync());
        Assert.Equal($"mqverify: listeners: node 1 cannot listen on {taken}: address already in use", second.Said);
        Assert.Equal(0, await first.TerminateAsync());
    }

    [Fact]
    public async Task Killed_while_it_serves_it_has_every_acknowledged_record_topic_and_setting_at_the_next_start()
    {
        using var folder = new TemporaryFolder();
        var acknowledged = new List<string>();
        using (var first = new BrokerProcess("--nodes", "3", "--port", "0", "--data", folder.Path))
        {
            using var client = new Client(await first.ReadyAsync());
            await client.CreateAsync("kept", KeyValuePair.Create("max.message.bytes", "5000"));
            for (var i = 0; i < 200; i++)
            {
                await client.SendAsync("kept", $"record {i}");
                acknowledged.Add($"record {i}");
            }
            _ = Enumerable.Range(0, 1000).Select(i => client.SendAsync("kept", $"in flight {i}")).ToArray();   // what becomes of these nobody knows
            first.Kill();
        }
        using var second = new BrokerProcess("--nodes", "3", "--port", "0", "--data", folder.Path);
        using var again = new Client(await second.ReadyAsync());
        Assert.Equal(["kept"], await again.TopicsAsync());
        Assert.Equal(acknowledged, await again.ReadAsync("kept", acknowledged.Count));
        Assert.True(await again.SendAsync("kept", "the next") >= acknowledged.Count);
        Assert.Equal(ErrorCode.MessageTooLarge, await again.RefusedAsync("kept", partition: 0, new string('x', 6000)));
        Assert.Contains("1 topics", second.Said, StringComparison.Ordinal);
        Assert.DoesNotContain("is created", second.Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Three_processes_are_one_cluster_and_one_that_is_told_to_end_hands_over()
    {
        using var ports = new HeldPorts(6);
        var voters = string.Join(',', Enumerable.Range(1, 3).Select(id => $"{id}@{ports[id + 2]}"));
        BrokerProcess[] nodes = [.. Enumerable.Range(1, 3).Select(id => new BrokerProcess(
            "--node-id", $"{id}", "--memory", "--set", $"listeners=PLAINTEXT://{ports[id - 1]}", "--set", $"controller.quorum.voters={voters}", "--set", "default.replication.factor=3", "--set", "min.insync.replicas=2"))];
        try
        {
            foreach (var node in nodes) await node.ReadyAsync();
            using var client = new Client([.. Enumerable.Range(0, 3).Select(index => ports[index])]);
            await client.CreateAsync("t");
            Assert.Equal(0, await client.SendAsync("t", "before"));
            var leader = await client.LeaderAsync("t");
            Assert.Equal(0, await nodes[leader - 1].TerminateAsync());
            Assert.Contains(nodes, node => node.Said.Contains("leads t-0 in epoch 1", StringComparison.Ordinal));
            Assert.NotEqual(leader, await client.LeaderAsync("t"));
            Assert.Equal(1, await client.SendAsync("t", "after"));
            Assert.Equal(["before", "after"], await client.ReadAsync("t", 2));
        }
        finally
        {
            foreach (var node in nodes) node.Dispose();
        }
    }

    /// <summary>Ports that nobody else is given while the processes start.</summary>
    private sealed class HeldPorts(int count) : IDisposable
    {
        private readonly HeldPort[] held = [.. Enumerable.Range(0, count).Select(_ => HeldPort.Take(new Endpoint("127.0.0.1", 0)))];

        public Endpoint this[int index] => held[index].Endpoint;

        public void Dispose()
        {
            foreach (var port in held) port.Dispose();
        }
    }

    /// <summary>Our own client on a loop of its own.</summary>
    private sealed class Client : IDisposable
    {
        private readonly RealHost host = new(new NodeId(50), new MemoryDisk(), new Prng(5));
        private WireProducer producer = null!;
        private WireConsumer consumer = null!;
        private WireAdmin admin = null!;

        public Client(IReadOnlyList<Endpoint> bootstrap)
        {
            var connection = new ConnectionSettings(bootstrap) { RequestTimeout = TimeSpan.FromSeconds(5) };
            host.Loop.RunAsync(() =>
            {
                var scope = new TaskScope();
                producer = new WireProducer(host, scope, new ProducerSettings(connection) { DeliveryTimeout = Patience });
                consumer = new WireConsumer(host, scope, new ConsumerSettings(connection) { OffsetReset = OffsetReset.Earliest });
                admin = new WireAdmin(host, scope, connection);
                return Task.CompletedTask;
            }).GetAwaiter().GetResult();
        }

        public void Dispose() => host.Dispose();

        public async Task CreateAsync(string topic, params KeyValuePair<string, string>[] settings) =>
            Assert.Equal(OutcomeKind.Ok, (await DoAsync(() => admin.CreateTopicAsync(new NewTopic(topic, -1, -1, Configuration: settings), Patience))).Kind);

        public async Task<long> SendAsync(string topic, string value)
        {
            var outcome = await DoAsync(() => producer.SendAsync(new TopicPartition(topic, 0), null, Encoding.UTF8.GetBytes(value)));
            Assert.Equal(OutcomeKind.Ok, outcome.Kind);
            return outcome.Offset;
        }

        /// <summary>The leader's answer to a request that is not retried; asked again only where the leader has just changed.</summary>
        public async Task<ErrorCode> RefusedAsync(string topic, int partition, string value = "v")
        {
            while (true)
                if (await AskLeaderAsync(topic, partition, value) is var error and not ErrorCode.NotLeaderOrFollower) return error;
        }

        private async Task<ErrorCode> AskLeaderAsync(string topic, int partition, string value)
        {
            var leader = await LeaderAsync(topic);
            return await DoAsync(async () =>
            {
                var cluster = (await admin.DescribeClusterAsync(Patience)).Value!;
                var channel = (await RequestChannel.OpenAsync(host, cluster.Brokers.Single(broker => broker.Id.Value == leader).Endpoint, Patience))!;
                var batch = new RecordBatchBuilder().Append(0, null, Encoding.UTF8.GetBytes(value)).ToArray();
                var request = new ProduceRequest { Acks = -1, TimeoutMs = 5000, TopicData = [new TopicProduceData { Name = topic, PartitionData = [new PartitionProduceData { Index = partition, Records = batch }] }] };
                var answer = (await channel.ExchangeAsync(RequestFrame.Encode(request, 9, 1, "test"), 1, Patience))!;
                channel.Close();
                return ResponseFrame.Decode<ProduceResponse>(answer, 9).Responses[0].PartitionResponses[0].ErrorCode;
            });
        }

        public Task<List<string>> ReadAsync(string topic, int count) => DoAsync(async () =>
        {
            var read = new List<string>();
            consumer.Assign([new TopicPartition(topic, 0)]);
            while (read.Count < count)
                foreach (var batch in (await consumer.PollAsync(TimeSpan.FromSeconds(1))).Batches) read.AddRange(batch.Records.Select(record => Encoding.UTF8.GetString(record.Value!)));
            return read[..count];
        });

        public async Task<IReadOnlyList<string>> TopicsAsync() => (await DoAsync(() => admin.ListTopicsAsync(Patience))).Value!;

        public Task<int> LeaderAsync(string topic) => DoAsync(async () =>
        {
            while (true)
            {
                var described = await admin.DescribeTopicAsync(topic, Patience);
                if (described.Value?.Partitions[0].Leader is { Value: >= 0 } leader) return leader.Value;
                await host.Time.DelayAsync(TimeSpan.FromMilliseconds(20));
            }
        });

        private Task<T> DoAsync<T>(Func<Task<T>> work) => host.Loop.RunAsync(work).WaitAsync(Patience);
    }
}
