using System.Buffers.Binary;
using Broker.Runtime;

namespace Chaos.Simulation;

/// <summary>One end of a connection, owned by one life of a node.</summary>
internal sealed class SimConnection(SimNetwork network, Life owner, Endpoint remote, bool accepted, Correlations correlations) : IConnection
{
    private static readonly SendOrPostCallback WakePosted = static end => ((SimConnection)end!).Wake();

    private readonly Queue<byte[]> arrived = new();                    // the kernel's receive buffer
    private TaskCompletionSource<byte[]?>? reader;
    private bool wakePosted;
    private bool peerClosed;

    public Endpoint Remote { get; } = remote;

    public Life Owner { get; } = owner;

    /// <summary>This end answers; the other end connected and asks.</summary>
    public bool Accepted { get; } = accepted;

    public Correlations Correlations { get; } = correlations;

    public Wire Outgoing { get; set; } = null!;

    public Wire Incoming { get; set; } = null!;

    /// <summary>This end was not closed by its owner, nor did the owner die.</summary>
    public bool IsOpen { get; private set; } = true;

    /// <summary>Frames that have arrived and that nobody has read, in order.</summary>
    public IReadOnlyCollection<byte[]> Unread => arrived;

    public bool Send(byte[] frame)
    {
        if (!IsOpen || peerClosed) return false;
        network.Transmit(this, frame);
        return true;
    }

    public ValueTask<byte[]?> ReceiveAsync()
    {
        if (reader is not null) throw new InvalidOperationException("one reader at a time");
        if (!IsOpen) return new ValueTask<byte[]?>((byte[]?)null);
        if (arrived.TryDequeue(out var frame)) return new ValueTask<byte[]?>(frame);
        if (peerClosed) return new ValueTask<byte[]?>((byte[]?)null);
        reader = new TaskCompletionSource<byte[]?>();
        return new ValueTask<byte[]?>(reader.Task);
    }

    public void Close()
    {
        if (!IsOpen) return;
        Drop(arrived.Count == 0 && !Incoming.InFlight.Any() ? Death.InOrder : Death.Closed);
        PostWake();
    }

    /// <summary>The owner is done with it, or dead: nothing is read any more.</summary>
    public void Drop(Death death)
    {
        if (!IsOpen) return;
        IsOpen = false;
        Owner.Connections.Remove(this);
        while (arrived.TryDequeue(out var unread)) network.Lost(Incoming, unread);
        Incoming.Abandon();
        Outgoing.Die(death);
    }

    /// <summary>A frame, or the end of the stream, has reached this machine.</summary>
    public void Arrive(byte[]? frame)
    {
        if (!IsOpen)
        {
            network.Lost(Incoming, frame);
            return;
        }

        if (frame is null) peerClosed = true;
        else arrived.Enqueue(frame);
        PostWake();
    }

    private void PostWake()
    {
        if (reader is null || wakePosted) return;
        wakePosted = true;
        Owner.Context.Post(WakePosted, this);
    }

    private void Wake()
    {
        wakePosted = false;
        if (reader is not { } waiting) return;
        reader = null;
        waiting.TrySetResult(IsOpen && arrived.TryDequeue(out var frame) ? frame : null);
    }
}

/// <summary>Which request of a connection was of which API, so that an answer can be told by its correlation id. Bounded; answers keep the order of requests.</summary>
internal sealed class Correlations
{
    private const int MostOutstanding = 256;                           // requests without an answer (acks=0) are forgotten beyond this
    private readonly Queue<(int Id, short ApiKey)> outstanding = new();

    /// <summary>-1 when the frame is too short to be a request.</summary>
    public short Asked(ReadOnlySpan<byte> request)
    {
        if (request.Length < 8) return -1;
        var apiKey = BinaryPrimitives.ReadInt16BigEndian(request);
        if (outstanding.Count == MostOutstanding) outstanding.Dequeue();
        outstanding.Enqueue((BinaryPrimitives.ReadInt32BigEndian(request[4..]), apiKey));
        return apiKey;
    }

    /// <summary>The API key of the request that this answers, -1 when unknown.</summary>
    public short Answered(ReadOnlySpan<byte> answer)
    {
        if (answer.Length < 4) return -1;
        var id = BinaryPrimitives.ReadInt32BigEndian(answer);
        if (!IsOutstanding(id)) return -1;
        while (true)
        {
            var (asked, apiKey) = outstanding.Dequeue();
            if (asked == id) return apiKey;
        }
    }

    private bool IsOutstanding(int id)
    {
        foreach (var (asked, _) in outstanding)
        {
            if (asked == id) return true;
        }

        return false;
    }
}
