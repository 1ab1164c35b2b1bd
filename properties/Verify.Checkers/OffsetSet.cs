namespace Verify.Checkers;

/// <summary>Offsets as intervals, ascending and apart: what is processed in order is one interval, however much it is.</summary>
internal sealed class OffsetSet
{
    private readonly List<(long From, long To)> intervals = [];        // To is exclusive

    /// <summary>The lowest offset; -1 for none.</summary>
    public long Lowest => intervals.Count == 0 ? -1 : intervals[0].From;

    public long Count { get; private set; }

    /// <summary>False when it was there.</summary>
    public bool Add(long offset)
    {
        var at = intervals.Count;
        if (at > 0 && offset < intervals[^1].To) at = FirstEndingAfter(offset);
        if (at < intervals.Count && intervals[at].From <= offset) return false;
        Count++;
        var joins = at > 0 && intervals[at - 1].To == offset;
        var meets = at < intervals.Count && intervals[at].From == offset + 1;
        if (joins && meets)
        {
            intervals[at - 1] = (intervals[at - 1].From, intervals[at].To);
            intervals.RemoveAt(at);
        }
        else if (joins) intervals[at - 1] = (intervals[at - 1].From, offset + 1);
        else if (meets) intervals[at] = (offset, intervals[at].To);
        else intervals.Insert(at, (offset, offset + 1));
        return true;
    }

    public bool Contains(long offset) => FirstEndingAfter(offset) is var at && at < intervals.Count && intervals[at].From <= offset;

    /// <summary>The parts of a range that are not here, ascending; both ends exclusive at the top.</summary>
    public List<(long From, long To)> Missing(long from, long to)
    {
        var missing = new List<(long From, long To)>();
        for (var at = FirstEndingAfter(from); from < to; at++)
        {
            var next = at < intervals.Count ? intervals[at] : (From: to, To: to);
            if (from < next.From) missing.Add((from, Math.Min(next.From, to)));
            from = next.To;
        }
        return missing;
    }

    private int FirstEndingAfter(long offset)
    {
        var (low, high) = (0, intervals.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (intervals[middle].To <= offset) low = middle + 1;
            else high = middle;
        }
        return low;
    }
}
