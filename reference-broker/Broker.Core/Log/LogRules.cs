using Broker.Runtime;

namespace Broker.Core.Log;

/// <summary>The steps of cutting a log's tail off, in the order in which they are done.</summary>
public enum TruncationStep
{
    CutSegments,
    CutEpochs,
    RebuildProducers,
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

    [Rule("a segment follows when it starts exactly where the log ends", "a name whose directory was never flushed may be missing after a power loss")]
    public virtual bool SegmentFollows(long segmentBaseOffset, long logEndOffset) => segmentBaseOffset == logEndOffset;

    [Rule("a batch of a higher leader epoch than the last starts a new epoch", "KIP-101: leader epoch cache")]
    public virtual bool StartsEpoch(int lastEpoch, int batchEpoch) => batchEpoch > lastEpoch;

    [Rule("the epoch asked for is answered by the largest epoch at or below it", "KIP-101, KIP-279: OffsetForLeaderEpoch")]
    public virtual bool EpochAnswers(int epoch, int askedEpoch) => epoch <= askedEpoch;

    [Rule("an epoch survives a cut when it starts below the new end", "KAFKA-10706: the epoch cache is truncated with the log")]
    public virtual bool EpochSurvives(long epochStartOffset, long newEnd) => epochStartOffset < newEnd;

    [Rule("a log's start only moves up", "KIP-107: deleted records do not come back")]
    public virtual bool StartMovesUp(long offset, long logStartOffset) => offset > logStartOffset;

    [Rule("a segment that ends at or below the log's start may go", "KIP-107: what is deleted is deleted by whole segments")]
    public virtual bool IsBelowStart(long segmentNextOffset, long logStartOffset) => segmentNextOffset <= logStartOffset;

    [Rule("a log that ends below its start begins anew there, empty", "Kafka: truncateFullyAndStartAt")]
    public virtual bool StartsBeyondEnd(long logStartOffset, long logEndOffset) => logStartOffset > logEndOffset;

    [Rule("the log is flushed before the append returns once flush.messages are unflushed", "Kafka: flush.messages")]
    public virtual bool FlushIsDue(long unflushedMessages, long flushMessages) => unflushedMessages > 0 && unflushedMessages >= flushMessages;
}
