using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Verify.Checkers;

[Flags]
internal enum RecordFlags : ushort
{
    None = 0,

    /// <summary>Some event says that a client tried to send it.</summary>
    Sent = 1,
    Invoked = 2,
    Ok = 4,
    Fail = 8,
    Info = 16,

    /// <summary>Some poll of any outcome returned it.</summary>
    Read = 32,

    /// <summary>A successful poll returned it.</summary>
    ReadOk = 64,

    /// <summary>Known at two or more offsets.</summary>
    Copied = 128,

    /// <summary>Sent by two operations: the application's own copy.</summary>
    SentTwice = 256,
    ReadBeforeInvoked = 512,

    /// <summary>Acknowledged before a complete read of the partition began, and not in it.</summary>
    MissingInFinal = 1024,

    /// <summary>Part of a <c>txn</c>.</summary>
    Transactional = 2048,

    /// <summary>It deletes its record key.</summary>
    Tombstone = 4096,
}

/// <summary>One value of a partition: 32 bytes, whatever happened to it. Event positions are -1 when there was no such event.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct RecordEntry
{
    public long Value;
    public int Placement;
    public int Writer;
    public int Invoked;
    public int Acknowledged;
    public int FirstRead;
    public RecordFlags Flags;

    /// <summary>Among the micro-operations of the operation that sent it.</summary>
    public ushort Order;

    /// <summary>Every operation that sent it failed for certain, or was not completed.</summary>
    public readonly bool IsFailed => (Flags & (RecordFlags.Fail | RecordFlags.Ok | RecordFlags.Info)) == RecordFlags.Fail;

    public readonly bool Is(RecordFlags flags) => (Flags & flags) == flags;
}

/// <summary>One value at one offset, as told by an acknowledgement or a poll.</summary>
internal struct Placement
{
    public long Offset;
    public int Entry;

    /// <summary>The next value told for the same offset, -1 for none.</summary>
    public int Next;
}

/// <summary>
/// What a history says about one partition: its values and where they lie. Two flat arrays with an open-addressed index each, about 60 bytes
/// per record however sparse offsets and values are, and no lookup at all for records that are read in the order in which they became known.
/// </summary>
internal sealed class PartitionLedger(int key)
{
    private RecordEntry[] entries = new RecordEntry[8];
    private Placement[] placements = new Placement[8];
    private SlotIndex byValue = new(16);
    private SlotIndex byOffset = new(16);
    private int expected;
    private Dictionary<int, List<long>>? copies;
    private int copiesOf;

    public int Key { get; } = key;

    public int Count { get; private set; }

    public int PlacementCount { get; private set; }

    /// <summary>The highest offset that a successful poll returned; -1 for none.</summary>
    public long MaxReadOffset { get; set; } = -1;

    /// <summary>The message's own keys by entry, -1 for none; null while no record has one.</summary>
    public int[]? RecordKeys { get; private set; }

    /// <summary>Distinct records that any poll returned.</summary>
    public int ReadCount { get; set; }

    public ref RecordEntry this[int entry] => ref entries[entry];

    public Span<RecordEntry> Entries => entries.AsSpan(0, Count);

    public ReadOnlySpan<Placement> Placements => placements.AsSpan(0, PlacementCount);

    /// <summary>The entry of a value at an offset, where this combination was known already and comes in the usual order; -1 otherwise.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Expect(long offset, long value)
    {
        var next = expected;
        if ((uint)next >= (uint)PlacementCount) return -1;
        ref readonly var placement = ref placements[next];
        if (placement.Offset != offset || entries[placement.Entry].Value != value) return -1;
        expected = next + 1;
        return placement.Entry;
    }

    /// <summary>The entry of a value, new or old.</summary>
    public int Entry(long value)
    {
        var slot = byValue.Start(value);
        while (byValue.At(slot) is var found and >= 0)
        {
            if (entries[found].Value == value) return found;
            slot = byValue.Next(slot);
        }
        if (Count == entries.Length) Array.Resize(ref entries, Count * 2);
        entries[Count] = new RecordEntry { Value = value, Placement = -1, Writer = -1, Invoked = -1, Acknowledged = -1, FirstRead = -1 };
        byValue.Set(slot, Count);
        if (byValue.IsCrowded(Count + 1)) GrowValues();
        return Count++;
    }

    /// <summary>Whether some client sent this value here.</summary>
    public bool Knows(long value) => Find(value) is var found and >= 0 && entries[found].Is(RecordFlags.Sent);

    /// <summary>Where the value first became known to lie; -1 for nowhere.</summary>
    public long OffsetOfValue(long value) => Find(value) is var found and >= 0 ? OffsetOf(found) : -1;

    /// <summary>The entry of a value; -1 for none.</summary>
    private int Find(long value)
    {
        for (var slot = byValue.Start(value); byValue.At(slot) is var found and >= 0; slot = byValue.Next(slot))
            if (entries[found].Value == value) return found;
        return -1;
    }

