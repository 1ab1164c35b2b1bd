using Broker.Protocol;
using Broker.Runtime;

namespace Verify.Clients;

/// <summary>This part: producing. A batch is a retry once it left for a broker and has to leave again.</summary>
public partial class ClientRules
{
    [Rule("Another attempt only while retries are left", "producer setting retries")]
    public virtual bool MayRetry(int attempts, int retries) => attempts <= retries;

    [Rule("A record whose delivery.timeout.ms is over gets its outcome now", "KIP-91")]
    public virtual bool IsDeliveryOver(TimeSpan age, TimeSpan deliveryTimeout) => age >= deliveryTimeout;

    [Rule("These answers to a produce are worth another attempt", "Kafka's RetriableException")]
    public virtual bool IsRetriable(ErrorCode error) => error is ErrorCode.CorruptMessage or ErrorCode.UnknownTopicOrPartition or ErrorCode.LeaderNotAvailable
        or ErrorCode.NotLeaderOrFollower or ErrorCode.RequestTimedOut or ErrorCode.ReplicaNotAvailable or ErrorCode.NetworkException or ErrorCode.CoordinatorLoadInProgress
        or ErrorCode.NotEnoughReplicas or ErrorCode.NotEnoughReplicasAfterAppend or ErrorCode.KafkaStorageError or ErrorCode.ThrottlingQuotaExceeded
        or ErrorCode.FencedLeaderEpoch or ErrorCode.UnknownLeaderEpoch or ErrorCode.UnknownTopicId or ErrorCode.ConcurrentTransactions;

    /// <remarks>Not here: NOT_LEADER_OR_FOLLOWER and UNKNOWN_TOPIC_OR_PARTITION, which Kafka also gives to batches that it appended and could not see replicated; nor anything unknown.</remarks>
    [Rule("These answers say that this attempt appended nothing", "Kafka's ReplicaManager.appendRecords; KAFKA-13574; Jepsen Redpanda 21.10.1")]
    public virtual bool SurelyNotAppended(ErrorCode error) => error is ErrorCode.NotEnoughReplicas or ErrorCode.MessageTooLarge or ErrorCode.RecordListTooLarge
        or ErrorCode.InvalidTopicException or ErrorCode.InvalidRequiredAcks or ErrorCode.InvalidTimestamp or ErrorCode.InvalidRecord or ErrorCode.InvalidRequest
        or ErrorCode.UnsupportedVersion or ErrorCode.UnsupportedForMessageFormat or ErrorCode.UnsupportedCompressionType or ErrorCode.PolicyViolation
        or ErrorCode.TopicAuthorizationFailed or ErrorCode.ClusterAuthorizationFailed or ErrorCode.TransactionalIdAuthorizationFailed
        or ErrorCode.OutOfOrderSequenceNumber or ErrorCode.UnknownProducerId or ErrorCode.InvalidProducerEpoch or ErrorCode.InvalidProducerIdMapping
        or ErrorCode.InvalidTxnState or ErrorCode.ProducerFenced or ErrorCode.ThrottlingQuotaExceeded or ErrorCode.UnknownTopicId;

    [Rule("A change of metadata whose fate is unknown is not asked for again: executed late, the first request would undo what came after it", "seen in simulation: a delete repeated elsewhere, executed after the topic was created anew")]
    public virtual bool MayRepeatChange(bool mayHaveHappened) => !mayHaveHappened;

    [Rule("A request that left and got no answer may have been executed", "catalogue of outcomes: a time-out is never a failure")]
    public virtual bool UnansweredMayHaveHappened() => true;

    [Rule("A leader that is newer than the one of the last attempt is tried without waiting", "KIP-951")]
    public virtual bool SkipsBackoff(int usedEpoch, int knownEpoch) => IsNewerLeadership(usedEpoch, knownEpoch);

    [Rule("A batch leaves when it is full, or has lingered, or somebody waits for the end", "producer settings batch.size, linger.ms")]
    public virtual bool IsReady(bool isClosedToRecords, TimeSpan age, TimeSpan linger, bool isFlushing) => isClosedToRecords || isFlushing || age >= linger;

    [Rule("A record joins a batch that never left and has room", "producer setting batch.size")]
    public virtual bool HasRoom(int batchBytes, int recordBytes, int limit) => batchBytes + recordBytes <= limit;

    [Rule("So many requests may be without an answer on one connection", "max.in.flight.requests.per.connection")]
    public virtual bool MayPipeline(int inFlight, int maxInFlight) => inFlight < maxInFlight;

