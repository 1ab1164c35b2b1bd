using System.Diagnostics;
using System.Globalization;
using Broker.Embedded;

namespace Bench.Micro;

/// <summary><c>embedded [BROKERS]</c>: how long an embedded cluster takes until it serves, and what it holds in memory.</summary>
internal static class EmbeddedCommand
{
    private const int Rounds = 10;

    public static async Task<int> RunAsync(string[] arguments)
    {
        if (arguments.Length > 1 || !int.TryParse(arguments.FirstOrDefault("3"), CultureInfo.InvariantCulture, out var brokers)) return Usage.Refuse("embedded: expected the number of brokers");
        var empty = Environment.WorkingSet;
        var times = new List<double>();
        for (var round = 0; round <= Rounds; round++)
        {
            var started = Stopwatch.GetTimestamp();
            await using var cluster = await EmbeddedCluster.StartAsync(brokers);
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            if (round == 0) Console.WriteLine($"the first cluster of a process: {times[0]:0} ms; working set {Megabytes(Environment.WorkingSet)} MB, of {Megabytes(empty)} MB before");
        }
        double[] later = [.. times.Skip(1).Order()];
        Console.WriteLine($"the next {Rounds}: {later[0]:0} to {later[^1]:0} ms, median {later[Rounds / 2]:0} ms; working set at the end {Megabytes(Environment.WorkingSet)} MB");
        return 0;
    }

    private static long Megabytes(long bytes) => bytes >> 20;
}
