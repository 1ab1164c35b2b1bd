using Broker.Protocol;

namespace Broker.Core.Log;

/// <summary>How far a log may be cleaned, and what for.</summary>
/// <param name="LowestDurableEnd">Below it every replica has everything, and durably; -1 where this replica cannot know.</param>
/// <param name="Now">Monotonic time.</param>
/// <param name="DeleteRetention">delete.retention.ms</param>
/// <param name="DirtyRatio">min.cleanable.dirty.ratio</param>
public readonly record struct CleaningBounds(long HighWatermark, long LowestDurableEnd, TimeSpan Now, TimeSpan DeleteRetention, double DirtyRatio);

/// <summary>Compaction: of each key the newest record stays, at its offset; a tombstone stays as long as somebody may need it.</summary>
/// <remarks>
/// Segment by segment, oldest first, each copied and put in place of the old one. A name stands for the old file or for the whole new one, so a crash at any byte leaves a
/// log that can be recovered, with some segments cleaned and others not. A copy that is not in place yet is removed at the next start. How far it has come, and when, is
/// kept in memory: after a restart everything counts as dirty, and tombstones wait their time anew.
/// </remarks>
public sealed partial class PartitionLog
{
    private const string CopyExtension = ".cleaned";

    private readonly List<(long EndOffset, TimeSpan At)> cleanings = [];

    /// <summary>Below it, nothing is superseded by anything below it.</summary>
    public long CleanedEndOffset => cleanings.Count == 0 ? LogStartOffset : cleanings[^1].EndOffset;

    /// <summary>Cleans the log if that is worth while. Returns the number of records left out, 0 where nothing was done. One at a time.</summary>
    public async ValueTask<int> CleanAsync(CleaningBounds bounds)
    {
        var cleanable = segments.SkipLast(1).TakeWhile(segment => cleanerRules.MayClean(segment.NextOffset, bounds.HighWatermark)).ToArray();
        if (cleanable.Length == 0 || isDeleted) return 0;
        var (end, cleanedTo, truncationsBefore) = (cleanable[^1].NextOffset, CleanedEndOffset, truncations);
        if (!cleanerRules.IsDurable(end, FlushedEndOffset)) await FlushAsync();      // whoever leads waits for that, too
        if (truncations != truncationsBefore || isDeleted) return 0;
        cleanable = [.. cleanable.Where(segments.Contains)];           // the start may have moved meanwhile

        var dirty = cleanable.Where(segment => !cleanerRules.WasCleaned(segment.NextOffset - 1, cleanedTo)).ToArray();
        var isDirty = dirty.Length > 0 && cleanerRules.IsDirtyEnough(dirty.Sum(static segment => segment.SizeBytes), cleanable.Sum(static segment => segment.SizeBytes), bounds.DirtyRatio);
        if (!isDirty && !Array.Exists(cleanable, segment => HasTombstoneToRemove(segment, bounds))) return 0;

        var keys = isDirty ? KeysOf(dirty) : new KeyMap();
        var removed = 0;
        foreach (var segment in cleanable)
        {
            if (truncations != truncationsBefore || isDeleted) return removed;
            if (!segments.Contains(segment) || !isDirty && !HasTombstoneToRemove(segment, bounds)) continue;
            var before = removed;
            if (Filter(segment, keys, bounds, ref removed) is { } batches && !await ReplaceAsync(segment, batches, truncationsBefore)) return before;
        }
        if (isDirty && truncations == truncationsBefore) NoteCleaning(end, bounds);
        return removed;
    }

    private bool HasTombstoneToRemove(Segment segment, CleaningBounds bounds) => segment.Tombstones.Any(offset => MayGo(offset, bounds));

    private bool MayGo(long tombstone, CleaningBounds bounds) =>
        cleanings.Exists(cleaning => cleanerRules.WasCleaned(tombstone, cleaning.EndOffset) && cleanerRules.IsTombstoneDue(bounds.Now - cleaning.At, bounds.DeleteRetention))
        && cleanerRules.EveryReplicaHasIt(tombstone, bounds.LowestDurableEnd)
        && !segments.Exists(segment => segment.UnreadOffset is { } unread && cleanerRules.LiesBehind(tombstone, unread));

