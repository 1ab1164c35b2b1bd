using System.Buffers.Binary;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Core.Log;

/// <summary>
/// A stretch of the log in one file of whole batches, with a sparse index in memory: one entry, with offset, place and the latest timestamp before it, each <see cref="IndexInterval"/> bytes,
/// rebuilt when the file is opened.
/// </summary>
public sealed class Segment : IDisposable
{
    public const int IndexInterval = 1024;

    /// <summary>Bytes read at a time where a whole segment is gone through.</summary>
    private const int Stretch = 1 << 20;

    private const int SizeAt = 8;                                      // in a batch: behind the base offset, the bytes that follow

    private readonly List<(long BaseOffset, long Position, long LatestBefore)> index = [];
    private readonly IDisk disk;
    private readonly LogRules rules;
    private readonly IFile file;
    private long indexedBytes;
    private bool isDisposed;

    public Segment(string path, long baseOffset, IDisk disk, LogRules rules)
    {
        Path = path;
        BaseOffset = baseOffset;
        NextOffset = baseOffset;
        this.disk = disk;
        this.rules = rules;
        file = disk.Open(path);
    }

    public string Path { get; private set; }

    public long BaseOffset { get; }

    /// <summary>One past the last offset in this segment; <see cref="BaseOffset"/> when it is empty.</summary>
    public long NextOffset { get; private set; }

    /// <summary>Bytes of whole, accepted batches. The file is longer before <see cref="Recover"/>, and where room was set aside.</summary>
    public long SizeBytes { get; private set; }

    /// <summary>The latest timestamp of its first batch, milliseconds since 1970; -1 when it is empty.</summary>
    public long FirstTimestamp { get; private set; } = -1;

    /// <summary>The latest timestamp of all its batches, milliseconds since 1970; -1 when it is empty.</summary>
    public long LatestTimestamp { get; private set; } = -1;

    /// <summary>Offsets of the tombstones that the last cleaning left in it, ascending.</summary>
    public IReadOnlyList<long> Tombstones { get; set; } = [];

    /// <summary>Base offset of the first batch whose records a cleaning could not read; null: there is none, or no cleaning has been here.</summary>
    public long? UnreadOffset { get; set; }

    /// <summary>It was cut since the last <see cref="FlushAsync"/>: what was cut away may be back after a power loss.</summary>
    public bool IsCut { get; private set; }

    /// <summary>Sets room aside: the file has its final length at once, in zeros, and an append changes bytes alone.</summary>
    public void Preallocate(long bytes) => file.Truncate(bytes);

    /// <summary>Gives back room that was set aside and not used.</summary>
    public void Trim()
    {
        if (file.Length > SizeBytes) file.Truncate(SizeBytes);
    }

    /// <summary>
    /// Reads the file from its start and keeps the batches that are whole, sound and in order; the first one that is not and all
    /// behind it are cut off. Returns the number of bytes dropped, 0 where they are zeros: room that was set aside, or a tail that never reached the disk.
    /// </summary>
    /// <param name="takes">False: the batch does not continue the log.</param>
    public long Recover(Func<RecordBatch, bool> takes)
    {
        var length = file.Length;
        foreach (var batch in BatchesIn(0, length))
        {
            if (!batch.HasValidCrc || !rules.ContinuesLog(batch.BaseOffset, NextOffset) || !takes(batch)) break;
            Accept(batch);
        }
        var behind = new byte[Math.Min(length - SizeBytes, Stretch)];
        Fill(SizeBytes, behind);
        Trim();
        return behind.AsSpan().ContainsAnyExcept((byte)0) ? length - SizeBytes : 0;
    }

    /// <summary>What <see cref="Recover"/> would find, as numbers.</summary>
    public void Describe(List<long> into)
    {
        into.AddRange([BaseOffset, NextOffset, SizeBytes, FirstTimestamp, LatestTimestamp, indexedBytes, index.Count]);
        foreach (var (offset, position, latest) in index) into.AddRange([offset, position, latest]);
    }

    /// <summary>Takes over what was described, its base offset read already, instead of reading the file.</summary>
    public void Restore(Queue<long> from)
    {
        (NextOffset, SizeBytes, FirstTimestamp, LatestTimestamp, indexedBytes) = (from.Dequeue(), from.Dequeue(), from.Dequeue(), from.Dequeue(), from.Dequeue());
        for (var left = from.Dequeue(); left > 0; left--) index.Add((from.Dequeue(), from.Dequeue(), from.Dequeue()));
    }

    public void Append(in RecordBatch batch)
    {
        file.Write(SizeBytes, batch.Bytes.Span);
        Accept(batch);
    }

    /// <summary>Whole batches from the one that holds <paramref name="offset"/>, or the next one where that offset is gone: at least one, then as many as fit, none ending past <paramref name="bound"/>.</summary>
    public ReadOnlyMemory<byte> Read(long offset, long bound, int maxBytes)
    {
        var start = FloorPosition(offset);
        while (start < SizeBytes)
        {
            var found = ReadFrom(start, offset, bound, maxBytes, out var passed);
            if (passed == 0) return found;
            start += passed;
        }
        return ReadOnlyMemory<byte>.Empty;
    }

