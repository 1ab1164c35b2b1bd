using Broker.Runtime;

namespace Broker.Core.Fetching;

/// <summary>Decisions about fetch sessions (KIP-227): whether a request belongs to one, and whose place a new one may take.</summary>
public class FetchSessionRules
{
    private const int First = 0, None = -1;

    [Rule("epoch 0 names all partitions anew, epoch -1 too; both end the session they name", "KIP-227: FetchMetadata.isFull")]
    public virtual bool IsFull(int epoch) => epoch is First or None;

    [Rule("epoch 0 asks for a session, epoch -1 for none", "KIP-227: INITIAL_EPOCH, FINAL_EPOCH")]
    public virtual bool AsksForSession(int epoch) => epoch == First;

    [Rule("a request that is not the session's next one is refused: an answer may have been lost", "KIP-227: INVALID_FETCH_SESSION_EPOCH")]
    public virtual bool IsNext(int epoch, int sessionEpoch) => epoch == sessionEpoch;

    [Rule("epochs go up by one, and from the last one to 1: 0 begins a session", "KIP-227: FetchMetadata.nextEpoch")]
    public virtual int EpochAfter(int epoch) => epoch == int.MaxValue ? First + 1 : epoch + 1;

    [Rule("a partition without records is told of when its high watermark or log start is another than told last", "KIP-227: CachedPartition.maybeUpdateResponseData")]
    public virtual bool IsNews(long offset, long told) => offset != told;

    [Rule("a session that was not used for a while may go", "KIP-227: min.incremental.fetch.session.eviction.ms")]
    public virtual bool IsIdle(TimeSpan sinceUsed, TimeSpan protection) => sinceUsed > protection;

    [Rule("a session that has lived for a while gives way to a larger one, and a consumer's to a follower's", "KIP-227: EvictableKey")]
    public virtual bool GivesWay(TimeSpan age, TimeSpan protection, int partitions, bool isFollower, int newPartitions, bool newIsFollower) =>
        age > protection && (isFollower == newIsFollower ? partitions < newPartitions : newIsFollower);
}
