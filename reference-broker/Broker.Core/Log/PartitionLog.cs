using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Core.Log;

/// <summary>Sizes and flush points of a log.</summary>
/// <param name="SegmentBytes">A segment that would grow past this is rolled.</param>
/// <param name="FlushMessages">Unflushed messages after which an append flushes before it returns (flush.messages); long.MaxValue leaves it to the system.</param>
public sealed record LogSettings(int SegmentBytes = 1 << 20, long FlushMessages = long.MaxValue);

/// <summary>What became of an append. <see cref="Error"/> None and <see cref="IsDuplicate"/>: stored earlier, at these offsets.</summary>
public readonly record struct AppendOutcome(ErrorCode Error, long BaseOffset, long NextOffset, bool IsDuplicate = false);

/// <summary>
/// One replica's log of a partition: segments of record batches, the leader epochs in them, and what they say of idempotent producers.
/// All calls are synchronous, through the page cache; only <see cref="FlushAsync"/> waits.
/// </summary>
/// <remarks>Invariant: LogStartOffset &lt;= FlushedEndOffset &lt;= LogEndOffset; segments are contiguous and never empty of file.</remarks>
public sealed class PartitionLog
{
    private readonly List<Segment> segments = [];
    private readonly IDisk disk;
    private readonly string directory;
    private readonly LogRules rules;
    private readonly ProducerRules producerRules;
    private readonly EpochTable epochs;
    private readonly ProducerTable producers;
    private readonly StartOffsetFile startFile;
    private Task? savingStart;
    private long savedStart;
    private bool isDeleted;
    private bool directoryChanged = true;
    private int truncations;

    private PartitionLog(IDisk disk, string directory, LogSettings settings, LogRules rules, ProducerRules producerRules)
    {
        this.disk = disk;
        this.directory = directory;
        this.rules = rules;
        this.producerRules = producerRules;
        Settings = settings;
        epochs = new EpochTable(rules);
        startFile = new StartOffsetFile(disk, directory);
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
    public static PartitionLog Open(IDisk disk, string directory, LogSettings settings, LogRules rules, ProducerRules producerRules)
    {
        var log = new PartitionLog(disk, directory, settings, rules, producerRules);
        log.Recover();
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

    /// <summary>The largest leader epoch at or below the one asked for, and where it ends here; epoch -1 ending at the log start when there is none.</summary>
    public EpochEnd EndOfEpoch(int epoch) => epochs.EndOf(epoch, LogEndOffset) ?? new EpochEnd(-1, LogStartOffset);

    /// <summary>Cuts the tail: nothing ending past <paramref name="newEnd"/> stays.</summary>
    public void TruncateTo(long newEnd)
    {
        truncations++;
        foreach (var step in rules.TruncationSteps()) Truncate(step, newEnd);
        FlushedEndOffset = Math.Min(FlushedEndOffset, LogEndOffset);
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
        AddSegment(offset);
        LogStartOffset = FlushedEndOffset = offset;
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
        savedStart = start;
        while (!isDeleted && segments.Count > 1 && rules.IsBelowStart(segments[0].NextOffset, start))
        {
            segments[0].Dispose();
            disk.Delete(segments[0].Path);
            segments.RemoveAt(0);
            directoryChanged = true;
        }
    }

    /// <summary>fsync: everything appended before the call is durable when it returns, the names of the files too.</summary>
    public async ValueTask FlushAsync()
    {
        var (end, truncationsBefore) = (LogEndOffset, truncations);
        var dirty = segments.Where(segment => rules.HoldsOffset(segment.NextOffset, FlushedEndOffset)).ToArray();
        var syncDirectory = directoryChanged;
        directoryChanged = false;
        foreach (var segment in dirty) await segment.FlushAsync();
        if (syncDirectory) await disk.FlushDirectoryAsync(directory);
        if (truncations == truncationsBefore) FlushedEndOffset = Math.Max(FlushedEndOffset, end);
    }

    /// <summary>Removes every file; the log must not be used afterwards.</summary>
    public void Delete()
    {
        isDeleted = true;
        startFile.Delete();
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

    private void Recover()
    {
        var names = disk.List(directory);
        savedStart = startFile.Load(names);
        foreach (var (name, baseOffset) in SegmentsFrom(savedStart, names))
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

    private void Learn(RecordBatch batch)
    {
        epochs.Note(batch.PartitionLeaderEpoch, batch.BaseOffset);
        producers.Note(batch, batch.BaseOffset);
    }

    private void Store(in RecordBatch batch)
    {
        var last = segments[^1];
        if (last.SizeBytes > 0 && last.SizeBytes + batch.SizeInBytes > Settings.SegmentBytes) last = AddSegment(LogEndOffset);
        last.Append(batch);
        epochs.Note(batch.PartitionLeaderEpoch, batch.BaseOffset);
    }

    private Segment AddSegment(long baseOffset)
    {
        var segment = new Segment($"{directory}/{baseOffset:D20}.log", baseOffset, disk, rules);
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
