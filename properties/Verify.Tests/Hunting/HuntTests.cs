using Verify.Campaign.Campaigns;
using Verify.Campaign.Hunting;
using Verify.Campaign.Judging;
using Verify.Campaign.Results;
using Verify.Campaign.Running;
using Verify.Campaign.Stories;
using Verify.Checkers;
using Verify.Promises;
using Verify.Workloads;
using Verify.Zoo;
using Xunit;

namespace Verify.Tests.Hunting;

/// <summary>The hunt's own logic; what a run says comes from the checkers here, without excuses.</summary>
public sealed class HuntTests
{
    private static readonly HuntPlan Plan = new() { Budget = TimeSpan.FromSeconds(20), Jobs = 2 };
    private static readonly Mutant Easy = MutantCatalogue.Own.Single(mutant => mutant.Slug == "drop-every-fiftieth");
    private static readonly HuntMeans Means = new(
        Judge,
        static (scenario, _, violation) => new StoryFile(StoryFile.ToolVersion, StoryFile.ReferenceSystem, StoryFile.Simulation, "", StoryPoint.Of(violation), scenario, 0, new StoryOrigin(scenario.Seed, "")),
        static story => $"{story.Found.Seed}.story.json");

    [Fact]
    public void A_planted_loss_is_found_and_the_same_seed_without_it_is_clean()
    {
        var hunted = new Hunt(Plan, Means).Discover(Easy);
        Assert.True(hunted.Killed);
        Assert.Contains(hunted.Anomaly, Easy.Anomalies);
        Assert.Equal($"{hunted.Seed}.story.json", hunted.Story!.File);
        Assert.True(hunted.CpuSeconds > 0);
        Assert.Equal((long)hunted.Seed!, hunted.Seeds);
    }

    [Fact]
    public void A_story_that_the_faithful_broker_shows_too_is_not_kept()
    {
        var runs = 0;
        // The first control run acquits the seed, the second one does not acquit the story.
        var blaming = Means with { Judge = run => run.Scenario.Mutant is null && ++runs > 1 ? Verdict([new Violation("no-lost-writes", "lost-write", "t-0", ["1"], [0], "always", null)]) : Judge(run) };
        var hunted = new Hunt(Plan with { Jobs = 1 }, blaming).Discover(Easy);
        Assert.True(hunted.Killed);
        Assert.Null(hunted.Story!.File);
        Assert.True(hunted.Story.Commands > 100);
    }

    [Fact]
    public void A_folder_of_stories_is_read_in_order_and_a_missing_one_is_empty()
    {
        var folder = Directory.CreateTempSubdirectory("stories").FullName;
        var hunted = new Hunt(Plan with { Jobs = 1 }, HuntMeans.Usual(folder, "hunt")).Discover(Easy);
        var stored = Assert.Single(StoredStory.In(folder));
        Assert.Equal(hunted.Story!.File, stored.File);
        Assert.Equal((hunted.Story.Faults, hunted.Story.Commands), (stored.Scenario.Faults.Count, stored.Scenario.Plan.Commands.Length));
        Assert.True(hunted.Story.Commands < 100);
        Assert.True(new Hunt(Plan, HuntMeans.Usual(null, "hunt")).Replay(Easy, [stored]).Killed);
        Directory.Delete(folder, recursive: true);
        Assert.Empty(StoredStory.In(folder));
    }

    [Fact]
    public void The_number_of_threads_does_not_change_which_seed_kills() =>
        Assert.Equal(new Hunt(Plan with { Jobs = 1 }, Means).Discover(Easy).Seed, new Hunt(Plan with { Jobs = 4 }, Means).Discover(Easy).Seed);

    [Fact]
    public void A_hunt_without_a_mutant_finds_nothing_in_the_faithful_broker_and_names_what_a_judge_accuses()
    {
        var plan = Plan with { FirstSeed = 5, LastSeed = 7 };
        Assert.Null(new Hunt(plan, HuntMeans.Usual(null, "hunt")).DiscoverUnplanted(out var played));
        Assert.Equal(3, played);
        var blaming = Means with { Judge = static run => Verdict(run.Scenario.Seed < 6 ? [] : [new Violation("no-lost-writes", "lost-write", "t-0", ["1"], [0], "always", null)]) };
        var bug = new Hunt(plan with { Jobs = 1 }, blaming).DiscoverUnplanted(out _);
        Assert.Equal((6UL, "lost-write"), (bug!.Scenario.Seed, bug.Violation.Anomaly));
    }

