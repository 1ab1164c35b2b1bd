using Broker.Runtime;
using Chaos.Faults;
using Chaos.Live;

namespace Chaos.Tests.Live;

/// <summary>Power losses, on nodes that write a file which they sync and one which they do not. Where disks of one's own cannot be mounted the tests are skipped, and say why.</summary>
public sealed class LiveDiskTests : IDisposable
{
    /// <summary>Tells by a file outside of the disk that it has written.</summary>
    private const string Writer = "test -e disk/data/synced || { mkdir disk/data; echo 1 >disk/data/synced; sync -f disk; }; cat disk/data/* >found; echo 2 >disk/data/written; echo >ready; sleep 1000";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly List<Observation> seen = [];
    private readonly LiveCluster cluster;

    public LiveDiskTests()
    {
        var missing = LiveNetwork.Missing() ?? LiveDisk.Missing();
        Skip.If(missing is not null, missing);
        cluster = new LiveCluster(new Sleepers(Writer), brokers: 2, [], eligibleLeaderReplicas: true, seen.Add, new LiveNetwork([1, 2]), disks: true);
        cluster.Start();
        Ready(1);
        Ready(2);
    }

    private string Folder => cluster.Folder;

    public void Dispose() => cluster?.Dispose();

    [SkippableFact]
    public void What_was_not_synced_is_gone_after_a_loss_of_power_and_there_after_a_crash()
    {
        Assert.Equal(("1", "1"), (Found(1), Found(2)));
        Hurt(new Fault.Crash(Trigger.AtMs(0), TimeSpan.FromSeconds(1), NodeRef.Of(1)));
        Hurt(new Fault.Power(Trigger.AtMs(0), TimeSpan.FromSeconds(1), NodeRef.Of(2), UnsyncedTail.Lost));
        Assert.Equal(("1\n2", "1"), (Found(1), Found(2)));
        Assert.Equal([2], seen.Where(static one => one.Kind == ObservationKind.PowerLost).Select(static one => one.Node.Value));
        Assert.Equal(2, seen.Count(static one => one.Kind == ObservationKind.FaultBit));
        cluster.Sync();
        Hurt(new Fault.Power(Trigger.AtMs(0), TimeSpan.FromSeconds(1), NodeRef.Of(2), UnsyncedTail.Lost));
        Assert.Equal("1\n2", Found(2));
    }

    [SkippableFact]
    public void Disks_are_gone_with_the_cluster_and_the_machine_never_saw_them()
    {
        var folder = Folder;
        Assert.Contains(Images(), image => image.StartsWith(folder, StringComparison.Ordinal));      // the count below would see it
        Assert.DoesNotContain(folder, File.ReadAllText("/proc/self/mountinfo"), StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(folder, "node-1", "disk", "data", "written")));
        cluster.Dispose();
        Assert.False(Directory.Exists(folder));
        Assert.True(SpinWait.SpinUntil(() => !Images().Any(image => image.StartsWith(folder, StringComparison.Ordinal)), Patience));
    }

    private void Hurt(Fault fault)
    {
        var node = Fault.NodeOf(fault.Subject!).Value;
        File.Delete(Path.Combine(Folder, $"node-{node}", "ready"));
        cluster.Inject(seen.Count, fault);
        cluster.Heal(seen.FindLast(static one => one.Kind == ObservationKind.FaultBit).Other);
        Ready(node);
    }

    private void Ready(int node) => Assert.True(SpinWait.SpinUntil(() => File.Exists(Path.Combine(Folder, $"node-{node}", "ready")), Patience));

    private string Found(int node) => File.ReadAllText(Path.Combine(Folder, $"node-{node}", "found")).Trim();

    /// <summary>Files that loop devices of the machine hold.</summary>
    private static string[] Images() => [.. Directory.GetDirectories("/sys/block", "loop*").Select(static device => Path.Combine(device, "loop", "backing_file")).Where(File.Exists).Select(File.ReadAllText)];
}
