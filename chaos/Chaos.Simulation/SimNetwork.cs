using System.Buffers.Binary;
using Broker.Runtime;

namespace Chaos.Simulation;

/// <summary>Connections of frames between nodes, with latency drawn per frame and everything that can go wrong with them.</summary>
/// <param name="observe">The world sees what the network alone can know.</param>
internal sealed class SimNetwork(SimLoop loop, SimOptions options, Prng prng, LinkFaults faults, Action<Observation> observe)
{
    private const short Produce = 0;
    private const int FirstEphemeralPort = 40_000;
    private readonly Dictionary<Endpoint, SimListener> listeners = [];
    private readonly Dictionary<string, SimNode> hosts = [];
    private int connections;

    public SimLoop Loop { get; } = loop;

    public LinkFaults Faults { get; } = faults;

    /// <summary>Wires that wait at a cut or at a message held back, in the order in which they stopped.</summary>
    public List<Wire> Stalled { get; } = [];

    public void Register(SimNode node) => hosts.Add(node.Address, node);

    public SimListener Listen(Life owner, Endpoint endpoint)
    {
        if (endpoint.Host is "" or "0.0.0.0") endpoint = endpoint with { Host = owner.Node.Address };
        if (endpoint.Host != owner.Node.Address) throw new InvalidOperationException($"{owner.Node.Name} has no address {endpoint.Host}");
        if (listeners.ContainsKey(endpoint)) throw new InvalidOperationException($"address already in use: {endpoint}");
        var listener = new SimListener(this, owner, endpoint);
        listeners.Add(endpoint, listener);
        owner.Listeners.Add(listener);
        return listener;
    }

    public void Remove(SimListener listener) => listeners.Remove(listener.Endpoint);

    public ValueTask<IConnection?> ConnectAsync(Life caller, Endpoint endpoint, TimeSpan timeout)
    {
        var attempt = new ConnectAttempt(this, caller, endpoint, options.ConnectRetry.Ticks);
        attempt.Start(timeout);
        return new ValueTask<IConnection?>(attempt.Result);
    }

    public SimNode? Host(string address) => hosts.GetValueOrDefault(address);

    public SimListener? Listener(Endpoint endpoint) => listeners.GetValueOrDefault(endpoint);

    public SimConnection Establish(Life caller, SimListener listener)
    {
        var (asker, answerer) = (caller.Node, listener.Owner.Node);
        var correlations = new Correlations();
        var near = new SimConnection(this, caller, listener.Endpoint, false, correlations);
        var far = new SimConnection(this, listener.Owner, new Endpoint(asker.Address, FirstEphemeralPort + connections++ % 20_000), true, correlations);
        near.Outgoing = far.Incoming = new Wire(this, asker.Id.Value, answerer.Id.Value, listener.Endpoint.Port) { Receiver = far };
        far.Outgoing = near.Incoming = new Wire(this, answerer.Id.Value, asker.Id.Value, listener.Endpoint.Port) { Receiver = near };
        caller.Connections.Add(near);
        listener.Owner.Connections.Add(far);
        listener.Offer(far);
        return near;
    }

    public void Transmit(SimConnection end, byte[] frame)
    {
        var wire = end.Outgoing;
        Loop.Trace.Mix(TraceKind.Frame, wire.From << 6 | wire.To, Loop.Now);
        Loop.Trace.Mix(frame);
        var apiKey = end.Accepted ? end.Correlations.Answered(frame) : end.Correlations.Asked(frame);
        var due = Loop.Now + Latency(wire.From, wire.To);
        if (!Faults.HitsMessages)
        {
            wire.Send(frame, due, null);
            return;
        }

        var fate = Faults.Hit(wire.From, wire.To, end.Accepted, apiKey);
        if (!fate.Lost)
        {
            wire.Send(frame, due + fate.Lag, fate.Hold);
            return;
        }

        Lost(wire, frame);
        if (fate.ConnectionDies) Cut(end);
        else wire.Silent = true;
    }

    /// <summary>A frame will never be read: where it is a produce request (its sender may not ask for an answer), the world vouches for that.</summary>
    public void Lost(Wire wire, byte[]? frame)
    {
        Lost(wire, frame, wire.Receiver.Owner.Context.Closed ? FrameLoss.NodeDied : FrameLoss.ConnectionDied);
    }

    /// <summary>The world ends: what the connections of a node have not brought it yet, they never will.</summary>
    public void End(Life receiver)
    {
        foreach (var connection in receiver.Connections)
        {
            foreach (var unread in connection.Unread) Lost(connection.Incoming, unread, FrameLoss.WorldEnded);
            foreach (var frame in connection.Incoming.InFlight) Lost(connection.Incoming, frame, FrameLoss.WorldEnded);
        }
    }

    private void Lost(Wire wire, byte[]? frame, FrameLoss why)
    {
        if (frame is not { Length: > 2 } || !wire.Receiver.Accepted || BinaryPrimitives.ReadInt16BigEndian(frame) != Produce) return;
        observe(new Observation(ObservationKind.FrameLost, new NodeId(wire.To), Other: (int)why, Bytes: frame, Connection: wire.Receiver.Remote.Port));
    }

    public long Latency(int from, int to) =>
        options.LatencyMin.Ticks + (long)(prng.NextDouble() * (options.LatencyMax - options.LatencyMin).Ticks) + Faults.Extra(from, to, prng);

    public long RetransmitDelay() => options.LatencyMin.Ticks + (long)(prng.NextDouble() * options.Retransmit.Ticks);

