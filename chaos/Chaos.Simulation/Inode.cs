using Broker.Runtime;
using Chaos.Faults;

namespace Chaos.Simulation;

/// <summary>
/// The bytes of one file as the page cache has them, and as much of them as is durable.
/// </summary>
/// <remarks>
/// Arrays end where the last written byte is; a file may be longer, and is zero there.
/// As long as writes only append, the durable image is a prefix of the data and nothing is copied. The first overwrite or truncation
/// makes the image and the unsynced operations explicit, until a flush has caught up with everything.
/// </remarks>
internal sealed class Inode
{
    private byte[] data = [];
    private int durableLength;
    private byte[]? image;                                             // durable bytes, when they are not a prefix of the data
    private List<Operation>? unsynced;
    private List<FlushMark>? flushing;
    private bool dropped;                                              // a failed flush lost pages: image and data differ for good

    public int Length { get; private set; }

    /// <summary>Bytes of it that may be other than zero.</summary>
    public int Written => Math.Min(Length, data.Length);

    public int Read(long position, Span<byte> into)
    {
        if (position >= Length) return 0;
        var bytes = Math.Min(into.Length, Length - (int)position);
        var written = Math.Clamp(data.Length - (int)position, 0, bytes);
        if (written > 0) data.AsSpan((int)position, written).CopyTo(into);
        into[written..bytes].Clear();
        return bytes;
    }

