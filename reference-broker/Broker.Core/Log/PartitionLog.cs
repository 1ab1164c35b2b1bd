using Broker.Core.Metadata;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Core.Log;

/// <summary>Sizes and flush points of a log.</summary>
/// <param name="SegmentBytes">A segment that would grow past this is rolled.</param>
/// <param name="FlushMessages">Unflushed messages after which an append flushes before it returns (flush.messages); long.MaxValue leaves it to the system.</param>
/// <param name="SegmentMs">A segment whose records would span more time than this is rolled.</param>
/// <param name="Preallocate">A new segment has room for <paramref name="SegmentBytes"/> set aside, and gives back what it did not use when the next one begins.</param>
public sealed record LogSettings(int SegmentBytes = 1 << 20, long FlushMessages = long.MaxValue, long SegmentMs = long.MaxValue, bool Preallocate = false)
{
    public static LogSettings Of(TopicSettings topic) => new(topic.SegmentBytes, topic.FlushMessages, topic.SegmentMs, topic.Preallocate);
}

/// <summary>What became of an append. <see cref="Error"/> None and <see cref="IsDuplicate"/>: stored earlier, at these offsets.</summary>
public readonly record struct AppendOutcome(ErrorCode Error, long BaseOffset, long NextOffset, bool IsDuplicate = false);

/// <summary>
/// One replica's log of a partition: segments of record batches, the leader epochs in them, and what they say of idempotent producers.
/// All calls are synchronous, through the page cache; only <see cref="FlushAsync"/> waits.
/// </summary>
/// <remarks>Invariant: LogStartOffset &lt;= FlushedEndOffset &lt;= LogEndOffset; segments are contiguous and never empty of file.</remarks>
public sealed partial class PartitionLog
{
    private readonly List<Segment> segments = [];
    private readonly IDisk disk;
    private readonly string directory;
    private readonly LogRules rules;
    private readonly ProducerRules producerRules;
    private readonly CleanerRules cleanerRules;
    private readonly EpochTable epochs;
    private readonly ProducerTable producers;
    private readonly StartOffsetFile startFile;
    private readonly LogSummary summary;
    private Task? savingStart, flushing, nextFlush;
    private long savedStart;
    private bool isDeleted, isSummed;
    private bool directoryChanged = true;
    private int truncations;

    private PartitionLog(IDisk disk, string directory, LogSettings settings, LogRules rules, ProducerRules producerRules, CleanerRules cleanerRules)
    {
        this.disk = disk;
        this.directory = directory;
        this.rules = rules;
        this.producerRules = producerRules;
        this.cleanerRules = cleanerRules;
        Settings = settings;
        epochs = new EpochTable(rules);
        startFile = new StartOffsetFile(disk, directory);
        summary = new LogSummary(disk, directory);
        producers = new ProducerTable(producerRules);
    }

    public LogSettings Settings { get; set; }

    /// <summary>The first offset that can be read: where the first segment begins, or where deletion has come to (KIP-107).</summary>
    public long LogStartOffset { get; private set; }

    /// <summary>The start has moved by deletion, and would be back where it was after a crash.</summary>
    public bool HasUnsavedStart => !isDeleted && rules.StartMovesUp(LogStartOffset, savedStart);

    /// <summary>One past the last record.</summary>
    public long LogEndOffset => segments[^1].NextOffset;

    /// <summary>Everything below survives a power loss.</summary>
    public long FlushedEndOffset { get; private set; }

    /// <summary>Leader epoch of the last batch, -1 in an empty log.</summary>
    public int LastEpoch => epochs.LastEpoch;

    /// <summary>Bytes cut off a torn tail when the log was opened.</summary>
    public long DroppedBytes { get; private set; }

    public bool NeedsFlush => rules.FlushIsDue(LogEndOffset - FlushedEndOffset, Settings.FlushMessages);

