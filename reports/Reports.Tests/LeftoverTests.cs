using System.Collections.Immutable;
using System.Diagnostics;
using System.Net.NetworkInformation;
using System.Runtime.InteropServices;
using Broker.Hosting;
using Chaos.Live;

namespace Reports.Tests;

/// <summary>What a live run makes on the machine is gone after it: processes, namespaces, mounts, loop devices, interfaces, folders; also after Ctrl-C, and after kill -9 of the runner once another one has started.</summary>
/// <remarks>Each test has a temporary folder of its own as TMPDIR: what has it in its environment or its path belongs to the test, whatever else goes on on the machine.</remarks>
public sealed class LeftoverTests : IDisposable
{
    private const int Interrupt = 2;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private static readonly string Faults = LiveNetwork.Missing() is not null ? "crash" : LiveDisk.Missing() is not null ? "partition" : "power";

    private readonly TemporaryFolder temporary = new();
    private readonly List<Process> runners = [];
    private readonly ImmutableSortedSet<string> interfaces = Interfaces();

    public void Dispose()
    {
        foreach (var runner in runners)
        {
            if (!runner.HasExited) runner.Kill();
            runner.WaitForExit();
            runner.Dispose();
        }
        foreach (var process in Processes()) Process.GetProcessById(process).Kill();
        temporary.Dispose();
    }

    [Fact]
    public async Task After_the_end_of_a_run_nothing_is_left()
    {
        var seen = await RunningAsync(Start("2s"));
        await runners[0].WaitForExitAsync().WaitAsync(Patience);
        AssertGone(seen);
    }

    [Fact]
    public async Task After_an_interrupt_nothing_is_left()
    {
        var seen = await RunningAsync(Start("600s"));
        Assert.Equal(0, SendSignal(runners[0].Id, Interrupt));
        await runners[0].WaitForExitAsync().WaitAsync(Patience);
        AssertGone(seen);
    }

    [Fact]
    public async Task What_a_killed_runner_leaves_the_next_one_removes_and_what_a_living_one_owns_stays()
    {
        var living = await RunningAsync(Start("600s"));
        var both = await RunningAsync(Start("600s"), folders: 2);
        runners[1].Kill();
        await runners[1].WaitForExitAsync();
        var left = both with { Processes = [.. both.Processes.Except(living.Processes).Where(id => id != runners[1].Id)], Namespaces = both.Namespaces.Except(living.Namespaces), Folders = both.Folders.Except(living.Folders) };
        Assert.Equal((3, 1), (left.Processes.Count(IsAlive), left.Folders.Count(Directory.Exists)));

        var next = Start("1s");
        await next.WaitForExitAsync().WaitAsync(Patience);
        Assert.Equal(living.Folders, Folders());
        Assert.True(SpinWait.SpinUntil(() => !left.Processes.Any(IsAlive) && EveryNamespace().Intersect(left.Namespaces).IsEmpty, Patience));
        Assert.False(runners[0].HasExited);
        Assert.Equal(living.Namespaces, living.Namespaces.Intersect(EveryNamespace()));
        Assert.All(living.Folders, folder => Assert.Equal(3, Directory.GetFiles(folder, "process", SearchOption.AllDirectories).Length));

        Assert.Equal(0, SendSignal(runners[0].Id, Interrupt));
        await runners[0].WaitForExitAsync().WaitAsync(Patience);
        AssertGone(both);
    }

