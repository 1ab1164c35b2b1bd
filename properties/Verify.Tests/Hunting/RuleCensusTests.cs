using Verify.Campaign.Hunting;
using Verify.Campaign.Judging;
using Verify.Campaign.Results;
using Verify.Campaign.Running;
using Xunit;

namespace Verify.Tests.Hunting;

public sealed class RuleCensusTests
{
    private static readonly HuntPlan Plan = new() { FirstSeed = 1, LastSeed = 8, Length = TimeSpan.FromSeconds(5), Jobs = 2, Budget = TimeSpan.FromTicks(1) };
    private static readonly Lazy<RuleCensus> Census = new(static () => RuleCensus.Take(Plan, Judge.Of));

    [Theory]
    [InlineData("ElectionRules.NextLeaderEpoch:more", true, true)]
    [InlineData("QuorumRules.VoteSteps:swap-1", true, true)]
    [InlineData("ProducerRules.LearnsFromReplication:always", true, false)]    // the faithful rule always says so
    [InlineData("ClientRules.HasBegun:always", false, false)]                   // there are no transactions
    public void It_tells_which_rules_are_asked_and_which_mutants_would_answer_otherwise(string slug, bool asked, bool differs) =>
        Assert.Equal((asked, differs), (Census.Value.Asked(slug) > 0, Census.Value.Differing(slug) > 0));

    [Fact]
    public void A_mutant_that_never_answers_otherwise_changes_nothing_in_a_run()
    {
        var seeds = Enumerable.Range(1, 8).Select(static seed => (ulong)seed).ToArray();
        var mutant = MechanicalMutants.All.First(made => Census.Value.Asked(made.Planted.Slug) == seeds.Length && Census.Value.Differing(made.Planted.Slug) is > 0 and < 8).Planted;
        foreach (var seed in seeds.Except(Census.Value.SeedsFor(mutant)).Except(Census.Value.Accused))
        {
            var scenario = AnyScenario.Draw(seed, Plan.Length);
            Assert.Equal(SimulatedRun.Play(scenario).TraceHash, SimulatedRun.Play(scenario with { Mutant = mutant.Slug }, mutant).TraceHash);
        }
    }

    [Fact]
    public void A_hunt_plays_only_where_a_mutant_would_answer_otherwise()
    {
        var hunt = new Hunt(Plan with { Jobs = 1 }, HuntMeans.Usual(null, "hunt", shrink: false), Census.Value);
        var idle = hunt.Discover(Mutant("ProducerRules.LearnsFromReplication:always"));
        Assert.Equal((false, 0L, 0), (idle.Killed, idle.Seeds, idle.Reach!.Differing));
        var busy = hunt.Discover(Mutant("ElectionRules.NextLeaderEpoch:more"));
        Assert.Equal((1L, Census.Value.Differing("ElectionRules.NextLeaderEpoch:more")), (busy.Seeds, busy.Reach!.Differing));
    }

    [Fact]
    public void A_seed_on_which_the_faithful_broker_is_accused_is_left_out()
    {
        var plan = Plan with { LastSeed = 2 };
        var blaming = RuleCensus.Take(plan, static run => Judge.Of(run) is var fair && run.Scenario.Seed == 2
            ? fair with { Guarantees = [.. fair.Guarantees, new GuaranteeVerdict("no-lost-writes", ResultVerdict.Violated, true, 1, "acknowledged", [new Violation("no-lost-writes", "lost-write", "t-0", ["1"], [0], "always", null)], null)] }
            : fair);
        Assert.Equal([2UL], blaming.Accused);
        Assert.DoesNotContain(2UL, blaming.SeedsFor(Mutant("ElectionRules.NextLeaderEpoch:more")));
    }

    private static Verify.Zoo.Mutant Mutant(string slug) => MechanicalMutants.All.Single(made => made.Planted.Slug == slug).Planted;
}