    /// <summary>Opens or creates the log in a directory and recovers it: all that is whole and in order is kept, the rest is cut.</summary>
    /// <param name="cleanStop">The stop in good order that this node comes from, if it does: what the log saved then is taken for what it holds, and it is not read. 0: none.</param>
    public static PartitionLog Open(IDisk disk, string directory, LogSettings settings, LogRules rules, ProducerRules producerRules, CleanerRules? cleanerRules = null, long cleanStop = 0)
    {
        var log = new PartitionLog(disk, directory, settings, rules, producerRules, cleanerRules ?? new CleanerRules());
        log.Recover(cleanStop);
        return log;
    }

    /// <summary>Leader: judges, stamps and stores one validated batch.</summary>
    public AppendOutcome Append(in RecordBatch batch, int leaderEpoch)
    {
        var (error, duplicateOf) = producers.Judge(batch);
        if (error != ErrorCode.None) return new AppendOutcome(error, -1, -1);
        if (duplicateOf >= 0) return new AppendOutcome(ErrorCode.None, duplicateOf, duplicateOf + batch.LastOffsetDelta + 1, IsDuplicate: true);

        var stored = batch.Bytes.ToArray();
        var baseOffset = LogEndOffset;
        RecordBatch.Stamp(stored, baseOffset, leaderEpoch);
        RecordBatch.TryRead(stored, out var stamped, out _);
        Store(stamped);
        producers.Note(stamped, baseOffset);
        return new AppendOutcome(ErrorCode.None, baseOffset, stamped.NextOffset);
    }

    /// <summary>Follower: stores batches as the leader stamped them. What is unsound or does not continue the log ends the append.</summary>
    public ErrorCode AppendReplicated(ReadOnlyMemory<byte> batches)
    {
        while (RecordBatch.TryRead(batches, out var batch, out _))
        {
            if (!batch.HasValidCrc) return ErrorCode.CorruptMessage;
            if (!rules.ContinuesLog(batch.BaseOffset, LogEndOffset)) return ErrorCode.OffsetOutOfRange;
            Store(batch);
            if (producerRules.LearnsFromReplication()) producers.Note(batch, batch.BaseOffset);
            batches = batches[batch.SizeInBytes..];
        }
        return ErrorCode.None;
    }

    public bool IsReadable(long offset) => rules.IsReadable(offset, LogStartOffset, LogEndOffset);

    /// <summary>Whole batches from the one that holds <paramref name="offset"/>, of one segment, none ending past <paramref name="bound"/>; empty at the end.</summary>
    public ReadOnlyMemory<byte> Read(long offset, long bound, int maxBytes)
    {
        for (var i = segments.Count - 1; i >= 0; i--)
        {
            if (!rules.StartsAtOrBefore(segments[i].BaseOffset, offset)) continue;
            if (!rules.HoldsOffset(segments[i].NextOffset, offset)) break;
            return segments[i].Read(offset, bound, maxBytes);
        }
        return ReadOnlyMemory<byte>.Empty;
    }

    /// <summary>All batches, oldest first.</summary>
    public IEnumerable<RecordBatch> Batches() => segments.SelectMany(segment => segment.Batches());

    /// <summary>Batches in order, from one that lies no later than the first with a record at or after a time.</summary>
    public IEnumerable<RecordBatch> BatchesSince(long timestampMs) =>
        segments.SkipWhile(segment => !rules.MayHoldTime(segment.LatestTimestamp, timestampMs)).SelectMany((segment, i) => i == 0 ? segment.BatchesSince(timestampMs) : segment.Batches());

    /// <summary>Batches in order from the one that holds <paramref name="offset"/>, or the next one.</summary>
    public IEnumerable<RecordBatch> BatchesFrom(long offset) =>
        segments.SkipWhile(segment => !rules.HoldsOffset(segment.NextOffset, offset)).SelectMany((segment, i) => i == 0 ? segment.BatchesFrom(offset) : segment.Batches());

