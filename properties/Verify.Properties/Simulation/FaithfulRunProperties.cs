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

    /// <summary>
    /// Records and topics under any settings. Consumer groups and compacted topics are left out: too few seeds of them have been played since their last wrong accusation was mended for a test that draws
    /// anew each time. Campaigns and <c>hunt --faithful</c> play these.
    /// </summary>
    private static readonly Arbitrary<Scenario> OfAnyKind = Gen.Choose(1, int.MaxValue).Select(static seed => AnyScenario.Draw((ulong)seed, Length))
        .Where(static scenario => scenario.Plan.Members.IsEmpty && scenario.Plan.Workload != WorkloadNames.Compaction).ToArbitrary();

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
            return (run.Ready && !verdict.Broken.Any()).Label($"{AnyScenario.Describe(scenario)}\n{string.Join('\n', verdict.Broken.Select(static broken => $"{broken.Anomaly}: {broken.Note}"))}");
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(200));

        // No quiet runs: about six of seven see a fault bite and a leader change.
        Assert.True(disturbed * 2 > runs, $"only {disturbed} of {runs} runs were disturbed");
    }

    [Fact]
    public void With_a_planted_bug_the_same_property_is_false()
    {
        var planted = MutantCatalogue.Own.First(static mutant => mutant.Slug == "ack-at-local-append");
        var falsified = Assert.ThrowsAny<Exception>(() => Prop.ForAll(OfAnyKind, scenario => !Judge.Of(SimulatedRun.Play(scenario with { Mutant = planted.Slug }, planted)).Broken.Any())
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
                && first.All.Select(static seen => (seen.Anomaly, seen.Key, seen.Note)).SequenceEqual(second.All.Select(static seen => (seen.Anomaly, seen.Key, seen.Note)))).Label(AnyScenario.Describe(scenario));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(50));

    [Fact]
    public void Scenarios_of_other_seeds_give_other_traces() =>
        Assert.Equal(20, Enumerable.Range(1, 20).Select(static seed => SimulatedRun.Play(ScenarioGenerator.Draw((ulong)seed, Configuration.Default, WorkloadNames.Log, FaultChoice.Default, Length)).TraceHash).Distinct().Count());
}
