using Chaos.Faults;
using Chaos.Simulation;
using Verify.Campaign.Judging;
using Verify.Campaign.Running;
using Verify.History;
using Verify.Workloads;
using Verify.Zoo;

namespace Verify.Campaign.Stories;

/// <summary>A run in which the point of a story was seen.</summary>
public sealed record Played(RunRecord Run, RunVerdict Verdict, Violation Violation);

/// <summary>That a scenario still fails, and what can be learnt from it for the next reduction.</summary>
public sealed record Sighting
{
    /// <summary>Shows nothing beyond itself.</summary>
    public static readonly Sighting Bare = new();

    /// <summary>What became of each fault of the schedule; empty when not known.</summary>
    public IReadOnlyList<FaultOutcome> Faults { get; init; } = [];

    public IReadOnlyList<JournalEntry> Journal { get; init; } = [];

    /// <summary>When the workload and the faults began: their times count from here. Times of the journal count from the start of the world.</summary>
    public TimeSpan Start { get; init; }

    public Played? Played { get; init; }
}

/// <summary>Plays scenarios and says whether they show the point of a story.</summary>
/// <param name="judge">From a run to its verdict.</param>
/// <param name="mutant">The planted bug that scenarios name, null for the faithful broker.</param>
/// <param name="fatalOnly">
/// The bug alone must be to blame: the same scenario, played on the faithful broker, must not show the anomaly, excused or not. Means nothing without a mutant.
/// </param>
public sealed class Reproduction(StoryPoint point, Func<RunRecord, RunVerdict> judge, Mutant? mutant = null, bool fatalOnly = true)
{
    /// <summary>A story about a record that a command sent stays one: the probes of the recovery phase could break the same promise with nothing left to tell. Null until the first run.</summary>
    private bool? isAboutCommands;

    /// <summary>Runs so far.</summary>
    public int Runs { get; private set; }

    /// <summary>Null when the scenario does not show the point.</summary>
    public Sighting? Try(Scenario scenario)
    {
        Runs++;
        var run = SimulatedRun.Play(scenario, mutant);
        var verdict = judge(run);
        if (Find(verdict, scenario) is not { } violation) return null;
        if (mutant is not null && fatalOnly && HappensAnyway(scenario)) return null;
        return new Sighting { Faults = run.Faults, Journal = run.Journal, Start = StartOf(run), Played = new Played(run, verdict, violation) };
    }

    private Violation? Find(RunVerdict verdict, Scenario scenario)
    {
        var shown = Shown(verdict, point, scenario);
        var ofCommands = shown is not null && IsAboutCommands(shown, scenario);
        isAboutCommands ??= ofCommands;
        return isAboutCommands.Value && !ofCommands ? null : shown;
    }

    /// <summary>A violation that shows the point, if possible one of a record that a command sent.</summary>
    public static Violation? Shown(RunVerdict verdict, StoryPoint point, Scenario scenario)
    {
        var shown = verdict.All.Where(point.IsShownBy).ToList();
        return shown.Find(violation => IsAboutCommands(violation, scenario)) ?? shown.FirstOrDefault();
    }

    private static bool IsAboutCommands(Violation violation, Scenario scenario) =>
        scenario.Plan.Commands.Any(command => command is Command.Send { Value: var value } && violation.Values.Contains(value.ToString()));

    /// <summary>When clients and faults were let loose, on the clock of the journal: so long before everything was healed.</summary>
    public static TimeSpan StartOf(RunRecord run)
    {
        foreach (var e in run.History)
            if (e.Function == EventFunction.Heal) return TimeSpan.FromTicks(e.Time / TimeSpan.NanosecondsPerTick) - run.Scenario.Length;
        return TimeSpan.Zero;
    }

    private bool HappensAnyway(Scenario scenario)
    {
        Runs++;
        return judge(SimulatedRun.Play(scenario with { Mutant = null })).All.Any(seen => seen.Anomaly == point.Anomaly);
    }
}