    /// <summary>Where the log would start without the segments that are too old or too many, none of them above the high watermark. One that is written to is rolled, if it is too old.</summary>
    /// <param name="nowMs">Wall clock, milliseconds since 1970.</param>
    public long RetainedStart(long nowMs, long retentionMs, long retentionBytes, long highWatermark)
    {
        if (segments[^1].SizeBytes > 0 && segments.TrueForAll(segment => Expires(segment, nowMs, retentionMs, highWatermark))) AddSegment(LogEndOffset);
        var (start, left) = (LogStartOffset, segments.Sum(static segment => segment.SizeBytes));
        foreach (var segment in segments.SkipLast(1))
        {
            left -= segment.SizeBytes;
            if (!rules.MayExpire(segment.NextOffset, highWatermark) || !Expires(segment, nowMs, retentionMs, highWatermark) && !rules.IsTooLarge(left, retentionBytes)) break;
            start = segment.NextOffset;
        }
        return start;
    }

    private bool Expires(Segment segment, long nowMs, long retentionMs, long highWatermark) =>
        rules.MayExpire(segment.NextOffset, highWatermark) && rules.IsTooOld(nowMs, segment.LatestTimestamp, retentionMs);

    /// <summary>The largest leader epoch at or below the one asked for, and where it ends here; epoch -1 ending at the log start when there is none.</summary>
    public EpochEnd EndOfEpoch(int epoch) => epochs.EndOf(epoch, LogEndOffset) ?? new EpochEnd(-1, LogStartOffset);

    /// <summary>Cuts the tail: nothing ending past <paramref name="newEnd"/> stays. Below its start the log begins anew there: an uncleanly elected leader may have less than was deleted here.</summary>
    public void TruncateTo(long newEnd)
    {
        if (rules.StartsBeyondEnd(LogStartOffset, newEnd))
        {
            RestartAt(newEnd);
            return;
        }
        truncations++;
        foreach (var step in rules.TruncationSteps()) Truncate(step, newEnd);
        FlushedEndOffset = Math.Min(FlushedEndOffset, LogEndOffset);
        ForgetCleaningsPast(LogEndOffset);
    }

    /// <summary>Deletes what lies below, by moving the start; <see cref="SaveStartAsync"/> makes that last and gives the room back.</summary>
    public void MoveStartTo(long offset)
    {
        if (!rules.StartMovesUp(offset, LogStartOffset)) return;
        LogStartOffset = offset;
        epochs.CutFront(offset);
        BeginAnewIfEndIsBelowStart();
    }

    /// <summary>Begins anew with an empty log: everything before is gone elsewhere too.</summary>
    public void RestartAt(long offset)
    {
        truncations++;
        foreach (var segment in segments)
        {
            segment.Dispose();
            disk.Delete(segment.Path);
        }
        segments.Clear();
        epochs.Clear();
        producers.Clear();
        cleanings.Clear();
        AddSegment(offset);
        LogStartOffset = FlushedEndOffset = offset;
        if (!rules.StartMovesUp(savedStart, offset)) return;
        startFile.Delete();                                            // of the log that was; gone for good with the first flush of the new one
        savedStart = offset;
    }

    /// <summary>The start is durable when it returns, and only then do segments below it go: a segment that came back after a power loss would tear the log.</summary>
    public async ValueTask SaveStartAsync()
    {
        while (HasUnsavedStart)
        {
            if (savingStart is null or { IsCompleted: true }) savingStart = SaveStartOnceAsync(LogStartOffset);
            await savingStart;
        }
    }

    private async Task SaveStartOnceAsync(long start)
    {
        await startFile.SaveAsync(start);
        if (rules.StartMovesUp(start, LogStartOffset)) return;         // the log began anew below meanwhile
        savedStart = start;
        while (!isDeleted && segments.Count > 1 && rules.IsBelowStart(segments[0].NextOffset, start))
        {
            segments[0].Dispose();
            disk.Delete(segments[0].Path);
            segments.RemoveAt(0);
            directoryChanged = true;
        }
    }