    /// <summary>How many of the frames in flight still arrive when a connection dies, and how much later than they would have.</summary>
    public int DrawPrefix(Death death, int inFlight, out long late)
    {
        late = 0;
        if (!prng.Chance(options.LatePrefixChance)) return death is Death.Closed or Death.InOrder ? inFlight : 0;
        late = (long)(prng.NextDouble() * options.LateBy.Ticks);
        var prefix = prng.Below(inFlight + 1);
        return death is Death.InOrder ? inFlight : prefix;
    }

    /// <summary>Both directions die; each end learns it when its end of the stream arrives.</summary>
    public void Reset(SimConnection end)
    {
        end.Outgoing.Die(Death.Reset);
        end.Incoming.Die(Death.Reset);
    }

    public void ResumeStalled()
    {
        if (Stalled.Count == 0) return;
        var waiting = Stalled.ToArray();
        Stalled.Clear();
        foreach (var wire in waiting) wire.Resume();
    }

    /// <summary>The stream ends after what was sent before; nothing of that is lost.</summary>
    private static void Cut(SimConnection end)
    {
        end.Outgoing.EndInOrder();
        end.Incoming.Die(Death.Reset);
    }
}

/// <summary>The network as one life of a node sees it.</summary>
internal sealed class SimNetworkDoor(SimNetwork network, Life life) : INetwork
{
    public IListener Listen(Endpoint endpoint) => network.Listen(life, endpoint);

    public ValueTask<IConnection?> ConnectAsync(Endpoint endpoint, TimeSpan timeout) => network.ConnectAsync(life, endpoint, timeout);
}

/// <summary>Connections wait here from the moment the kernel took them, whether the process runs or stands still.</summary>
internal sealed class SimListener(SimNetwork network, Life owner, Endpoint endpoint) : IListener
{
    private static readonly SendOrPostCallback WakePosted = static listener => ((SimListener)listener!).Wake();

    private readonly Queue<SimConnection> backlog = new();
    private TaskCompletionSource<IConnection?>? accepting;
    private bool wakePosted;
    private bool closed;

    public Life Owner { get; } = owner;

    public Endpoint Endpoint { get; } = endpoint;

    public ValueTask<IConnection?> AcceptAsync()
    {
        if (accepting is not null) throw new InvalidOperationException("one accept at a time");
        if (closed) return new ValueTask<IConnection?>((IConnection?)null);
        if (backlog.TryDequeue(out var connection)) return new ValueTask<IConnection?>(connection);
        accepting = new TaskCompletionSource<IConnection?>();
        return new ValueTask<IConnection?>(accepting.Task);
    }

    public void Offer(SimConnection connection)
    {
        backlog.Enqueue(connection);
        PostWake();
    }

    public void Dispose()
    {
        if (closed) return;
        closed = true;
        network.Remove(this);
        Owner.Listeners.Remove(this);
        while (backlog.TryDequeue(out var unaccepted)) unaccepted.Close();
        PostWake();
    }

    private void PostWake()
    {
        if (accepting is null || wakePosted) return;
        wakePosted = true;
        Owner.Context.Post(WakePosted, this);
    }

    private void Wake()
    {
        wakePosted = false;
        if (accepting is not { } waiting) return;
        accepting = null;
        waiting.TrySetResult(backlog.TryDequeue(out var connection) ? connection : null);
    }
}

/// <summary>A connect under way: asked, answered (or refused), asked again where nothing answers, until the caller's time is up.</summary>
internal sealed class ConnectAttempt(SimNetwork network, Life caller, Endpoint endpoint, long retry) : Scheduled
{
    private static readonly SendOrPostCallback FinishPosted = static attempt => ((ConnectAttempt)attempt!).Finish();

    private readonly TaskCompletionSource<IConnection?> result = new();
    private ITimer? timeOut;
    private SimConnection? connection;
    private bool answered;
    private bool refused;

    public Task<IConnection?> Result => result.Task;

    public void Start(TimeSpan timeout)
    {
        timeOut = caller.Time.CreateTimer(static attempt => ((ConnectAttempt)attempt!).GiveUp(), this, timeout, Timeout.InfiniteTimeSpan);
        var peer = network.Host(endpoint.Host)?.Id.Value ?? caller.Node.Id.Value;
        network.Loop.Schedule(this, network.Loop.Now + network.Latency(caller.Node.Id.Value, peer));
    }

    internal override void Fire()
    {
        if (caller.Context.Closed || result.Task.IsCompleted) return;
        if (answered) Conclude();
        else Reach();
    }

    /// <summary>The question has crossed the network, or not.</summary>
    private void Reach()
    {
        var from = caller.Node.Id.Value;
        if (network.Host(endpoint.Host) is not { } host)
        {
            Answer(refuse: true, from, from);
            return;
        }

        var to = host.Id.Value;
        if (!host.HasPower || network.Faults.Cuts(from, to, endpoint.Port) || network.Faults.Cuts(to, from, endpoint.Port))
        {
            network.Loop.Schedule(this, network.Loop.Now + retry);
            retry *= 2;
            return;
        }

        Answer(network.Listener(endpoint) is null, to, from);
    }

    private void Answer(bool refuse, int from, int to)
    {
        (answered, refused) = (true, refuse);
        network.Loop.Schedule(this, network.Loop.Now + network.Latency(from, to));
    }

    private void Conclude()
    {
        if (!refused && network.Listener(endpoint) is { } listener) connection = network.Establish(caller, listener);
        caller.Context.Post(FinishPosted, this);
    }

    private void Finish()
    {
        if (result.Task.IsCompleted) connection?.Close();              // came too late: nobody wants it
        timeOut?.Dispose();
        result.TrySetResult(connection);
    }

    private void GiveUp()
    {
        network.Loop.Cancel(this);
        result.TrySetResult(null);
    }
}
