using Verify.Campaign.Results;
using Verify.Campaign.Running;
using Verify.History;

namespace Verify.Campaign.Judging;

/// <summary>What clients did in a run and what it cost them, from one pass over its history.</summary>
internal static class FigureScan
{
    public static RunFigures Of(RunRecord run, RunScan scan, long leaderChanges)
    {
        var sends = new Dictionary<(int Key, long Value), int>();
        var known = new List<Send>();
        long operations = 0, acknowledged = 0, indeterminate = 0, failed = 0;
        foreach (var e in run.History)
        {
            if (e.Function is EventFunction.Poll && e.Type == EventType.Ok) MarkRead(e, sends, known);
            if (e.Function is not (EventFunction.Send or EventFunction.Create or EventFunction.Delete or EventFunction.List or EventFunction.Poll)) continue;
            if (e.Type == EventType.Invoke) operations++;
            else if (e.Type == EventType.Info) indeterminate++;
            else if (e.Type == EventType.Fail) failed++;
            else if (e.Function is EventFunction.Send or EventFunction.Create or EventFunction.Delete) acknowledged++;
            if (e.Function == EventFunction.Send) Note(e, sends, known);
        }
        return new RunFigures(operations, acknowledged, indeterminate, failed, leaderChanges, scan.Events, LongestOutage(known), run.RecoveredAfter, scan.Leaderless, Latencies(known))
        {
            LeaderChangesUnderFaults = scan.LeaderChangesUnderFaults,
        };
    }

    private static void Note(in HistoryEvent e, Dictionary<(int Key, long Value), int> sends, List<Send> known)
    {
        var send = e.Operations[0];
        if (e.Type == EventType.Invoke)
        {
            sends.TryAdd((send.Key, send.Value), known.Count);
            known.Add(new Send(send.Key, e.Time));
        }
        else if (e.Type == EventType.Ok && sends.TryGetValue((send.Key, send.Value), out var at)) known[at] = known[at] with { Acknowledged = e.Time };
    }

    private static void MarkRead(in HistoryEvent poll, Dictionary<(int Key, long Value), int> sends, List<Send> known)
    {
        foreach (ref readonly var operation in poll.Operations)
            foreach (ref readonly var record in poll.Records(operation))
                if (sends.TryGetValue((record.Key, record.Value), out var at) && !known[at].IsRead) known[at] = known[at] with { IsRead = true };
    }

    /// <summary>The history tells invocations in their order.</summary>
    private static TimeSpan? LongestOutage(List<Send> known)
    {
        var last = new Dictionary<int, long>();
        var longest = -1L;
        foreach (var send in known)
        {
            if (send.Acknowledged < 0 || !send.IsRead) continue;
            if (last.TryGetValue(send.Key, out var before)) longest = Math.Max(longest, send.Invoked - before);
            last[send.Key] = send.Invoked;
        }
        return longest < 0 ? null : TimeSpan.FromTicks(longest / TimeSpan.NanosecondsPerTick);
    }

    private static List<TimeSpan> Latencies(List<Send> known)
    {
        var latencies = new List<TimeSpan>(known.Count);
        foreach (var send in known)
            if (send.Acknowledged >= 0) latencies.Add(TimeSpan.FromTicks((send.Acknowledged - send.Invoked) / TimeSpan.NanosecondsPerTick));
        return latencies;
    }

    /// <summary>One send; times in nanoseconds, -1 when it was never acknowledged.</summary>
    private readonly record struct Send(int Key, long Invoked, long Acknowledged = -1, bool IsRead = false);
}