    [Rule("A batch leaves behind an unanswered one of its partition only if max.in.flight is above 1", "max.in.flight.requests.per.connection; KAFKA-3197")]
    public virtual bool MayFollowUnanswered(int maxInFlight) => maxInFlight > 1;

    [Rule("No batch leaves past an earlier one that waits to be sent again", "KAFKA-3197; Sarama 2619")]
    public virtual bool MayPassRetry() => false;

    [Rule("A numbered batch is sent again only as the oldest unresolved one of its partition", "KAFKA-5494; Kafka's RecordAccumulator")]
    public virtual bool RetryMayLeave(bool isNumbered, bool isOldestNumbered) => !isNumbered || isOldestNumbered;

    [Rule("A partition has at most five numbered batches unresolved: what a broker remembers", "KAFKA-5494")]
    public virtual bool MayNumberAnother(int unresolvedBatches) => unresolvedBatches < 5;

    [Rule("No new numbers while it is unclear whether all given ones arrived", "KIP-360; Kafka's TransactionManager")]
    public virtual bool MayNumberAfterLoss(bool isUnresolved, bool hasGap) => !isUnresolved && !hasGap;

    [Rule("Sequences count records and start at 0 again after 2^31 - 1", "KIP-98")]
    public virtual int SequenceAfter(int sequence, int records) => (int)(((long)sequence + records) & int.MaxValue);

    [Rule("The batch that a broker must accept next starts right behind the last acknowledged one", "KIP-98")]
    public virtual bool IsNextSequence(int expectedSequence, int baseSequence) => expectedSequence == baseSequence;

    [Rule("Of two ends of acknowledged batches the later in the order of sending counts", "KIP-98")]
    public virtual int LaterSequence(int expectedSequence, int acknowledgedEnd) => ((acknowledgedEnd - expectedSequence) & int.MaxValue) < 1 << 30 ? acknowledgedEnd : expectedSequence;

    [Rule("Out of order while nothing before it is on its way: a number is missing for ever", "Kafka's TransactionManager.canRetry")]
    public virtual bool IsGap(bool isNextExpected, bool isOldestNumbered) => isNextExpected || isOldestNumbered;

    [Rule("A number is given to another batch only if its holder was surely not appended", "franz-go 1217; KAFKA-14034")]
    public virtual bool MayReuseSequence(bool mayHaveBeenAppended) => !mayHaveBeenAppended;

    [Rule("A batch goes over to a new producer epoch only if no copy of it can lie under the old one", "stricter than Kafka's TransactionManager, which may duplicate here")]
    public virtual bool MayRenumber(bool mayHaveBeenAppended) => !mayHaveBeenAppended;

    [Rule("A lost number is overcome by the next producer epoch", "KIP-360")]
    public virtual short EpochAfter(short producerEpoch) => (short)(producerEpoch + 1);

    [Rule("After the last epoch a new producer id is asked for", "KIP-360")]
    public virtual bool IsLastEpoch(short producerEpoch) => producerEpoch >= short.MaxValue - 1;

    [Rule("A producer id whose epochs are used up is not used again", "KIP-360")]
    public virtual bool IsSameProducer(long oneId, long otherId) => oneId == otherId;

    [Rule("A producer's first batch in a partition travels alone: a broker that does not know the producer takes any sequence, so a follower could overtake its retry", "Kafka 4.3 as observed; stricter than Kafka's producer")]
    public virtual bool MayFollowFirst(bool isProducerKnown) => isProducerKnown;

    [Rule("These answers mean that the broker and we disagree about the sequence", "Kafka's TransactionManager.handleFailedBatch")]
    public virtual bool IsSequenceTrouble(ErrorCode error) => error is ErrorCode.OutOfOrderSequenceNumber or ErrorCode.UnknownProducerId or ErrorCode.InvalidProducerEpoch;

    [Rule("This answer means that the batch is in the log, further back than the broker remembers offsets", "KIP-98; Kafka's producer reports success without an offset")]
    public virtual bool IsForgottenDuplicate(ErrorCode error) => error is ErrorCode.DuplicateSequenceNumber;

    [Rule("The records of a batch lie one behind the other from its base offset; without one they lie nowhere known", "KIP-98")]
    public virtual long OffsetInBatch(long baseOffset, int index) => baseOffset < 0 ? -1 : baseOffset + index;
}
