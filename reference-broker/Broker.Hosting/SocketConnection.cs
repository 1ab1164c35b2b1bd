using System.Buffers.Binary;
using System.Net.Sockets;
using Broker.Runtime;

namespace Broker.Hosting;

/// <summary>
/// Frames over one TCP connection. Small frames that wait together leave in one write. Used from one loop only.
/// </summary>
/// <remarks>Memory follows the bytes that arrived, never the length that a frame claims.</remarks>
/// <param name="network">Whose connection it is.</param>
/// <param name="maxFrameBytes">The longest frame that is taken.</param>
public sealed class SocketConnection(Socket socket, Endpoint remote, SocketNetwork network, int maxFrameBytes) : IConnection
{

    /// <summary>A peer that reads nothing while this much waits for it is cut off.</summary>
    public const int MaxQueuedBytes = 256 * 1024 * 1024;

    private const int LengthBytes = 4;
    private const int BufferBytes = 64 * 1024;

    private readonly Queue<byte[]> outgoing = [];
    private readonly byte[] writing = new byte[BufferBytes];
    private readonly byte[] reading = new byte[BufferBytes];
    private long queuedBytes;
    private int readFrom, readTo;
    private bool isWriting, isWritingLarge, isClosed;
    private TaskCompletionSource? sent;

    public Endpoint Remote => remote;

    /// <summary>When bytes last came or went, in the milliseconds of <see cref="Environment.TickCount64"/>.</summary>
    internal long ActiveAt { get; private set; } = Environment.TickCount64;

    public ValueTask SentAsync() => isClosed || queuedBytes <= BufferBytes && !isWritingLarge ? ValueTask.CompletedTask : new ValueTask((sent ??= new TaskCompletionSource()).Task);

    public bool Send(byte[] frame)
    {
        if (isClosed) return false;
        queuedBytes += frame.Length + LengthBytes;
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
        try
        {
            while (readTo - readFrom < LengthBytes)
                if (!await FillAsync()) return null;
            var length = BinaryPrimitives.ReadInt32BigEndian(reading.AsSpan(readFrom));
            readFrom += LengthBytes;
            if (length >= 0 && length <= maxFrameBytes) return await ReadFrameAsync(length);
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
        network.Closed(this, socket);
        socket.Dispose();
        sent?.TrySetResult();
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
                isWritingLarge = large is not null;
                await SendAllAsync(writing.AsMemory(0, filled));
                if (large is not null) await SendAllAsync(large);
                isWritingLarge = false;
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
            queuedBytes -= frame.Length + LengthBytes;
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
