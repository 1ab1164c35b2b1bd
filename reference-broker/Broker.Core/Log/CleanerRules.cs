using Broker.Runtime;

namespace Broker.Core.Log;

/// <summary>The steps of replacing a segment by its cleaned copy, in the order in which they are done.</summary>
public enum CleanStep
{
    WriteCopy,
    SyncCopy,
    Swap,
    SyncDirectory,
}

/// <summary>Decisions about compaction (cleanup.policy=compact). Offsets are exclusive where they are called next or end.</summary>
public class CleanerRules
{
    [Rule("only what is committed is cleaned, by whole segments, and never the one that is written to", "Kafka: cleaner's first uncleanable offset; KAFKA-1764")]
    public virtual bool MayClean(long segmentNextOffset, long highWatermark) => segmentNextOffset <= highWatermark;

    [Rule("a log is worth cleaning when more of it is new since the last time than min.cleanable.dirty.ratio", "Kafka: min.cleanable.dirty.ratio")]
    public virtual bool IsDirtyEnough(long dirtyBytes, long cleanableBytes, double ratio) => dirtyBytes > ratio * cleanableBytes;

    [Rule("a record goes when a later one of its key lies in what is being cleaned", "Kafka: log compaction")]
    public virtual bool IsSuperseded(long offset, long newestOffset) => offset < newestOffset;

    [Rule("what supersedes is durable before what it supersedes is left out", "a power loss would take the newer record and leave no older one")]
    public virtual bool IsDurable(long endOffset, long flushedEndOffset) => endOffset <= flushedEndOffset;

    [Rule("a tombstone may go delete.retention.ms after everything older of its key went", "Kafka: delete.retention.ms, KIP-534")]
    public virtual bool IsTombstoneDue(TimeSpan sinceCleaned, TimeSpan deleteRetention) => sinceCleaned >= deleteRetention;

    [Rule("a record lies in what a cleaning has been through when it is below its end", "Kafka: cleaner-offset-checkpoint")]
    public virtual bool WasCleaned(long offset, long cleanedEndOffset) => offset < cleanedEndOffset;

    [Rule("a tombstone goes only when every replica has it durably: one that came by without would keep the value that it deleted", "KAFKA-4545, KAFKA-8522: tombstones removed before everybody saw them")]
    public virtual bool EveryReplicaHasIt(long tombstoneOffset, long lowestDurableEnd) => tombstoneOffset < lowestDurableEnd;

    [Rule("behind a batch whose records cannot be read here no tombstone goes: it may hold the value that was deleted", "a codec that is missing")]
    public virtual bool LiesBehind(long tombstoneOffset, long unreadOffset) => tombstoneOffset >= unreadOffset;

    [Rule("an emptied batch stays, without records, while it is one of its producer's last, begins a leader epoch or ends its segment", "KIP-98, KAFKA-5431: sequences outlive compaction; KIP-101: epochs do too")]
    public virtual bool StaysEmptied(bool isRemembered, bool startsEpoch, bool endsSegment) => isRemembered || startsEpoch || endsSegment;

    [Rule("write the copy, make it durable, put it in the segment's place, make that durable", "Kafka: .cleaned and .swap; KAFKA-6264")]
    public virtual IReadOnlyList<CleanStep> CleanSteps() => [CleanStep.WriteCopy, CleanStep.SyncCopy, CleanStep.Swap, CleanStep.SyncDirectory];
}
