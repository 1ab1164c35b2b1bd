using System.Diagnostics;
using Verify.Checkers;
using Verify.History;

namespace Bench.Micro;

/// <summary><c>check FILE</c>: what <c>mqverify check</c> does with a history, with time and memory.</summary>
internal static class CheckCommand
{
    public static int Run(string[] args)
    {
        if (args is not [var path] || !File.Exists(path)) return Usage.Refuse("bench-micro check FILE");
        using var process = Process.GetCurrentProcess();
        var started = Stopwatch.GetTimestamp();
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        var result = HistoryCheck.Run(file, CheckContract.Default);
        var wall = Stopwatch.GetElapsedTime(started).TotalSeconds;
        process.Refresh();
        foreach (var finding in result.Findings) Console.WriteLine($"{finding.Guarantee,-20} {CheckResult.Word(finding.Verdict),-9} of {finding.Of:n0} {string.Join(", ", finding.Anomalies.Select(static a => $"{a.Name} {a.Count:n0}"))}");
        Console.WriteLine($"{CheckResult.Word(result.Verdict)}: {result.Events:n0} events, {file.Length / 1e6:n0} MB in {wall:0.00} s ({process.TotalProcessorTime.TotalSeconds:0.00} CPU s), peak {process.PeakWorkingSet64 / 1e6:n0} MB");
        return ReadOnly(path, wall);
    }

    /// <summary>The share of the reader: the same file without checkers.</summary>
    private static int ReadOnly(string path, double whole)
    {
        var started = Stopwatch.GetTimestamp();
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        var reader = new HistoryJsonReader(file);
        var records = 0L;
        while (reader.Read(out var e))
            foreach (ref readonly var operation in e.Operations) records += operation.RecordCount;
        var wall = Stopwatch.GetElapsedTime(started).TotalSeconds;
        Console.WriteLine($"reading alone: {wall:0.00} s for {records:n0} polled records; checking: {whole - wall:0.00} s");
        return 0;
    }
}
