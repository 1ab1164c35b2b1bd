using System.Diagnostics;
using Broker.Runtime;

namespace Verify.Tests.Clients;

/// <summary>
/// One unmodified Kafka node on loopback: formatted into a directory of its own, started, killed by its process id at the end. Null where there is no Kafka or no Java, with the reason.
/// </summary>
/// <remarks>Kafka is looked for in <c>shared/peers/kafka</c> beside the repository or further up, or where MQVERIFY_PEERS points.</remarks>
public sealed class RealKafkaNode : IDisposable
{
    private const string ClusterId = "AAAAAAAAAAAAAAAAAAAAAQ";
    private const int KeptLogLines = 200;

    private readonly string directory = Directory.CreateTempSubdirectory("mqverify-kafka-").FullName;
    private readonly Queue<string> log = new();
    private readonly Process process;

    private RealKafkaNode(string home)
    {
        var ports = LoopbackPorts.Free(2);
        Endpoint = ports[0];
        var settings = Path.Combine(directory, "server.properties");
        File.WriteAllLines(settings, Settings(ports[0].Port, ports[1].Port));
        using (var format = Start(home, "kafka-storage.sh", "format", "-t", ClusterId, "-c", settings))
        {
            format.WaitForExit();
            if (format.ExitCode != 0) throw new InvalidOperationException($"kafka-storage.sh format: {LogTail()}");
        }
        process = Start(home, "kafka-server-start.sh", settings);
    }

    public Endpoint Endpoint { get; }

    /// <summary>Where Kafka's tools are, or null and why they cannot be had.</summary>
    public static (string? Home, string Reason) TryFindTools() =>
        FindHome() is not { } home ? (null, "no shared/peers/kafka beside the repository, and MQVERIFY_PEERS is not set") : HasJava() ? (home, "") : (null, "no java on the path");

    /// <summary>The node, or why there is none.</summary>
    public static (RealKafkaNode? Node, string Reason) TryStart() => TryFindTools() is ({ } home, _) ? (new RealKafkaNode(home), "") : (null, TryFindTools().Reason);

    public string LogTail()
    {
        lock (log) return string.Join('\n', log);
    }

    public void Dispose()
    {
        process.Kill();
        process.WaitForExit();
        process.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private static string? FindHome()
    {
        if (Environment.GetEnvironmentVariable("MQVERIFY_PEERS") is { Length: > 0 } peers) return Existing(Path.Combine(peers, "kafka"));
        for (var folder = RepositoryRoot()?.Parent; folder is not null; folder = folder.Parent)
            if (Existing(Path.Combine(folder.FullName, "shared", "peers", "kafka")) is { } home) return home;
        return null;
    }

    private static string? Existing(string home) => Directory.Exists(Path.Combine(home, "bin")) ? home : null;

    private static DirectoryInfo? RepositoryRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Verify.sln"))) folder = folder.Parent;
        return folder;
    }

    private static bool HasJava()
    {
        try
        {
            using var java = Process.Start(new ProcessStartInfo("java", "-version") { RedirectStandardError = true, RedirectStandardOutput = true })!;
            java.WaitForExit();
            return java.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    /// <summary>Kafka's semantics with smaller internal topics and no waiting for groups.</summary>
    private string[] Settings(int broker, int controller) =>
    [
        "process.roles=broker,controller",
        "node.id=1",
        $"controller.quorum.voters=1@127.0.0.1:{controller}",
        $"listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}",
        $"advertised.listeners=PLAINTEXT://127.0.0.1:{broker}",
        "controller.listener.names=CONTROLLER",
        $"log.dirs={Path.Combine(directory, "data")}",
        "auto.create.topics.enable=false",
        "offsets.topic.replication.factor=1",
        "offsets.topic.num.partitions=1",
        "group.initial.rebalance.delay.ms=0",
        "transaction.state.log.replication.factor=1",
        "transaction.state.log.min.isr=1",
        "transaction.state.log.num.partitions=1",
        "log.cleaner.dedupe.buffer.size=2097152",
        "num.network.threads=2",
        "num.io.threads=4",
    ];

    private Process Start(string home, string script, params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(home, "bin", script), arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = directory };
        start.Environment["KAFKA_HEAP_OPTS"] = "-Xms256M -Xmx256M";
        start.Environment["KAFKA_JVM_PERFORMANCE_OPTS"] = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto -XX:+ExitOnOutOfMemoryError";
        start.Environment["LOG_DIR"] = Path.Combine(directory, "logs");
        var started = Process.Start(start)!;
        started.OutputDataReceived += Keep;
        started.ErrorDataReceived += Keep;
        started.BeginOutputReadLine();
        started.BeginErrorReadLine();
        return started;
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is null) return;
        lock (log)
        {
            log.Enqueue(line.Data);
            if (log.Count > KeptLogLines) log.Dequeue();
        }
    }
}
