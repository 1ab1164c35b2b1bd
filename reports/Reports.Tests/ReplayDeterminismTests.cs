using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Verify.Campaign.Judging;
using Verify.Campaign.Stories;
using Verify.Zoo;

namespace Reports.Tests;

/// <summary>One story is one run: every time, and in another process with other hash codes, other settings of the runtime and another history behind it.</summary>
public sealed class ReplayDeterminismTests
{
    private const int Times = 100;

    private static readonly TimeSpan ChildLimit = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task A_story_played_a_hundred_times_in_two_processes_gives_one_trace_hash()
    {
        var (path, another) = (Seed("ack-at-local-append"), Seed("truncate-to-high-watermark"));
        var hashes = new List<string>();
        for (var i = 1; i < Times; i++)
        {
            if (i % 20 == 0) Replayed(another);                        // whatever a run leaves behind in the process
            hashes.Add(Replayed(path));
        }
        hashes.Add(await ReplayedByMqverifyAsync(path));

        Assert.Equal(Times, hashes.Count);
        Assert.Single(hashes.Distinct());
        Assert.NotEqual(hashes[0], Replayed(another));
    }

    private static string Replayed(string path) =>
        StoryFile.Hex(Replay.Run(StoryFile.Parse(File.ReadAllText(path), path), static slug => MutantCatalogue.Own.First(mutant => mutant.Slug == slug), Judge.Of).TraceHash);

    private static async Task<string> ReplayedByMqverifyAsync(string path)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "mqverify.dll");
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [program, "replay", "--json", path]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DOTNET_TieredCompilation"] = "0";
        using var child = Process.Start(start)!;
        using var limit = new CancellationTokenSource(ChildLimit);
        using var end = limit.Token.Register(() => child.Kill());
        var errors = child.StandardError.ReadToEndAsync(limit.Token);
        var output = await child.StandardOutput.ReadToEndAsync(limit.Token);
        await child.WaitForExitAsync(limit.Token);
        Assert.True(output.Length > 0, $"mqverify replay said nothing and ended with {child.ExitCode}: {await errors}");
        using var json = JsonDocument.Parse(output);
        return json.RootElement.GetProperty("traceHash").GetString()!;
    }

    private static string Seed(string name, [CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../properties/seeds", name + StoryFile.Extension));
}
