using System.Globalization;
using Verify.Campaign.Judging;
using Verify.Campaign.Results;
using Verify.Campaign.Running;
using Verify.Promises;

namespace Verify.Campaign.Campaigns;

/// <summary>Adds up the runs of one cell. The sums do not depend on the order in which runs end; memory does not grow with their number.</summary>
internal sealed class CellTally(Cell cell, CampaignPlan plan)
{
    private const int MostNotes = 20;

    private readonly Dictionary<string, GuaranteeTally> guarantees = [];
    private readonly List<string> order = [];
    private readonly SortedDictionary<int, long> latencies = [];
    private readonly List<string> notes = [];
    private readonly SortedDictionary<string, long> faults = new(StringComparer.Ordinal), events = new(StringComparer.Ordinal);
    private long runs, operations, acknowledged, indeterminate, failed, leaderChanges, measured;
    private double? longestOutage, recovery;
    private double outageSum, longestLatency;
    private TimeSpan leaderless;
    private ulong? outageSeed;

    public Cell Cell { get; } = cell;

    public TimeSpan Simulated { get; private set; }

    public long Broken => guarantees.Values.Sum(tally => tally.Broken);

    public long Permitted => guarantees.Values.Sum(tally => tally.Permitted);

    public void Add(ulong seed, RunRecord run, RunVerdict verdict)
    {
        runs++;
        Simulated += run.Simulated;
        var figures = verdict.Figures;
        (operations, acknowledged, indeterminate, failed, leaderChanges) = (operations + figures.Operations, acknowledged + figures.Acknowledged, indeterminate + figures.Indeterminate, failed + figures.Failed, leaderChanges + figures.LeaderChanges);
        foreach (var (word, count) in run.Bitten) faults[word] = faults.GetValueOrDefault(word) + count;
        foreach (var (name, count) in figures.Events) events[name] = events.GetValueOrDefault(name) + count;
        if (verdict.IsComplete(run.Bitten)) events["complete-runs"] = events.GetValueOrDefault("complete-runs") + 1;
        foreach (var latency in figures.Latencies) AddLatency(latency);
        AddNotes(seed, run);
        AddOutage(seed, figures);
        foreach (var guarantee in verdict.Guarantees)
        {
            if (!guarantees.TryGetValue(guarantee.Guarantee, out var tally))
            {
                guarantees.Add(guarantee.Guarantee, tally = new GuaranteeTally(guarantee.Guarantee, guarantee.OfWhat));
                order.Add(guarantee.Guarantee);
            }
            tally.Add(seed, guarantee);
        }
    }

    /// <summary>What deserves a story: for each broken guarantee the first seed that broke it, and the first loss and repetition that the configuration permits.</summary>
    public IEnumerable<StoryWish> Wishes() => order.Select(name => guarantees[name].Wish()).OfType<StoryWish>();

    public long Runs => runs;

    /// <param name="powerOf">By guarantee and number of runs.</param>
    public CellResult Result(Func<string, string?> storyOf, Func<string, long, string?> powerOf) => new()
    {
        Configuration = new SortedDictionary<string, string>(Cell.Configuration.Given.ToDictionary(), StringComparer.Ordinal),
        System = plan.Live?.System.Name ?? "reference",
        SystemVersion = plan.Live?.System.Version,
        On = plan.Live is null ? "sim" : "process",
        Workload = plan.Workload,
        Mutant = plan.Mutant?.Slug,
        Exercised = new Exercised
        {
            Runs = runs,
            Operations = operations,
            Acknowledged = acknowledged,
            Indeterminate = indeterminate,
            Failed = failed,
            LeaderChanges = leaderChanges,
            Faults = Counts.Of(faults),
            Events = Counts.Of(events),
        },
        Guarantees = [.. order.OrderBy(Place).Select(name => guarantees[name].Result(runs, storyOf(name), powerOf(name, runs)))],
        Availability = new Availability(longestOutage, recovery, outageSeed, measured == 0 ? null : outageSum / measured, measured, leaderless.TotalMilliseconds),
        LatencyMs = latencies.Count == 0 ? null : new Latency(Simulated: plan.Live is null, longestLatency, new SortedDictionary<int, long>(latencies)),
        Notes = notes,
        DefaultsThatDiffer = [.. Cell.Configuration.DifferencesFromKafka.Select(difference => new Results.DefaultDifference(difference.Name, difference.Ours, difference.Kafkas ?? "", difference.Meaning))],
    };

