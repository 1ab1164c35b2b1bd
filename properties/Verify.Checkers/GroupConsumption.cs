namespace Verify.Checkers;

/// <summary>A record that a group processed again.</summary>
internal readonly record struct Repetition(long Offset, long Value, int Process, int Event);

/// <summary>What a group processed of one partition.</summary>
internal sealed class Processing
{
    private readonly OffsetSet certain = new();
    private readonly OffsetSet repeated = new();

    /// <summary>Processed, or possibly so.</summary>
    public OffsetSet All { get; } = new();

    /// <summary>Records that were certainly processed.</summary>
    public long Count => certain.Count;

    /// <summary>One per record that was processed more than once, told by its second time.</summary>
    public List<Repetition> Repetitions { get; } = [];

    public void Add(long offset, long value, int process, int position, bool isCertain)
    {
        All.Add(offset);
        if (isCertain && !certain.Add(offset) && repeated.Add(offset)) Repetitions.Add(new Repetition(offset, value, process, position));
    }
}

/// <summary>Offsets that the committed offset passed while they were not processed. <paramref name="To"/> is exclusive.</summary>
internal readonly record struct Passed(long From, long To, int Process, int Event);

/// <summary>How far a group's committed offset in one partition has ever been, and what it left behind unprocessed.</summary>
internal sealed class Progress(Processing processing)
{
    private readonly List<Passed> unprocessed = [];

    public Processing Processing { get; } = processing;

    /// <summary>Every offset below was passed.</summary>
    public long End { get; private set; }

    /// <summary>What a committed offset would leave behind, were it to take effect now.</summary>
    public List<(long From, long To)> Ahead(long next) => Processing.All.Missing(End, next);

    /// <param name="next">The committed offset.</param>
    /// <param name="missing">What was not processed when its commit was invoked.</param>
    /// <param name="process">Whose commit it is, or who was told of it.</param>
    /// <param name="position">The event that shows that it took effect.</param>
    public void Pass(long next, List<(long From, long To)> missing, int process, int position)
    {
        foreach (var (from, to) in missing)
            if (Math.Max(from, End) is var start && start < to) unprocessed.Add(new Passed(start, to, process, position));
        End = Math.Max(End, next);
    }

    /// <summary>By whom and when the offset was passed unprocessed; null when it was not.</summary>
    public Passed? PassedUnprocessed(long offset)
    {
        var (low, high) = (0, unprocessed.Count);                      // ascending: each begins at or after the end of what was passed before it
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (unprocessed[middle].To <= offset) low = middle + 1;
            else high = middle;
        }
        return low < unprocessed.Count && unprocessed[low].From <= offset ? unprocessed[low] : null;
    }
}

/// <summary>One group in one partition, under each reading of what a history tells.</summary>
internal sealed class GroupPartition
{
    private readonly Processing polled = new();

    public GroupPartition()
    {
        Told = new Progress(new Processing());
        Polled = new Progress(polled);
        Bare = new Progress(polled);
    }

    /// <summary>By <c>process</c> and <c>commit</c> events.</summary>
    public Progress Told { get; }

    /// <summary>By <c>commit</c> events, and what polls returned.</summary>
    public Progress Polled { get; }

    /// <summary>By polls alone.</summary>
    public Progress Bare { get; }

    /// <summary>The group has come to the end of the partition: the position of the event that says so, -1 for not yet.</summary>
    public int Drained { get; set; } = -1;
}
