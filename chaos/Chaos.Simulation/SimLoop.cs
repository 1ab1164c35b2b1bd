using Broker.Runtime;

namespace Chaos.Simulation;

/// <summary>
/// One thread, one seed: any runnable node may go next, within a node first in, first out; when nobody can run, virtual time jumps
/// to the next event. Nothing ever sleeps.
/// </summary>
internal sealed class SimLoop(Prng prng, SimOptions options, TraceHash trace)
{
    private readonly EventHeap heap = new();
    private readonly List<NodeContext> runnable = [];
    private int thread = Environment.CurrentManagedThreadId;
    private int turnsThisInstant;

    /// <summary>Ticks of 100 ns since the world began.</summary>
    public long Now { get; private set; }

    /// <summary>Turns and timed events so far.</summary>
    public long Steps { get; private set; }

    /// <summary>Called after every turn with the node that ran.</summary>
    public Action<int>? AfterTurn { get; set; }

    public TraceHash Trace { get; } = trace;

    public void Schedule(Scheduled item, long due) => heap.Schedule(item, Math.Max(due, Now));

    public void Cancel(Scheduled item) => heap.Cancel(item);

    public void Run(Task root, long limit)
    {
        thread = Environment.CurrentManagedThreadId;
        var outer = SynchronizationContext.Current;
        try
        {
            var most = options.MostSteps * Math.Max(1, limit / (5 * TimeSpan.TicksPerMinute));
            while (!root.IsCompleted)
            {
                if (++Steps > most) throw new StalledException($"{most} steps and no end at {TimeSpan.FromTicks(Now)}");
                if (runnable.Count > 0) Turn();
                else Jump(limit);
            }
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(outer);
        }

        root.GetAwaiter().GetResult();
    }

    /// <exception cref="InvalidOperationException">Called from another thread: something left the loop.</exception>
    public void DemandOwnThread()
    {
        if (Environment.CurrentManagedThreadId != thread) throw new InvalidOperationException("posted from a foreign thread: something left the simulation's loop");
    }

    public void MakeRunnable(NodeContext context)
    {
        context.RunnableAt = runnable.Count;
        runnable.Add(context);
    }

    public void MakeIdle(NodeContext context)
    {
        var last = runnable[^1];
        runnable[context.RunnableAt] = last;
        last.RunnableAt = context.RunnableAt;
        runnable.RemoveAt(runnable.Count - 1);
        context.RunnableAt = -1;
    }

    private void Turn()
    {
        if (++turnsThisInstant > options.TurnsPerInstant) throw new StalledException($"{options.TurnsPerInstant} turns at {TimeSpan.FromTicks(Now)} and time does not move on");
        var context = runnable.Count == 1 ? runnable[0] : runnable[prng.Below(runnable.Count)];
        Trace.Mix(TraceKind.Turn, context.Node, Now);
        SynchronizationContext.SetSynchronizationContext(context);
        context.RunOne();
        if (AfterTurn is not null) context.Check(AfterTurn);
    }

    private void Jump(long limit)
    {
        if (!heap.TryPop(out var due, out var item)) throw new StalledException("nothing is scheduled and somebody still waits: something waits on the real world, or for ever");
        if (due > limit) throw new RunTooLongException($"not finished at {TimeSpan.FromTicks(limit)} of virtual time");
        if (due != Now) turnsThisInstant = 0;
        Now = due;
        SynchronizationContext.SetSynchronizationContext(null);
        Trace.Mix(TraceKind.Event, 0, due);
        item.Fire();
    }
}

/// <summary>Nobody can go on although the run is not over.</summary>
public sealed class StalledException(string message) : Exception(message);

/// <summary>The run's limit of virtual time was reached.</summary>
public sealed class RunTooLongException(string message) : Exception(message);
