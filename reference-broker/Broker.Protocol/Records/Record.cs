using System.Text;

namespace Broker.Protocol;

/// <summary>One record as it stands in a batch. Key, value and headers are slices of the batch.</summary>
/// <param name="Timestamp">Milliseconds since 1970; the batch's largest one where the topic uses the time of append.</param>
/// <param name="Value">Null is a tombstone.</param>
public readonly record struct Record(long Offset, long Timestamp, ReadOnlyMemory<byte>? Key, ReadOnlyMemory<byte>? Value, RecordHeaders Headers);

/// <summary>One header of a record.</summary>
public readonly record struct RecordHeader(ReadOnlyMemory<byte> KeyBytes, ReadOnlyMemory<byte>? Value)
{
    public RecordHeader(string key, ReadOnlyMemory<byte>? value) : this(Encoding.UTF8.GetBytes(key), value)
    {
    }

    public string Key => Encoding.UTF8.GetString(KeyBytes.Span);
}

/// <summary>The headers of one record, in order. Allocates nothing.</summary>
public readonly struct RecordHeaders
{
    private readonly ReadOnlyMemory<byte> bytes;

    internal RecordHeaders(ReadOnlyMemory<byte> bytes, int count) => (this.bytes, Count) = (bytes, count);

    public int Count { get; }

    public Enumerator GetEnumerator() => new(bytes, Count);

    public struct Enumerator
    {
        private readonly ReadOnlyMemory<byte> bytes;
        private int left;
        private int position;

        internal Enumerator(ReadOnlyMemory<byte> bytes, int count) => (this.bytes, left) = (bytes, count);

        public RecordHeader Current { get; private set; }

        /// <summary>The headers were parsed with their record, so this cannot fail.</summary>
        public bool MoveNext()
        {
            if (left == 0) return false;
            left--;
            RecordEnumerable.TryReadBytes(bytes, bytes.Span, ref position, out var key);
            RecordEnumerable.TryReadBytes(bytes, bytes.Span, ref position, out var value);
            Current = new RecordHeader(key!.Value, value);
            return true;
        }
    }
}

/// <summary>The records of one batch: <c>foreach (var record in batch.Records)</c>. Allocates nothing.</summary>
/// <remarks>Throws <see cref="MalformedFrameException"/> at a record that does not parse, or whose offset is outside the batch, and for a compressed batch.
/// After <see cref="RecordBatch.Validate"/> found nothing, an uncompressed batch does not throw.</remarks>
public readonly struct RecordEnumerable
{
    private readonly RecordBatch batch;

    internal RecordEnumerable(RecordBatch batch) => this.batch = batch;

    public Enumerator GetEnumerator() => new(batch);

    /// <summary>As many records as claimed, offsets ascending one by one, no bytes left over.</summary>
    internal static bool AllParse(RecordBatch batch)
    {
        var enumerator = new Enumerator(batch);
        var count = batch.RecordCount;
        for (var i = 0; i < count; i++)
            if (!enumerator.TryMoveNext(out var offsetDelta) || offsetDelta != i) return false;
        return enumerator.IsAtEnd;
    }

    internal static bool TryReadBytes(ReadOnlyMemory<byte> bytes, ReadOnlySpan<byte> span, ref int position, out ReadOnlyMemory<byte>? value)
    {
        value = null;
        if (!Varint.TryRead32(span, ref position, out var length) || length < -1 || length > span.Length - position) return false;
        if (length < 0) return true;
        value = bytes.Slice(position, length);
        position += length;
        return true;
    }

    public struct Enumerator
    {
        private readonly ReadOnlyMemory<byte> bytes;
        private readonly long baseOffset;
        private readonly long baseTimestamp;
        private readonly long appendTimestamp;
        private readonly int lastOffsetDelta;
        private int left;
        private int position;

        internal Enumerator(RecordBatch batch)
        {
            bytes = batch.Bytes;
            baseOffset = batch.BaseOffset;
            baseTimestamp = batch.BaseTimestamp;
            appendTimestamp = batch.IsLogAppendTime ? batch.MaxTimestamp : -1;
            lastOffsetDelta = batch.LastOffsetDelta;
            left = batch.RecordCount;
            position = RecordBatch.HeaderSize;
            if (batch.Compression != Compression.None) throw new MalformedFrameException($"records are compressed ({batch.Compression}), which is not read here", RecordBatch.AttributesAt);
        }

        public Record Current { get; private set; }

        internal readonly bool IsAtEnd => position == bytes.Length;

        /// <summary>Where in the batch's bytes the next record begins.</summary>
        internal readonly int Position => position;

        public bool MoveNext()
        {
            if (left <= 0) return false;
            left--;
            var start = position;
            if (!TryMoveNext(out var offsetDelta)) throw new MalformedFrameException($"record at byte {start} of its batch does not parse", start);
            if (offsetDelta < 0 || offsetDelta > lastOffsetDelta) throw new MalformedFrameException($"record at byte {start} of its batch has an offset outside the batch", start);
            return true;
        }

        internal bool TryMoveNext(out int offsetDelta)
        {
            offsetDelta = -1;
            var span = bytes.Span;
            if (!Varint.TryRead32(span, ref position, out var length) || length < 0 || length > span.Length - position) return false;
            var end = position + length;
            var record = bytes[..end];
            span = span[..end];
            position++;                                                         // attributes: none are defined
            if (position > end || !Varint.TryRead64(span, ref position, out var timestampDelta) || !Varint.TryRead32(span, ref position, out offsetDelta)) return false;
            if (!TryReadBytes(record, span, ref position, out var key) || !TryReadBytes(record, span, ref position, out var value)) return false;
            if (!Varint.TryRead32(span, ref position, out var headers) || headers < 0 || headers > end - position) return false;
            var headersStart = position;
            for (var i = 0; i < headers; i++)
                if (!TryReadBytes(record, span, ref position, out var headerKey) || headerKey is null || !TryReadBytes(record, span, ref position, out _)) return false;
            if (position != end) return false;
            Current = new Record(baseOffset + offsetDelta, appendTimestamp >= 0 ? appendTimestamp : baseTimestamp + timestampDelta, key, value, new RecordHeaders(record[headersStart..], headers));
            return true;
        }
    }
}
