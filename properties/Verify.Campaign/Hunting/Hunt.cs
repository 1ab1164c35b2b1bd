using Verify.Campaign.Judging;
using Verify.Campaign.Running;
using Verify.Campaign.Stories;
using Verify.Promises;
using Verify.Zoo;

namespace Verify.Campaign.Hunting;

/// <summary>How a hunt is to be done.</summary>
public sealed record HuntPlan
{
    /// <summary>The first of the fresh seeds; they are taken in order.</summary>
    public ulong FirstSeed { get; init; } = 1;

    public ulong LastSeed { get; init; } = ulong.MaxValue;

    /// <summary>Processor time to spend on each mutant before it counts as alive.</summary>
    public TimeSpan Budget { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Threads; one simulation never leaves its thread.</summary>
    public int Jobs { get; init; } = Environment.ProcessorCount;

    public FaultChoice Faults { get; init; } = FaultChoice.Default;

    /// <summary>Of the workload under faults, per seed, in virtual time.</summary>
    public TimeSpan Length { get; init; } = TimeSpan.FromSeconds(25);
}

/// <summary>What a hunt leaves to others.</summary>
/// <param name="Judge">What a run says.</param>
/// <param name="Shrink">The smallest story in which the mutant alone is to blame for the anomaly; null where it cannot be told.</param>
/// <param name="Keep">Stores a story and tells its file; null where stories are not stored.</param>
public sealed record HuntMeans(Func<RunRecord, RunVerdict> Judge, Func<Scenario, Mutant, Violation, StoryFile?> Shrink, Func<StoryFile, string?> Keep)
{
    /// <summary>The suite's own judge and shrinker; stories go to a folder, under the mutant's name.</summary>
    /// <param name="folder">Null: stories are made, for their size, and not stored.</param>
    /// <param name="command">The command line, for the stories.</param>
    /// <param name="shrink">False where only the kill counts: shrinking takes longer than most kills.</param>
    public static HuntMeans Usual(string? folder, string command, bool shrink = true) => new(
        Judging.Judge.Of,
        (scenario, mutant, violation) => !shrink ? null : StoryMaker.Make(scenario, StoryPoint.Of(violation), Judging.Judge.Of, mutant.Slug, command, mutant)?.File,
        story => folder is null ? null : Store(folder, story));

    private static string Store(string folder, StoryFile story)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, $"{story.Scenario.Mutant ?? "unplanted"}{StoryFile.Extension}");
        File.WriteAllText(path, story.ToJson());
        return path;
    }
}

/// <summary>A scenario stored earlier, and the file it is in.</summary>
public sealed record StoredStory(string File, Scenario Scenario)
{
    /// <summary>Every story of a folder, in ordinal order of the files' names; none where there is no such folder.</summary>
    public static IReadOnlyList<StoredStory> In(string folder) => !Directory.Exists(folder) ? [] :
        [.. Directory.EnumerateFiles(folder, $"*{StoryFile.Extension}").Order(StringComparer.Ordinal).Select(static path => new StoredStory(path, StoryFile.Parse(System.IO.File.ReadAllText(path), path).Scenario))];
}

/// <summary>
/// Looks for planted bugs. A mutant is killed by a run that shows one of its anomalies without an excuse, while the same scenario without the mutant breaks nothing.
/// </summary>
/// <param name="census">Where mechanical mutants are worth playing; null: they are played with every seed.</param>
public sealed class Hunt(HuntPlan plan, HuntMeans means, RuleCensus? census = null)
{
    /// <summary>Searches with fresh seeds: the same for every mutant of one workload, drawn by the one generator that campaigns use. Mechanical mutants meet any conditions, where a census is at hand only those in which they would answer otherwise.</summary>
    public HuntedMutant Discover(Mutant mutant, CancellationToken stop = default)
    {
        var known = mutant.UnderAnyConditions ? census : null;
        var search = new Search(plan, mutant, seed => Drawn(mutant, seed), means.Judge, known?.SeedsFor(mutant));
        var kill = search.Run(stop);
        var hunted = new HuntedMutant(mutant.Slug, kill is not null, HuntedBy.Discovery, kill is null ? search.Played : kill.Place + 1, search.Cpu.TotalSeconds, null, kill?.Violation.Anomaly)
        {
            Seed = kill?.Scenario.Seed,
            Aborted = search.Aborted,
            NotClean = search.NotClean,
            Reach = known is null ? null : new Reach(known.Asked(mutant.Slug), known.Differing(mutant.Slug)),
        };
        return kill is null || kill.Violation.Anomaly == Tripwire.Anomaly ? hunted : hunted with { Story = Tell(kill, mutant) };
    }

    /// <summary>
    /// Searches for bugs that nobody planted: plays the faithful broker under whatever conditions the seeds draw, until a promise is broken. What it finds is a bug of the broker, or a wrong accusation.
    /// </summary>
    public UnplantedBug? DiscoverUnplanted(out long played, CancellationToken stop = default)
    {
        var search = new Search(plan, null, seed => AnyScenario.Draw(seed, plan.Length), means.Judge);
        var kill = search.Run(stop);
        played = search.Played;
        return kill is null ? null : new UnplantedBug(kill.Scenario, kill.Violation, StoryMaker.Make(kill.Scenario, StoryPoint.Of(kill.Violation), means.Judge, "unplanted", "mqverify hunt --faithful")?.File);
    }

    private Scenario Drawn(Mutant mutant, ulong seed) => mutant.UnderAnyConditions
        ? AnyScenario.Draw(seed, plan.Length, mutant.Slug)
        : ScenarioGenerator.Draw(seed, Configuration.Of(mutant.Settings), mutant.Workload, mutant.Faults is { } words ? new FaultChoice(words, LimitPower: false) : plan.Faults, plan.Length, mutant.Slug);

