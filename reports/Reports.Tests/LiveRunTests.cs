using System.Diagnostics;
using Broker.Hosting;
using Verify.Campaign.Results;
using Verify.Cli;

namespace Reports.Tests;

/// <summary><c>mqverify run --on process</c>: the same workload, nemesis and checkers on real processes.</summary>
public sealed class LiveRunTests
{
    [Fact]
    public async Task The_reference_broker_as_processes_keeps_its_promises_under_kills_and_leaves_nothing_behind()
    {
        using var folder = new TemporaryFolder();
        var (code, result) = await RunAsync("run", "--on", "process", "--faults", "crash", "--time", "8s", "--json", "--out", folder.Path);
        var cell = Assert.Single(result.Cells);
        Assert.True(code == ExitCode.Held, string.Join(", ", cell.Guarantees.Select(guarantee => $"{guarantee.Name}: {guarantee.ViolationsPromised} broken, unknown {guarantee.Runs - guarantee.RunsExercised}")));
        Assert.Equal(("reference", "process"), (cell.System, cell.On));
        Assert.True(cell.Exercised.Faults["crash"] > 0);
        Assert.True(cell.Exercised.Acknowledged > 300);
        Assert.False(cell.LatencyMs!.Simulated);
        Assert.Equal(0, result.SimulatedSeconds);
        Assert.Single(Directory.GetFiles(Path.Combine(folder.Path, "history")));
    }

    /// <summary>A few lines of shell that acknowledge every record and send none.</summary>
    [Fact]
    public async Task A_client_that_lies_is_caught()
    {
        using var folder = new TemporaryFolder();
        const string Liar = """while read -r line; do id=${line#*:}; id=${id%%,*}; case $line in *poll*) sleep 0.5;; esac; echo "{\"id\":$id,\"type\":\"ok\",\"offset\":$id}"; case $line in *close*) exit;; esac; done""";
        var (code, result) = await RunAsync("run", "--on", "process", "--client", $"exec:sh -c '{Liar}'", "--faults", "none", "--time", "3s", "--json", "--out", folder.Path);
        Assert.Equal(ExitCode.Broken, code);
        Assert.Contains(Assert.Single(result.Cells).Guarantees, guarantee => guarantee is { Name: "no-lost-writes", Verdict: ResultVerdict.Violated, ViolationsPromised: > 100 });
    }

    [Fact]
    public async Task A_client_that_cannot_start_is_quoted()
    {
        using var folder = new TemporaryFolder();
        var (code, said) = await RefusedAsync("run", "--on", "process", "--client", "exec:sh -c 'echo no such library >&2'", "--out", folder.Path);
        Assert.Equal(254, code);
        Assert.Contains("ended by itself: no such library", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tools_of_a_broker_that_refuse_are_quoted()
    {
        using var folder = new TemporaryFolder();
        using var home = new TemporaryFolder();                        // looks like Kafka, and is none
        Directory.CreateDirectory(Path.Combine(home.Path, "bin"));
        Directory.CreateDirectory(Path.Combine(home.Path, "libs"));
        File.WriteAllText(Path.Combine(home.Path, "libs", "kafka-clients-9.9.9.jar"), "");
        File.WriteAllText(Path.Combine(home.Path, "bin", "kafka-server-start.sh"), "");
        WriteScript(Path.Combine(home.Path, "bin", "kafka-storage.sh"), "echo no such cluster; exit 1");
        var (code, said) = await RefusedAsync("run", "--on", "process", "--system", "kafka", "--kafka-home", home.Path, "--out", folder.Path);
        Assert.Equal(254, code);
        Assert.Contains("kafka-storage.sh format failed: no such cluster", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--system kafka: only the reference broker runs in simulation; add --on process", "--system", "kafka")]
    [InlineData("--system kafka needs --kafka-home DIR", "--system", "kafka", "--on", "process")]
    [InlineData("--kafka-home goes with --system kafka", "--kafka-home", "x", "--on", "process")]
    [InlineData("--client: other clients than our own run on processes; add --on process", "--client", "exec:true")]
    [InlineData("--client 'kcat': expected own or exec:COMMAND", "--client", "kcat", "--on", "process")]
    [InlineData("--schedule kill-member: it kills members of groups that are processes", "--schedule", "kill-member", "--on", "process", "--set", "commit=auto")]
    [InlineData("--schedule kill-member: it kills members of groups that are processes", "--schedule", "kill-member", "--on", "process", "--client", "exec:true")]
    [InlineData("group.protocol=consumer: in simulation there is the classic protocol alone", "--set", "group.protocol=consumer")]
    [InlineData("group.protocol=consumer: our own client has the classic protocol alone", "--set", "group.protocol=consumer", "--on", "process")]
    [InlineData("--kafka-home '", "--kafka-home", "x", "--on", "process", "--system", "kafka")]
    [InlineData("--faults disk: cannot be done to processes; there are crash", "--faults", "disk", "--on", "process")]
    [InlineData("--workload metadata: on processes there is the workload log", "--workload", "metadata", "--on", "process")]
    [InlineData("--mutant drop-every-fiftieth: planted bugs are in the simulated broker", "--mutant", "drop-every-fiftieth", "--on", "process")]
    [InlineData("--faults delay: cannot be done to processes", "--faults", "crash,delay", "--on", "process")]
    [InlineData("--faults clock: cannot be done to processes", "--faults", "power,clock", "--on", "process")]
    [InlineData("--schedule and --faults exclude each other", "--schedule", "kill-all", "--faults", "crash")]
    [InlineData("unknown schedule 'kill-leadr'; did you mean 'kill-leader'?", "--schedule", "kill-leadr")]
    [InlineData("process.roles=separate: on processes every node is both", "--set", "process.roles=separate", "--on", "process")]
    [InlineData("unknown place to run 'proces'; did you mean 'process'?", "--on", "proces")]
    public async Task What_cannot_be_run_is_said_in_one_line(string expected, params string[] arguments)
    {
        var (code, said) = await RefusedAsync(["run", .. arguments]);
        Assert.Equal(254, code);
        Assert.StartsWith($"mqverify: {expected}", said, StringComparison.Ordinal);
        Assert.Equal(1, said.Count(letter => letter == '\n'));
    }

    private static async Task<(int Code, CampaignResult Result)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await Mqverify.RunAsync(arguments, new Streams(() => Stream.Null, output, error, IsTerminal: false));
        Assert.True(output.ToString().Length > 0, error.ToString());
        return (code, ResultJson.Read(output.ToString()));
    }

    private static async Task<(int Code, string Said)> RefusedAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        return (await Mqverify.RunAsync(arguments, new Streams(() => Stream.Null, output, error, IsTerminal: false)), error.ToString());
    }

    private static void WriteScript(string path, string body)
    {
        File.WriteAllText(path, $"#!/bin/sh\n{body}\n");
        Process.Start("chmod", ["+x", path]).WaitForExit();
    }
}
