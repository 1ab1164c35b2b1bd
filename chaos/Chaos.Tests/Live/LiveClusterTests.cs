using System.Diagnostics;
using Broker.Runtime;
using Chaos.Faults;
using Chaos.Live;

namespace Chaos.Tests.Live;

/// <summary>What a live cluster does to processes, on processes that only sleep.</summary>
public sealed class LiveClusterTests
{
    private readonly List<Observation> seen = [];

    private LiveCluster Cluster(string program = "sleep 1000")
    {
        var cluster = new LiveCluster(new Sleepers(program), brokers: 2, [new("a", "b")], eligibleLeaderReplicas: true, seen.Add);
        cluster.Start();
        return cluster;
    }

    private int Count(ObservationKind kind, int node) => seen.Count(one => one.Kind == kind && one.Node.Value == node);

    [Fact]
    public void A_crash_ends_the_process_and_its_heal_starts_another()
    {
        using var cluster = Cluster();
        cluster.Inject(0, new Fault.Crash(Trigger.AtMs(0), TimeSpan.FromSeconds(1), NodeRef.Of(1)));
        Assert.Equal((1, 1, 0), (Count(ObservationKind.Crashed, 1), Count(ObservationKind.FaultBit, 1), Count(ObservationKind.FaultBit, 2)));
        cluster.Watch();
        Assert.Empty(cluster.Deaths);                                  // it was told to
        cluster.Heal(0);
        Assert.Equal((2, 1), (Count(ObservationKind.NodeStarted, 1), Count(ObservationKind.NodeStarted, 2)));
        Assert.Equal(1, Count(ObservationKind.FaultHealed, 1));
    }

    [Fact]
    public void A_pause_bites_only_a_process_that_runs()
    {
        using var cluster = Cluster();
        var pause = new Fault.Pause(Trigger.AtMs(0), TimeSpan.FromSeconds(1), NodeRef.Of(2));
        cluster.Inject(0, pause);
        cluster.Inject(1, pause);                                      // it stands still already
        Assert.Equal(1, Count(ObservationKind.FaultBit, 2));
        cluster.Heal(1);
        cluster.Heal(0);
        cluster.Inject(2, new Fault.Crash(Trigger.AtMs(0), TimeSpan.FromSeconds(1), NodeRef.Of(2)));
        cluster.Inject(3, pause);                                      // it is dead
        Assert.Equal([0, 2], seen.Where(one => one.Kind == ObservationKind.FaultBit).Select(one => one.Other));
    }

    [Fact]
    public async Task A_restart_waits_for_the_end_of_the_first_life()
    {
        using var cluster = Cluster();
        cluster.Inject(0, new Fault.Restart(Trigger.AtMs(0), TimeSpan.FromSeconds(1), NodeRef.Of(1)));
        cluster.Heal(0);
        for (var wait = 0; wait < 500 && Count(ObservationKind.NodeStarted, 1) < 2; wait++) await Task.Delay(10);
        Assert.Equal((2, 1, 0), (Count(ObservationKind.NodeStarted, 1), Count(ObservationKind.FaultBit, 1), Count(ObservationKind.Crashed, 1)));
    }

    [Fact]
    public void A_node_that_ends_by_itself_is_told_once_with_its_last_words()
    {
        using var cluster = Cluster("echo out of luck; exit 3");
        for (var wait = 0; wait < 500 && cluster.Deaths.Count < 2; wait++)
        {
            Thread.Sleep(10);
            cluster.Watch();
        }
        Assert.Equal([(1, 3, "out of luck"), (2, 3, "out of luck")], cluster.Deaths.Select(death => (death.Node.Value, death.ExitCode, death.LastWords)).Order());
        cluster.Watch();
        Assert.Equal(2, cluster.Deaths.Count);
    }

    [Fact]
    public void Every_node_has_its_settings_and_nothing_is_left_at_the_end()
    {
        int[] processes;
        string mine;
        using (var cluster = Cluster())
        {
            mine = cluster.Folder;
            Assert.Contains("a=b", File.ReadAllLines(Path.Combine(mine, "node-2", "server.properties")));
            Assert.Contains("node.id=2", File.ReadAllLines(Path.Combine(mine, "node-2", "server.properties")));
            string[] notes = [.. new[] { 1, 2 }.Select(node => Path.Combine(mine, $"node-{node}", "process"))];
            Assert.True(SpinWait.SpinUntil(() => notes.All(note => File.Exists(note) && LiveProcess.Noted(File.ReadAllText(note)) is not null), TimeSpan.FromSeconds(30)));
            processes = [.. notes.Select(note => LiveProcess.Noted(File.ReadAllText(note))!.Value)];
            Assert.All(processes, id => Assert.False(Process.GetProcessById(id).HasExited));
        }
        Assert.False(Directory.Exists(mine));
        Assert.All(processes, id => Assert.False(Directory.Exists($"/proc/{id}")));
    }

    [Fact]
    public void What_a_killed_runner_left_behind_is_removed_and_what_a_living_one_has_is_not()
    {
        using var mine = Cluster();
        using var orphan = Process.Start(new ProcessStartInfo("sleep", "1000"))!;
        var folder = Directory.CreateTempSubdirectory("mqverify-live-").FullName;
        Directory.CreateDirectory(Path.Combine(folder, "node-1"));
        File.WriteAllText(Path.Combine(folder, "node-1", "process"), LiveProcess.Note(orphan.Id));
        var me = LiveProcess.Note(Environment.ProcessId);
        File.WriteAllText(Path.Combine(folder, "runner"), me.Replace($" {LiveProcess.StartedAt(Environment.ProcessId)} ", " 1 ", StringComparison.Ordinal));   // the id is in use again, by another process
        Assert.True(LiveFolder.SweepLeftovers() >= 1);
        Assert.True(orphan.WaitForExit(5000));
        Assert.False(Directory.Exists(folder));
        mine.Watch();
        Assert.Empty(mine.Deaths);
    }

    [Fact]
    public void What_cannot_be_done_to_processes_is_refused()
    {
        using var cluster = Cluster();
        var refused = Assert.Throws<LiveException>(() => cluster.Inject(0, new Fault.Power(Trigger.AtMs(0), TimeSpan.FromSeconds(1), NodeRef.Of(1))));
        Assert.Contains("power", refused.Message, StringComparison.Ordinal);
        Assert.Contains("no unpacked Kafka", Assert.Throws<LiveException>(static () => new KafkaSystem("/nowhere")).Message, StringComparison.Ordinal);
    }
}
