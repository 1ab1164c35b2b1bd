using Chaos.Faults;
using Verify.Campaign.Judging;
using Verify.Campaign.Running;
using Verify.Promises;
using Verify.Workloads;
using Xunit;

namespace Verify.Tests.Judging;

/// <summary>What unclean election buys is told as the time in which partitions had no leader.</summary>
public sealed class LeaderlessTests
{
    [Fact]
    public void Where_nobody_is_left_the_time_until_somebody_leads_again_is_counted_for_each_partition()
    {
        var calm = Played(FaultSchedule.Empty);
        var down = Played(new FaultSchedule([.. Enumerable.Range(1, 3).Select(broker => new Fault.Crash(Trigger.AtMs(1000), TimeSpan.FromSeconds(4), NodeRef.Of(broker)))]));

        Assert.Equal(TimeSpan.Zero, calm.Leaderless);
        Assert.InRange(down.Leaderless, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10));
    }

    private static RunFigures Played(FaultSchedule faults)
    {
        var scenario = ScenarioGenerator.Draw(1, Configuration.OfWords([]), WorkloadNames.Log, new FaultChoice([], LimitPower: true), TimeSpan.FromSeconds(8)) with { Faults = faults };
        return Judge.Of(SimulatedRun.Play(scenario)).Figures;
    }
}
