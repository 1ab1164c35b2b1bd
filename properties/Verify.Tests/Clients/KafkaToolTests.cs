using System.Diagnostics;
using Broker.Embedded;
using Broker.Hosting;
using Broker.Runtime;
using Verify.Clients;
using Xunit.Abstractions;

namespace Verify.Tests.Clients;

/// <summary>Apache Kafka's own command line tools, which know nothing of this broker, on groups of the reference broker.</summary>
public sealed class KafkaToolTests(ITestOutputHelper output)
{
    private const string Topic = "t", Group = "tools";
    private const int Records = 60;

    [SkippableFact]
    public async Task They_consume_in_a_group_go_on_where_it_stands_and_describe_it()
    {
        var tools = Tools();
        await using var cluster = await EmbeddedCluster.StartAsync(3);
        await SendAsync(cluster);
        var first = await RunAsync(tools, "kafka-console-consumer.sh", "--bootstrap-server", cluster.BootstrapServers, "--topic", Topic, "--group", Group, "--from-beginning", "--max-messages", $"{Records}", "--timeout-ms", "60000");
        Assert.Equal(Values(), first.Where(static line => line.StartsWith('r')).Order(StringComparer.Ordinal));

        await SendAsync(cluster);
        var next = await RunAsync(tools, "kafka-console-consumer.sh", "--bootstrap-server", cluster.BootstrapServers, "--topic", Topic, "--group", Group, "--from-beginning", "--max-messages", $"{Records}", "--timeout-ms", "60000");
        Assert.Equal(Values(), next.Where(static line => line.StartsWith('r')).Order(StringComparer.Ordinal));

        Assert.Contains(Group, await RunAsync(tools, "kafka-consumer-groups.sh", "--bootstrap-server", cluster.BootstrapServers, "--list"));
        var described = await RunAsync(tools, "kafka-consumer-groups.sh", "--bootstrap-server", cluster.BootstrapServers, "--describe", "--group", Group);
        var rows = described.Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(static row => row is [Group, Topic, ..]).ToList();
        Assert.Equal(2 * Records, rows.Sum(static row => int.Parse(row[3])));
        Assert.All(rows, static row => Assert.Equal("0", row[5]));
        Assert.Contains(await RunAsync(tools, "kafka-consumer-groups.sh", "--bootstrap-server", cluster.BootstrapServers, "--delete", "--group", Group), static line => line.Contains("successful", StringComparison.Ordinal));
    }

    [SkippableFact]
    public async Task They_read_the_log_of_groups_and_offsets()
    {
        var tools = Tools();
        var directory = Directory.CreateTempSubdirectory("mqverify-groups-");
        var options = new EmbeddedClusterOptions { DataDirectory = directory.FullName, Settings = new Dictionary<string, string> { ["offsets.topic.num.partitions"] = "1" } };
        await using (var cluster = await EmbeddedCluster.StartAsync(1, options))
        {
            await SendAsync(cluster);
            using var host = new RealHost(new NodeId(50), Path.GetTempPath(), new Prng(3));
            await cluster.WhileUpAsync(host.Loop.RunAsync(async () =>
            {
                var scope = new TaskScope();
                var settings = new GroupConsumerSettings(new ConsumerSettings(new ConnectionSettings(cluster.Bootstrap)) { OffsetReset = OffsetReset.Earliest }, Group) { InstanceId = "an-instance", SessionTimeout = TimeSpan.FromSeconds(10), Commits = CommitPolicy.AfterProcessing };
                var consumer = new WireGroupConsumer(host, scope, settings);
                consumer.Subscribe([Topic]);
                for (var read = 0; read < Records;) read += (await consumer.PollAsync(TimeSpan.FromSeconds(1))).Records.Batches.Sum(static batch => batch.Records.Count);
                await consumer.CloseAsync(TimeSpan.FromSeconds(5));
                return true;
            }));
            await cluster.StopAsync();
        }
        var segment = Directory.GetFiles(directory.FullName, "*.log", SearchOption.AllDirectories).Single(static file => file.Contains("__consumer_offsets-0", StringComparison.Ordinal));
        var dump = string.Join('\n', await RunAsync(tools, "kafka-dump-log.sh", "--offsets-decoder", "--files", segment));
        output.WriteLine(dump);
        Assert.Contains("\"group\":\"tools\",\"topic\":\"t\",\"partition\":2", dump, StringComparison.Ordinal);
        Assert.Contains($"\"offset\":{Records / 3},\"leaderEpoch\":0", dump, StringComparison.Ordinal);
        Assert.Contains("\"groupInstanceId\":\"an-instance\"", dump, StringComparison.Ordinal);
        Assert.Contains("\"protocolType\":\"consumer\",\"generation\":1,\"protocol\":\"range\"", dump, StringComparison.Ordinal);
        directory.Delete(recursive: true);
    }

