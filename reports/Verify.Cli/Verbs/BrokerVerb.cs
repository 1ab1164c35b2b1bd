using System.Collections;
using System.CommandLine;
using System.Globalization;
using Broker.Embedded;
using Broker.Hosting;
using Broker.Runtime;
using Verify.Cli.Options;
using Verify.Cli.Servers;
using Verify.Promises;

namespace Verify.Cli.Verbs;

/// <summary><c>mqverify broker</c>: the reference broker as a server.</summary>
internal static class BrokerVerb
{
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(5);

    /// <summary>Where these differ from Kafka's defaults it is for a quick start and a quick change of leaders.</summary>
    private static readonly KeyValuePair<string, string>[] Defaults =
    [
        new("controller.quorum.election.timeout.ms", "200"),
        new("broker.heartbeat.interval.ms", "500"),
        new("broker.session.timeout.ms", "3000"),
        new("replica.fetch.backoff.ms", "100"),
    ];

    public static Command Create(Streams streams)
    {
        var config = Parsed.One<string?>("--config", "FILE", "A server.properties as Kafka reads it", static text => text, static () => null);
        var nodeId = Parsed.One<int?>("--node-id", "N", "node.id of the one node that this process runs", static text => Number("--node-id", text), static () => null);
        var nodes = Parsed.One<int?>("--nodes", "N", "Run a cluster of so many brokers in this process, on ports one after another", static text => Number("--nodes", text), static () => null);
        var controllers = Parsed.One("--controllers", "N", "With --nodes: so many controllers beside them; 0: every broker is one", static text => Number("--controllers", text), static () => 0, "0");
        var port = Parsed.One<int?>("--port", "P", "Listen on 127.0.0.1:P (default: 9092); 0 takes any free port", static text => Number("--port", text), static () => null);
        var data = Parsed.One<string?>("--data", "DIR", "log.dirs: keep everything there (default: a temporary folder that goes at the end)", static text => text, static () => null);
        var memory = new Option<bool>("--memory") { Description = "Keep everything in memory" };
        var set = Parsed.Many("--set", "NAME=VALUE", "A setting of the server under Kafka's name; may be repeated", static text => Configuration.Assignment(text, "--set"));
        var quiet = new Option<bool>("--quiet") { Description = "Print nothing but what stops it" };
        var verb = new Verb(
            "broker",
            "Starts the reference broker, speaking Kafka's protocol, on 127.0.0.1 unless told otherwise",
            "mqverify broker --nodes 3",
            "mqverify broker --port 19092 --data broker-data",
            "mqverify broker --config server.properties --set min.insync.replicas=2",
            "mqverify broker --node-id 1 --port 9092 --set controller.quorum.voters=1@127.0.0.1:9093,2@127.0.0.1:9095,3@127.0.0.1:9097",
            "KAFKA_NODE_ID=1 KAFKA_LISTENERS=PLAINTEXT://0.0.0.0:9092 KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://broker:9092 mqverify broker")
        {
            config, nodeId, nodes, controllers, port, data, memory, set, quiet,
        };
        verb.Notes =
        [
            "Settings go under Kafka's names: flags before KAFKA_... variables before the file. Ctrl-C or SIGTERM stops it in good order: leaderships go to other nodes first, and everything is flushed.",
            $"Differing from Kafka's defaults: {string.Join(", ", Defaults.Select(setting => $"{setting.Key}={setting.Value}"))}; with --nodes 3 or more default.replication.factor=3 and min.insync.replicas=2.",
        ];
        verb.SetAction((parsed, stop) =>
        {
            var flags = new List<KeyValuePair<string, string>>();
            if (parsed.GetValue(nodeId) is { } id) flags.Add(new("node.id", Text(id)));
            if (parsed.GetValue(port) is { } chosen) flags.Add(new("listeners", $"PLAINTEXT://127.0.0.1:{Text(chosen)}"));
            if (parsed.GetValue(data) is { } folder) flags.Add(new("log.dirs", folder));
            flags.AddRange(parsed.GetValue(set)!);
            var file = parsed.GetValue(config) is { } path ? (path, InputFile.ReadText(path, "property file")) : ((string, string)?)null;
            var variables = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(entry => KeyValuePair.Create((string)entry.Key, (string?)entry.Value ?? ""));
            return ServeAsync(ServerSources.Read(file, variables, flags), parsed.GetValue(nodes), parsed.GetValue(controllers), parsed.GetValue(memory), parsed.GetValue(quiet), streams, stop);
        });
        return verb;
    }

