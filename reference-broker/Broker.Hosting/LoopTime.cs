using System.Diagnostics;

namespace Broker.Hosting;

/// <summary>The machine's wall and monotonic clock; timers run their callbacks on the node's loop.</summary>
internal sealed class LoopTime(NodeLoop loop) : TimeProvider
{
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new LoopTimer(loop, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }
}

/// <summary>A timer of the loop. Changed and disposed on the loop, or by whoever created it before it can fire.</summary>
internal sealed class LoopTimer(NodeLoop loop, TimerCallback callback, object? state) : ITimer
{
    internal const long Idle = long.MaxValue;
    internal const long Firing = long.MaxValue - 1;

    private TimeSpan period = Timeout.InfiniteTimeSpan;

    /// <summary>Monotonic timestamp at which to fire. The loop drops queue entries that name another one.</summary>
    internal long Due { get; set; } = Idle;

    public bool Change(TimeSpan dueTime, TimeSpan every)
    {
        period = every == TimeSpan.Zero ? Timeout.InfiniteTimeSpan : every;
        var wasArmed = Due is not (Idle or Firing);
        Due = Idle;
        if (wasArmed) loop.Abandon();
        if (dueTime == Timeout.InfiniteTimeSpan) return true;
        Due = Stopwatch.GetTimestamp() + (long)(dueTime.TotalSeconds * Stopwatch.Frequency);
        loop.Start(this);
        return true;
    }

    public void Dispose() => Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    internal void Fire()
    {
        if (Due != Firing) return;                                     // changed or disposed after it became due
        Due = Idle;
        if (period != Timeout.InfiniteTimeSpan) Change(period, period);
        callback(state);
    }
}
