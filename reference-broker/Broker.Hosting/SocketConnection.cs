using System.Buffers.Binary;
using System.Net.Sockets;
using Broker.Runtime;

namespace Broker.Hosting;

/// <summary>
/// Frames over one TCP connection. Small frames that wait together leave in one write. Used from one loop only.
/// </summary>
/// <remarks>Memory follows the bytes that arrived, never the length that a frame claims.</remarks>
public sealed class SocketConnection : IConnection
{
    /// <summary>A peer that reads nothing while this much waits for it is cut off.</summary>
    public const int MaxQueuedBytes = 256 * 1024 * 1024;

    private const int LengthBytes = 4;
    private const int BufferBytes = 64 * 1024;

    private readonly Socket socket;
    private readonly SocketNetwork network;
    private readonly int maxFrameBytes;
    private readonly CallerMemory? memory;
    private readonly Queue<byte[]> outgoing = [];
    private readonly byte[] writing = new byte[BufferBytes];
    private readonly byte[] reading = new byte[BufferBytes];
    private long queuedBytes;
    private int readFrom, readTo;
    private bool isWriting, isClosed;
    private TaskCompletionSource? sent;
    private CallerMemory.Claim? claim;

    /// <param name="network">Whose connection it is.</param>
    /// <param name="maxFrameBytes">The longest frame that is taken.</param>
    /// <param name="memory">Of those that call; null: it is this node that called.</param>
    internal SocketConnection(Socket socket, Endpoint remote, SocketNetwork network, int maxFrameBytes, CallerMemory? memory)
    {
        (this.socket, this.network, this.maxFrameBytes, this.memory) = (socket, network, maxFrameBytes, memory);
        Remote = remote;
    }

    public Endpoint Remote { get; }

    /// <summary>When bytes last came or went, in the milliseconds of <see cref="Environment.TickCount64"/>.</summary>
    internal long ActiveAt { get; private set; } = Environment.TickCount64;

    /// <summary>Since when more waits to be sent than fits a buffer, on the same clock; null: it does not.</summary>
    internal long? UnsentSince { get; private set; }

    public ValueTask SentAsync() => isClosed || queuedBytes <= BufferBytes ? ValueTask.CompletedTask : new ValueTask((sent ??= new TaskCompletionSource()).Task);

    public bool Send(byte[] frame)
    {
        if (isClosed) return false;
        Queued(frame.Length + LengthBytes);
        if (queuedBytes > MaxQueuedBytes)
        {
            Close();
            return false;
        }
        outgoing.Enqueue(frame);
        if (!isWriting) _ = WriteAsync();
        return true;
    }

    public async ValueTask<byte[]?> ReceiveAsync()
    {
        Unclaim();                                                     // the last request was answered
        try
        {
            while (readTo - readFrom < LengthBytes)
                if (!await FillAsync()) return null;
            var length = BinaryPrimitives.ReadInt32BigEndian(reading.AsSpan(readFrom));
            readFrom += LengthBytes;
            if (length >= 0 && length <= maxFrameBytes) return length > CallerMemory.ShortRequest && memory is not null ? await ReadLongAsync(length) : await ReadFrameAsync(length);
            network.Refuse(this, $"a frame of {length} bytes, where at most {maxFrameBytes} are taken");
            return null;
        }
        catch (Exception broken) when (broken is SocketException or ObjectDisposedException)
        {
            Close();
            return null;
        }
    }

    public void Close()
    {
        if (isClosed) return;
        isClosed = true;
        outgoing.Clear();
        Queued(-queuedBytes);
        Unclaim();
        network.Closed(this, socket);
        socket.Dispose();
        sent?.TrySetResult();
    }

    private async ValueTask<byte[]?> ReadLongAsync(int length)
    {
        claim = new CallerMemory.Claim(this, length);
        await memory!.GrantAsync(claim);
        if (isClosed) return null;
        var frame = await ReadFrameAsync(length);
        if (claim is not null) claim.IsRead = true;
        return frame;
    }

    private void Unclaim()
    {
        if (claim is not { } over) return;
        claim = null;
        memory!.Free(over);
    }

    private void Queued(long bytes)
    {
        queuedBytes += bytes;
        memory?.Unsent(bytes);
        if (queuedBytes <= BufferBytes) UnsentSince = null;
        else UnsentSince ??= Environment.TickCount64;
    }

    /// <summary>Allocates what has arrived, then doubles: a peer pays in bytes for the memory it takes.</summary>
    private async ValueTask<byte[]?> ReadFrameAsync(int length)
    {
        var frame = new byte[Math.Min(length, BufferBytes)];
        for (var filled = 0; ;)
        {
            var part = Math.Min(readTo - readFrom, frame.Length - filled);
            reading.AsSpan(readFrom, part).CopyTo(frame.AsSpan(filled));
            readFrom += part;
            filled += part;
            if (filled == length) return frame;
            if (filled == frame.Length) Array.Resize(ref frame, (int)Math.Min(length, 2L * frame.Length));
            if (readFrom < readTo) continue;
            if (frame.Length - filled >= BufferBytes)
            {
                var direct = await socket.ReceiveAsync(frame.AsMemory(filled), SocketFlags.None);
                ActiveAt = Environment.TickCount64;
                if (direct == 0) break;
                filled += direct;
                if (filled == length) return frame;
            }
            else if (!await FillAsync()) return null;
        }
        Close();
        return null;
    }

    /// <summary>False when the peer closed.</summary>
    private async ValueTask<bool> FillAsync()
    {
        if (isClosed) return false;
        if (readFrom > 0)
        {
            reading.AsSpan(readFrom, readTo - readFrom).CopyTo(reading);
            readTo -= readFrom;
            readFrom = 0;
        }
        var read = await socket.ReceiveAsync(reading.AsMemory(readTo), SocketFlags.None);
        ActiveAt = Environment.TickCount64;
        readTo += read;
        if (read > 0) return true;
        Close();
        return false;
    }

    private async Task WriteAsync()
    {
        isWriting = true;
        try
        {
            while (!isClosed && outgoing.Count > 0)
            {
                var filled = Gather(out var large);
                await SendAllAsync(writing.AsMemory(0, filled));
                if (large is not null) await SendAllAsync(large);
                if (isClosed) break;
                Queued(-filled - (large?.Length ?? 0));
                if (queuedBytes > BufferBytes) continue;
                sent?.TrySetResult();
                sent = null;
            }
        }
        catch (Exception broken) when (broken is SocketException or ObjectDisposedException)
        {
            Close();
        }
        isWriting = false;
    }

    /// <summary>Copies waiting frames into the write buffer; a frame that does not fit in an empty one follows its length on its own.</summary>
    private int Gather(out byte[]? large)
    {
        var filled = 0;
        large = null;
        while (large is null && outgoing.TryPeek(out var frame))
        {
            var fits = frame.Length <= BufferBytes - LengthBytes - filled;
            if (!fits && filled > 0) break;
            outgoing.Dequeue();
            BinaryPrimitives.WriteInt32BigEndian(writing.AsSpan(filled), frame.Length);
            filled += LengthBytes;
            if (fits)
            {
                frame.CopyTo(writing, filled);
                filled += frame.Length;
            }
            else large = frame;
        }
        return filled;
    }

    private async ValueTask SendAllAsync(ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None)..];
            ActiveAt = Environment.TickCount64;
        }
    }
}
