using FsCheck;
using FsCheck.Fluent;
using Verify.Campaign.Judging;
using Verify.Campaign.Running;
using Verify.Campaign.Stories;
using Verify.Promises;
using Verify.Workloads;
using Verify.Zoo;

namespace Verify.Properties.Stories;

/// <summary>What shrinking must keep, on real runs: the anomaly with its excuse or without, that the planted bug alone is to blame, and that nothing grows.</summary>
public sealed class ShrinkProperties
{
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(6);

    /// <summary>A run that showed a broken promise.</summary>
    private sealed record Failure(Scenario Scenario, Mutant Mutant, StoryPoint Point)
    {
        public override string ToString() => $"{Mutant.Slug} from seed {Scenario.Seed}: {Point.Anomaly}";
    }

    private static readonly Arbitrary<Failure> Failures = (
        from slug in Gen.Elements("ack-at-local-append", "isr-shrink-before-commit")
        from seed in Gen.Choose(1, 1_000_000_000)
        select FirstFrom((ulong)seed, MutantCatalogue.Own.First(mutant => mutant.Slug == slug))).ToArbitrary();

    [Fact]
    public void A_shrunk_story_shows_the_same_anomaly_and_is_not_larger() =>
        Prop.ForAll(Failures, static failure =>
        {
            var reproduction = new Reproduction(failure.Point, Judge.Of, failure.Mutant);
            if (Shrinker.Shrink(failure.Scenario, reproduction.Try, new ShrinkBudget(30)) is not { } shrunk) return HappensAnyway(failure, failure.Scenario).Label("it was not shrunk, though the planted bug alone is to blame");
            var (before, after) = (failure.Scenario, shrunk.Scenario);
            return Shows(failure, after).Label("it no longer shows the anomaly")
                .And((!HappensAnyway(failure, after)).Label("it shows the anomaly without the planted bug, too"))
                .And((Size(after) <= Size(before) && after.Length <= before.Length && after.Faults.Count <= before.Faults.Count && after.Plan.Commands.Length <= before.Plan.Commands.Length).Label("it grew"))
                .And((after.Seed == before.Seed && after.Mutant == before.Mutant).Label("it became another world"));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(4));

    /// <summary>The same claim is false of a shrinker that takes every smaller scenario for good.</summary>
    [Fact]
    public void What_is_shrunk_without_looking_no_longer_fails()
    {
        var failure = FirstFrom(1, MutantCatalogue.Own.First(static mutant => mutant.Slug == "ack-at-local-append"));
        Assert.False(Shows(failure, Shrinker.Shrink(failure.Scenario, static _ => Sighting.Bare)!.Scenario));
    }

    private static Failure FirstFrom(ulong seed, Mutant mutant)
    {
        for (; ; seed++)
        {
            var scenario = ScenarioGenerator.Draw(seed, Configuration.Default, WorkloadNames.Log, FaultChoice.Default, Length, mutant.Slug);
            if (Judge.Of(SimulatedRun.Play(scenario, mutant)).Broken.FirstOrDefault() is { } broken) return new Failure(scenario, mutant, StoryPoint.Of(broken));
        }
    }

    private static bool Shows(Failure failure, Scenario scenario) => Judge.Of(SimulatedRun.Play(scenario, failure.Mutant)).All.Any(failure.Point.IsShownBy);

    private static bool HappensAnyway(Failure failure, Scenario scenario) =>
        Judge.Of(SimulatedRun.Play(scenario with { Mutant = null })).All.Any(seen => seen.Anomaly == failure.Point.Anomaly);

    private static int Size(Scenario scenario) =>
        scenario.Faults.Count + scenario.Plan.Commands.Length + scenario.Plan.Clients + scenario.Plan.Readers + scenario.Plan.Partitions;
}
