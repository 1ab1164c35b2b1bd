using System.Text.Json.Serialization;

namespace Verify.Campaign.Results;

/// <summary>
/// One guarantee over all runs of a cell. Runs are counted as runs, violations as cases in the unit of <see cref="Of"/>: "lost 312 of 20,114
/// acknowledged in 41 of 200 runs" is Violations 312, Of 20114, OfWhat "acknowledged", RunsViolated 41, Runs 200.
/// </summary>
public sealed record GuaranteeResult
{
    /// <summary>As in the contract: <c>no-lost-writes</c>, <c>ordering</c>, …</summary>
    public required string Name { get; init; }

    /// <summary>What was seen, promised or not: violated if any case was found; else unknown if no run could judge it; else held.</summary>
    public ResultVerdict Verdict =>
        Violations > 0 ? ResultVerdict.Violated : RunsExercised == 0 ? ResultVerdict.Unknown : ResultVerdict.Held;

    /// <summary>True when it was promised in every run of the cell.</summary>
    public bool Promised => Runs > 0 && RunsPromised == Runs;

    /// <summary>All runs of the cell.</summary>
    public required long Runs { get; init; }

    /// <summary>Runs in which the configuration, given the faults that bit, promised it.</summary>
    public required long RunsPromised { get; init; }

    /// <summary>Runs that could judge it (held or violated); the others ended unknown.</summary>
    public required long RunsExercised { get; init; }

    /// <summary>Runs that could judge it and in which it was promised.</summary>
    public required long RunsPromisedExercised { get; init; }

    public long RunsViolated { get; init; }

    /// <summary>Cases found, promised or not: the sum of the two below.</summary>
    public long Violations => ViolationsPromised + ViolationsPermitted;

    /// <summary>Cases without an excuse in their run: each is a bug.</summary>
    public long ViolationsPromised { get; init; }

    /// <summary>Cases that the configuration permits and that have an excuse in their run.</summary>
    public long ViolationsPermitted { get; init; }

    /// <summary>What was at stake, in the unit of a case.</summary>
    public long Of { get; init; }

    /// <summary>The word after "k of n": <c>acknowledged</c>, <c>sent</c>, <c>read</c>, <c>runs</c>.</summary>
    public string OfWhat { get; init; } = "acknowledged";

    /// <summary>Cases by the field's name for the way it broke.</summary>
    public Counts Anomalies { get; init; } = Counts.Empty;

    /// <summary>Permitted cases by what permitted them.</summary>
    public Counts Excuses { get; init; } = Counts.Empty;

    /// <summary>The story that shows it, relative to the result's folder: <c>stories/….story.json</c>.</summary>
    public string? Story { get; init; }

    /// <summary>What a campaign like this would have found of the planted bugs that break this guarantee.</summary>
    public string? Power { get; init; }

    /// <summary>Zero in n runs is not never: "below 3/n" (95 % confidence, rule of three), over the runs that could judge it. Null once it was seen.</summary>
    public string? Bound => Violations > 0 || RunsExercised == 0 ? null : $"below 3/{RunsExercised}";

    /// <summary>The cell's verdict is unknown for it.</summary>
    [JsonIgnore]
    public bool PromisedButNotExercised => RunsPromised > 0 && RunsPromisedExercised == 0;
}
