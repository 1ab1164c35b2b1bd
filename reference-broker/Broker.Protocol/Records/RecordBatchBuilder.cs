using System.Buffers.Binary;

namespace Broker.Protocol;

/// <summary>Puts records into one batch. Offsets ascend by one from <see cref="BaseOffset"/>, as a producer's do from 0.</summary>
public sealed class RecordBatchBuilder
{
    private byte[] buffer = new byte[256];
    private int size = RecordBatch.HeaderSize;
    private long baseTimestamp;
    private long maxTimestamp;

    public long BaseOffset { get; set; }

    public int PartitionLeaderEpoch { get; set; } = -1;

    public long ProducerId { get; set; } = -1;

    public short ProducerEpoch { get; set; } = -1;

    /// <summary>Sequence of the first record; -1 for a producer that is not idempotent and for control batches.</summary>
    public int BaseSequence { get; set; } = -1;

    public bool IsTransactional { get; set; }

    public bool IsControl { get; set; }

    public int Count { get; private set; }

    /// <summary>What <see cref="ToArray"/> will have.</summary>
    public int SizeInBytes => size;

    /// <param name="timestamp">Milliseconds since 1970.</param>
    /// <param name="key">Null: none.</param>
    /// <param name="value">Null: a tombstone.</param>
    public RecordBatchBuilder Append(long timestamp, ReadOnlyMemory<byte>? key, ReadOnlyMemory<byte>? value, ReadOnlySpan<RecordHeader> headers = default)
    {
        if (Count == 0) baseTimestamp = maxTimestamp = timestamp;
        maxTimestamp = Math.Max(maxTimestamp, timestamp);
        var timestampDelta = timestamp - baseTimestamp;

        var length = 1 + Varint.LengthOf(timestampDelta) + Varint.LengthOf(Count) + LengthOf(key) + LengthOf(value) + Varint.LengthOf(headers.Length);
        foreach (var header in headers) length += LengthOf(header.KeyBytes) + LengthOf(header.Value);
        Reserve(checked(Varint.LengthOf(length) + length));

        WriteVarint(length);
        buffer[size++] = 0;
        WriteVarint(timestampDelta);
        WriteVarint(Count);
        WriteBytes(key);
        WriteBytes(value);
        WriteVarint(headers.Length);
        foreach (var header in headers)
        {
            WriteBytes(header.KeyBytes);
            WriteBytes(header.Value);
        }
        Count++;
        return this;
    }

    /// <summary>The same with arrays, of which null stays null: the compiler turns a null array into empty memory.</summary>
    public RecordBatchBuilder Append(long timestamp, byte[]? key, byte[]? value, ReadOnlySpan<RecordHeader> headers = default) =>
        Append(timestamp, OrNull(key), OrNull(value), headers);

    /// <summary>The batch, with its CRC. The builder can go on, or start anew with <see cref="Clear"/>.</summary>
    public byte[] ToArray()
    {
        var batch = buffer.AsSpan(0, size).ToArray();
        var attributes = (short)((IsTransactional ? RecordBatch.TransactionalBit : 0) | (IsControl ? RecordBatch.ControlBit : 0));
        BinaryPrimitives.WriteInt64BigEndian(batch, BaseOffset);
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(8), size - RecordBatch.LogOverhead);
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(RecordBatch.LeaderEpochAt), PartitionLeaderEpoch);
        batch[RecordBatch.MagicAt] = RecordBatch.CurrentMagic;
        BinaryPrimitives.WriteInt16BigEndian(batch.AsSpan(RecordBatch.AttributesAt), attributes);
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(RecordBatch.LastOffsetDeltaAt), Count - 1);
        BinaryPrimitives.WriteInt64BigEndian(batch.AsSpan(RecordBatch.BaseTimestampAt), baseTimestamp);
        BinaryPrimitives.WriteInt64BigEndian(batch.AsSpan(RecordBatch.MaxTimestampAt), maxTimestamp);
        BinaryPrimitives.WriteInt64BigEndian(batch.AsSpan(RecordBatch.ProducerIdAt), ProducerId);
        BinaryPrimitives.WriteInt16BigEndian(batch.AsSpan(RecordBatch.ProducerEpochAt), ProducerEpoch);
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(RecordBatch.BaseSequenceAt), BaseSequence);
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(RecordBatch.RecordCountAt), Count);
        BinaryPrimitives.WriteUInt32BigEndian(batch.AsSpan(RecordBatch.CrcAt), Crc32C.Compute(batch.AsSpan(RecordBatch.AttributesAt)));
        return batch;
    }

    /// <summary>Drops the records; producer, offset and kind stay.</summary>
    public void Clear()
    {
        size = RecordBatch.HeaderSize;
        Count = 0;
        baseTimestamp = maxTimestamp = 0;
    }

    private static ReadOnlyMemory<byte>? OrNull(byte[]? bytes)
    {
        if (bytes is null) return null;                                 // as a conditional expression this would be empty memory
        return bytes;
    }

    private static int LengthOf(ReadOnlyMemory<byte>? bytes) => bytes is { } some ? Varint.LengthOf(some.Length) + some.Length : 1;

    private void WriteVarint(long value) => size += Varint.Write(buffer.AsSpan(size), value);

    private void WriteBytes(ReadOnlyMemory<byte>? bytes)
    {
        WriteVarint(bytes?.Length ?? -1);
        if (bytes is not { } some) return;
        some.Span.CopyTo(buffer.AsSpan(size));
        size += some.Length;
    }

    private void Reserve(int more)
    {
        var needed = checked(size + more);
        if (needed > buffer.Length) Array.Resize(ref buffer, Math.Max(needed, checked(buffer.Length * 2)));
    }
}
