using System.Diagnostics;

namespace Broker.Hosting;

/// <summary>
/// The event loop of one real node: one dedicated thread that runs continuations first in, first out, and timers when they are due.
/// Everything of the node runs here, so that its code needs no locks; only <see cref="Post"/> and timers may be used from other threads.
/// </summary>
/// <remarks>An exception that nobody caught is a bug: it is kept in <see cref="Failed"/> and the loop stops, as a crashed node would.</remarks>
public sealed class NodeLoop : SynchronizationContext, IDisposable
{
    private readonly Lock gate = new();
    private readonly AutoResetEvent woken = new(false);
    private readonly Queue<(SendOrPostCallback Callback, object? State)> ready = [];
    private readonly PriorityQueue<LoopTimer, (long Due, long Number)> timers = new();
    private readonly TaskCompletionSource failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Thread thread;
    private long timersStarted;
    private int timersAbandoned;
    private bool closed;

    public NodeLoop(string name)
    {
        Time = new LoopTime(this);
        thread = new Thread(Run) { Name = name, IsBackground = true };
        thread.Start();
    }

    /// <summary>The machine's clocks, with timers that fire on this loop.</summary>
    public TimeProvider Time { get; }

    /// <summary>Completes with the exception that stopped the loop.</summary>
    public Task Failed => failed.Task;

    public override void Post(SendOrPostCallback d, object? state)
    {
        lock (gate)
        {
            if (closed) return;
            ready.Enqueue((d, state));
        }
        woken.Set();
    }

    public override void Send(SendOrPostCallback d, object? state) => throw new InvalidOperationException("a loop never waits for another thread");

    /// <summary>Runs work on the loop; the result is for callers outside of it.</summary>
    public Task<T> RunAsync<T>(Func<Task<T>> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(async _ =>
        {
            try
            {
                done.TrySetResult(await work());
            }
            catch (Exception failure)                                  // handed to the caller, whose work it was
            {
                done.TrySetException(failure);
            }
        }, null);
        return done.Task;
    }

    public Task RunAsync(Func<Task> work) => RunAsync(async () =>
    {
        await work();
        return true;
    });

    /// <summary>Stops the loop after the current turn; what is queued never runs.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            closed = true;
            ready.Clear();
        }
        woken.Set();
        if (Thread.CurrentThread != thread) thread.Join();
    }

    internal void Start(LoopTimer timer)
    {
        lock (gate) timers.Enqueue(timer, (timer.Due, ++timersStarted));
        if (Thread.CurrentThread != thread) woken.Set();
    }

    /// <summary>An armed timer was changed or disposed. Most time-outs never fire: their entries are swept before they outnumber the others.</summary>
    internal void Abandon()
    {
        lock (gate)
        {
            if (++timersAbandoned < 1024 || timersAbandoned < timers.Count / 2) return;
            var armed = timers.UnorderedItems.Where(entry => entry.Element.Due == entry.Priority.Due).ToList();
            timers.Clear();
            timers.EnqueueRange(armed);
            timersAbandoned = 0;
        }
    }

    private void Run()
    {
        SetSynchronizationContext(this);
        try
        {
            while (Next() is { } turn) turn.Callback(turn.State);
        }
        catch (Exception failure)                                      // the node's crash
        {
            lock (gate) closed = true;
            failed.TrySetException(failure);
        }
    }

    /// <summary>Waits for the next turn; null once the loop is closed.</summary>
    private (SendOrPostCallback Callback, object? State)? Next()
    {
        while (true)
        {
            var wait = Timeout.InfiniteTimeSpan;
            lock (gate)
            {
                if (closed) return null;
                FireDue(ref wait);
                if (ready.TryDequeue(out var turn)) return turn;
            }
            woken.WaitOne(wait);
        }
    }

    private void FireDue(ref TimeSpan wait)
    {
        var now = Stopwatch.GetTimestamp();
        while (timers.TryPeek(out var timer, out var at))
        {
            if (timer.Due == at.Due && at.Due > now)
            {
                wait = TimeSpan.FromMilliseconds(Math.Ceiling(Stopwatch.GetElapsedTime(now, at.Due).TotalMilliseconds));
                return;
            }
            timers.Dequeue();
            if (timer.Due != at.Due) continue;                         // changed or disposed since
            ready.Enqueue((static state => ((LoopTimer)state!).Fire(), timer));
            timer.Due = LoopTimer.Firing;
        }
    }
}
