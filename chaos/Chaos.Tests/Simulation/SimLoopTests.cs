using System.Threading.Channels;
using Broker.Runtime;
using Chaos.Faults;
using Chaos.Simulation;

namespace Chaos.Tests.Simulation;

public sealed class SimLoopTests
{
    private static readonly NodeId Node = new(0);

    [Fact]
    public void Virtual_time_moves_to_the_tick_and_real_time_does_not_matter()
    {
        var world = new SimWorld(1);
        world.Run(async () =>
        {
            await world.Time.DelayAsync(TimeSpan.FromTicks(3));
            Assert.Equal(TimeSpan.FromTicks(3), world.Now);
            await Task.Delay(TimeSpan.FromDays(40), world.Time);
            Assert.Equal(TimeSpan.FromDays(40) + TimeSpan.FromTicks(3), world.Now);
        }, TimeSpan.FromDays(400));
    }

    [Fact]
    public void Waiting_stays_on_the_loop_whatever_it_is_written_with()
    {
        var thread = Environment.CurrentManagedThreadId;
        var reached = new List<string>();
        var world = new SimWorld(1);
        world.AddNode(Node, "n", "n", async host =>
        {
            var context = SynchronizationContext.Current;
            await Task.Delay(Echo.Ms(5), host.Time);
            Reached("Delay");
            await Assert.ThrowsAsync<TimeoutException>(() => Echo.ForEver().WaitAsync(Echo.Ms(5), host.Time));
            Reached("WaitAsync");
            using var cancelled = new CancellationTokenSource(Echo.Ms(5), host.Time);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Echo.ForEver().WaitAsync(cancelled.Token));
            Reached("CancellationTokenSource");
            await Task.Yield();
            Reached("Yield");
            await Task.WhenAll(Task.Delay(Echo.Ms(3), host.Time), Task.Delay(Echo.Ms(4), host.Time));
            await Task.WhenAny(Task.Delay(Echo.Ms(3), host.Time), Echo.ForEver());
            Reached("WhenAny");
            var channel = Channel.CreateBounded<int>(1);
            var signal = new Signal(host.Time);
            var scope = new TaskScope();
            scope.Start(async () =>
            {
                await host.Time.DelayAsync(Echo.Ms(1));
                signal.Set();
                for (var i = 0; i < 3; i++) await channel.Writer.WriteAsync(i);
            });
            Assert.True(await signal.WaitAsync(Echo.Ms(50)));
            Assert.False(await signal.WaitAsync(Echo.Ms(5)));
            Reached("Signal");
            for (var i = 0; i < 3; i++) Assert.Equal(i, await channel.Reader.ReadAsync());
            Reached("Channel");
            await Echo.ForEver();

            void Reached(string what)
            {
                Assert.Equal(thread, Environment.CurrentManagedThreadId);
                Assert.Same(context, SynchronizationContext.Current);
                reached.Add(what);
            }
        });
        world.RunFor(1000);
        Assert.Empty(world.Failures);
        Assert.Equal(["Delay", "WaitAsync", "CancellationTokenSource", "Yield", "WhenAny", "Signal", "Channel"], reached);
    }

    [Fact]
    public void A_pause_holds_everything_back_and_then_everything_happens_at_once()
    {
        var ticks = new List<TimeSpan>();
        SimWorld world = null!;
        world = Echo.World(1, _ => Echo.ForEver(), async host =>
        {
            var scope = new TaskScope();
            for (var i = 0; i < 10; i++)
            {
                var at = Echo.Ms(10 * i);
                scope.Start(async () =>
                {
                    await host.Time.DelayAsync(at + Echo.Ms(5));
                    ticks.Add(world.Now);
                });
            }

            await Echo.ForEver();
        });
        var nemesis = world.Unleash(new FaultSchedule([new Fault.Pause(Trigger.AtMs(20), Echo.Ms(50), NodeRef.Of(1))]));
        nemesis.Start();
        world.RunFor(200);
        Assert.Equal([5, 15, 70, 70, 70, 70, 70, 75, 85, 95], ticks.Select(at => at.TotalMilliseconds));
        Assert.Equal(1, nemesis.Bitten["pause"]);
    }

    [Fact]
    public void A_node_that_breaks_an_invariant_is_down_and_stays_down()
    {
        var world = new SimWorld(1);
        world.AddNode(Node, "n", "n", async host =>
        {
            await host.Time.DelayAsync(Echo.Ms(10));
            Invariant.Holds(host.Id.Value == 77);
        });
        world.Unleash(new FaultSchedule([new Fault.Crash(Trigger.AtMs(20), Echo.Ms(10), NodeRef.Of(0))])).Start();
        world.RunFor(100);
        var failure = Assert.Single(world.Failures);
        Assert.Equal("host.Id.Value == 77", Assert.IsType<InvariantBrokenException>(failure.Exception).Message);
        Assert.Equal(Echo.Ms(10), failure.At);
        Assert.False(world[Node].IsUp);
    }

    [Fact]
    public void A_failure_in_background_work_or_in_a_callback_is_not_lost()
    {
        var world = new SimWorld(1);
        world.AddNode(Node, "n", "n", async host =>
        {
            using var timer = host.Time.CreateTimer(_ => throw new InvalidOperationException("in a callback"), null, Echo.Ms(1), Timeout.InfiniteTimeSpan);
            await Echo.ForEver();
        });
        world.RunFor(10);
        Assert.Equal("in a callback", Assert.Single(world.Failures).Exception.Message);
    }

    [Fact]
    public void Waiting_for_what_never_comes_is_an_error_and_so_is_running_too_long()
    {
        Assert.Throws<StalledException>(() => new SimWorld(1).Run(Echo.ForEver, TimeSpan.FromSeconds(1)));
        var world = new SimWorld(1);
        Assert.Throws<RunTooLongException>(() => world.Run(() => world.Time.DelayAsync(Echo.Ms(2000)), TimeSpan.FromSeconds(1)));
        Assert.Throws<StalledException>(() => new SimWorld(1, new SimOptions { TurnsPerInstant = 1000 }).Run(SpinAsync, TimeSpan.FromSeconds(1)));

        var busy = new SimWorld(1, new SimOptions { MostSteps = 1000 });
        Assert.Throws<StalledException>(() => busy.Run(() => TickAsync(busy), TimeSpan.FromHours(1)));

        static async Task SpinAsync()
        {
            while (true) await Task.Yield();
        }

        static async Task TickAsync(SimWorld world)
        {
            while (true) await world.Time.DelayAsync(Echo.Ms(1));
        }
    }

    [Fact]
    public void An_exception_of_the_orchestrator_comes_out_of_Run()
    {
        var world = new SimWorld(1);
        Assert.Equal("mine", Assert.Throws<InvalidOperationException>(() => world.Run(async () =>
        {
            await world.Time.DelayAsync(Echo.Ms(1));
            throw new InvalidOperationException("mine");
        }, TimeSpan.FromSeconds(1))).Message);
    }

    [Fact]
    public void An_exception_of_a_witness_comes_out_of_Run_and_is_no_failure_of_the_node_seen()
    {
        var world = new SimWorld(1);
        world.AddNode(Node, "n", "n", async host =>
        {
            await host.Time.DelayAsync(Echo.Ms(5));
            host.Observe(new Observation(ObservationKind.Flushed, host.Id));
            await Echo.ForEver();
        });
        world.Subscribe((in Observation seen, TimeSpan _) =>
        {
            if (seen.Kind == ObservationKind.Flushed) throw new InvalidOperationException("the witness");
        });
        world.StartAll();
        Assert.Equal("the witness", Assert.Throws<InvalidOperationException>(() => world.Run(() => world.Time.DelayAsync(Echo.Ms(10)), TimeSpan.FromSeconds(1))).Message);
        Assert.Empty(world.Failures);
        Assert.True(world[Node].IsUp);
    }

    [Fact]
    public void Posting_from_another_thread_is_an_error()
    {
        var world = new SimWorld(1);
        SynchronizationContext? loop = null;
        world.Run(() =>
        {
            loop = SynchronizationContext.Current;
            return Task.CompletedTask;
        }, TimeSpan.FromSeconds(1));
        Exception? thrown = null;
        var stranger = new Thread(() => thrown = Record.Exception(() => loop!.Post(static _ => { }, null)));
        stranger.Start();
        stranger.Join();
        Assert.Contains("foreign thread", Assert.IsType<InvalidOperationException>(thrown).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_graceful_restart_stops_the_program_in_good_order_and_starts_it_again_on_the_same_disk()
    {
        var told = new List<string>();
        var world = new SimWorld(1);
        world.AddNode(Node, "n", "n", async host =>
        {
            var file = host.Disk.Open("d/clean");
            told.Add($"start with {file.Length} bytes");
            file.Write(file.Length, "x"u8);
            await Echo.ForEver();
        }, async () =>
        {
            told.Add("stop");
            await world.Time.DelayAsync(Echo.Ms(5));
            told.Add("stopped");
        });
        var nemesis = world.Unleash(new FaultSchedule([new Fault.Restart(Trigger.AtMs(10), Echo.Ms(20), NodeRef.Of(0))]));
        nemesis.Start();
        world.RunFor(100);
        Assert.Equal(["start with 0 bytes", "stop", "stopped", "start with 1 bytes"], told);
        Assert.Equal(1, nemesis.Bitten["restart"]);
        Assert.Equal(2, world[Node].Lives);
    }

    [Fact]
    public void Cancelled_timers_are_swept_out()
    {
        var heap = new EventHeap();
        var due = new List<long>();
        var items = Enumerable.Range(0, 10_000).Select(i => new Noted(() => due.Add(i))).ToArray();
        for (var i = 0; i < items.Length; i++) heap.Schedule(items[i], i * 7919L % 10_007);
        for (var i = 0; i < items.Length; i++)
        {
            if (i % 100 != 0) heap.Cancel(items[i]);
        }

        Assert.Equal(100, heap.Live);
        var last = -1L;
        while (heap.TryPop(out var at, out var item))
        {
            Assert.True(at >= last);
            last = at;
            item.Fire();
        }

        Assert.Equal(Enumerable.Range(0, 100).Select(i => i * 100L), due.Order());
    }

    private sealed class Noted(Action fire) : Scheduled
    {
        internal override void Fire() => fire();
    }
}