    [SkippableFact]
    public async Task They_create_topics_grow_them_and_tell_and_alter_settings()
    {
        var tools = Tools();
        await using var cluster = await EmbeddedCluster.StartAsync(3);
        string[] at = ["--bootstrap-server", cluster.BootstrapServers];
        await RunAsync(tools, "kafka-topics.sh", [.. at, "--create", "--topic", Topic, "--partitions", "2", "--replication-factor", "3", "--config", "min.insync.replicas=2"]);
        await RunAsync(tools, "kafka-topics.sh", [.. at, "--alter", "--topic", Topic, "--partitions", "5"]);
        var topic = await RunAsync(tools, "kafka-topics.sh", [.. at, "--describe", "--topic", Topic]);
        Assert.Contains("PartitionCount: 5\tReplicationFactor: 3\tConfigs: min.insync.replicas=2", topic[0], StringComparison.Ordinal);
        Assert.Equal(5, topic.Count(static line => line.StartsWith($"Topic: {Topic}\tPartition: ", StringComparison.Ordinal)));

        await RunAsync(tools, "kafka-configs.sh", [.. at, "--alter", "--topic", Topic, "--add-config", "retention.ms=1000"]);
        var settings = await RunAsync(tools, "kafka-configs.sh", [.. at, "--describe", "--topic", Topic, "--all"]);
        Assert.Contains("retention.ms=1000 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:retention.ms=1000}", settings);
        Assert.Contains("segment.bytes=1073741824 sensitive=false synonyms={DEFAULT_CONFIG:log.segment.bytes=1073741824}", settings);
        var broker = await RunAsync(tools, "kafka-configs.sh", [.. at, "--describe", "--broker", "1", "--all"]);
        Assert.Contains("node.id=1 sensitive=false synonyms={STATIC_BROKER_CONFIG:node.id=1}", broker);
    }

    private static IEnumerable<string> Values() => Enumerable.Range(0, Records).Select(static i => $"r{i}").Order(StringComparer.Ordinal);

    private string Tools()
    {
        var (home, reason) = RealKafkaNode.TryFindTools();
        if (home is null) output.WriteLine($"skipped: {reason}");
        Skip.If(home is null, reason);
        return home!;
    }

    private static async Task SendAsync(EmbeddedCluster cluster)
    {
        using var host = new RealHost(new NodeId(51), Path.GetTempPath(), new Prng(4));
        await cluster.WhileUpAsync(host.Loop.RunAsync(async () =>
        {
            var scope = new TaskScope();
            var connection = new ConnectionSettings(cluster.Bootstrap);
            var admin = new WireAdmin(host, scope, connection);
            await admin.CreateTopicAsync(new NewTopic(Topic, 3, (short)cluster.Bootstrap.Count), TimeSpan.FromSeconds(30));
            var producer = new WireProducer(host, scope, new ProducerSettings(connection));
            var sent = await Task.WhenAll(Enumerable.Range(0, Records).Select(i => producer.SendAsync(new TopicPartition(Topic, i % 3), null, ScriptedCluster.Bytes($"r{i}"))));
            Assert.All(sent, static outcome => Assert.Equal(OutcomeKind.Ok, outcome.Kind));
            await producer.CloseAsync();
            admin.Close();
            return true;
        }));
    }

    /// <summary>What a tool printed, line by line, once it has ended by itself.</summary>
    private async Task<string[]> RunAsync(string home, string script, params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(home, "bin", script), arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["KAFKA_HEAP_OPTS"] = "-Xms64M -Xmx256M";
        using var tool = Process.Start(start)!;
        var (said, complained) = (tool.StandardOutput.ReadToEndAsync(), tool.StandardError.ReadToEndAsync());
        await tool.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(2));
        output.WriteLine($"{script} ended with {tool.ExitCode}\n{await complained}");
        return (await said).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }
}
