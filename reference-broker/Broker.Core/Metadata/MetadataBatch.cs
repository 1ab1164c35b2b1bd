using Broker.Protocol;

namespace Broker.Core.Metadata;

/// <summary>Metadata records to record batches and back. The metadata log also holds control batches, which say nothing about metadata.</summary>
public static class MetadataBatch
{
    /// <summary>One batch, so that its records are committed together. Offsets and epoch are the log's business.</summary>
    /// <param name="timestamp">Milliseconds since 1970.</param>
    public static byte[] Build(IReadOnlyList<MetadataRecord> records, long timestamp)
    {
        var builder = new RecordBatchBuilder();
        foreach (var record in records) builder.Append(timestamp, null, MetadataRecordCodec.Encode(record));
        return builder.ToArray();
    }

    /// <summary>The records with their offsets; none for a control batch. Throws <see cref="MalformedFrameException"/> on bytes that are no metadata records.</summary>
    public static IEnumerable<(long Offset, MetadataRecord Record)> Read(RecordBatch batch)
    {
        if (batch.IsControl) yield break;
        foreach (var record in batch.Records)
            yield return (record.Offset, MetadataRecordCodec.Decode(record.Value?.ToArray() ?? []));
    }
}
