using Broker.Runtime;

namespace Chaos.Simulation;

/// <summary>How a connection ends, which decides about what is in flight.</summary>
internal enum Death
{
    /// <summary>Closed by a living process to which nothing was on its way any more: what was sent arrives, late perhaps, and then the end of the stream.</summary>
    InOrder,

    /// <summary>Closed by a living process before it had read everything, or by the kernel of one that died: TCP answers what comes with a reset, and what was sent may arrive or not.</summary>
    Closed,

    /// <summary>Reset by the network: nothing need arrive.</summary>
    Reset,

    /// <summary>The machine lost power: nothing need arrive, and nobody says good-bye until it is up again.</summary>
    Power,
}

/// <summary>
/// One direction of a connection: frames in flight, in order. It stalls at a cut or at a message held back, and goes on where it stopped;
/// when it dies, a drawn prefix of the frames in flight still arrives, possibly much later, and only then the end of the stream.
/// </summary>
/// <param name="port">The one that was connected to.</param>
internal sealed class Wire(SimNetwork network, int from, int to, int port) : Scheduled
{
    private readonly Queue<Flight> inFlight = new();
    private long lastDue;
    private long notBefore;                                            // nothing arrives before this: retransmission, or lateness
    private long late;
    private bool stalled;
    private bool dying;

    public int From { get; } = from;

    public int To { get; } = to;

    /// <summary>The end that reads.</summary>
    public SimConnection Receiver { get; set; } = null!;

    /// <summary>Frames under way, in order; null is the end of the stream.</summary>
    public IEnumerable<byte[]?> InFlight => inFlight.Select(static flight => flight.Frame);

    /// <summary>Everything sent from here on is lost although the connection stays open.</summary>
    public bool Silent { get; set; }

    public void Send(byte[] frame, long due, ActiveFault? hold)
    {
        if (dying || Silent)
        {
            network.Lost(this, frame);
            return;
        }

        lastDue = Math.Max(lastDue, due);
        inFlight.Enqueue(new Flight(frame, lastDue, hold));
        if (inFlight.Count == 1 && !stalled) network.Loop.Schedule(this, Math.Max(lastDue, notBefore));
    }

    /// <summary>The receiver is gone: nothing arrives any more.</summary>
    public void Abandon()
    {
        dying = true;
        while (inFlight.TryDequeue(out var flight)) network.Lost(this, flight.Frame);
        network.Loop.Cancel(this);
        if (stalled) network.Stalled.Remove(this);
        stalled = false;
    }

    public void Die(Death death)
    {
        if (dying) return;
        dying = true;
        if (inFlight.Count > 0) KeepPrefix(death);
        if (death != Death.Power) AppendEnd();
        else if (inFlight.Count == 0) network.Loop.Cancel(this);
        if (inFlight.Count > 0 && !stalled) network.Loop.Schedule(this, Math.Max(inFlight.Peek().Due, notBefore));
    }

    /// <summary>Everything sent so far arrives, then the stream ends.</summary>
    public void EndInOrder()
    {
        if (dying) return;
        dying = true;
        AppendEnd();
        if (inFlight.Count == 1 && !stalled) network.Loop.Schedule(this, Math.Max(inFlight.Peek().Due, notBefore));
    }

    /// <summary>The machine is up again and knows nothing of this connection: it says so.</summary>
    public void EndAfterPowerLoss()
    {
        if (!Receiver.IsOpen) return;
        AppendEnd();
        if (inFlight.Count == 1 && !stalled) network.Loop.Schedule(this, Math.Max(inFlight.Peek().Due, notBefore));
    }

    /// <summary>A cut healed or a held message was released: try again.</summary>
    public void Resume()
    {
        stalled = false;
        notBefore = network.Loop.Now + network.RetransmitDelay() + late;
        network.Loop.Schedule(this, notBefore);
    }

    internal override void Fire()
    {
        var now = network.Loop.Now;
        while (inFlight.TryPeek(out var next))
        {
            var due = Math.Max(next.Due, notBefore);
            if (due > now)
            {
                network.Loop.Schedule(this, due);
                return;
            }

            if (next.Hold is { Healed: false } || network.Faults.Cuts(From, To, port))
            {
                stalled = true;
                network.Stalled.Add(this);
                return;
            }

            inFlight.Dequeue();
            Receiver.Arrive(next.Frame);
        }
    }

    private void KeepPrefix(Death death)
    {
        var count = inFlight.Count;
        var held = 0;
        for (var i = 1; i <= count; i++)
        {
            var flight = inFlight.Dequeue();
            if (flight.Hold is not null) held = i;                     // a message kept back is released, whatever became of its connection
            inFlight.Enqueue(flight);
        }

        var prefix = network.DrawPrefix(death, count, out late);
        notBefore = Math.Max(notBefore, network.Loop.Now + late);
        prefix = Math.Max(prefix, held);
        for (var i = 0; i < count; i++)
        {
            var flight = inFlight.Dequeue();
            if (i < prefix) inFlight.Enqueue(flight);
            else network.Lost(this, flight.Frame);
        }
    }

    private void AppendEnd()
    {
        lastDue = Math.Max(lastDue, network.Loop.Now + network.Latency(From, To));
        inFlight.Enqueue(new Flight(null, lastDue, null));
    }

    /// <param name="Frame">Null: the end of the stream.</param>
    private readonly record struct Flight(byte[]? Frame, long Due, ActiveFault? Hold);
}
