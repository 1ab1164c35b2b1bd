using Broker.Protocol;
using Broker.Runtime;

namespace Verify.Clients;

/// <summary>What a consumer does about an answer to its fetch.</summary>
public enum FetchReaction : byte
{
    Deliver,

    /// <summary>Ask for metadata, then fetch again.</summary>
    FindLeader,

    /// <summary>Fetch again after a pause.</summary>
    Wait,

    /// <summary>The position is outside of the log: report, and apply the reset policy.</summary>
    ResetPosition,

    /// <summary>Report; fetch again after a pause.</summary>
    Report,
}

/// <summary>This part: consuming.</summary>
public partial class ClientRules
{
    [Rule("How a fetch's error is met", "Kafka's FetchCollector.handleInitializeErrors")]
    public virtual FetchReaction ReactToFetch(ErrorCode error) => error switch
    {
        ErrorCode.None => FetchReaction.Deliver,
        ErrorCode.OffsetOutOfRange => FetchReaction.ResetPosition,
        ErrorCode.OffsetNotAvailable => FetchReaction.Wait,
        _ => LeaderMayHaveMoved(error) ? FetchReaction.FindLeader : FetchReaction.Report,
    };

    [Rule("An answer counts only if the position is still where the question was asked", "Kafka's FetchCollector and SubscriptionState.maybeCompleteValidation")]
    public virtual bool IsAnswerCurrent(long fetchOffset, long position) => fetchOffset == position;

    [Rule("A batch may start before the position: its head is skipped", "Kafka's fetch semantics: batches are never cut")]
    public virtual bool IsWanted(long offset, long position) => offset >= position;

    [Rule("The position is the offset after the last one seen, whether it held a record or not", "consumer documentation")]
    public virtual long PositionAfter(long lastOffset) => lastOffset + 1;

    [Rule("A fetch names the leader epoch that the reader believes in, so that old leaders refuse", "KIP-320")]
    public virtual int EpochToClaim(int knownEpoch) => knownEpoch;

    [Rule("A leader whose term is older than the position's epoch is no leader any more, and is not asked", "Kafka's Metadata.updateLastSeenEpochIfNewer, for committed offsets too")]
    public virtual bool MayKnowPosition(int leaderEpoch, int positionEpoch) => leaderEpoch >= positionEpoch;

    [Rule("Under a newer leader the position is held against its log before reading on", "KIP-320; KAFKA-7747")]
    public virtual bool MustValidate(int positionEpoch, int validatedUnderEpoch, int leaderEpoch) => positionEpoch >= 0 && leaderEpoch > validatedUnderEpoch;

    [Rule("The log was truncated below the position if the epoch of the last record read ends before it, or is not there", "KIP-320; stricter than Kafka's consumer, which ignores an older epoch in the answer")]
    public virtual bool IsTruncated(long position, int positionEpoch, int answeredEpoch, long endOffset) =>
        answeredEpoch < 0 || endOffset < 0 || endOffset < position || answeredEpoch < positionEpoch;

    [Rule("Where the logs part, as far as this reader can tell; null when the leader knows nothing of the epoch", "KIP-320")]
    public virtual long? DivergenceOffset(long position, int positionEpoch, long positionEpochStart, int answeredEpoch, long endOffset)
    {
        if (answeredEpoch < 0 || endOffset < 0) return null;
        var agreed = answeredEpoch < positionEpoch ? Math.Min(endOffset, positionEpochStart) : endOffset;
        return Math.Min(agreed, position);
    }

    [Rule("Records of an epoch other than the last one seen begin a new stretch", "KIP-101")]
    public virtual bool IsOtherEpoch(int positionEpoch, int batchEpoch) => positionEpoch != batchEpoch;

    [Rule("An aborted transaction is open from its first offset on", "KIP-98; FetchResponse.abortedTransactions")]
    public virtual bool HasBegun(long firstOffset, long lastOffset) => firstOffset <= lastOffset;

    [Rule("read_committed hides records of transactions that were aborted", "KIP-98")]
    public virtual bool IsVisible(bool readCommitted, bool isTransactional, bool isAborted) => !(readCommitted && isTransactional && isAborted);

    [Rule("The end of one poll", "consumer setting max.poll.records")]
    public virtual bool IsPollFull(int records, int maxPollRecords) => records >= maxPollRecords;
}
