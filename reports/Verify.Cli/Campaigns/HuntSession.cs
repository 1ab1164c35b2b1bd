using System.Globalization;
using Verify.Campaign.Hunting;
using Verify.Campaign.Running;
using Verify.Zoo;

namespace Verify.Cli.Campaigns;

/// <summary>Hunts one mutant after the other and tells what became of each as it is known.</summary>
internal sealed class HuntSession(Streams streams)
{
    public required IReadOnlyList<Mutant> Mutants { get; init; }

    public required HuntPlan Plan { get; init; }

    public required HuntMeans Means { get; init; }

    /// <summary>Folder of stored stories.</summary>
    public required string Stories { get; init; }

    /// <summary>File for the kill rates; null: they are not recorded.</summary>
    public string? Record { get; init; }

    public bool RegressionOnly { get; init; }

    /// <summary>Seeds played with the faithful rules before mechanical mutants are hunted, where no range of seeds is given: enough to meet what one run in hundreds meets.</summary>
    private const ulong CensusSeeds = 3000;

    /// <summary>Begins with a census of the rules, ends with the score and says of each survivor whether it is explained and how far it got.</summary>
    public bool Score { get; init; }

    public bool Json { get; init; }

    public bool Quiet { get; init; }

    /// <summary>The exit code: 1 when a mutant is left alive that neither a test kills nor anybody explained as equivalent, or an explanation is refuted.</summary>
    public int Run(CancellationToken stop)
    {
        var hunt = new Hunt(Plan, Means, Score && !RegressionOnly ? Census(stop) : null);
        var stored = StoredStory.In(Stories);
        var results = new List<HuntedMutant>();
        var width = Mutants.Max(mutant => mutant.Slug.Length);
        if (!Json) streams.Output.WriteLine($"{"mutant".PadRight(width)}  by          result   seeds   CPU s  story");
        foreach (var mutant in Mutants)
        {
            if (stop.IsCancellationRequested) break;
            var known = stored.Where(story => story.Scenario.Mutant == mutant.Slug).ToArray();
            if (known.Length > 0 || RegressionOnly) Add(hunt.Replay(mutant, known));
            if (!RegressionOnly) Add(hunt.Discover(mutant, stop));
        }
        if (Json) streams.Output.Write(new HuntResult(results).ToJson());
        else Sum(results);
        var score = HuntScore.Of(new HuntResult(results), MutantNotes.Equivalents, MutantNotes.KillingTests);
        if (Score) Tell(score);
        if (Record is { } file && !stop.IsCancellationRequested) File.WriteAllText(file, KillRates.Of(new HuntResult(results), Mutants, ThisTool.Info.Commit, $"{ThisMachine.Info.Cpu}, {ThisMachine.Info.Cores} cores").ToJson());
        return score.IsFull && results.Count > 0 && !stop.IsCancellationRequested ? ExitCode.Held : ExitCode.Broken;

        void Add(HuntedMutant hunted)
        {
            results.Add(hunted);
            if (!Json) streams.Output.WriteLine(Line(hunted, width));
            else if (!Quiet) streams.Error.WriteLine(Line(hunted, width));
        }
    }

    /// <summary>Hunts what nobody planted: 1 when a promise was broken, 0 when none was.</summary>
    public int RunFaithful(CancellationToken stop)
    {
        var bug = new Hunt(Plan, Means).DiscoverUnplanted(out var played, stop);
        streams.Output.WriteLine($"{played:N0} runs of the faithful broker, each with a workload, settings and faults of its own: {(bug is null ? "every promise held" : "a promise was broken")}");
        if (bug is null) return played > 0 ? ExitCode.Held : ExitCode.Unknown;
        streams.Output.WriteLine($"{bug.Violation.Guarantee}, {bug.Violation.Anomaly}: {bug.Violation.Note}");
        streams.Output.WriteLine(AnyScenario.Describe(bug.Scenario));
        if (bug.Story is { } story && Means.Keep(story) is { } file) streams.Output.WriteLine($"{story.Scenario.Faults.Count} faults, {story.Scenario.Plan.Commands.Length} commands: mqverify replay {file} --trace");
        return ExitCode.Broken;
    }

