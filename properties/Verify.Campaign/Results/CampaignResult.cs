namespace Verify.Campaign.Results;

/// <summary>What was seen. In JSON: <c>held</c>, <c>violated</c>, <c>unknown</c>.</summary>
public enum ResultVerdict
{
    Held,
    Violated,
    Unknown,
}

/// <summary>Everything a campaign leaves behind, as in <c>result.json</c>: one cell per configuration, each over the same seeds.</summary>
public sealed record CampaignResult
{
    public required ToolInfo Tool { get; init; }

    public required MachineInfo Machine { get; init; }

    /// <summary>The command line as typed, so that anybody can repeat it.</summary>
    public required string Command { get; init; }

    /// <summary>Both ends inclusive. How many of them a cell really ran is the cell's <see cref="Exercised.Runs"/>.</summary>
    public required SeedRange Seeds { get; init; }

    /// <summary>Which part of the seeds this result covers: one entry for one process, more after merging.</summary>
    public required IReadOnlyList<SeedShard> Shards { get; init; }

    /// <summary>The settings that differ between cells, in the order in which they were asked for; names rows of the matrix.</summary>
    public IReadOnlyList<string> Varied { get; init; } = [];

    public required IReadOnlyList<CellResult> Cells { get; init; }

    /// <summary>The stories that guarantees point to, each at most once, found by <see cref="StoryTelling.File"/>.</summary>
    public IReadOnlyList<StoryTelling> Stories { get; init; } = [];

    /// <summary>How much a "held" of this campaign is worth; absent when nothing was ever recorded.</summary>
    public CampaignPower? Power { get; init; }

    /// <summary>Present when the campaign ended before all its seeds had run; what is here is valid but partial.</summary>
    public Interruption? Interrupted { get; init; }

    /// <summary>Violated if a cell is; else unknown if a cell is, or there is none; else held.</summary>
    public ResultVerdict Verdict =>
        Cells.Any(cell => cell.Verdict is ResultVerdict.Violated) ? ResultVerdict.Violated
        : Cells.Count == 0 || Cells.Any(cell => cell.Verdict is ResultVerdict.Unknown) ? ResultVerdict.Unknown
        : ResultVerdict.Held;

    public double SimulatedSeconds { get; init; }

    public double WallSeconds { get; init; }
}

public sealed record ToolInfo(string Version, string Commit);

/// <param name="Cpu">Model name; several joined by " + " after merging results of several machines.</param>
public sealed record MachineInfo(string Os, string Cpu, int Cores, long MemoryBytes, string Runtime);

/// <summary>Both ends inclusive.</summary>
public sealed record SeedRange(ulong From, ulong To);

/// <summary>Shard <paramref name="Index"/> (from 1) of <paramref name="Of"/> over the seeds, both ends inclusive; 1 of 1 when not sharded.</summary>
public sealed record SeedShard(ulong From, ulong To, int Index, int Of)
{
    /// <summary>True when some seed may have run in both: merging them would count it twice.</summary>
    public bool MayOverlap(SeedShard other) =>
        From <= other.To && other.From <= To && (Of != other.Of || Index == other.Index);
}

/// <param name="Reason">For people: "stopped by Ctrl-C", "the budget of 60 s was spent".</param>
public sealed record Interruption(string Reason);

/// <summary>"Such a campaign finds k of the n planted bugs", from recorded kill rates.</summary>
/// <param name="Text">The sentence shown beside every "held".</param>
public sealed record CampaignPower(int Found, int Planted, string Text);
