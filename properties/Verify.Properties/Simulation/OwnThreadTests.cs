using Verify.Campaign.Running;
using Verify.Promises;
using Verify.Workloads;

namespace Verify.Properties.Simulation;

/// <summary>No other test runs beside these: they watch the thread pool of the whole process.</summary>
[CollectionDefinition(nameof(OwnThreadTests), DisableParallelization = true)]
public sealed class Alone;

/// <summary>The tripwire of determinism: a simulated run never leaves its thread, so the thread pool completes nothing on its behalf.</summary>
/// <remarks>
/// The count is of the whole process, and the test host uses the pool now and then, for timers and its own messages. It can only add: what a run itself queues is queued every time it is played, so the
/// least that is seen over many plays is at least that. One undisturbed play of a few milliseconds is enough, and a run that left its thread would show none.
/// </remarks>
[Collection(nameof(OwnThreadTests))]
public sealed class OwnThreadTests
{
    private const int Plays = 200, Commands = 40;

    [Theory]
    [InlineData(WorkloadNames.Log)]
    [InlineData(WorkloadNames.Metadata)]
    public void The_thread_pool_completes_nothing_while_a_run_plays(string workload)
    {
        var drawn = ScenarioGenerator.Draw(7, Configuration.Default, workload, FaultChoice.Default, TimeSpan.FromSeconds(1));
        var scenario = drawn with { Plan = drawn.Plan with { Commands = drawn.Plan.Commands[..Commands] } };
        Assert.Equal(0, LeastCompleted(() => SimulatedRun.Play(scenario)));
    }

    /// <summary>One continuation that goes through the pool in each play is seen.</summary>
    [Fact]
    public void A_run_that_leaves_its_thread_once_is_noticed()
    {
        var scenario = ScenarioGenerator.Draw(7, Configuration.Default, WorkloadNames.Log, FaultChoice.Default, TimeSpan.FromSeconds(1));
        Assert.InRange(LeastCompleted(() =>
        {
            SimulatedRun.Play(scenario);
            using var ran = new ManualResetEventSlim();
            ThreadPool.QueueUserWorkItem(static ran => ran.Set(), ran, preferLocal: false);
            ran.Wait();
            Thread.Sleep(1);                                           // it is counted a moment after it has run
        }), 1, long.MaxValue);
    }

    /// <summary>The fewest work items that the pool completed during one play, each on a thread of its own.</summary>
    private static long LeastCompleted(Action play)
    {
        var least = long.MaxValue;
        for (var i = 0; i < Plays && least > 0; i++)
        {
            var thread = new Thread(() =>
            {
                var before = ThreadPool.CompletedWorkItemCount;
                play();
                least = Math.Min(least, ThreadPool.CompletedWorkItemCount - before);
            });
            thread.Start();
            thread.Join();
        }
        return least;
    }
}