    private Process Start(string time)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "mqverify.dll"), "run", "--on", "process", "--faults", Faults, "--time", time, "--quiet", "--out", Path.Combine(temporary.Path, $"out{runners.Count}")])
        {
            RedirectStandardOutput = true,
            Environment = { ["TMPDIR"] = temporary.Path },
        };
        runners.Add(Process.Start(start)!);
        return runners[^1];
    }

    /// <summary>What is there once all nodes run.</summary>
    private async Task<Census> RunningAsync(Process runner, int folders = 1)
    {
        var namespaces = Faults == "crash" ? 0 : 5;                 // of three nodes, the clients and the bridge
        for (var deadline = Stopwatch.StartNew(); deadline.Elapsed < Patience && !runner.HasExited; await Task.Delay(50))
        {
            var seen = new Census(Processes(), Namespaces(), Folders());
            if (Images().Count(image => image.StartsWith(temporary.Path, StringComparison.Ordinal)) != (Faults == "power" ? 3 * folders : 0)) continue;
            if (Directory.GetFiles(temporary.Path, "process", SearchOption.AllDirectories).Length == 3 * folders && seen.Processes.Count >= 4 * folders && seen.Namespaces.Count >= namespaces * folders) return seen;
        }
        throw new InvalidOperationException($"it did not come up: {await runner.StandardOutput.ReadToEndAsync()}");
    }

    private void AssertGone(Census seen)
    {
        Assert.Empty(Folders());
        Assert.True(SpinWait.SpinUntil(() => Processes().IsEmpty && !seen.Processes.Any(IsAlive) && EveryNamespace().Intersect(seen.Namespaces).IsEmpty, Patience));
        Assert.DoesNotContain(temporary.Path, File.ReadAllText("/proc/self/mountinfo"), StringComparison.Ordinal);
        Assert.True(SpinWait.SpinUntil(() => !Images().Any(image => image.StartsWith(temporary.Path, StringComparison.Ordinal)), Patience));
        Assert.Equal(interfaces, Interfaces());
    }

    private ImmutableSortedSet<string> Folders() => [.. Directory.GetDirectories(temporary.Path, "mqverify-live-*")];

    /// <summary>Those that were started with the test's temporary folder.</summary>
    private ImmutableSortedSet<int> Processes() => [.. EveryProcess().Where(id => Read($"/proc/{id}/environ").Contains($"TMPDIR={temporary.Path}\0", StringComparison.Ordinal))];

    private ImmutableSortedSet<string> Namespaces() => NamespacesOf(Processes()).Except(NamespacesOf([Environment.ProcessId]));

    private static ImmutableSortedSet<string> EveryNamespace() => NamespacesOf(EveryProcess());

    private static IEnumerable<int> EveryProcess() => Directory.GetDirectories("/proc").Select(static folder => int.TryParse(Path.GetFileName(folder), out var id) ? id : 0).Where(static id => id > 0);

    private static bool IsAlive(int process) => Read($"/proc/{process}/environ").Length > 0;

    /// <summary>Of network and of mounts, of every thread.</summary>
    private static ImmutableSortedSet<string> NamespacesOf(IEnumerable<int> processes) =>
        [.. processes.SelectMany(static id => Entries($"/proc/{id}/task")).SelectMany(static thread => new[] { $"{thread}/ns/net", $"{thread}/ns/mnt" }).Select(static file => Quietly(() => new FileInfo(file).LinkTarget)).OfType<string>()];

    private static ImmutableSortedSet<string> Interfaces() => [.. NetworkInterface.GetAllNetworkInterfaces().Select(static one => one.Name)];

    /// <summary>Files that loop devices of the machine hold.</summary>
    private static IEnumerable<string> Images() => Directory.GetDirectories("/sys/block", "loop*").Select(static device => Read(Path.Combine(device, "loop", "backing_file")));

    private static string[] Entries(string folder) => Quietly(() => Directory.GetDirectories(folder)) ?? [];

    private static string Read(string file) => Quietly(() => File.ReadAllText(file)) ?? "";

    /// <summary>Null where the process has just ended, or is somebody else's.</summary>
    private static T? Quietly<T>(Func<T?> read) where T : class
    {
        try
        {
            return read();
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int process, int signal);

    private sealed record Census(ImmutableSortedSet<int> Processes, ImmutableSortedSet<string> Namespaces, ImmutableSortedSet<string> Folders);
}
