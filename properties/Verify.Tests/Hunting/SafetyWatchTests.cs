using Broker.Runtime;
using Verify.Campaign.Running;
using Verify.Promises;
using Verify.Workloads;
using Verify.Zoo;
using Xunit;

namespace Verify.Tests.Hunting;

/// <summary>Schedules lie in wait for <see cref="ObservationKind.CommittedAtRisk"/>: it must come where a bug opens a hole, and not without one.</summary>
public sealed class SafetyWatchTests
{
    [Theory]
    [InlineData("isr-join-before-epoch-start")]
    [InlineData("truncate-to-high-watermark")]
    public void A_planted_bug_puts_what_is_committed_at_risk(string slug)
    {
        var mutant = MutantCatalogue.Own.Single(mutant => mutant.Slug == slug);

        Assert.True(AtRisk(mutant.Workload, mutant, 200) > 0);
    }

    [Theory]
    [InlineData(WorkloadNames.Log)]
    [InlineData(WorkloadNames.Metadata)]
    public void Nothing_is_ever_at_risk_in_the_faithful_broker(string workload) => Assert.Equal(0, AtRisk(workload, null, 40));

    private static int AtRisk(string workload, Mutant? mutant, ulong most)
    {
        for (ulong seed = 1; seed <= most; seed++)
        {
            var scenario = ScenarioGenerator.Draw(seed, Configuration.Of(new SortedDictionary<string, string>(StringComparer.Ordinal)), workload, FaultChoice.Default, TimeSpan.FromSeconds(25), mutant?.Slug);
            var seen = SimulatedRun.Play(scenario, mutant).Journal.Count(entry => entry.What.Kind == ObservationKind.CommittedAtRisk);
            if (seen > 0) return seen;
        }
        return 0;
    }
}
