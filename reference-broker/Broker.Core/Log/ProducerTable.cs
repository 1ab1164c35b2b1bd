using Broker.Protocol;

namespace Broker.Core.Log;

/// <summary>What one log knows of idempotent producers: their epoch and last few batches. Rebuilt from the log's own batches.</summary>
public sealed class ProducerTable(ProducerRules rules)
{
    private readonly Dictionary<long, Producer> producers = [];

    /// <summary>What to do with a batch about to be appended by the leader: append (None), answer as the duplicate it is, or refuse.</summary>
    public (ErrorCode Error, long DuplicateOf) Judge(in RecordBatch batch)
    {
        if (!batch.HasProducerId || !producers.TryGetValue(batch.ProducerId, out var known)) return (ErrorCode.None, -1);
        if (rules.IsFenced(batch.ProducerEpoch, known.Epoch)) return (ErrorCode.InvalidProducerEpoch, -1);
        if (rules.IsNewEpoch(batch.ProducerEpoch, known.Epoch))
            return (rules.MayStartEpoch(batch.BaseSequence) ? ErrorCode.None : ErrorCode.OutOfOrderSequenceNumber, -1);

        var last = batch.LastSequence;
        foreach (var earlier in known.Batches)
            if (rules.IsDuplicate(batch.BaseSequence, last, earlier.First, earlier.Last)) return (ErrorCode.None, earlier.BaseOffset);

        return (rules.Follows(batch.BaseSequence, known.Batches[^1].Last) ? ErrorCode.None : ErrorCode.OutOfOrderSequenceNumber, -1);
    }

    /// <summary>Remembers a batch that is in the log now.</summary>
    public void Note(in RecordBatch batch, long baseOffset)
    {
        if (!batch.HasProducerId) return;
        if (!producers.TryGetValue(batch.ProducerId, out var known) || rules.IsNewEpoch(batch.ProducerEpoch, known.Epoch))
            producers[batch.ProducerId] = known = new Producer(batch.ProducerEpoch);
        known.Batches.Add((batch.BaseSequence, batch.LastSequence, baseOffset));
        if (known.Batches.Count > rules.RememberedBatches()) known.Batches.RemoveAt(0);
    }

    /// <summary>Whether a stored batch is one of its producer's last few: if it vanished, so would what is known of the producer.</summary>
    public bool Remembers(in RecordBatch stored)
    {
        if (!stored.HasProducerId || !producers.TryGetValue(stored.ProducerId, out var known)) return false;
        var (first, last) = (stored.BaseSequence, stored.LastSequence);
        return known.Batches.Exists(batch => rules.IsDuplicate(first, last, batch.First, batch.Last));
    }

    public void Describe(List<long> into)
    {
        into.Add(producers.Count);
        foreach (var id in producers.Keys.Order())
        {
            into.AddRange([id, producers[id].Epoch, producers[id].Batches.Count]);
            foreach (var (first, last, offset) in producers[id].Batches) into.AddRange([first, last, offset]);
        }
    }

    public void Restore(Queue<long> from)
    {
        for (var left = from.Dequeue(); left > 0; left--)
        {
            var known = producers[from.Dequeue()] = new Producer((int)from.Dequeue());
            for (var batches = from.Dequeue(); batches > 0; batches--) known.Batches.Add(((int)from.Dequeue(), (int)from.Dequeue(), from.Dequeue()));
        }
    }

    public void Clear() => producers.Clear();

    private sealed record Producer(int Epoch)
    {
        public List<(int First, int Last, long BaseOffset)> Batches { get; } = [];
    }
}
