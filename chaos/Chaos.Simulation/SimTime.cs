namespace Chaos.Simulation;

/// <summary>The clocks of one life of a node: timers and timestamps follow virtual time in ticks of 100 ns, the wall clock may be wrong.</summary>
internal sealed class SimTime(SimLoop loop, NodeContext context, WallClock wall) : TimeProvider
{
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override long GetTimestamp() => loop.Now;

    public override DateTimeOffset GetUtcNow() => wall.At(loop.Now);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new SimTimer(loop, context, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }
}

/// <summary>What a node believes the time of day to be.</summary>
internal sealed class WallClock(DateTimeOffset epoch)
{
    private readonly List<Drift> drifts = [];
    private long offset;

    public DateTimeOffset At(long now)
    {
        var ticks = now + offset;
        foreach (var drift in drifts) ticks += (long)((now - drift.Since) * drift.Rate);
        return epoch.AddTicks(ticks);
    }

    public void Shift(TimeSpan by) => offset += by.Ticks;

    /// <param name="rate">Seconds gained per second.</param>
    public void StartDrift(int fault, double rate, long now) => drifts.Add(new Drift(fault, rate, now));

    public void StopDrift(int fault) => drifts.RemoveAll(drift => drift.Fault == fault);

    private readonly record struct Drift(int Fault, double Rate, long Since);
}

/// <summary>Its callback is a turn of its node. A periodic timer that could not run meanwhile runs once.</summary>
internal sealed class SimTimer(SimLoop loop, NodeContext context, TimerCallback callback, object? state) : Scheduled, ITimer
{
    private static readonly SendOrPostCallback RunPosted = static timer => ((SimTimer)timer!).Run();

    private long period;
    private bool posted;
    private bool disposed;

    public bool Change(TimeSpan dueTime, TimeSpan newPeriod)
    {
        if (disposed) return false;
        posted = false;
        period = newPeriod <= TimeSpan.Zero ? 0 : newPeriod.Ticks;
        if (dueTime < TimeSpan.Zero) loop.Cancel(this);
        else loop.Schedule(this, loop.Now + dueTime.Ticks);
        return true;
    }

    public void Dispose()
    {
        disposed = true;
        posted = false;
        loop.Cancel(this);
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        return default;
    }

    internal override void Fire()
    {
        if (context.Closed) return;
        if (period > 0) loop.Schedule(this, loop.Now + period);
        if (posted) return;
        posted = true;
        context.Post(RunPosted, this);
    }

    private void Run()
    {
        if (!posted) return;                                           // changed or disposed between the alarm and the turn
        posted = false;
        callback(state);
    }
}