    /// <summary>fsync: everything appended before the call is durable when it returns, the names of the files too. All who come while one is under way share the next one.</summary>
    public async ValueTask FlushAsync()
    {
        if (flushing is { IsCompleted: false } underWay) await (nextFlush ??= FlushAfterAsync(underWay));
        else await (flushing = FlushOnceAsync());
    }

    private async Task FlushAfterAsync(Task underWay)
    {
        await underWay;                                                // a failure is for all: the disk is dead
        nextFlush = null;
        await (flushing = FlushOnceAsync());
    }

    private async Task FlushOnceAsync()
    {
        var (end, truncationsBefore) = (LogEndOffset, truncations);
        var dirty = segments.Where(segment => rules.HoldsOffset(segment.NextOffset, FlushedEndOffset) || rules.CutIsFlushed(segment.IsCut)).ToArray();
        var syncDirectory = directoryChanged;
        directoryChanged = false;
        try
        {
            foreach (var step in rules.FlushSteps())
            {
                switch (step)
                {
                    case FlushStep.Files: foreach (var segment in dirty) await segment.FlushAsync(); break;
                    case FlushStep.Directory: if (syncDirectory) await disk.FlushDirectoryAsync(directory); break;
                    default: throw new InvalidOperationException($"unknown flush step {step}");
                }
            }
        }
        catch (DiskException) when (!rules.FailedFlushIsFatal())
        {
            // A right broker never comes here: it stops.
        }
        if (truncations == truncationsBefore) FlushedEndOffset = Math.Max(FlushedEndOffset, end);
    }

    /// <summary>Saves what a scan would find, durably: for the start that finds the marker of this stop. Everything is flushed, and nothing is written any more.</summary>
    public async ValueTask SaveSummaryAsync(long stop)
    {
        if (isDeleted) return;
        isSummed = true;
        segments[^1].Trim();
        var numbers = new List<long> { segments.Count };
        foreach (var segment in segments) segment.Describe(numbers);
        epochs.Describe(numbers);
        producers.Describe(numbers);
        await summary.SaveAsync(stop, numbers);
    }

    /// <summary>Removes every file; the log must not be used afterwards.</summary>
    public void Delete()
    {
        isDeleted = true;
        startFile.Delete();
        summary.Delete();
        foreach (var segment in segments)
        {
            segment.Dispose();
            disk.Delete(segment.Path);
        }
    }

    public void AssertInvariants()
    {
        Invariant.Holds(LogStartOffset <= LogEndOffset);
        Invariant.Holds(FlushedEndOffset <= LogEndOffset);
    }

    private void Recover(long cleanStop)
    {
        var names = disk.List(directory);
        savedStart = startFile.Load(names);
        foreach (var copy in names.Where(static name => name.EndsWith(CopyExtension, StringComparison.Ordinal))) disk.Delete($"{directory}/{copy}");
        var files = SegmentsFrom(savedStart, names);
        if (cleanStop != 0 && summary.Load(cleanStop) is { } saved && saved.Dequeue() == files.Count && files.Count > 0)
        {
            Restore(files, saved);
            return;
        }
        foreach (var (name, baseOffset) in files)
        {
            var segment = new Segment($"{directory}/{name}", baseOffset, disk, rules);
            if (segments.Count > 0 && (DroppedBytes > 0 || !rules.SegmentFollows(segment.BaseOffset, LogEndOffset)))
            {
                segment.Dispose();                                     // behind a tear nothing is trusted
                disk.Delete(segment.Path);
                continue;
            }
            segments.Add(segment);
            DroppedBytes += segment.Recover(Learn);
        }
        if (segments.Count == 0) AddSegment(savedStart);
        LogStartOffset = savedStart = Math.Max(savedStart, segments[0].BaseOffset);
        FlushedEndOffset = LogStartOffset;                             // what survived may still sit in the page cache only
        epochs.CutFront(LogStartOffset);
        BeginAnewIfEndIsBelowStart();
    }

