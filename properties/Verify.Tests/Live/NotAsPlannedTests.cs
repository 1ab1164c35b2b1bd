using Broker.Hosting;
using Broker.Runtime;
using Verify.Campaign.Live;
using Verify.Campaign.Results;
using Verify.Tests.Judging;

namespace Verify.Tests.Live;

/// <summary>Real machines stall, and faults miss: what then was not seen was not put to the test.</summary>
public sealed class NotAsPlannedTests
{
    [Fact]
    public void A_run_whose_faults_were_not_as_planned_is_unknown_and_what_it_lost_all_the_same_is_lost()
    {
        HandMadeRun Sent(params string[] missed) => new HandMadeRun { Missed = missed }.Sends(1).IsTold(1, 0);
        Assert.Equal(ResultVerdict.Held, Lost(Sent().IsReadFinally(1)));
        Assert.Equal(ResultVerdict.Unknown, Lost(Sent("a cut dropped nothing").IsReadFinally(1)));
        Assert.Equal(ResultVerdict.Violated, Lost(Sent("a cut dropped nothing").IsReadFinally()));
        Assert.Equal("not as planned: a cut dropped nothing", Sent("a cut dropped nothing").IsReadFinally(1).Judged().Guarantees[0].Why);

        Assert.Equal(ResultVerdict.Unknown, Lost(new HandMadeRun { Missed = ["it did not come up"], Ready = false, RecoveredAfter = null }));
        Assert.Empty(new HandMadeRun { Missed = ["it did not come up"], Ready = false, RecoveredAfter = null }.Judged().Broken);

        static ResultVerdict Lost(HandMadeRun run) => run.Judged().Guarantees.Single(guarantee => guarantee.Guarantee == "no-lost-writes").Seen;
    }

    [Fact]
    public async Task A_runner_that_stood_still_says_so()
    {
        using var host = new RealHost(new NodeId(60), new MemoryDisk(), new Prng(1));
        var began = host.Time.GetTimestamp();
        var watch = new StallWatch(host.Time, () => host.Time.GetElapsedTime(began));
        await host.Loop.RunAsync(async () =>
        {
            var watching = watch.WatchAsync();
            await host.Time.DelayAsync(TimeSpan.FromMilliseconds(10));
            Thread.Sleep(1000);                                        // the loop's one thread
            watch.MayStop = true;
            await watching;
        });
        Assert.InRange(watch.Stalls.Max(static stall => stall.HowLong), TimeSpan.FromMilliseconds(900), TimeSpan.FromSeconds(60));
    }
}
