using Broker.Runtime;

namespace Verify.Tests.Clients;

/// <summary>One thread, virtual time: runs what is posted in order, and lets time jump when nothing is left to do.</summary>
internal sealed class VirtualLoop : SynchronizationContext
{
    private readonly Queue<(SendOrPostCallback Callback, object? State)> ready = [];
    private readonly PriorityQueue<VirtualTimer, (long Due, long Number)> timers = new();
    private long started;

    public VirtualLoop() => Time = new VirtualTime(this);

    public TimeProvider Time { get; }

    public TimeSpan Now { get; private set; }

    public override void Post(SendOrPostCallback d, object? state) => ready.Enqueue((d, state));

    public void Run(Func<Task> main)
    {
        var before = Current;
        SetSynchronizationContext(this);
        try
        {
            var root = main();
            while (!root.IsCompleted)
            {
                if (ready.TryDequeue(out var turn)) turn.Callback(turn.State);
                else if (!FireNext()) throw new InvalidOperationException("everything waits and nothing is due");
            }
            root.GetAwaiter().GetResult();
        }
        finally
        {
            SetSynchronizationContext(before);
        }
    }

    private bool FireNext()
    {
        while (timers.TryDequeue(out var timer, out var at))
        {
            if (timer.Due != at.Due) continue;
            Now = TimeSpan.FromTicks(at.Due);
            timer.Fire();
            return true;
        }
        return false;
    }

    private sealed class VirtualTime(VirtualLoop loop) : TimeProvider
    {
        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => loop.Now.Ticks;

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddYears(50) + loop.Now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = new VirtualTimer(loop, callback, state);
            timer.Change(dueTime, period);
            return timer;
        }
    }

    private sealed class VirtualTimer(VirtualLoop loop, TimerCallback callback, object? state) : ITimer
    {
        public long Due { get; private set; } = -1;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Due = -1;
            if (dueTime == Timeout.InfiniteTimeSpan) return true;
            Due = (loop.Now + dueTime).Ticks;
            loop.timers.Enqueue(this, (Due, ++loop.started));
            return true;
        }

        public void Fire()
        {
            Due = -1;
            callback(state);
        }

        public void Dispose() => Due = -1;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}

/// <summary>A client's doors in a world of scripted brokers.</summary>
internal sealed class ScriptedHost(VirtualLoop loop, ScriptedCluster cluster) : IHost
{
    public NodeId Id => new(50);

    public TimeProvider Time => loop.Time;

    public INetwork Network { get; } = new ScriptedNetwork(cluster);

    public IDisk Disk => throw new InvalidOperationException("clients have no disk");

    public Prng Random { get; } = new(7);

    public void Observe(in Observation observation) => Observations.Add(observation);

    public List<Observation> Observations { get; } = [];

    private sealed class ScriptedNetwork(ScriptedCluster cluster) : INetwork
    {
        public IListener Listen(Endpoint endpoint) => throw new InvalidOperationException("clients do not listen");

        public async ValueTask<IConnection?> ConnectAsync(Endpoint endpoint, TimeSpan timeout)
        {
            await cluster.LatencyAsync();
            return cluster.Connect(endpoint);
        }
    }
}
