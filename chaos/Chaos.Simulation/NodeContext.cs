namespace Chaos.Simulation;

/// <summary>
/// The loop of one life of one node: what is posted runs in order, one turn at a time. When the node dies the context is closed, and
/// what was pending vanishes without a trace: no continuation and no <c>finally</c> runs, as in life.
/// </summary>
internal sealed class NodeContext(SimLoop loop, int node, Action<Exception> failed) : SynchronizationContext
{
    private readonly Queue<Work> queue = new();
    private bool paused;

    public int Node { get; } = node;

    public bool Closed { get; private set; }

    /// <summary>Place in the loop's list of runnable contexts, -1 when not in it.</summary>
    public int RunnableAt { get; set; } = -1;

    /// <summary>Told when something has to wait because the node is paused.</summary>
    public Action? WaitedWhilePaused { get; set; }

    public override void Post(SendOrPostCallback d, object? state)
    {
        loop.DemandOwnThread();
        if (Closed) return;
        queue.Enqueue(new Work(d, state));
        if (paused) WaitedWhilePaused?.Invoke();
        else if (RunnableAt < 0) loop.MakeRunnable(this);
    }

    public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException("a node never waits for its own loop");

    public override SynchronizationContext CreateCopy() => this;

    public void RunOne()
    {
        var work = queue.Dequeue();
        if (queue.Count == 0) loop.MakeIdle(this);
        try
        {
            work.Callback(work.State);
        }
        catch (Exception failure)                                      // whatever a turn throws is the end of its node
        {
            failed(failure);
        }
    }

    /// <summary>What is found wrong between two turns is the end of the node too.</summary>
    public void Check(Action<int> check)
    {
        if (Closed) return;
        try
        {
            check(Node);
        }
        catch (Exception failure)
        {
            failed(failure);
        }
    }

    public void Pause()
    {
        paused = true;
        if (RunnableAt >= 0) loop.MakeIdle(this);
    }

    public void Resume()
    {
        paused = false;
        if (queue.Count > 0 && RunnableAt < 0) loop.MakeRunnable(this);
    }

    public void Close()
    {
        Closed = true;
        queue.Clear();
        if (RunnableAt >= 0) loop.MakeIdle(this);
    }

    private readonly record struct Work(SendOrPostCallback Callback, object? State);
}
