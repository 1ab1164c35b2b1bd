using Chaos.Faults;
using FsCheck;
using FsCheck.Fluent;
using Verify.Campaign.Judging;
using Verify.Campaign.Running;
using Verify.Promises;
using Verify.Workloads;
using Verify.Zoo;

namespace Verify.Properties.Simulation;

/// <summary>Simulation under random schedules and configurations: the faithful broker keeps every promise to producers and readers, and a scenario is one run for ever.</summary>
/// <remarks>
/// A drawn scenario is its seed and its settings, and these do not shrink: a smaller seed is another world, not a smaller one. What fails is printed with all that draws it again.
/// </remarks>
public sealed class FaithfulRunProperties
{
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(6);

    /// <summary>More power losses than min.insync.replicas tolerates: then losses are seen, and must be excused by the very life of each record.</summary>
    private static readonly FaultChoice BeyondThePromise = new(FaultWord.Default, LimitPower: false);

    /// <summary>Disks that fail honestly: full, slow, or refusing to flush.</summary>
    private static readonly FaultChoice WithDisks = new([.. FaultWord.Default, FaultWord.Disk], LimitPower: true);

    private static readonly Arbitrary<Scenario> OfAcksAll = Draw(Gen.Constant("acks=all"), Gen.Constant(WorkloadNames.Log));

    private static readonly Arbitrary<Scenario> OfAnyKind = Draw(Gen.Elements("acks=all", "acks=1", "acks=0"), Gen.Elements(WorkloadNames.Log, WorkloadNames.Metadata));

    private static Arbitrary<Scenario> Draw(Gen<string> acknowledgements, Gen<string> workloads) => (
        from seed in Gen.Choose(1, int.MaxValue)
        from acks in acknowledgements
        from minimum in Gen.Choose(1, 3)
        from unclean in Gen.Elements("true", "false")
        from flush in Gen.Elements<string[]>([], ["flush.messages=1"])
        from roles in Gen.Elements("separate", "combined")
        from faults in Gen.Elements(FaultChoice.Default, BeyondThePromise, WithDisks)
        from workload in workloads
        select ScenarioGenerator.Draw(
            (ulong)seed, Configuration.OfWords([acks, $"min.insync.replicas={minimum}", $"unclean.leader.election.enable={unclean}", $"process.roles={roles}", .. flush]), workload, faults, Length)).ToArbitrary();

    [Fact]
    public void The_faithful_broker_breaks_no_promise_of_any_acks_under_any_schedule()
    {
        var (runs, disturbed) = (0, 0);
        Prop.ForAll(OfAnyKind, scenario =>
        {
            var run = SimulatedRun.Play(scenario);
            var verdict = Judge.Of(run);
            runs++;
            if (run.Bitten.Count > 0 && verdict.Figures.LeaderChanges > 0) disturbed++;
            return (run.Ready && !verdict.Broken.Any()).Label($"{Describe(scenario)}\n{string.Join('\n', verdict.Broken.Select(static broken => $"{broken.Anomaly}: {broken.Note}"))}");
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(200));

        // No quiet runs: about six of seven see a fault bite and a leader change.
        Assert.True(disturbed * 2 > runs, $"only {disturbed} of {runs} runs were disturbed");
    }

    [Fact]
    public void With_a_planted_bug_the_same_property_is_false()
    {
        var planted = MutantCatalogue.Own.First(static mutant => mutant.Slug == "ack-at-local-append");
        var falsified = Assert.ThrowsAny<Exception>(() => Prop.ForAll(OfAcksAll, scenario => !Judge.Of(SimulatedRun.Play(scenario with { Mutant = planted.Slug }, planted)).Broken.Any())
            .Check(Config.QuickThrowOnFailure.WithMaxTest(400)));
        Assert.Contains("Falsifiable", falsified.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_scenario_played_twice_gives_one_trace_and_one_verdict() =>
        Prop.ForAll(OfAnyKind, scenario =>
        {
            var (once, again) = (SimulatedRun.Play(scenario), SimulatedRun.Play(scenario));
            var (first, second) = (Judge.Of(once), Judge.Of(again));
            return (once.TraceHash == again.TraceHash && once.Simulated == again.Simulated && once.Journal.Count == again.Journal.Count
                && first.All.Select(static seen => (seen.Anomaly, seen.Key, seen.Note)).SequenceEqual(second.All.Select(static seen => (seen.Anomaly, seen.Key, seen.Note)))).Label(Describe(scenario));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(50));

    [Fact]
    public void Scenarios_of_other_seeds_give_other_traces() =>
        Assert.Equal(20, Enumerable.Range(1, 20).Select(static seed => SimulatedRun.Play(ScenarioGenerator.Draw((ulong)seed, Configuration.Default, WorkloadNames.Log, FaultChoice.Default, Length)).TraceHash).Distinct().Count());

    private static string Describe(Scenario scenario) =>
        $"seed {scenario.Seed} {scenario.Plan.Workload} {string.Join(' ', scenario.Configuration.Given.Select(static given => $"{given.Key}={given.Value}"))} power limit {scenario.PowerLimit?.ToString() ?? "none"}";
}