    /// <summary>Plays the stories that were stored for a mutant, in order, until one kills it.</summary>
    public HuntedMutant Replay(Mutant mutant, IEnumerable<StoredStory> stories)
    {
        var played = 0;
        var began = ThreadTime.Now;
        foreach (var story in stories.Where(story => story.Scenario.Mutant == mutant.Slug))
        {
            played++;
            var scenario = story.Scenario;
            if (Search.Killing(means.Judge(SimulatedRun.Play(scenario, mutant)), mutant) is not { } violation || !IsCleanWithout(scenario)) continue;
            return Result(Size(scenario, story.File), violation.Anomaly);
        }
        return Result(null, null);

        HuntedMutant Result(HuntStory? story, string? anomaly) =>
            new(mutant.Slug, story is not null, HuntedBy.Regression, played, (ThreadTime.Now - began).TotalSeconds, story, anomaly);
    }

    /// <summary>The shrunk scenario must acquit the faithful broker too; else only the size of the long one, which did, is told.</summary>
    private HuntStory Tell(Kill kill, Mutant mutant) =>
        means.Shrink(kill.Scenario, mutant, kill.Violation) is { } story && IsCleanWithout(story.Scenario)
            ? Size(story.Scenario, means.Keep(story))
            : Size(kill.Scenario, null);

    private static HuntStory Size(Scenario scenario, string? file) => new(file, scenario.Faults.Count, scenario.Plan.Commands.Length);

    private bool IsCleanWithout(Scenario scenario) => !means.Judge(SimulatedRun.Play(scenario with { Mutant = null })).Broken.Any();
}

/// <summary>A promise that the faithful broker broke, or seems to have.</summary>
/// <param name="Story">Null where it does not come again.</param>
public sealed record UnplantedBug(Scenario Scenario, Violation Violation, StoryFile? Story);

/// <summary>A run that kills.</summary>
/// <param name="Place">Of its seed among those that were handed out, from 0.</param>
internal sealed record Kill(long Place, Scenario Scenario, Violation Violation);

/// <summary>The search for one mutant on a few threads. Seeds are handed out in order and none before a killing one is left out, so the result does not depend on how many threads there are.</summary>
/// <param name="seeds">Those to play; null: all of the plan.</param>
internal sealed class Search(HuntPlan plan, Mutant? mutant, Func<ulong, Scenario> draw, Func<RunRecord, RunVerdict> judge, IReadOnlyList<ulong>? seeds = null)
{
    private readonly Lock state = new();
    private readonly List<Kill> kills = [];
    private int handedOut;
    private Exception? failure;

    public long Played { get; private set; }

    public long Aborted { get; private set; }

    public long NotClean { get; private set; }

    public TimeSpan Cpu { get; private set; }

    /// <summary>The kill by the first seed, or null.</summary>
    public Kill? Run(CancellationToken stop)
    {
        var threads = Enumerable.Range(0, Math.Max(1, plan.Jobs)).Select(number => new Thread(() => Labour(stop)) { IsBackground = true, Name = $"hunt-{number}" }).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        if (failure is not null) throw new InvalidOperationException($"the hunt for {mutant?.Slug ?? "bugs that nobody planted"} failed: {failure.Message}", failure);
        return kills.MinBy(static kill => kill.Place);
    }

    /// <summary>The first violation of a verdict that kills this mutant; without a mutant, the first.</summary>
    public static Violation? Killing(RunVerdict verdict, Mutant? mutant) => verdict.Broken.FirstOrDefault(violation => mutant is null || mutant.Anomalies.Contains(violation.Anomaly));

    private void Labour(CancellationToken stop)
    {
        try
        {
            while (Next(stop) is { } place) Try(place);
        }
        catch (Exception problem)                                      // told to whoever called Run
        {
            lock (state) failure ??= problem;
        }
    }

    private int? Next(CancellationToken stop)
    {
        lock (state)
        {
            return failure is not null || kills.Count > 0 || Cpu >= plan.Budget || stop.IsCancellationRequested || SeedAt(handedOut) is null ? null : handedOut++;
        }
    }

    private ulong? SeedAt(int place) => seeds is not null ? place < seeds.Count ? seeds[place] : null : (ulong)place <= plan.LastSeed - plan.FirstSeed ? plan.FirstSeed + (ulong)place : null;

    private void Try(int place)
    {
        var scenario = draw(SeedAt(place)!.Value);
        var began = ThreadTime.Now;
        var found = Play(scenario, out var aborted);
        var took = ThreadTime.Now - began;
        var isClean = found is null || mutant is null || IsCleanWithout(scenario);
        lock (state)
        {
            Played++;
            Cpu += took;
            if (aborted) Aborted++;
            if (!isClean) NotClean++;
            else if (found is not null) kills.Add(new Kill(place, scenario, found));
        }
    }

    private Violation? Play(Scenario scenario, out bool aborted)
    {
        aborted = false;
        Tripwire.Reset();
        try
        {
            return Killing(judge(SimulatedRun.Play(scenario, mutant)), mutant);
        }
        catch (Exception problem) when (mutant is { Counts: false } && problem is not OutOfMemoryException)
        {
            aborted = true;                                            // a rule forced to nonsense may break the node's code itself; that is noticed, too
            return new Violation("", Tripwire.Anomaly, "", [], [], problem.Message, null);
        }
    }

    private bool IsCleanWithout(Scenario scenario) => !judge(SimulatedRun.Play(scenario with { Mutant = null })).Broken.Any();
}
