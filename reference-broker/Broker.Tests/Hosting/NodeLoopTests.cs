using Broker.Hosting;
using Broker.Runtime;

namespace Broker.Tests.Hosting;

public sealed class NodeLoopTests
{
    [Fact]
    public async Task Everything_runs_on_the_one_thread_in_the_order_posted()
    {
        using var loop = new NodeLoop("test");
        var threads = await loop.RunAsync(async () =>
        {
            HashSet<int> seen = [Environment.CurrentManagedThreadId];
            await Task.Yield();
            seen.Add(Environment.CurrentManagedThreadId);
            await loop.Time.DelayAsync(TimeSpan.FromMilliseconds(2));
            seen.Add(Environment.CurrentManagedThreadId);
            await Task.Run(() => { });
            seen.Add(Environment.CurrentManagedThreadId);
            return seen;
        });
        Assert.Single(threads);
        Assert.DoesNotContain(Environment.CurrentManagedThreadId, threads);
    }

    [Fact]
    public async Task Timers_fire_in_the_order_they_are_due_and_not_before()
    {
        using var loop = new NodeLoop("test");
        var (order, early) = await loop.RunAsync(async () =>
        {
            List<int> fired = [];
            var started = loop.Time.GetTimestamp();
            var wasEarly = false;
            var waits = new[] { 30, 5, 15 }.Select(async ms =>
            {
                await loop.Time.DelayAsync(TimeSpan.FromMilliseconds(ms));
                wasEarly |= loop.Time.GetElapsedTime(started) < TimeSpan.FromMilliseconds(ms);
                fired.Add(ms);
            }).ToArray();
            await Task.WhenAll(waits);
            return (fired, wasEarly);
        });
        Assert.Equal([5, 15, 30], order);
        Assert.False(early);
    }

    [Fact]
    public async Task A_disposed_or_changed_timer_does_not_fire_at_its_old_time()
    {
        using var loop = new NodeLoop("test");
        var fired = await loop.RunAsync(async () =>
        {
            var count = 0;
            var disposed = loop.Time.CreateTimer(_ => count += 100, null, TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
            var changed = loop.Time.CreateTimer(_ => count++, null, TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
            disposed.Dispose();
            changed.Change(TimeSpan.FromMilliseconds(5), Timeout.InfiniteTimeSpan);
            await loop.Time.DelayAsync(TimeSpan.FromMilliseconds(40));
            return count;
        });
        Assert.Equal(1, fired);
    }

    [Fact]
    public async Task Thousands_of_abandoned_time_outs_leave_the_others_alone()
    {
        using var loop = new NodeLoop("test");
        await loop.RunAsync(async () =>
        {
            var due = loop.Time.DelayAsync(TimeSpan.FromMilliseconds(20));
            for (var i = 0; i < 10_000; i++) loop.Time.CreateTimer(_ => throw new InvalidOperationException("abandoned"), null, TimeSpan.FromMilliseconds(10), Timeout.InfiniteTimeSpan).Dispose();
            await due;
        });
        Assert.False(loop.Failed.IsCompleted);
    }

    [Fact]
    public async Task An_exception_that_nobody_caught_stops_the_loop_and_is_kept()
    {
        using var loop = new NodeLoop("test");
        loop.Post(_ => throw new InvalidOperationException("the bug"), null);
        var kept = await Assert.ThrowsAsync<InvalidOperationException>(() => loop.Failed.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal("the bug", kept.Message);
    }
}
