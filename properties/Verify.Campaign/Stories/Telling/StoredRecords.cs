using Broker.Protocol;
using Verify.Workloads;

namespace Verify.Campaign.Stories.Telling;

/// <summary>What is in the batches that an observation carries.</summary>
internal static class StoredRecords
{
    /// <summary>Value and offset of each record, as far as the bytes parse.</summary>
    /// <param name="from">Offset of the first record: batches as sent do not know theirs.</param>
    public static IEnumerable<(long Value, long Offset)> Of(ReadOnlyMemory<byte> batches, long from)
    {
        var next = from;
        foreach (var batch in new RecordBatches(batches))
        {
            var moved = next - batch.BaseOffset;
            next += batch.LastOffsetDelta + 1;
            if (batch.IsControl || batch.Compression != Compression.None) continue;
            var found = new List<(long, long)>();
            try
            {
                foreach (var record in batch.Records)
                    if (record.Value is { } value) found.Add((ValueBytes.Read(value.Span), record.Offset + moved));
            }
            catch (MalformedFrameException)                            // a damaged batch is told as far as it can be read
            {
            }
            foreach (var one in found) yield return one;
        }
    }
}
