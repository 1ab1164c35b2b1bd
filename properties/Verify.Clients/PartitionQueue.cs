using Broker.Protocol;
using Broker.Runtime;

namespace Verify.Clients;

/// <summary>
/// The batches of one partition in the order of sending, from the first call until their fate is known, and the numbers that an idempotent producer gives them.
/// Decides which batch may leave and what an answer means; does no I/O.
/// </summary>
/// <remarks>
/// Numbers (producer id, epoch, sequence) follow KIP-98 and KIP-360, with the epoch kept per partition, as brokers keep it. When a number is lost, the next epoch starts at sequence 0;
/// batches that may lie in the log under their old number then end as info, where Kafka's producer would send them again and may duplicate them.
/// </remarks>
internal sealed class PartitionQueue(TopicPartition partition, ProducerSettings settings, ClientRules rules)
{
    private readonly List<ProducerBatch> batches = [];
    private bool isUnresolved, hasGap, isIdentified, isProducerKnown;
    private int nextSequence, expectedSequence;

    public TopicPartition Partition => partition;

    public int Count => batches.Count;

    /// <summary>When the next delivery time-out is due: the oldest batch without an outcome decides.</summary>
    public TimeSpan? NextDeadline => batches.Find(static b => !b.IsConcluded)?.Created + settings.DeliveryTimeout;

    /// <summary>-1 until <see cref="Identify"/>.</summary>
    public long ProducerId { get; private set; } = -1;

    public short ProducerEpoch { get; private set; } = -1;

    /// <summary>The producer id whose epochs are used up; -1 for none.</summary>
    public long ExhaustedId { get; private set; } = -1;

    /// <summary>An idempotent partition cannot send before it has a producer id.</summary>
    public bool NeedsIdentity => settings.EnableIdempotence && !isIdentified;

    /// <summary>The batch that a record of this size may join, or a new one.</summary>
    public ProducerBatch BatchFor(int recordBytes, TimeSpan now)
    {
        if (batches.Count > 0)
        {
            var last = batches[^1];
            if (!last.IsClosedToRecords && rules.HasRoom(last.Bytes, recordBytes, settings.BatchBytes)) return last;
            last.IsClosedToRecords = true;
        }
        var batch = new ProducerBatch(partition, now);
        batches.Add(batch);
        return batch;
    }

    public void Identify(long producerId, short producerEpoch)
    {
        isIdentified = true;
        StartSequences(producerId, producerEpoch);
    }

    /// <summary>The one batch that may leave now, if any. <paramref name="wake"/> becomes the time at which another look is worth it, if that is sooner.</summary>
    public ProducerBatch? NextToLeave(TimeSpan now, int leaderEpoch, bool isFlushing, ref TimeSpan wake)
    {
        int inFlight = 0, numbered = 0;
        var isRetryWaiting = false;
        foreach (var batch in batches)
        {
            var isOldestNumbered = numbered == 0;
            if (batch.IsNumbered) numbered++;
            if (batch.IsInFlight)
            {
                inFlight++;
                continue;
            }
            if (inFlight > 0 && !rules.MayFollowUnanswered(settings.MaxInFlight)) return null;
            if (isRetryWaiting && !rules.MayPassRetry()) return null;
            if (settings.EnableIdempotence && !batch.IsNumbered && !MayNumber(numbered)) return null;
            if (hasGap) return null;                                   // until everything on its way is back
            if (!batch.IsRetry) return IsReady(batch, now, isFlushing, ref wake) ? batch : null;
            if (IsDue(batch, now, leaderEpoch, ref wake) && rules.RetryMayLeave(batch.IsNumbered, isOldestNumbered)) return batch;
            isRetryWaiting = true;
        }
        return null;
    }

    public void Leaves(ProducerBatch batch, int leaderEpoch)
    {
        if (settings.EnableIdempotence && !batch.IsNumbered)
        {
            batch.Number(ProducerId, ProducerEpoch, nextSequence);
            nextSequence = rules.SequenceAfter(nextSequence, batch.Count);
        }
        batch.IsClosedToRecords = true;
        batch.IsInFlight = true;
        batch.Attempts++;
        batch.UsedEpoch = leaderEpoch;
    }

    /// <summary>The broker has it.</summary>
    public void Acknowledged(ProducerBatch batch)
    {
        batch.IsInFlight = false;
        batches.Remove(batch);
        if (!batch.IsNumbered) return;
        isProducerKnown = true;
        expectedSequence = rules.LaterSequence(expectedSequence, rules.SequenceAfter(batch.BaseSequence, batch.Count));
    }

