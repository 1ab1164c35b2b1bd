namespace Verify.Checkers;

/// <summary>Which records of a compacted partition a cleaner may have removed, and since when: those that a later record of their key supersedes, and tombstones.</summary>
/// <remarks>
/// What supersedes lies behind, and was acknowledged or read; or it is a tombstone that may lie anywhere, since nobody was told its place, and may be gone itself. A cleaner cannot have known of it before it was
/// sent. How long a tombstone must stay is a matter of clocks, and not judged here.
/// </remarks>
internal static class Cleanable
{
    public const int Never = int.MaxValue;

    /// <summary>By entry: the position in the history since when it may be gone, <see cref="Never"/> for one that must stay.</summary>
    public static int[] Since(PartitionLedger partition)
    {
        var since = new int[partition.Count];
        Array.Fill(since, Never);
        if (partition.RecordKeys is null) return since;
        var highest = new long[partition.Count];
        Array.Fill(highest, -1);
        foreach (ref readonly var placement in partition.Placements) highest[placement.Entry] = Math.Max(highest[placement.Entry], placement.Offset);
        foreach (var entries in Enumerable.Range(0, partition.Count).Where(entry => partition.RecordKeyOf(entry) >= 0).GroupBy(partition.RecordKeyOf))
        {
            foreach (var entry in entries)
                foreach (var other in entries)
                    if (other != entry && MaySupersede(partition[other], highest[other], highest[entry])) since[entry] = Math.Min(since[entry], SentAt(partition[other]));
            foreach (var entry in entries)
                if (partition[entry].Is(RecordFlags.Tombstone)) since[entry] = Math.Min(since[entry], SentAt(partition[entry]));
        }
        return since;
    }

    private static bool MaySupersede(in RecordEntry other, long place, long than) =>
        place >= 0 ? place > than && (other.Is(RecordFlags.Ok) || other.Is(RecordFlags.Read)) : other.Is(RecordFlags.Tombstone) && !other.IsFailed;

    private static int SentAt(in RecordEntry entry) => Math.Max(0, entry.Invoked);
}
