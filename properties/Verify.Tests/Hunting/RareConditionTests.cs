using Verify.Campaign.Hunting;
using Verify.Campaign.Judging;
using Verify.Campaign.Running;
using Verify.Checkers;
using Verify.Promises;
using Verify.Workloads;
using Verify.Zoo;
using Xunit;

namespace Verify.Tests.Hunting;

/// <summary>Conditions that only <see cref="AnyScenario"/> draws: the faithful broker keeps its promises under them, and a bug that needs them is seen.</summary>
public sealed class RareConditionTests
{
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(10);

    [Fact]
    public void Where_old_records_go_those_that_must_stay_are_missed() => IsTold("LogRules.IsTooLarge:always", AnomalyName.LostWrite, static seed => Drawn(seed, "retention.bytes=4096"));

    [Fact]
    public void Where_old_records_go_some_do()
    {
        var run = SimulatedRun.Play(Drawn(1, "retention.bytes=4096"));
        var suite = CheckerSuite.For(new CheckContract());
        suite.ObserveAll(run.History);
        Assert.Contains(suite.Conclude().SelectMany(static finding => finding.Anomalies), static anomaly => anomaly.Name == AnomalyName.LostWrite);
        Assert.Empty(Judge.Of(run).Broken);
    }

    [Fact]
    public void A_reader_that_seeks_back_into_a_batch_is_handed_the_rest_alone() =>
        IsTold("ClientRules.IsWanted:always", AnomalyName.NonmonotonicPoll, static seed => Drawn(seed) is var drawn ? drawn with { Plan = drawn.Plan with { SeeksBack = true } } : null!);

    private static void IsTold(string slug, string anomaly, Func<ulong, Scenario> draw)
    {
        var mutant = MechanicalMutants.All.Single(made => made.Planted.Slug == slug).Planted;
        var told = new HashSet<string>();
        for (var seed = 1ul; seed <= 6 && !told.Contains(anomaly); seed++)
        {
            Assert.Empty(Judge.Of(SimulatedRun.Play(draw(seed))).Broken);
            told.UnionWith(Judge.Of(SimulatedRun.Play(draw(seed) with { Mutant = slug }, mutant)).Broken.Select(static violation => violation.Anomaly));
        }
        Assert.Contains(anomaly, told);
    }

    private static Scenario Drawn(ulong seed, params string[] settings) => ScenarioGenerator.Draw(seed, Configuration.OfWords(settings), WorkloadNames.Log, new FaultChoice([], false), Length);
}