    private void Restore(List<(string Name, long BaseOffset)> files, Queue<long> saved)
    {
        foreach (var (name, _) in files)
        {
            var segment = new Segment($"{directory}/{name}", saved.Dequeue(), disk, rules);
            segment.Restore(saved);
            segments.Add(segment);
        }
        epochs.Restore(saved);
        producers.Restore(saved);
        LogStartOffset = savedStart = Math.Max(savedStart, segments[0].BaseOffset);
        FlushedEndOffset = LogEndOffset;
        directoryChanged = false;
    }

    /// <summary>The files of segments, oldest first, without those that a deletion was about to remove.</summary>
    private List<(string Name, long BaseOffset)> SegmentsFrom(long start, IReadOnlyList<string> names)
    {
        var files = names.Where(name => name.EndsWith(".log", StringComparison.Ordinal)).Select(name => (Name: name, BaseOffset: long.Parse(name.AsSpan(0, name.Length - 4)))).ToList();
        while (files.Count > 1 && rules.IsBelowStart(files[1].BaseOffset, start))
        {
            disk.Delete($"{directory}/{files[0].Name}");
            files.RemoveAt(0);
        }
        return files;
    }

    private void BeginAnewIfEndIsBelowStart()
    {
        if (rules.StartsBeyondEnd(LogStartOffset, LogEndOffset)) RestartAt(LogStartOffset);
    }

    private bool Learn(RecordBatch batch)
    {
        if (!rules.ContinuesEpochs(epochs.LastEpoch, batch.PartitionLeaderEpoch)) return false;
        epochs.Note(batch.PartitionLeaderEpoch, batch.BaseOffset);
        producers.Note(batch, batch.BaseOffset);
        return true;
    }

    private void Store(in RecordBatch batch)
    {
        var last = segments[^1];
        var isFull = last.SizeBytes + batch.SizeInBytes > Settings.SegmentBytes || rules.IsFullOfTime(last.FirstTimestamp, batch.MaxTimestamp, Settings.SegmentMs);
        if (last.SizeBytes > 0 && isFull) last = AddSegment(LogEndOffset);
        last.Append(batch);
        epochs.Note(batch.PartitionLeaderEpoch, batch.BaseOffset);
    }

    private Segment AddSegment(long baseOffset)
    {
        if (segments.Count > 0) segments[^1].Trim();                   // not made durable: zeros behind a segment are no tear
        var segment = new Segment($"{directory}/{baseOffset:D20}.log", baseOffset, disk, rules);
        if (Settings.Preallocate) segment.Preallocate(Settings.SegmentBytes);
        segments.Add(segment);
        directoryChanged = true;
        return segment;
    }

    private void Truncate(TruncationStep step, long newEnd)
    {
        switch (step)
        {
            case TruncationStep.CutSegments: CutSegments(newEnd); break;
            case TruncationStep.CutEpochs: epochs.Cut(newEnd); break;
            case TruncationStep.RebuildProducers:
                producers.Clear();
                foreach (var batch in Batches()) producers.Note(batch, batch.BaseOffset);
                break;
            default: throw new InvalidOperationException($"unknown truncation step {step}");
        }
    }

    private void CutSegments(long newEnd)
    {
        while (segments.Count > 1 && rules.StartsAtOrBefore(newEnd, segments[^1].BaseOffset))
        {
            segments[^1].Dispose();
            disk.Delete(segments[^1].Path);
            segments.RemoveAt(segments.Count - 1);
            directoryChanged = true;
        }
        segments[^1].Cut(newEnd);
        BeginAnewIfEndIsBelowStart();                                  // the start may lie within the batch that was cut away
    }
}
