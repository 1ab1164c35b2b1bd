namespace Verify.Campaign.Results;

/// <summary>One configuration: what was promised, what was seen, what it cost.</summary>
public sealed record CellResult
{
    /// <summary>Settings under Kafka's names: those given on the command line or varied, not every default.</summary>
    public required IReadOnlyDictionary<string, string> Configuration { get; init; }

    /// <summary>Which broker: <c>reference</c>, <c>kafka</c>, <c>rabbitmq</c>, …</summary>
    public required string System { get; init; }

    /// <summary>What it is, with its version; null in simulation, where it is this tool's own.</summary>
    public string? SystemVersion { get; init; }

    /// <summary>Where it ran: <c>sim</c>, <c>process</c>, <c>docker</c>, <c>external</c>.</summary>
    public required string On { get; init; }

    public required string Workload { get; init; }

    /// <summary>The planted bug this cell ran with, if any.</summary>
    public string? Mutant { get; init; }

    public required Exercised Exercised { get; init; }

    /// <summary>Only guarantees that this workload is meant to exercise, in the contract's order.</summary>
    public required IReadOnlyList<GuaranteeResult> Guarantees { get; init; }

    public required Availability Availability { get; init; }

    /// <summary>From live runs only.</summary>
    public Throughput? Throughput { get; init; }

    public Latency? LatencyMs { get; init; }

    /// <summary>Every setting in force whose default here is not Kafka's.</summary>
    public IReadOnlyList<DefaultDifference> DefaultsThatDiffer { get; init; } = [];

    /// <summary>Whole sentences a reader of this cell must know.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Violated if a promised guarantee was; else unknown if nothing ran or a promised one was not exercised; else held.</summary>
    public ResultVerdict Verdict =>
        Guarantees.Any(guarantee => guarantee.ViolationsPromised > 0) ? ResultVerdict.Violated
        : Exercised.Runs == 0 || Guarantees.Count == 0 || Guarantees.Any(guarantee => guarantee.PromisedButNotExercised) ? ResultVerdict.Unknown
        : ResultVerdict.Held;
}

/// <summary>What really happened, so that a "held" can be weighed.</summary>
public sealed record Exercised
{
    public required long Runs { get; init; }

    /// <summary>Client operations invoked.</summary>
    public long Operations { get; init; }

    /// <summary>Sends acknowledged; with acks=0 sends that left without error.</summary>
    public long Acknowledged { get; init; }

    /// <summary>Operations of which the client never learned the outcome.</summary>
    public long Indeterminate { get; init; }

    public long Failed { get; init; }

    public long LeaderChanges { get; init; }

    /// <summary>Faults that bit, by fault word.</summary>
    public Counts Faults { get; init; } = Counts.Empty;

    /// <summary>Anything else worth counting: unclean elections, in-sync shrinks, controller changes, truncations, quiet runs, …</summary>
    public Counts Events { get; init; } = Counts.Empty;
}

/// <summary>Outages are the longest gap, per partition, between invocations of sends that were later acknowledged and read. Null: never measured.</summary>
/// <param name="LongestOutageMs">Of all runs.</param>
/// <param name="LongestOutageSeed">The run that had it.</param>
/// <param name="MeanOutageMs">The mean over runs of each run's longest outage.</param>
/// <param name="MeasuredRuns">Runs the mean is over.</param>
/// <param name="LeaderlessMs">How long partitions had no leader, added up over partitions and runs: what unclean election buys back.</param>
/// <param name="RecoveryMs">Longest time from the last heal to progress everywhere.</param>
public sealed record Availability(
    double? LongestOutageMs,
    double? RecoveryMs,
    ulong? LongestOutageSeed = null,
    double? MeanOutageMs = null,
    long MeasuredRuns = 0,
    double LeaderlessMs = 0);

public sealed record Throughput(double SendsPerSecond, double ReceivesPerSecond, double BytesPerSecond);

/// <param name="Why">One sentence.</param>
public sealed record DefaultDifference(string Setting, string Here, string Kafka, string Why);
