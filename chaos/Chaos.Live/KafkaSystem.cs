using System.Diagnostics;

namespace Chaos.Live;

/// <summary>Apache Kafka from an unpacked official download, KRaft, unmodified.</summary>
/// <remarks>
/// The scripts end in <c>exec java</c>, so a process's id is the server's own. The JVM compiles with its first compiler only: half the processor time of a start, same semantics.
/// </remarks>
public sealed class KafkaSystem : ILiveSystem
{
    private const string ClusterId = "bXF2ZXJpZnktbGl2ZS0wMQ";

    /// <summary>Internal topics as small as they may be, no leader moved by itself, no waiting for groups, and their members missed within seconds.</summary>
    private static readonly KeyValuePair<string, string>[] Quiet =
    [
        new("auto.create.topics.enable", "false"), new("auto.leader.rebalance.enable", "false"), new("group.initial.rebalance.delay.ms", "0"),
        new("offsets.topic.num.partitions", "1"), new("offsets.topic.replication.factor", "3"),
        new("transaction.state.log.num.partitions", "1"), new("transaction.state.log.replication.factor", "3"), new("transaction.state.log.min.isr", "2"),
        new("group.consumer.min.session.timeout.ms", "1000"), new("group.consumer.session.timeout.ms", "3000"), new("group.consumer.min.heartbeat.interval.ms", "200"), new("group.consumer.heartbeat.interval.ms", "500"),
        new("log.cleaner.dedupe.buffer.size", "2097152"), new("num.network.threads", "2"), new("num.io.threads", "4"),
    ];

    private readonly string home;

    /// <param name="home">The unpacked folder, with <c>bin</c> and <c>libs</c>.</param>
    /// <exception cref="LiveException">It is none.</exception>
    public KafkaSystem(string home)
    {
        this.home = home;
        var jar = Directory.Exists(Path.Combine(home, "libs")) ? Directory.EnumerateFiles(Path.Combine(home, "libs"), "kafka-clients-*.jar").FirstOrDefault() : null;
        if (jar is null || !File.Exists(Script("kafka-server-start"))) throw new LiveException($"--kafka-home '{home}': no unpacked Kafka there: bin/kafka-server-start.sh and libs/kafka-clients-*.jar were looked for");
        Version = $"Apache Kafka {Path.GetFileNameWithoutExtension(jar)["kafka-clients-".Length..]}";
    }

    public string Name => "kafka";

    public string Version { get; }

    public IReadOnlyDictionary<string, string> Environment { get; } = new Dictionary<string, string>
    {
        ["KAFKA_HEAP_OPTS"] = "-Xms256M -Xmx384M",
        ["KAFKA_JVM_PERFORMANCE_OPTS"] = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto",
    };

    public void Prepare(LiveNodePlan node)
    {
        var plan = node with { Settings = [.. node.Settings, new("controller.listener.names", "CONTROLLER"), .. Quiet.Where(quiet => node.Settings.All(given => given.Key != quiet.Key))] };
        plan.WriteProperties();
        string[] feature = node.EligibleLeaderReplicas ? [] : ["--feature", "eligible.leader.replicas.version=0"];
        var start = new ProcessStartInfo(Script("kafka-storage"), ["format", "-t", ClusterId, "-c", plan.PropertiesFile, .. feature]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in Environment) start.Environment[name] = value;
        start.Environment["LOG_DIR"] = node.Folder;
        using var format = Start(start);
        var said = format.StandardOutput.ReadToEndAsync();
        var wrong = format.StandardError.ReadToEnd();
        format.WaitForExit();
        if (format.ExitCode != 0) throw new LiveException($"kafka-storage.sh format failed: {(said.Result + wrong).Trim().Split('\n')[^1]}");
    }

    public IReadOnlyList<string> CommandOf(LiveNodePlan node) => [Script("kafka-server-start"), node.PropertiesFile];

    private string Script(string name) => Path.Combine(home, "bin", $"{name}.sh");

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception refused)
        {
            throw new LiveException($"{start.FileName} could not be started: {refused.Message}");
        }
    }
}