    private KeyMap KeysOf(IEnumerable<Segment> dirty)
    {
        var keys = new KeyMap();
        foreach (var batch in dirty.SelectMany(static segment => segment.Batches()))
        {
            if (!IsOpenTo(batch, out var opened)) continue;
            foreach (var record in opened.Records)
                if (record.Key is { } key) keys.Note(key, record.Offset);
        }
        return keys;
    }

    /// <summary>Control records and transactions are no business of keys.</summary>
    private static bool IsOpenTo(in RecordBatch batch, out RecordBatch opened)
    {
        opened = batch;
        return !batch.IsControl && !batch.IsTransactional && BatchFilter.TryOpen(batch, out opened);
    }

    /// <summary>What stays of a segment, batch by batch; null when that is all of it.</summary>
    private List<byte[]>? Filter(Segment segment, KeyMap keys, CleaningBounds bounds, ref int removed)
    {
        var (kept, tombstones, before) = (new List<byte[]>(), new List<long>(), 0);
        var left = 0;
        segment.UnreadOffset = null;
        foreach (var batch in segment.Batches())
        {
            before++;
            if (!IsOpenTo(batch, out var opened))
            {
                segment.UnreadOffset ??= batch.BaseOffset;
                kept.Add(batch.Bytes.ToArray());
                continue;
            }
            var staying = 0;
            foreach (var record in opened.Records)
            {
                if (!Stays(record)) continue;
                staying++;
                if (record.Value is null) tombstones.Add(record.Offset);
            }
            left += batch.RecordCount - staying;
            if (staying == 0 && !StaysEmptied(batch, segment)) continue;
            kept.Add(staying == batch.RecordCount ? batch.Bytes.ToArray() : BatchFilter.Keep(batch, opened, Stays));
        }
        segment.Tombstones = tombstones;
        removed += left;
        return left == 0 && kept.Count == before ? null : kept;

        bool Stays(Record record) =>
            record.Key is { } key && !cleanerRules.IsSuperseded(record.Offset, keys.NewestOf(key)) && (record.Value is not null || !MayGo(record.Offset, bounds));
    }

    private bool StaysEmptied(in RecordBatch batch, Segment segment) =>
        cleanerRules.StaysEmptied(producers.Remembers(batch), epochs.StartsAt(batch.BaseOffset), endsSegment: !rules.HoldsOffset(segment.NextOffset, batch.NextOffset));

    /// <summary>False when the log was cut, deleted or summed up for the next start meanwhile: the copy is of something that is no more, or must stay as it is.</summary>
    private async ValueTask<bool> ReplaceAsync(Segment old, List<byte[]> batches, int truncationsBefore)
    {
        var copy = new Segment(Path.ChangeExtension(old.Path, CopyExtension), old.BaseOffset, disk, rules) { Tombstones = old.Tombstones, UnreadOffset = old.UnreadOffset };
        foreach (var step in cleanerRules.CleanSteps())
        {
            switch (step)
            {
                case CleanStep.WriteCopy: copy.Fill(batches); break;
                case CleanStep.SyncCopy: await copy.FlushAsync(); break;
                case CleanStep.Swap:
                    var at = segments.IndexOf(old);
                    if (at < 0 || isDeleted || isSummed || truncations != truncationsBefore)
                    {
                        copy.Dispose();
                        if (disk.Exists(copy.Path)) disk.Delete(copy.Path);
                        return false;
                    }
                    old.Dispose();
                    copy.MoveTo(old.Path);
                    segments[at] = copy;
                    break;
                case CleanStep.SyncDirectory: await disk.FlushDirectoryAsync(directory); break;
                default: throw new InvalidOperationException($"unknown cleaning step {step}");
            }
        }
        return true;
    }

    /// <summary>Of those long enough ago only the latest is of use.</summary>
    private void NoteCleaning(long end, CleaningBounds bounds)
    {
        cleanings.Add((end, bounds.Now));
        while (cleanings.Count > 1 && cleanerRules.IsTombstoneDue(bounds.Now - cleanings[1].At, bounds.DeleteRetention)) cleanings.RemoveAt(0);
    }

    /// <summary>What a cleaning has been through and is gone counts as new when it comes again.</summary>
    private void ForgetCleaningsPast(long endOffset)
    {
        for (var i = 0; i < cleanings.Count; i++) cleanings[i] = (Math.Min(cleanings[i].EndOffset, endOffset), cleanings[i].At);
    }
}