    [Fact]
    public void Any_conditions_means_every_workload_and_every_setting_that_can_be_drawn()
    {
        Scenario[] drawn = [.. Enumerable.Range(1, 300).Select(static seed => AnyScenario.Draw((ulong)seed, TimeSpan.FromSeconds(5)))];
        Assert.Equal(WorkloadNames.All.Order(), drawn.Select(static scenario => scenario.Plan.Workload).Distinct().Order());
        foreach (var (name, value) in new[] { ("acks", "0"), ("acks", "1"), ("flush.messages", "1"), ("unclean.leader.election.enable", "true"), ("eligible.leader.replicas.version", "0"), ("process.roles", "combined") })
            Assert.Contains(drawn, scenario => scenario.Configuration.Value(name) == value);
        Assert.Contains(drawn, static scenario => scenario.PowerLimit is null);
        Assert.Contains(drawn, static scenario => scenario.Configuration.Given.Count == 0);
        Assert.Equal(drawn[41], AnyScenario.Draw(42, TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public void A_mutant_that_changes_nothing_stays_alive_when_its_budget_is_spent()
    {
        var harmless = new Mutant("harmless", "none", "Changes nothing.", Rarity.Extreme, ["lost-write"], WorkloadNames.Log);
        var hunted = new Hunt(Plan with { Budget = TimeSpan.FromMilliseconds(200) }, Means).Discover(harmless);
        Assert.False(hunted.Killed);
        Assert.True(hunted.Seeds > 0 && hunted.Story is null);
    }

    [Fact]
    public void A_kill_does_not_count_when_the_faithful_broker_falls_too()
    {
        var blaming = Means with { Judge = static _ => Verdict([new Violation("no-lost-writes", "lost-write", "t-0", ["1"], [0], "always", null)]) };
        var hunted = new Hunt(Plan with { Budget = TimeSpan.FromMilliseconds(200) }, blaming).Discover(Easy);
        Assert.False(hunted.Killed);
        Assert.Equal(hunted.Seeds, hunted.NotClean);
    }

    [Fact]
    public void A_stored_story_kills_again_and_another_mutants_story_does_not()
    {
        var seed = new Hunt(Plan, Means).Discover(Easy).Seed!.Value;
        var scenario = ScenarioGenerator.Draw(seed, Configuration.Default, Easy.Workload, Plan.Faults, Plan.Length, Easy.Slug);
        var hunt = new Hunt(Plan, Means);
        var again = hunt.Replay(Easy, [new StoredStory("a", scenario with { Mutant = "another" }), new StoredStory("b", scenario)]);
        Assert.Equal((true, HuntedBy.Regression, 1L, "b"), (again.Killed, again.By, again.Seeds, again.Story!.File));
        Assert.False(hunt.Replay(Easy, []).Killed);
    }

    [Fact]
    public void The_result_reads_as_the_contract_says()
    {
        var result = new HuntResult([new HuntedMutant("m", true, HuntedBy.Discovery, 7, 1.5, new HuntStory("m.story.json", 2, 3), "lost-write"), new HuntedMutant("m", false, HuntedBy.Regression, 0, 0, null, null)]);
        Assert.Equal(
            """{"mutants":[{"slug":"m","killed":true,"by":"discovery","seeds":7,"cpuSeconds":1.5,"story":{"file":"m.story.json","faults":2,"commands":3},"anomaly":"lost-write"},{"slug":"m","killed":false,"by":"regression","seeds":0,"cpuSeconds":0,"story":null,"anomaly":null}]}""",
            string.Concat(result.ToJson().Split('\n').Select(line => line.Trim())).Replace("\": ", "\":", StringComparison.Ordinal));
        Assert.Equal(result.Mutants, HuntResult.Parse(result.ToJson()).Mutants);
        Assert.True(HuntScore.Of(result, MutantNotes.Equivalents, MutantNotes.KillingTests).IsFull);
    }

    [Fact]
    public void Power_counts_the_planted_bugs_that_so_many_runs_would_have_found()
    {
        var rates = new KillRates("abc", "two cores", [new("a", "log", ["lost-write"], true, 10), new("b", "log", ["duplicate"], true, 2000), new("c", "log", ["lost-write"], false, 9000), new("d", "metadata", ["lost-topic"], true, 5)]);
        var plan = new CampaignPlan { Cells = [], Workload = "log", Seeds = new SeedRange(1, 1000), Command = "" };
        Assert.Equal("such a campaign finds 1 of the 3 planted bugs.", rates.PowerOf(plan, 1000)!.Text);
        Assert.Equal(2, rates.PowerOf(plan, 2000)!.Found);
        Assert.Equal("such a campaign finds 1 of the 2 planted bugs that break it.", rates.PowerOf(plan, 1000, "no-lost-writes")!.Text);
        Assert.Null(rates.PowerOf(plan, 1000, "recovery"));
        Assert.Null(rates.PowerOf(plan with { Workload = "queue" }, 1000));
        Assert.Null(rates.PowerOf(plan with { Length = TimeSpan.FromSeconds(5) }, 1000));
        Assert.Null(rates.PowerOf(plan with { Faults = new FaultChoice(["crash"], true) }, 1000));
        Assert.Equal(rates.ToJson(), KillRates.Parse(rates.ToJson()).ToJson());
    }

    [Fact]
    public void Rates_are_recorded_of_discovery_and_of_members_of_the_zoo_only()
    {
        var slug = MutantCatalogue.Own.First(mutant => mutant.Counts).Slug;
        var hunt = new HuntResult([new(slug, true, HuntedBy.Discovery, 7, 1, null, "lost-write"), new(slug, true, HuntedBy.Regression, 1, 1, null, "lost-write"), new(Easy.Slug, true, HuntedBy.Discovery, 3, 1, null, "unseen")]);
        var rate = Assert.Single(KillRates.Of(hunt, MutantCatalogue.Own, "abc", "two cores").Rates);
        Assert.Equal((slug, true, 7L), (rate.Slug, rate.Killed, rate.Seeds));
    }

    private static RunVerdict Judge(RunRecord run)
    {
        var suite = CheckerSuite.For(new CheckContract());
        suite.ObserveAll(run.History);
        return Verdict([.. from finding in suite.Conclude() from anomaly in finding.Anomalies where anomaly.Breaks select new Violation(finding.Guarantee, anomaly.Name, anomaly.Cases[0].Key, [], [], anomaly.Cases[0].Note, null)]);
    }

    private static RunVerdict Verdict(IReadOnlyList<Violation> violations) => new(null!, [new GuaranteeVerdict("no-lost-writes", ResultVerdict.Unknown, true, 1, "acknowledged", violations, null)], null!);
}