    private static async Task<int> ServeAsync(ServerSources sources, int? nodes, int controllers, bool memory, bool quiet, Streams streams, CancellationToken stop)
    {
        var log = new ServerLog(quiet ? TextWriter.Null : streams.Output, TimeProvider.System);
        try
        {
            if (nodes is null && controllers > 0) throw new BadInputException("--controllers goes with --nodes");
            var planned = nodes is { } count ? ClusterOf(sources.Settings, count, controllers) : [ServerConfiguration.Of(new ServerProperties(sources.Settings).Over([.. Defaults, .. Alone(sources.Settings)]))];
            if (memory && planned[0].LogDirectory is { } folder) throw new BadInputException($"--memory and log.dirs={folder} exclude each other");
            if (sources.WithoutEffect.Count > 0) log.Write($"without effect here: {string.Join(", ", sources.WithoutEffect)}");
            return await RunAsync(planned, memory, log, streams, stop);
        }
        catch (Exception refused) when (refused is ServerConfigurationException or DataFolderException)
        {
            throw new BadInputException(refused.Message);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return ExitCode.Held;                                      // before it was up
        }
    }

    private static async Task<int> RunAsync(IReadOnlyList<ServerConfiguration> planned, bool memory, ServerLog log, Streams streams, CancellationToken stop)
    {
        var alone = planned[0].Voters.All(voter => planned.Any(node => node.Id == voter.Id));
        if (!alone) log.Write("waiting for a majority of controller.quorum.voters");
        var options = new EmbeddedClusterOptions { OnDisk = !memory, Observe = log.Observe, StopLimit = StopLimit, StartLimit = alone ? TimeSpan.FromSeconds(30) : Timeout.InfiniteTimeSpan };
        await using var cluster = await EmbeddedCluster.StartAsync(planned, options, stop);
        foreach (var node in cluster.Nodes)
            if (node.Listener is { } listener) log.Write($"node {node.Id}: serves clients at {listener}{(node.Advertised == node.Listener ? "" : $", known to them as {node.Advertised}")}");
        var topics = log.CaughtUp();
        log.Write($"ready: bootstrap.servers={cluster.BootstrapServers}; {topics} topics; data {Place(cluster, planned)}; Ctrl-C stops");
        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (stop.Register(stopping.SetResult))
            if (await Task.WhenAny(cluster.Failed, stopping.Task) == cluster.Failed)
            {
                streams.Error.WriteLine($"mqverify: {cluster.Failed.Exception!.InnerException!.Message.ReplaceLineEndings(" ")}");
                return ExitCode.Failed;
            }
        log.Write("stopping: leaderships go elsewhere, logs are flushed");
        await cluster.StopAsync();
        log.Write("stopped");
        return ExitCode.Held;
    }

    /// <summary>Brokers on ports one after another from that of the listener given, if any.</summary>
    /// <summary>A node that knows of no other has all replicas itself, those of the groups' offsets too.</summary>
    private static KeyValuePair<string, string>[] Alone(IReadOnlyDictionary<string, string> settings) =>
        settings.ContainsKey("controller.quorum.voters") || settings.ContainsKey("default.replication.factor") ? [] : [new("offsets.topic.replication.factor", "1")];

    private static IReadOnlyList<ServerConfiguration> ClusterOf(IReadOnlyDictionary<string, string> settings, int nodes, int controllers)
    {
        var first = ServerConfiguration.Of(new ServerProperties(settings.Where(setting => setting.Key is "listeners"))).Listener!.Value;
        var replicas = Text(Math.Min(nodes, 3));
        KeyValuePair<string, string>[] sized = [.. Defaults, new("default.replication.factor", replicas), new("min.insync.replicas", nodes >= 3 ? "2" : "1")];
        return ClusterPlan.Of(new ServerProperties(settings.Where(setting => setting.Key is not "listeners")).Over(sized), first, nodes, controllers);
    }

    private static string Place(EmbeddedCluster cluster, IReadOnlyList<ServerConfiguration> planned)
    {
        if (cluster.Nodes[0].LogDirectory is not { } folder) return "in memory";
        var shown = cluster.Nodes.Count == 1 ? folder : Path.GetDirectoryName(folder)!;
        return planned[0].LogDirectory is null ? $"in {shown}, which goes at the end" : $"in {shown}";
    }

    private static int Number(string option, string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new BadInputException($"{option} '{text}': expected a number");

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
