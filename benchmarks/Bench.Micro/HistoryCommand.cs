using System.Diagnostics;
using System.Globalization;

namespace Bench.Micro;

/// <summary><c>history N --out FILE [--seed S]</c>: writes a valid history of N operations as JSON lines.</summary>
internal static class HistoryCommand
{
    public static int Run(string[] args)
    {
        if (args is not [var count, "--out", var path, .. var rest] || !Number(count, out var operations)) return Usage.Refuse("bench-micro history N --out FILE [--seed S]");
        var seed = 1L;
        if (rest is not [] && (rest is not ["--seed", var given] || !Number(given, out seed))) return Usage.Refuse("bench-micro history N --out FILE [--seed S]");
        var started = Stopwatch.GetTimestamp();
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, 1 << 20);
        var written = new JepsenShapedHistory((ulong)seed, operations).Write(file);
        file.Flush();
        Console.WriteLine($"{operations:n0} operations, {written.Events:n0} events, {written.Sent:n0} sends, {written.Keys:n0} keys, {written.Polled:n0} polled records, {file.Length / 1e6:n0} MB in {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s");
        return 0;
    }

    private static bool Number(string text, out long number) => long.TryParse(text, NumberStyles.AllowThousands, CultureInfo.InvariantCulture, out number) && number >= 0;
}
