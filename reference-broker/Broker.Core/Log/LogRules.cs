using Broker.Runtime;

namespace Broker.Core.Log;

/// <summary>The steps of cutting a log's tail off, in the order in which they are done.</summary>
public enum TruncationStep
{
    CutSegments,
    CutEpochs,
    RebuildProducers,
}

/// <summary>The steps of making a log durable, in the order in which they are done.</summary>
public enum FlushStep
{
    Files,
    Directory,
}

/// <summary>What a node does with the marker of a stop in good order when it starts, in this order, before any log is opened.</summary>
public enum MarkerStep
{
    Read,
    Remove,
    SyncDirectory,
}

/// <summary>Decisions about one replica's log. Offsets are exclusive where they are called next or end.</summary>
public class LogRules
{
    [Rule("a segment, or index entry, is looked in when it starts at or before the offset", "Kafka: log segments and offset index")]
    public virtual bool StartsAtOrBefore(long baseOffset, long offset) => baseOffset <= offset;

    [Rule("the first batch whose next offset is past the offset holds it", "Kafka: offset index floor entry, then scan")]
    public virtual bool HoldsOffset(long batchNextOffset, long offset) => batchNextOffset > offset;

    [Rule("a batch is handed out only when it ends at or below the bound", "Kafka: a fetch never passes the high watermark (consumers) or log end (followers)")]
    public virtual bool EndsWithin(long batchNextOffset, long bound) => batchNextOffset <= bound;

    [Rule("an offset can be read from the log start offset up to and including the log end offset", "Kafka: OFFSET_OUT_OF_RANGE")]
    public virtual bool IsReadable(long offset, long logStartOffset, long logEndOffset) => offset >= logStartOffset && offset <= logEndOffset;

    [Rule("a truncation removes every batch that does not end at or below the new end", "KIP-101: truncation removes whole batches")]
    public virtual bool IsCutAway(long batchNextOffset, long newEnd) => batchNextOffset > newEnd;

    [Rule("a log is cut, its epochs are cut, and what is known of producers is rebuilt from what is left", "KIP-101, KIP-98; KAFKA-12153")]
    public virtual IReadOnlyList<TruncationStep> TruncationSteps() => [TruncationStep.CutSegments, TruncationStep.CutEpochs, TruncationStep.RebuildProducers];

    [Rule("what is appended or recovered continues the log without a step back", "Kafka: UnexpectedAppendOffsetException")]
    public virtual bool ContinuesLog(long baseOffset, long logEndOffset) => baseOffset >= logEndOffset;

    [Rule("what is recovered continues in leader epochs, too: a segment whose deletion was not durable may be back, behind records of a later epoch", "KIP-101: epochs do not go down in a log")]
    public virtual bool ContinuesEpochs(int lastEpoch, int batchEpoch) => batchEpoch >= lastEpoch;

    [Rule("a segment follows when it starts exactly where the log ends", "a name whose directory was never flushed may be missing after a power loss")]
    public virtual bool SegmentFollows(long segmentBaseOffset, long logEndOffset) => segmentBaseOffset == logEndOffset;

    [Rule("a batch of a higher leader epoch than the last starts a new epoch", "KIP-101: leader epoch cache")]
    public virtual bool StartsEpoch(int lastEpoch, int batchEpoch) => batchEpoch > lastEpoch;

    [Rule("the epoch asked for is answered by the largest epoch at or below it", "KIP-101, KIP-279: OffsetForLeaderEpoch")]
    public virtual bool EpochAnswers(int epoch, int askedEpoch) => epoch <= askedEpoch;

    [Rule("an epoch survives a cut when it starts below the new end", "KAFKA-10706: the epoch cache is truncated with the log")]
    public virtual bool EpochSurvives(long epochStartOffset, long newEnd) => epochStartOffset < newEnd;

    [Rule("an epoch begins with the batch that lies where it starts", "KIP-101: leader epoch cache")]
    public virtual bool BeginsAt(long epochStartOffset, long baseOffset) => epochStartOffset == baseOffset;

    [Rule("a log's start only moves up", "KIP-107: deleted records do not come back")]
    public virtual bool StartMovesUp(long offset, long logStartOffset) => offset > logStartOffset;

    [Rule("a segment that ends at or below the log's start may go", "KIP-107: what is deleted is deleted by whole segments")]
    public virtual bool IsBelowStart(long segmentNextOffset, long logStartOffset) => segmentNextOffset <= logStartOffset;

    [Rule("a log that ends below its start begins anew there, empty", "Kafka: truncateFullyAndStartAt")]
    public virtual bool StartsBeyondEnd(long logStartOffset, long logEndOffset) => logStartOffset > logEndOffset;

    [Rule("a segment may go when its latest record is older than retention.ms", "Kafka: retention.ms, by the timestamps of records")]
    public virtual bool IsTooOld(long nowMs, long latestTimestampMs, long retentionMs) => retentionMs >= 0 && latestTimestampMs >= 0 && nowMs - latestTimestampMs > retentionMs;

    [Rule("the oldest segment may go when what is left has retention.bytes still", "Kafka: retention.bytes")]
    public virtual bool IsTooLarge(long bytesWithout, long retentionBytes) => retentionBytes >= 0 && bytesWithout >= retentionBytes;

    [Rule("only what is committed is deleted, by whole segments", "Kafka: deleteOldSegments stops at the high watermark")]
    public virtual bool MayExpire(long segmentNextOffset, long highWatermark) => segmentNextOffset <= highWatermark;

    [Rule("a segment that holds more than segment.ms is rolled", "Kafka: segment.ms, by the timestamps of records")]
    public virtual bool IsFullOfTime(long firstTimestampMs, long nextTimestampMs, long segmentMs) => nextTimestampMs - firstTimestampMs > segmentMs;

    [Rule("a record at or after a time lies where the latest timestamp is not before it", "Kafka: time index")]
    public virtual bool MayHoldTime(long latestTimestampMs, long wantedMs) => latestTimestampMs >= wantedMs;

    [Rule("the marker of a clean stop is read, removed, and gone for good before anything is written: it speaks of one stop only", "Kafka: .kafka_cleanshutdown is deleted at start; KAFKA-10471")]
    public virtual IReadOnlyList<MarkerStep> MarkerSteps() => [MarkerStep.Read, MarkerStep.Remove, MarkerStep.SyncDirectory];

    [Rule("a flush makes the bytes of the files durable, then their names", "fsync(2): the directory that holds a new file is flushed by itself")]
    public virtual IReadOnlyList<FlushStep> FlushSteps() => [FlushStep.Files, FlushStep.Directory];

    [Rule("a flush takes what was cut, too: what a leader had cut away would come back under what was written since, and hide it", "KIP-101; fsync(2): a new length is durable with the file alone")]
    public virtual bool CutIsFlushed(bool isCut) => isCut;

    [Rule("a flush that failed is the end of the disk: what it was to save may be gone, and the next flush would not say so", "fsyncgate (PostgreSQL, 2018); Rebello et al., USENIX ATC 2020")]
    public virtual bool FailedFlushIsFatal() => true;

    [Rule("the log is flushed before the append returns once flush.messages are unflushed", "Kafka: flush.messages")]
    public virtual bool FlushIsDue(long unflushedMessages, long flushMessages) => unflushedMessages > 0 && unflushedMessages >= flushMessages;
}
