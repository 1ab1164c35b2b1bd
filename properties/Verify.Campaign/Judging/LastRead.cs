using Verify.History;

namespace Verify.Campaign.Judging;

/// <summary>The last complete read of the whole log in a history: what is there when all is over.</summary>
internal sealed class LastRead
{
    private readonly Dictionary<(int Key, long Offset), long> byOffset = [];
    private readonly HashSet<(int Key, long Value)> values = [];

    public LastRead(HistoryLog history)
    {
        var end = history.Count - 1;
        while (end >= 0 && !(history[end] is { Function: EventFunction.Final, Type: EventType.Ok } final && final.Detail.Group < 0)) end--;
        if (end < 0) return;
        var process = history[end].Process;
        var start = end;
        while (start > 0 && !(history[start].Process == process && history[start].Function == EventFunction.Assign)) start--;
        Began = TimeSpan.FromTicks(history[start].Time / TimeSpan.NanosecondsPerTick);
        for (var i = start; i < end; i++)
            if (history[i] is { Function: EventFunction.Poll, Type: EventType.Ok } poll && poll.Process == process) Take(poll);
    }

    /// <summary>Null when no read was complete.</summary>
    public TimeSpan? Began { get; }

    public long? ValueAt(int key, long offset) => byOffset.TryGetValue((key, offset), out var value) ? value : null;

    public bool Has(int key, long value) => values.Contains((key, value));

    private void Take(in HistoryEvent poll)
    {
        foreach (ref readonly var operation in poll.Operations)
        {
            foreach (ref readonly var record in poll.Records(operation))
            {
                byOffset[(record.Key, record.Offset)] = record.Value;
                values.Add((record.Key, record.Value));
            }
        }
    }
}
