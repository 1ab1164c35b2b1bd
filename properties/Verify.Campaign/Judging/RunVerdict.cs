using Verify.Campaign.Results;
using Verify.Promises;

namespace Verify.Campaign.Judging;

/// <summary>One case of one anomaly in one run.</summary>
/// <param name="Key">Partition or topic, as in the history.</param>
/// <param name="Values">Of the records it befell, in the order the note tells.</param>
/// <param name="Note">One sentence for people.</param>
/// <param name="Excuse">Why a right broker may do this in this run; null: a promise is broken.</param>
public sealed record Violation(string Guarantee, string Anomaly, string Key, IReadOnlyList<string> Values, IReadOnlyList<long> Offsets, string Note, Excuse? Excuse);

/// <summary>One guarantee in one run.</summary>
/// <param name="Seen">What was seen, whatever was promised.</param>
/// <param name="Promised">The configuration, with the faults that bit in this run, promises it without exception.</param>
/// <param name="Of">What was at stake, in the unit of <paramref name="OfWhat"/> ("acknowledged", "sent", "read", "runs").</param>
/// <param name="Violations">Every case.</param>
/// <param name="Why">The reason of an unknown verdict.</param>
public sealed record GuaranteeVerdict(string Guarantee, ResultVerdict Seen, bool Promised, long Of, string OfWhat, IReadOnlyList<Violation> Violations, string? Why);

/// <summary>What a run exercised and what it cost. Times are virtual.</summary>
/// <param name="Events">Things worth counting besides faults: unclean-elections, last-known-leader-elections, isr-shrinks, controller-changes, truncations, power-losses-over-limit, …</param>
/// <param name="LongestOutage">The longest gap, per partition, between invocations of sends that were later acknowledged and read; null when there were fewer than two.</param>
/// <param name="Leaderless">How long partitions had no leader, added up over partitions.</param>
/// <param name="Latencies">Of acknowledged sends, from invocation to acknowledgement.</param>
public sealed record RunFigures(
    long Operations, long Acknowledged, long Indeterminate, long Failed, long LeaderChanges, Counts Events, TimeSpan? LongestOutage, TimeSpan? Recovery, TimeSpan Leaderless, IReadOnlyList<TimeSpan> Latencies)
{
    /// <summary>Of <see cref="LeaderChanges"/> those before the last fault healed.</summary>
    public required long LeaderChangesUnderFaults { get; init; }
}

/// <summary>A run, judged.</summary>
public sealed record RunVerdict(RunEvidence Evidence, IReadOnlyList<GuaranteeVerdict> Guarantees, RunFigures Figures)
{
    /// <summary>Cases without an excuse.</summary>
    public IEnumerable<Violation> Broken => Guarantees.SelectMany(guarantee => guarantee.Violations).Where(violation => violation.Excuse is null);

    public IEnumerable<Violation> All => Guarantees.SelectMany(guarantee => guarantee.Violations);

    /// <summary>A complete run: a fault bit, a leader changed before all was healed, and at least a hundred writes were acknowledged.</summary>
    public bool IsComplete(IReadOnlyDictionary<string, int> bitten) => bitten.Count > 0 && Figures.LeaderChangesUnderFaults > 0 && Figures.Acknowledged >= 100;
}
