using Broker.Runtime;

namespace Broker.Core.Log;

/// <summary>Decisions about idempotent producers (KIP-98, KIP-360). Sequences run from 0 to 2^31-1 and wrap.</summary>
public class ProducerRules
{
    [Rule("a batch of an older producer epoch is refused", "KIP-98: INVALID_PRODUCER_EPOCH")]
    public virtual bool IsFenced(int batchEpoch, int knownEpoch) => batchEpoch < knownEpoch;

    [Rule("a newer producer epoch starts its sequences anew", "KIP-360")]
    public virtual bool IsNewEpoch(int batchEpoch, int knownEpoch) => batchEpoch > knownEpoch;

    [Rule("the first sequence of a new producer epoch is 0", "KIP-360: OUT_OF_ORDER_SEQUENCE_NUMBER")]
    public virtual bool MayStartEpoch(int firstSequence) => firstSequence == 0;

    [Rule("a batch with the same first and last sequence as a remembered one is that batch again", "KIP-98: a duplicate is answered with its first offset")]
    public virtual bool IsDuplicate(int firstSequence, int lastSequence, int knownFirstSequence, int knownLastSequence) =>
        firstSequence == knownFirstSequence && lastSequence == knownLastSequence;

    [Rule("a batch follows when its first sequence is one past the last, wrapping at 2^31-1", "KIP-98: OUT_OF_ORDER_SEQUENCE_NUMBER")]
    public virtual bool Follows(int firstSequence, int lastKnownSequence) =>
        firstSequence == (lastKnownSequence == int.MaxValue ? 0 : lastKnownSequence + 1);

    [Rule("the last five batches of a producer are remembered", "KIP-98: max.in.flight.requests.per.connection is at most 5")]
    public virtual int RememberedBatches() => 5;

    [Rule("a follower learns the sequences of what it replicates", "KIP-98; KAFKA-5249, KAFKA-9892")]
    public virtual bool LearnsFromReplication() => true;
}
