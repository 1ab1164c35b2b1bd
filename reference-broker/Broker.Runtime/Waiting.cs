namespace Broker.Runtime;

/// <summary>
/// Something others wait for, with a bound. Waiters are completed by a callback posted to their own loop, never inside the setter's turn.
/// </summary>
public sealed class Signal(TimeProvider time)
{
    private List<Waiter>? waiters;

    /// <summary>True when the signal was set, false when the time ran out.</summary>
    public Task<bool> WaitAsync(TimeSpan timeout)
    {
        if (timeout <= TimeSpan.Zero) return Task.FromResult(false);
        var waiter = new Waiter();
        waiter.Timer = time.CreateTimer(static state => ((Waiter)state!).TrySetResult(false), waiter, timeout, Timeout.InfiniteTimeSpan);
        waiters ??= [];
        if (waiters.Count >= 16) waiters.RemoveAll(static w => w.Task.IsCompleted);
        waiters.Add(waiter);
        return waiter.Task;
    }

    /// <summary>Lets everybody go who waits now. Later waiters wait for the next call.</summary>
    public void Set()
    {
        if (waiters is not { Count: > 0 } leaving) return;
        waiters = null;
        var context = SynchronizationContext.Current;
        foreach (var waiter in leaving)
        {
            waiter.Timer!.Dispose();
            if (waiter.Task.IsCompleted) continue;
            if (context is null) waiter.TrySetResult(true);
            else context.Post(static state => ((Waiter)state!).TrySetResult(true), waiter);
        }
    }

    private sealed class Waiter : TaskCompletionSource<bool>
    {
        public ITimer? Timer { get; set; }
    }
}

public static class TimeProviderExtensions
{
    /// <summary>The monotonic clock, from an arbitrary start.</summary>
    public static TimeSpan Monotonic(this TimeProvider time) => time.GetElapsedTime(0);

    /// <summary>Waits to the tick; <c>Task.Delay</c> truncates to whole milliseconds.</summary>
    public static Task DelayAsync(this TimeProvider time, TimeSpan delay)
    {
        if (delay <= TimeSpan.Zero) return Task.CompletedTask;
        var done = new Delay();
        done.Timer = time.CreateTimer(static state => ((Delay)state!).TrySetResult(), done, delay, Timeout.InfiniteTimeSpan);
        return done.Task;
    }

    private sealed class Delay : TaskCompletionSource
    {
        public ITimer? Timer { get; set; }                             // a timer that nobody holds is collected
    }
}