    public void Write(long position, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length == 0) return;
        if (position != Length && image is null) MakeExplicit();
        unsynced?.Add(new Operation(position, bytes.ToArray(), false));
        ClearGap(data, Length, position);
        Put(ref data, position, bytes);
        Length = Math.Max(Length, (int)position + bytes.Length);
    }

    public void Truncate(long length)
    {
        if (length == Length) return;
        if (image is null) MakeExplicit();
        unsynced!.Add(new Operation(length, [], true));
        Cut(length);
    }

    /// <summary>Everything written so far will be durable once the flush is done.</summary>
    public FlushMark StartFlush()
    {
        var mark = new FlushMark { Length = Length, Operations = unsynced?.Count ?? 0 };
        (flushing ??= []).Add(mark);
        return mark;
    }

    public void EndFlush(FlushMark mark)
    {
        flushing!.Remove(mark);
        if (mark.Void) return;
        if (image is null)
        {
            durableLength = Math.Max(durableLength, Math.Min(mark.Length, Length));
            return;
        }

        Apply(mark.Operations);
        if (unsynced!.Count == 0 && !dropped) (image, unsynced, durableLength) = (null, null, Length);
    }

    /// <summary>A flush ends without having saved anything.</summary>
    public void AbandonFlush(FlushMark mark) => flushing!.Remove(mark);

    /// <summary>The pages that a failed flush was to save are marked clean although they are not on the disk: no later flush will save them.</summary>
    public void DropPages()
    {
        if (image is null) MakeExplicit();
        dropped |= unsynced!.Count > 0;
        unsynced.Clear();
        foreach (var mark in flushing ?? []) mark.Dropped = true;
    }

    /// <summary>Only what is durable remains, and what the draw saved of the rest.</summary>
    /// <returns>How many unsynced bytes are gone.</returns>
    public long LosePower(Prng prng, UnsyncedTail tail)
    {
        foreach (var mark in flushing ?? []) mark.Void = true;
        flushing = null;
        if (image is null && Length == durableLength) return 0;
        if (image is null) MakeExplicit();
        if (tail == UnsyncedTail.Drawn) tail = Draw(prng);
        var steps = unsynced!.Sum(static operation => (long)operation.Steps);
        var saved = tail switch
        {
            UnsyncedTail.Lost => 0,
            UnsyncedTail.Kept => steps,
            _ => (long)(prng.NextDouble() * (steps + 1)),
        };
        var length = tail == UnsyncedTail.ZeroFilled ? Length : -1;
        var lost = SavePrefix(saved);
        data = image!;
        Length = durableLength;
        if (length > Length) Cut(length);
        (image, unsynced, dropped, durableLength) = (null, null, false, Length);
        return lost;
    }

    /// <summary>Flips a bit at rest.</summary>
    public void FlipBit(Prng prng)
    {
        var at = prng.Below(Length);
        var bit = (byte)(1 << prng.Below(8));
        if (at >= data.Length) Array.Resize(ref data, at + 1);
        data[at] ^= bit;
        if (image is null || at >= durableLength) return;
        if (at >= image.Length) Array.Resize(ref image, at + 1);
        image[at] ^= bit;
    }

    private static UnsyncedTail Draw(Prng prng) => prng.Below(20) switch
    {
        < 9 => UnsyncedTail.Lost,
        < 15 => UnsyncedTail.Prefix,
        < 18 => UnsyncedTail.ZeroFilled,
        _ => UnsyncedTail.Kept,
    };

    private void MakeExplicit()
    {
        image = data.AsSpan(0, Math.Min(durableLength, data.Length)).ToArray();
        unsynced = [];
        var from = durableLength;
        foreach (var mark in flushing ?? [])
        {
            AddAppended(ref from, mark.Length);
            mark.Operations = unsynced.Count;
        }

        AddAppended(ref from, Length);
    }

    private void AddAppended(ref int from, int to)
    {
        if (to <= from) return;
        unsynced!.Add(new Operation(from, data.AsSpan(from, to - from).ToArray(), false));
        from = to;
    }

    /// <summary>Brings the first operations to the image; marks of flushes under way move along.</summary>
    private void Apply(int operations)
    {
        for (var i = 0; i < operations; i++) Apply(unsynced![i], int.MaxValue);
        unsynced!.RemoveRange(0, operations);
        foreach (var mark in flushing ?? []) mark.Operations = Math.Max(0, mark.Operations - operations);
    }

    /// <returns>Bytes of writes that were not saved.</returns>
    private long SavePrefix(long steps)
    {
        var lost = 0L;
        foreach (var operation in unsynced!)
        {
            var taken = (int)Math.Min(steps, operation.Steps);
            if (taken > 0) Apply(operation, taken);
            if (!operation.IsTruncation) lost += operation.Steps - taken;
            steps -= taken;
        }

        return lost;
    }

    private void Apply(in Operation operation, int atMost)
    {
        if (operation.IsTruncation)
        {
            ClearGap(image!, durableLength, operation.Position);
            durableLength = (int)operation.Position;
            return;
        }

        var bytes = operation.Bytes.AsSpan(0, Math.Min(operation.Bytes.Length, atMost));
        ClearGap(image!, durableLength, operation.Position);
        Put(ref image!, operation.Position, bytes);
        durableLength = Math.Max(durableLength, (int)operation.Position + bytes.Length);
    }

    private void Cut(long length)
    {
        ClearGap(data, Length, length);
        Length = (int)length;
    }

    /// <summary>A file that grows past its end has zeros there, whatever the array held beyond.</summary>
    private static void ClearGap(byte[] bytes, int end, long position)
    {
        var to = (int)Math.Min(position, bytes.Length);
        if (to > end) bytes.AsSpan(end, to - end).Clear();
    }

    private static void Put(ref byte[] into, long position, ReadOnlySpan<byte> bytes)
    {
        var end = (int)position + bytes.Length;
        if (end > into.Length) Array.Resize(ref into, Math.Max(end, into.Length * 2));
        bytes.CopyTo(into.AsSpan((int)position));
    }

    /// <summary>A write at a position, or a truncation to it.</summary>
    private readonly record struct Operation(long Position, byte[] Bytes, bool IsTruncation)
    {
        /// <summary>In how many steps it reaches the disk: a write byte by byte, a truncation at once.</summary>
        public int Steps => IsTruncation ? 1 : Bytes.Length;
    }

    /// <summary>What a flush under way will have saved.</summary>
    internal sealed class FlushMark
    {
        public int Length { get; init; }

        public int Operations { get; set; }

        /// <summary>Its pages were dropped when another flush failed: it fails too.</summary>
        public bool Dropped { get; set; }

        /// <summary>The power went meanwhile: it will never end.</summary>
        public bool Void { get; set; }
    }
}