    /// <summary>The value lies at this offset, says some evidence.</summary>
    public void Place(int entry, long offset)
    {
        var slot = byOffset.Start(offset);
        var first = -1;
        while (byOffset.At(slot) is var found and >= 0)
        {
            if (placements[found].Offset == offset)
            {
                first = found;
                break;
            }
            slot = byOffset.Next(slot);
        }
        var last = first;
        for (var p = first; p >= 0; p = placements[p].Next)
        {
            if (placements[p].Entry == entry)
            {
                expected = p + 1;
                return;
            }
            last = p;
        }
        Add(entry, offset, slot, last);
    }

    private void Add(int entry, long offset, int slot, int previous)
    {
        if (PlacementCount == placements.Length) Array.Resize(ref placements, PlacementCount * 2);
        var added = PlacementCount++;
        placements[added] = new Placement { Offset = offset, Entry = entry, Next = -1 };
        expected = added + 1;
        if (entries[entry].Placement < 0) entries[entry].Placement = added;
        else entries[entry].Flags |= RecordFlags.Copied;
        if (previous >= 0)
        {
            placements[previous].Next = added;
            return;
        }
        byOffset.Set(slot, added);
        if (byOffset.IsCrowded(PlacementCount)) GrowOffsets();
    }

    public void SetRecordKey(int entry, int recordKey)
    {
        if (recordKey < 0) return;
        RecordKeys ??= [];
        if (entry >= RecordKeys.Length)
        {
            var grown = new int[entries.Length];
            Array.Fill(grown, -1);
            RecordKeys.CopyTo(grown, 0);
            RecordKeys = grown;
        }
        RecordKeys[entry] = recordKey;
    }

    public int RecordKeyOf(int entry) => RecordKeys is { } known && entry < known.Length ? known[entry] : -1;

    /// <summary>Where the entry first became known to lie; -1 for nowhere.</summary>
    public long OffsetOf(int entry) => entries[entry].Placement is var p and >= 0 ? placements[p].Offset : -1;

    /// <summary>Acknowledged, and witnessed to be gone: missing from a complete read, or passed over by every successful read.</summary>
    public bool IsLost(in RecordEntry entry) =>
        entry.Is(RecordFlags.Ok)
        && (entry.Is(RecordFlags.MissingInFinal) || !entry.Is(RecordFlags.ReadOk) && entry.Placement >= 0 && placements[entry.Placement].Offset <= MaxReadOffset);

    /// <summary>All offsets, ascending, of entries that are known at more than one.</summary>
    public Dictionary<int, List<long>> Copies()
    {
        if (copies is not null && copiesOf == PlacementCount) return copies;
        copies = [];
        copiesOf = PlacementCount;
        foreach (ref readonly var placement in Placements)
        {
            if (!entries[placement.Entry].Is(RecordFlags.Copied)) continue;
            if (!copies.TryGetValue(placement.Entry, out var offsets)) copies.Add(placement.Entry, offsets = []);
            offsets.Insert(~offsets.BinarySearch(placement.Offset), placement.Offset);
        }
        return copies;
    }

    /// <summary>Per entry the lowest offset at which it is known; <see cref="long.MaxValue"/> for nowhere.</summary>
    public long[] LowestOffsets()
    {
        var lowest = new long[Count];
        Array.Fill(lowest, long.MaxValue);
        foreach (ref readonly var placement in Placements) lowest[placement.Entry] = Math.Min(lowest[placement.Entry], placement.Offset);
        return lowest;
    }

    /// <summary>All known offsets, ascending, each once.</summary>
    public long[] SortedOffsets()
    {
        var offsets = new long[PlacementCount];
        var count = 0;
        var sorted = true;
        foreach (ref readonly var placement in Placements)
        {
            if (count > 0 && placement.Offset <= offsets[count - 1]) sorted = false;
            offsets[count++] = placement.Offset;
        }
        if (sorted) return offsets;
        Array.Sort(offsets);
        var distinct = 1;
        for (var i = 1; i < offsets.Length; i++)
            if (offsets[i] != offsets[i - 1]) offsets[distinct++] = offsets[i];
        return offsets[..distinct];
    }

    private void GrowValues()
    {
        byValue = byValue.Grown();
        for (var i = 0; i <= Count; i++) byValue.Insert(entries[i].Value, i);       // the newest is not yet counted
    }

    private void GrowOffsets()
    {
        byOffset = byOffset.Grown();
        var chained = new HashSet<int>();
        foreach (ref readonly var placement in Placements)
            if (placement.Next >= 0) chained.Add(placement.Next);
        for (var i = 0; i < PlacementCount; i++)
            if (!chained.Contains(i)) byOffset.Insert(placements[i].Offset, i);
    }
}
