using Broker.Protocol;

namespace Verify.Clients;

/// <summary>What a consumer may see of fetched batches.</summary>
internal static class FetchedRecords
{
    /// <summary>Visible records from the position on, in order.</summary>
    /// <param name="end">The offset after the last whole batch; the position when there is none.</param>
    /// <returns>False when bytes are no batch or fail their checksum; what stood before them is taken.</returns>
    public static bool TryRead(FetchResponse.PartitionData data, long position, bool readCommitted, ClientRules rules, List<ConsumedRecord> into, out long end)
    {
        end = position;
        if (data.Records is not { Length: > 0 } bytes) return true;
        var aborted = new AbortedProducers(data.AbortedTransactions, rules);
        var batches = new RecordBatches(bytes).GetEnumerator();
        try
        {
            while (batches.MoveNext())
            {
                var batch = batches.Current;
                if (!batch.HasValidCrc) return false;
                if (rules.IsWanted(batch.LastOffset, position))
                {
                    aborted.Reach(batch.LastOffset);
                    if (batch.IsControl) aborted.PassMarker(batch);
                    else if (rules.IsVisible(readCommitted, batch.IsTransactional, aborted.Contains(batch.ProducerId))) Copy(batch, position, rules, into);
                    end = rules.PositionAfter(batch.LastOffset);
                }
            }
        }
        catch (MalformedFrameException)
        {
            return false;
        }
        return batches.Problem is BatchProblem.None or BatchProblem.Truncated;       // the last batch may be cut by the size limit
    }

    private static void Copy(RecordBatch batch, long position, ClientRules rules, List<ConsumedRecord> into)
    {
        foreach (var record in batch.Records)
            if (rules.IsWanted(record.Offset, position))
                into.Add(new ConsumedRecord(record.Offset, record.Key?.ToArray(), record.Value?.ToArray(), record.Timestamp, batch.PartitionLeaderEpoch, HeadersOf(record)));
    }

    private static List<RecordHeader>? HeadersOf(in Record record)
    {
        if (record.Headers.Count == 0) return null;
        var headers = new List<RecordHeader>(record.Headers.Count);
        foreach (var header in record.Headers) headers.Add(new RecordHeader(header.KeyBytes.ToArray(), header.Value?.ToArray()));
        return headers;
    }

    /// <summary>Producers whose transaction, open at the batch being read, was aborted. Source: KIP-98, the aborted transactions of a fetch.</summary>
    private sealed class AbortedProducers(List<AbortedTransaction>? told, ClientRules rules)
    {
        private readonly Queue<AbortedTransaction> ahead = new((told ?? []).OrderBy(transaction => transaction.FirstOffset));
        private readonly HashSet<long> open = [];

        public bool Contains(long producerId) => open.Contains(producerId);

        public void Reach(long lastOffset)
        {
            while (ahead.TryPeek(out var next) && rules.HasBegun(next.FirstOffset, lastOffset)) open.Add(ahead.Dequeue().ProducerId);
        }

        /// <summary>A marker ends its producer's transaction, whichever way.</summary>
        public void PassMarker(RecordBatch marker) => open.Remove(marker.ProducerId);
    }
}
