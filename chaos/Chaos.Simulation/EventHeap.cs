namespace Chaos.Simulation;

/// <summary>Something that happens at a virtual time.</summary>
internal abstract class Scheduled
{
    /// <summary>Sequence number of the one entry in the heap that counts; -1 when not scheduled.</summary>
    internal long Ticket { get; set; } = -1;

    internal abstract void Fire();
}

/// <summary>
/// A four-ary heap of (time, sequence). Cancelling leaves a tombstone; when more than half are tombstones they are swept out,
/// so that a time-out per call, almost always cancelled, costs a constant.
/// </summary>
internal sealed class EventHeap
{
    private const int SweepAbove = 64;

    private Entry[] entries = new Entry[32];
    private int count;
    private int tombstones;
    private long sequence;

    public int Live => count - tombstones;

    public void Schedule(Scheduled item, long due)
    {
        Cancel(item);
        if (count == entries.Length) Array.Resize(ref entries, count * 2);
        item.Ticket = ++sequence;
        SiftUp(count++, new Entry(due, sequence, item));
    }

    public void Cancel(Scheduled item)
    {
        if (item.Ticket < 0) return;
        item.Ticket = -1;
        if (++tombstones > SweepAbove && tombstones > count / 2) Sweep();
    }

    /// <summary>Takes the earliest; false when nothing is scheduled.</summary>
    public bool TryPop(out long due, out Scheduled item)
    {
        while (count > 0)
        {
            var first = entries[0];
            RemoveFirst();
            if (first.Item.Ticket != first.Sequence)
            {
                tombstones--;
                continue;
            }

            first.Item.Ticket = -1;
            (due, item) = (first.Due, first.Item);
            return true;
        }

        (due, item) = (0, null!);
        return false;
    }

    private void RemoveFirst()
    {
        var last = entries[--count];
        entries[count] = default;
        if (count > 0) SiftDown(0, last);
    }

    private void Sweep()
    {
        var kept = 0;
        for (var i = 0; i < count; i++)
        {
            if (entries[i].Item.Ticket == entries[i].Sequence) entries[kept++] = entries[i];
        }

        Array.Clear(entries, kept, count - kept);
        (count, tombstones) = (kept, 0);
        for (var i = (count - 2) / 4; i >= 0 && count > 1; i--) SiftDown(i, entries[i]);
    }

    private void SiftUp(int at, Entry entry)
    {
        while (at > 0)
        {
            var parent = (at - 1) / 4;
            if (!entry.Before(entries[parent])) break;
            entries[at] = entries[parent];
            at = parent;
        }

        entries[at] = entry;
    }

    private void SiftDown(int at, Entry entry)
    {
        while (true)
        {
            var child = at * 4 + 1;
            if (child >= count) break;
            var end = Math.Min(child + 4, count);
            var least = child;
            for (var i = child + 1; i < end; i++)
            {
                if (entries[i].Before(entries[least])) least = i;
            }

            if (!entries[least].Before(entry)) break;
            entries[at] = entries[least];
            at = least;
        }

        entries[at] = entry;
    }

    private readonly record struct Entry(long Due, long Sequence, Scheduled Item)
    {
        public bool Before(in Entry other) => Due < other.Due || (Due == other.Due && Sequence < other.Sequence);
    }
}
