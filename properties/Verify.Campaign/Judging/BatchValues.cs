using System.Runtime.InteropServices;
using Broker.Protocol;
using Broker.Runtime;
using Verify.Workloads;

namespace Verify.Campaign.Judging;

/// <summary>The workload's values in what observations carry: batches as sent or stored, and frames of produce requests.</summary>
internal static class BatchValues
{
    /// <summary>Adds the values of all records, in order; -1 for a record that holds none of ours.</summary>
    /// <param name="batches">Whole batches, one behind the other; what is no batch ends the reading.</param>
    /// <param name="most">No more values than this.</param>
    public static void Read(ReadOnlyMemory<byte> batches, List<long> into, long most = long.MaxValue)
    {
        foreach (var batch in new RecordBatches(batches))
        {
            if (into.Count >= most) return;
            foreach (var record in batch.Records)
                if (into.Count < most) into.Add(ValueBytes.Of(record));
        }
    }

    /// <summary>The values of stored batches with the offsets at which they lie: in compacted logs some are missing.</summary>
    /// <param name="end">Batches from here on were not taken.</param>
    public static IEnumerable<(long Offset, long Value)> Placed(ReadOnlyMemory<byte> batches, long end)
    {
        var placed = new List<(long, long)>();
        foreach (var batch in new RecordBatches(batches))
        {
            if (batch.BaseOffset >= end) break;
            foreach (var record in batch.Records) placed.Add((record.Offset, ValueBytes.Of(record)));
        }
        return placed;
    }

    /// <summary>The value of the first record: it names the batch, since every value is sent in one batch only. -1 when there is none.</summary>
    public static long First(ReadOnlyMemory<byte> batch, out long producerId)
    {
        producerId = -1;
        if (!RecordBatch.TryRead(batch, out var first, out _)) return -1;
        producerId = first.ProducerId;
        foreach (var record in first.Records) return ValueBytes.Of(record);
        return -1;
    }

    /// <summary>What a produce request carries for each partition.</summary>
    public static IEnumerable<(TopicPartition Partition, ReadOnlyMemory<byte> Batch)> OfRequest(ReadOnlyMemory<byte> frame)
    {
        var bytes = MemoryMarshal.TryGetArray(frame, out var segment) && segment.Offset == 0 && segment.Count == segment.Array!.Length ? segment.Array : frame.ToArray();
        var request = RequestFrame.Decode<ProduceRequest>(bytes, RequestFrame.ReadHeader(bytes));
        foreach (var topic in request.TopicData)
            foreach (var data in topic.PartitionData)
                if (data.Records is { } records) yield return (new TopicPartition(topic.Name, data.Index), records);
    }
}
