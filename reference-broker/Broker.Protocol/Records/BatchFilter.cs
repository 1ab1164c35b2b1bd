using System.Buffers.Binary;
using System.IO.Compression;

namespace Broker.Protocol;

/// <summary>Batches with some of their records left out, as compaction stores them. Offsets, sequences and leader epoch stay as they were, also where no record is left. Source: KIP-98, Kafka's MemoryRecords.filterTo.</summary>
public static class BatchFilter
{
    /// <summary>Records that grow past this when they are decompressed are left as they are.</summary>
    public const int MostDecompressedBytes = 64 << 20;

    /// <summary>The batch with its records as plain bytes: itself, or decompressed. False where there is no codec here for its compression (snappy, lz4, zstd) or what comes out are no records.</summary>
    public static bool TryOpen(in RecordBatch batch, out RecordBatch opened)
    {
        opened = batch;
        if (batch.Compression == Compression.Gzip)
        {
            if (Decompressed(batch.Bytes[RecordBatch.HeaderSize..]) is not { } records) return false;
            RecordBatch.TryRead(WithRecords(batch, records, Compression.None, batch.RecordCount, batch.MaxTimestamp), out opened, out _);
        }
        return opened.Compression == Compression.None && Parses(opened);
    }

    /// <summary>A batch that was opened, with those records alone that are to stay, compressed as the original was. The latest timestamp is that of what is left, -1 where nothing is.</summary>
    /// <param name="original">As it was stored.</param>
    /// <param name="opened">The same from <see cref="TryOpen"/>.</param>
    public static byte[] Keep(in RecordBatch original, in RecordBatch opened, Func<Record, bool> stays)
    {
        var bytes = opened.Bytes.Span;
        var kept = new byte[bytes.Length - RecordBatch.HeaderSize];
        var (size, count, latest, from) = (0, 0, -1L, RecordBatch.HeaderSize);
        for (var records = opened.Records.GetEnumerator(); records.MoveNext(); from = records.Position)
        {
            if (!stays(records.Current)) continue;
            bytes[from..records.Position].CopyTo(kept.AsSpan(size));
            size += records.Position - from;
            count++;
            latest = Math.Max(latest, records.Current.Timestamp);
        }
        var payload = count > 0 && original.Compression == Compression.Gzip ? Compressed(kept.AsSpan(0, size)) : kept.AsSpan(0, size).ToArray();
        return WithRecords(original, payload, count > 0 ? original.Compression : Compression.None, count, original.IsLogAppendTime ? original.MaxTimestamp : latest);
    }

    private static byte[] WithRecords(in RecordBatch batch, byte[] records, Compression compression, int count, long maxTimestamp)
    {
        var bytes = new byte[RecordBatch.HeaderSize + records.Length];
        batch.Bytes.Span[..RecordBatch.HeaderSize].CopyTo(bytes);
        records.CopyTo(bytes.AsSpan(RecordBatch.HeaderSize));
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(8), bytes.Length - RecordBatch.LogOverhead);
        BinaryPrimitives.WriteInt16BigEndian(bytes.AsSpan(RecordBatch.AttributesAt), (short)(batch.Attributes & ~RecordBatch.CompressionMask | (int)compression));
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(RecordBatch.MaxTimestampAt), maxTimestamp);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(RecordBatch.RecordCountAt), count);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(RecordBatch.CrcAt), Crc32C.Compute(bytes.AsSpan(RecordBatch.AttributesAt)));
        return bytes;
    }

    /// <summary>As many records as the header claims, within the batch, and no bytes left over.</summary>
    private static bool Parses(RecordBatch batch)
    {
        var records = batch.Records.GetEnumerator();
        for (var left = batch.RecordCount; left > 0; left--)
            if (!records.TryMoveNext(out var delta) || delta < 0 || delta > batch.LastOffsetDelta) return false;
        return records.IsAtEnd;
    }

    private static byte[]? Decompressed(ReadOnlyMemory<byte> records)
    {
        using var from = new GZipStream(new MemoryStream(records.ToArray()), CompressionMode.Decompress);
        using var into = new MemoryStream();
        var piece = new byte[16 << 10];
        try
        {
            while (from.Read(piece) is > 0 and var read)
            {
                if (into.Length + read > MostDecompressedBytes) return null;
                into.Write(piece, 0, read);
            }
        }
        catch (InvalidDataException)
        {
            return null;
        }
        return into.ToArray();
    }

    private static byte[] Compressed(ReadOnlySpan<byte> records)
    {
        using var into = new MemoryStream();
        using (var gzip = new GZipStream(into, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(records);
        return into.ToArray();
    }
}