    private static int Place(string guarantee) => GuaranteeCatalogue.All.TakeWhile(known => known.Name != guarantee).Count();

    /// <summary>What the runs suffered that nobody planned; of real processes alone.</summary>
    private void AddNotes(ulong seed, RunRecord run)
    {
        if (run.Stalls.Count > 0) events["machine-stalls"] = events.GetValueOrDefault("machine-stalls") + run.Stalls.Count;
        if (notes.Count >= MostNotes) return;
        if (run.Missed.Count > 0) notes.Add($"Seed {seed} was not as planned, so that nothing counts as held there: {string.Join("; ", run.Missed)}.");
        if (run.Stalls.Count > 0) notes.Add(string.Create(CultureInfo.InvariantCulture, $"The machine itself stood still during seed {seed}: {string.Join(", ", run.Stalls.OrderByDescending(static stall => stall.HowLong).Take(3).Select(static stall => $"{stall.HowLong.TotalMilliseconds:0} ms at {stall.At.TotalSeconds:0.0} s"))}{(run.Stalls.Count > 3 ? $" and {run.Stalls.Count - 3} shorter ones" : "")}."));
    }

    private void AddLatency(TimeSpan latency)
    {
        var bucket = Latency.BucketOf(latency);
        latencies[bucket] = latencies.GetValueOrDefault(bucket) + 1;
        longestLatency = Math.Max(longestLatency, latency.TotalMilliseconds);
    }

    private void AddOutage(ulong seed, RunFigures figures)
    {
        if (figures.Recovery is { TotalMilliseconds: var recovered }) recovery = Math.Max(recovery ?? 0, recovered);
        leaderless += figures.Leaderless;
        if (figures.LongestOutage is not { TotalMilliseconds: var outage }) return;
        measured++;
        outageSum += outage;
        if (outage < longestOutage || outage == longestOutage && seed > outageSeed) return;
        (longestOutage, outageSeed) = (outage, seed);
    }
}

/// <summary>A violation that is to be told: how to play it again, and what must still fail in a shorter version.</summary>
public sealed record StoryWish(ulong Seed, string Guarantee, string Anomaly, string? Excuse);

/// <summary>Adds up one guarantee over the runs of a cell.</summary>
internal sealed class GuaranteeTally(string name, string ofWhat)
{
    private readonly SortedDictionary<string, long> anomalies = new(StringComparer.Ordinal), excuses = new(StringComparer.Ordinal);
    private long promised, exercised, promisedExercised, violated, of;
    private StoryWish? broken, permitted;

    public long Broken { get; private set; }

    public long Permitted { get; private set; }

    public void Add(ulong seed, GuaranteeVerdict verdict)
    {
        of += verdict.Of;
        if (verdict.Promised) promised++;
        if (verdict.Seen != ResultVerdict.Unknown)
        {
            exercised++;
            if (verdict.Promised) promisedExercised++;
        }
        if (verdict.Violations.Count > 0) violated++;
        foreach (var violation in verdict.Violations)
        {
            anomalies[violation.Anomaly] = anomalies.GetValueOrDefault(violation.Anomaly) + 1;
            if (violation.Excuse is null)
            {
                Broken++;
                Keep(ref broken, seed, violation);
                continue;
            }
            Permitted++;
            excuses[violation.Excuse.Name] = excuses.GetValueOrDefault(violation.Excuse.Name) + 1;
            Keep(ref permitted, seed, violation);
        }
    }

    /// <summary>Permitted losses and repetitions are what people have to know before they choose a setting.</summary>
    public StoryWish? Wish() => broken ?? (name is "no-lost-writes" or "at-least-once" or "at-most-once" ? permitted : null);

    public GuaranteeResult Result(long runs, string? story, string? power) => new()
    {
        Name = name,
        Runs = runs,
        RunsPromised = promised,
        RunsExercised = exercised,
        RunsPromisedExercised = promisedExercised,
        RunsViolated = violated,
        ViolationsPromised = Broken,
        ViolationsPermitted = Permitted,
        Of = of,
        OfWhat = ofWhat,
        Anomalies = Counts.Of(anomalies),
        Excuses = Counts.Of(excuses),
        Story = story,
        Power = power,
    };

    /// <summary>The smallest seed, so that the choice does not depend on which thread was faster.</summary>
    private static void Keep(ref StoryWish? kept, ulong seed, Violation violation)
    {
        if (kept is null || seed < kept.Seed) kept = new StoryWish(seed, violation.Guarantee, violation.Anomaly, violation.Excuse?.Name);
    }
}
