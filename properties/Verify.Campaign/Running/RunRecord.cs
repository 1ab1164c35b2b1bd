using Chaos.Faults;
using Chaos.Simulation;
using Verify.History;

namespace Verify.Campaign.Running;

/// <summary>What one run left behind: everything that checkers, promises and stories need, and nothing that could still change.</summary>
/// <param name="Ready">The cluster came up and the topic under test was there before the first fault.</param>
/// <param name="RecoveredAfter">From the last heal to full ISRs and accepted probes; null when that did not come in time.</param>
public sealed record RunRecord(
    Scenario Scenario, HistoryLog History, Journal Journal, IReadOnlyList<FaultOutcome> Faults, IReadOnlyDictionary<string, int> Bitten,
    IReadOnlyList<NodeFailure> Failures, ulong TraceHash, TimeSpan Simulated, bool Ready, TimeSpan? RecoveredAfter)
{
    /// <summary>The journal tells the life of every record on every node. False where the cluster was seen from outside only.</summary>
    public bool IsTraced { get; init; } = true;

    /// <summary>What was to happen and did not, in words: a run that was to show something and could not. Only of real processes.</summary>
    public IReadOnlyList<string> Missed { get; init; } = [];

    /// <summary>When the machine itself stood still. Only of real processes.</summary>
    public IReadOnlyList<Stall> Stalls { get; init; } = [];

    /// <summary>Members of groups are somebody else's: they may commit unseen, and need not say in which generation.</summary>
    public bool HidesCommits { get; init; }
}

/// <param name="At">Since the run began.</param>
public readonly record struct Stall(TimeSpan At, TimeSpan HowLong);