    /// <summary>The attempt did not succeed. True: the batch waits to leave again; false: it is at its end, and out of the queue.</summary>
    public bool Unsuccessful(ProducerBatch batch, ErrorCode error, bool mayHaveBeenAppended, bool isRetriable, TimeSpan now, double draw)
    {
        batch.IsInFlight = false;
        batch.LastError = error;
        batch.MayHaveBeenAppended |= mayHaveBeenAppended;
        if (batch.IsNumbered && rules.IsSequenceTrouble(error))
        {
            isRetriable = true;
            hasGap |= error is not ErrorCode.OutOfOrderSequenceNumber
                || rules.IsGap(rules.IsNextSequence(expectedSequence, batch.BaseSequence), batches.Find(static b => b.IsNumbered) == batch);
        }
        if (isRetriable && !batch.IsConcluded && rules.MayRetry(batch.Attempts, settings.Retries))
        {
            batch.NotBefore = now + rules.Backoff(settings.Connection.RetryBackoff, settings.Connection.MaxRetryBackoff, batch.Attempts, draw);
            return true;
        }
        Drop(batch);
        return false;
    }

    /// <summary>It could not leave after all: as if it had not been tried.</summary>
    public void CameBack(ProducerBatch batch)
    {
        batch.IsInFlight = false;
        batch.Attempts--;
    }

    /// <summary>Takes out a batch that ends without success, and sees what becomes of its number.</summary>
    public void Drop(ProducerBatch batch)
    {
        batches.Remove(batch);
        if (!batch.IsNumbered || TakesNumberBack(batch, batch.MayHaveBeenAppended)) return;
        if (batch.MayHaveBeenAppended) isUnresolved = true;
        else hasGap = true;
    }

    /// <summary>Its records get their outcome while it is on its way. It stays in the queue until the answer has told about its number.</summary>
    public void Abandon(ProducerBatch batch)
    {
        if (batch.IsNumbered && TakesNumberBack(batch, batch.MayHaveBeenAppended || rules.UnansweredMayHaveHappened())) batch.TakeNumberBack();
    }

    /// <summary>Batches whose delivery time is over, oldest first.</summary>
    public List<ProducerBatch> Overdue(TimeSpan now) => batches.FindAll(batch => !batch.IsConcluded && rules.IsDeliveryOver(now - batch.Created, settings.DeliveryTimeout));

    /// <summary>
    /// Once nothing numbered is on its way: either all numbers turn out to have arrived, or a new producer epoch begins. Returns the batches that end here because they cannot change their number.
    /// </summary>
    public List<ProducerBatch> Settle()
    {
        List<ProducerBatch> ended = [];
        if (!(isUnresolved || hasGap) || batches.Exists(static b => b.IsInFlight)) return ended;
        var hasNumbered = batches.Exists(static b => b.IsNumbered);
        if (!hasGap && hasNumbered) return ended;                      // their answers will tell
        if (!hasGap && rules.IsNextSequence(expectedSequence, nextSequence))
        {
            isUnresolved = false;
            return ended;
        }
        foreach (var batch in batches)
        {
            if (!batch.IsNumbered) continue;
            if (rules.MayRenumber(batch.MayHaveBeenAppended)) batch.TakeNumberBack();
            else ended.Add(batch);
        }
        foreach (var batch in ended) batches.Remove(batch);
        BeginNextEpoch();
        return ended;
    }

    private bool TakesNumberBack(ProducerBatch batch, bool mayHaveBeenAppended)
    {
        var isLastNumbered = rules.IsNextSequence(nextSequence, rules.SequenceAfter(batch.BaseSequence, batch.Count));
        if (!isLastNumbered || !rules.MayReuseSequence(mayHaveBeenAppended)) return false;
        nextSequence = batch.BaseSequence;
        return true;
    }

    private void BeginNextEpoch()
    {
        if (rules.IsLastEpoch(ProducerEpoch))
        {
            ExhaustedId = ProducerId;
            isIdentified = isProducerKnown = false;
            StartSequences(-1, -1);
        }
        else StartSequences(ProducerId, rules.EpochAfter(ProducerEpoch));
    }

    private void StartSequences(long producerId, short producerEpoch)
    {
        (ProducerId, ProducerEpoch, nextSequence, expectedSequence) = (producerId, producerEpoch, 0, 0);
        isUnresolved = hasGap = false;
    }

    private bool MayNumber(int numbered) =>
        rules.MayNumberAnother(numbered) && rules.MayNumberAfterLoss(isUnresolved, hasGap) && (numbered == 0 || rules.MayFollowFirst(isProducerKnown));

    private bool IsReady(ProducerBatch batch, TimeSpan now, bool isFlushing, ref TimeSpan wake)
    {
        if (rules.IsReady(batch.IsClosedToRecords, now - batch.Created, settings.Linger, isFlushing)) return true;
        wake = ClusterMetadata.Shorter(wake, batch.Created + settings.Linger);
        return false;
    }

    private bool IsDue(ProducerBatch batch, TimeSpan now, int leaderEpoch, ref TimeSpan wake)
    {
        if (rules.IsDue(now, batch.NotBefore) || rules.SkipsBackoff(batch.UsedEpoch, leaderEpoch)) return true;
        wake = ClusterMetadata.Shorter(wake, batch.NotBefore);
        return false;
    }
}