    private static string Line(HuntedMutant hunted, int width)
    {
        var story = hunted.Story is { } told ? $"{told.Faults} faults, {told.Commands} commands: {hunted.Anomaly}" : hunted.Anomaly ?? "";
        return $"{hunted.Slug.PadRight(width)}  {hunted.By.ToString().ToLowerInvariant(),-10}  {(hunted.Killed ? "killed" : "ALIVE"),-6}  {hunted.Seeds,6:N0}  {hunted.CpuSeconds,6:0.0}  {story}";
    }

    private void Sum(List<HuntedMutant> results)
    {
        streams.Output.WriteLine();
        foreach (var by in results.GroupBy(hunted => hunted.By))
            streams.Output.WriteLine($"{by.Count(hunted => hunted.Killed)} of {by.Count()} killed by {by.Key.ToString().ToLowerInvariant()}, {by.Sum(hunted => hunted.CpuSeconds):0.0} CPU s");
        if (Score) return;
        var alive = results.Where(hunted => !hunted.Killed).Select(hunted => hunted.Slug).Except(results.Where(hunted => hunted.Killed).Select(hunted => hunted.Slug)).ToArray();
        if (alive.Length > 0) streams.Output.WriteLine($"alive: {string.Join(", ", alive)}");
    }

    private RuleCensus Census(CancellationToken stop)
    {
        var census = RuleCensus.Take(Plan with { LastSeed = Plan.LastSeed == ulong.MaxValue ? Plan.FirstSeed + CensusSeeds - 1 : Plan.LastSeed }, Means.Judge, stop);
        ScoreLines.WriteLine($"census: {census.Played:N0} runs of the faithful rules ask {census.RulesAsked} of {RuleBook.All.Count} rules; the faithful broker was accused in {census.Accused.Count} of them{(census.Accused.Count == 0 ? "" : $" (seeds {string.Join(", ", census.Accused)}), which are left out")}");
        return census;
    }

    /// <summary>Standard output holds one JSON document and nothing else, where there is one.</summary>
    private TextWriter ScoreLines => Json ? streams.Error : streams.Output;

    private void Tell(HuntScore score)
    {
        var survivors = score.Alive.ToLookup(static survivor => survivor.How);
        Listed("killed, though explained as equivalent; the explanation is wrong", score.Refuted);
        Listed("alive, killed by a test", survivors[Survival.KilledByTest].Select(static survivor => $"{survivor.Slug} — {survivor.Test}"));
        Listed("alive, explained as equivalent", survivors[Survival.Explained].Select(static survivor => $"{survivor.Slug} — {survivor.Reason}"));
        Listed("alive, no run asks the rule", survivors[Survival.NeverAsked].Select(static survivor => survivor.Slug));
        Listed("alive, no run needs another answer than the mutant's", survivors[Survival.NeverDiffers].Select(static survivor => $"{survivor.Slug} — asked in {survivor.Reach!.Asked} runs"));
        Listed("alive, answers otherwise and nobody can tell", survivors[Survival.Untold].Select(static survivor => survivor.Reach is { } reach ? $"{survivor.Slug} — in {reach.Differing} runs" : survivor.Slug));
        ScoreLines.WriteLine("| rules | mutants | killed | by a test | explained | never asked | never differ | untold |\n|---|---|---|---|---|---|---|---|");
        foreach (var (rules, counts) in score.Table()) ScoreLines.WriteLine($"| {rules} | {string.Join(" | ", counts)} |");
        ScoreLines.WriteLine($"score: {Share(score.Killed.Count, score.All)} of all mutants; {Share(score.Killed.Count, score.CanBeTold)} of those not explained as equivalent, and with tests {Share(score.Killed.Count + score.KilledByTests, score.CanBeTold)}");

        void Listed(string title, IEnumerable<string> entries)
        {
            var all = entries.ToList();
            if (all.Count == 0 || Json && Quiet) return;
            ScoreLines.WriteLine($"{title} ({all.Count}):");
            foreach (var entry in all) ScoreLines.WriteLine($"  {entry}");
        }

        static string Share(int part, int whole) => string.Create(CultureInfo.InvariantCulture, $"{part}/{whole} killed ({(whole == 0 ? 0 : 100.0 * part / whole):0.0} %)");
    }
}