    /// <param name="passed">Bytes of batches below the offset, where nothing else was read; 0: what is returned is the answer.</param>
    private ReadOnlyMemory<byte> ReadFrom(long start, long offset, long bound, int maxBytes, out int passed)
    {
        passed = 0;
        var buffer = new byte[(int)Math.Min(SizeBytes - start, Math.Max(maxBytes, 1) + (long)IndexInterval * 2)];
        Fill(start, buffer);
        var (from, to, at) = (-1, 0, 0);
        while (at < buffer.Length)
        {
            if (!RecordBatch.TryRead(buffer.AsMemory(at), out var batch, out _))
            {
                if (from >= 0) break;
                buffer = Grow(start, SizeBytes, buffer, at);           // the one batch owed is larger than what was read
                if (!RecordBatch.TryRead(buffer.AsMemory(at), out batch, out _)) break;
            }
            if (rules.HoldsOffset(batch.NextOffset, offset))
            {
                if (!rules.EndsWithin(batch.NextOffset, bound)) return from < 0 ? ReadOnlyMemory<byte>.Empty : buffer.AsMemory(from, to - from);
                if (from >= 0 && at + batch.SizeInBytes - from > maxBytes) break;
                if (from < 0) from = at;
                to = at + batch.SizeInBytes;
            }
            at += batch.SizeInBytes;
        }
        if (from < 0) passed = at;
        return from < 0 ? ReadOnlyMemory<byte>.Empty : buffer.AsMemory(from, to - from);
    }

    /// <summary>Removes every batch that does not end at or below <paramref name="newEnd"/>.</summary>
    public void Cut(long newEnd)
    {
        var end = SizeBytes;
        Reset();
        foreach (var batch in BatchesIn(0, end))
        {
            if (rules.IsCutAway(batch.NextOffset, newEnd)) break;
            Accept(batch);
        }
        IsCut |= SizeBytes < end;
        Trim();
    }

    /// <summary>All batches in order.</summary>
    public IEnumerable<RecordBatch> Batches() => BatchesIn(0, SizeBytes);

    /// <summary>Batches in order from an entry of the index on before which all timestamps are earlier.</summary>
    public IEnumerable<RecordBatch> BatchesSince(long timestampMs) =>
        BatchesIn(index.FindLast(entry => !rules.MayHoldTime(entry.LatestBefore, timestampMs)).Position, SizeBytes);

    /// <summary>Batches in order from the one that holds <paramref name="offset"/>, or the next one.</summary>
    public IEnumerable<RecordBatch> BatchesFrom(long offset) => BatchesIn(FloorPosition(offset), SizeBytes).SkipWhile(batch => !rules.HoldsOffset(batch.NextOffset, offset));

    /// <summary>Batches in order, up to the first bytes that are none. In memory there is one stretch, or one batch where that is larger.</summary>
    private IEnumerable<RecordBatch> BatchesIn(long position, long end)
    {
        while (position < end)
        {
            var bytes = new byte[Math.Min(end - position, Stretch)];
            Fill(position, bytes);
            if (!RecordBatch.TryRead(bytes, out _, out var problem) && problem == BatchProblem.Truncated) bytes = Grow(position, end, bytes, 0);
            ReadOnlyMemory<byte> rest = bytes;
            while (RecordBatch.TryRead(rest, out var batch, out _))
            {
                yield return batch;
                rest = rest[batch.SizeInBytes..];
            }
            if (rest.Length == bytes.Length) yield break;
            position += bytes.Length - rest.Length;
        }
    }

    /// <summary>fsync; nothing where the segment is gone, or another stands in its place.</summary>
    public ValueTask FlushAsync()
    {
        IsCut = false;
        return isDisposed ? ValueTask.CompletedTask : file.FlushAsync();
    }

    /// <summary>Writes these batches into a file that is to hold nothing else.</summary>
    public void Fill(IEnumerable<byte[]> batches)
    {
        file.Truncate(0);
        foreach (var bytes in batches)
        {
            RecordBatch.TryRead(bytes, out var batch, out _);
            Append(batch);
        }
    }

    /// <summary>Takes over another file's name, and its place.</summary>
    public void MoveTo(string path)
    {
        disk.Rename(Path, path);
        Path = path;
    }

    public void Dispose()
    {
        isDisposed = true;
        file.Dispose();
    }

    private void Accept(in RecordBatch batch)
    {
        if (index.Count == 0 || SizeBytes - indexedBytes >= IndexInterval)
        {
            index.Add((batch.BaseOffset, SizeBytes, LatestTimestamp));
            indexedBytes = SizeBytes;
        }
        if (SizeBytes == 0) FirstTimestamp = batch.MaxTimestamp;
        LatestTimestamp = Math.Max(LatestTimestamp, batch.MaxTimestamp);
        SizeBytes += batch.SizeInBytes;
        NextOffset = batch.NextOffset;
    }

    private void Reset()
    {
        index.Clear();
        (indexedBytes, SizeBytes, NextOffset, FirstTimestamp, LatestTimestamp) = (0, 0, BaseOffset, -1, -1);
    }

    private long FloorPosition(long offset)
    {
        for (var i = index.Count - 1; i >= 0; i--)
            if (rules.StartsAtOrBefore(index[i].BaseOffset, offset)) return index[i].Position;
        return 0;
    }

    private byte[] Grow(long start, long end, byte[] buffer, int at)
    {
        if (buffer.Length - at < RecordBatch.HeaderSize) return buffer;
        var size = BinaryPrimitives.ReadInt32BigEndian(buffer.AsSpan(at + SizeAt)) + SizeAt + sizeof(int);
        var wanted = Math.Min(end - start, (long)at + size);
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
