using System.Buffers.Binary;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Core.Log;

/// <summary>
/// A stretch of the log in one file of whole batches, with a sparse index in memory: one entry each <see cref="IndexInterval"/> bytes,
/// rebuilt when the file is opened.
/// </summary>
public sealed class Segment : IDisposable
{
    public const int IndexInterval = 1024;

    private const int SizeAt = 8;                                      // in a batch: behind the base offset, the bytes that follow

    private readonly List<(long BaseOffset, long Position)> index = [];
    private readonly LogRules rules;
    private readonly IFile file;
    private long indexedBytes;

    public Segment(string path, long baseOffset, IDisk disk, LogRules rules)
    {
        Path = path;
        BaseOffset = baseOffset;
        NextOffset = baseOffset;
        this.rules = rules;
        file = disk.Open(path);
    }

    public string Path { get; }

    public long BaseOffset { get; }

    /// <summary>One past the last offset in this segment; <see cref="BaseOffset"/> when it is empty.</summary>
    public long NextOffset { get; private set; }

    /// <summary>Bytes of whole, accepted batches; equals the file's length except before <see cref="Recover"/>.</summary>
    public long SizeBytes { get; private set; }

    /// <summary>
    /// Reads the file from its start and keeps the batches that are whole, sound and in order; the first one that is not and all
    /// behind it are cut off. Returns the number of bytes dropped.
    /// </summary>
    public long Recover(Action<RecordBatch> found)
    {
        var bytes = new byte[file.Length];
        file.Read(0, bytes);
        ReadOnlyMemory<byte> rest = bytes;
        while (RecordBatch.TryRead(rest, out var batch, out _) && batch.HasValidCrc && rules.ContinuesLog(batch.BaseOffset, NextOffset))
        {
            Accept(batch);
            found(batch);
            rest = rest[batch.SizeInBytes..];
        }
        if (rest.Length > 0) file.Truncate(SizeBytes);
        return rest.Length;
    }

    public void Append(in RecordBatch batch)
    {
        file.Write(SizeBytes, batch.Bytes.Span);
        Accept(batch);
    }

    /// <summary>Whole batches from the one that holds <paramref name="offset"/>: at least one, then as many as fit, none ending past <paramref name="bound"/>.</summary>
    public ReadOnlyMemory<byte> Read(long offset, long bound, int maxBytes)
    {
        var start = FloorPosition(offset);
        var buffer = new byte[(int)Math.Min(SizeBytes - start, Math.Max(maxBytes, 1) + (long)IndexInterval * 2)];
        Fill(start, buffer);
        var (from, to) = (-1, 0);
        for (var at = 0; at < buffer.Length;)
        {
            if (!RecordBatch.TryRead(buffer.AsMemory(at), out var batch, out _))
            {
                if (from >= 0) break;
                buffer = Grow(start, buffer, at);                      // the one batch owed is larger than what was read
                if (!RecordBatch.TryRead(buffer.AsMemory(at), out batch, out _)) break;
            }
            if (rules.HoldsOffset(batch.NextOffset, offset))
            {
                if (!rules.EndsWithin(batch.NextOffset, bound)) break;
                if (from >= 0 && at + batch.SizeInBytes - from > maxBytes) break;
                if (from < 0) from = at;
                to = at + batch.SizeInBytes;
            }
            at += batch.SizeInBytes;
        }
        return from < 0 ? ReadOnlyMemory<byte>.Empty : buffer.AsMemory(from, to - from);
    }

    /// <summary>Removes every batch that does not end at or below <paramref name="newEnd"/>.</summary>
    public void Cut(long newEnd)
    {
        var bytes = new byte[SizeBytes];
        Fill(0, bytes);
        Reset();
        ReadOnlyMemory<byte> rest = bytes;
        while (RecordBatch.TryRead(rest, out var batch, out _) && !rules.IsCutAway(batch.NextOffset, newEnd))
        {
            Accept(batch);
            rest = rest[batch.SizeInBytes..];
        }
        file.Truncate(SizeBytes);
    }

    /// <summary>All batches in order.</summary>
    public IEnumerable<RecordBatch> Batches()
    {
        var bytes = new byte[SizeBytes];
        Fill(0, bytes);
        ReadOnlyMemory<byte> rest = bytes;
        while (RecordBatch.TryRead(rest, out var batch, out _))
        {
            yield return batch;
            rest = rest[batch.SizeInBytes..];
        }
    }

    public ValueTask FlushAsync() => file.FlushAsync();

    public void Dispose() => file.Dispose();

    private void Accept(in RecordBatch batch)
    {
        if (index.Count == 0 || SizeBytes - indexedBytes >= IndexInterval)
        {
            index.Add((batch.BaseOffset, SizeBytes));
            indexedBytes = SizeBytes;
        }
        SizeBytes += batch.SizeInBytes;
        NextOffset = batch.NextOffset;
    }

    private void Reset()
    {
        index.Clear();
        (indexedBytes, SizeBytes, NextOffset) = (0, 0, BaseOffset);
    }

    private long FloorPosition(long offset)
    {
        for (var i = index.Count - 1; i >= 0; i--)
            if (rules.StartsAtOrBefore(index[i].BaseOffset, offset)) return index[i].Position;
        return 0;
    }

    private byte[] Grow(long start, byte[] buffer, int at)
    {
        if (buffer.Length - at < RecordBatch.HeaderSize) return buffer;
        var size = BinaryPrimitives.ReadInt32BigEndian(buffer.AsSpan(at + SizeAt)) + SizeAt + sizeof(int);
        var wanted = Math.Min(SizeBytes - start, (long)at + size);
        if (wanted <= buffer.Length) return buffer;
        var larger = new byte[wanted];
        Fill(start, larger);
        return larger;
    }

    private void Fill(long position, byte[] into)
    {
        var read = file.Read(position, into);
        Invariant.Holds(read == into.Length);                          // these bytes were written or recovered by this node
    }
}
