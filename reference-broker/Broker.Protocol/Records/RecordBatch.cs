using System.Buffers.Binary;

namespace Broker.Protocol;

/// <summary>Why bytes do not start with a record batch.</summary>
public enum BatchProblem : byte
{
    None,

    /// <summary>The bytes end before the batch does: cut by a size limit, or torn.</summary>
    Truncated,

    /// <summary>The batch claims a length that no batch has.</summary>
    BadLength,

    /// <summary>Message format 0 or 1, from before Kafka 0.11.</summary>
    OldMagic,

    /// <summary>A format that nobody knows.</summary>
    UnknownMagic,
}

/// <summary>How a batch's records are compressed: bits 0-2 of its attributes.</summary>
public enum Compression : byte
{
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

/// <summary>
/// A view of one record batch, format v2: 61 bytes of header, then records. Whole by construction; whether what it says is true is <see cref="Validate"/>'s business.
/// Make one with <see cref="TryRead"/>. Source: KIP-98, Kafka's documentation of the record batch.
/// </summary>
/// <remarks>The CRC covers everything from the attributes on: base offset and leader epoch can be stamped without touching it.</remarks>
public readonly struct RecordBatch
{
    public const int HeaderSize = 61;
    public const byte CurrentMagic = 2;

    /// <summary>Base offset and batch length, which the batch length does not count.</summary>
    internal const int LogOverhead = 12;

    internal const int LeaderEpochAt = 12, MagicAt = 16, CrcAt = 17, AttributesAt = 21, LastOffsetDeltaAt = 23, BaseTimestampAt = 27, MaxTimestampAt = 35;
    internal const int ProducerIdAt = 43, ProducerEpochAt = 51, BaseSequenceAt = 53, RecordCountAt = 57;
    internal const short CompressionMask = 7, LogAppendTimeBit = 8, TransactionalBit = 16, ControlBit = 32;

    private readonly ReadOnlyMemory<byte> bytes;

    private RecordBatch(ReadOnlyMemory<byte> bytes) => this.bytes = bytes;

    /// <summary>The batch as it is stored and sent.</summary>
    public ReadOnlyMemory<byte> Bytes => bytes;

    public int SizeInBytes => bytes.Length;

    public long BaseOffset => BinaryPrimitives.ReadInt64BigEndian(bytes.Span);

    /// <summary>As on the wire: 12 less than <see cref="SizeInBytes"/>.</summary>
    public int BatchLength => BinaryPrimitives.ReadInt32BigEndian(bytes.Span[8..]);

    /// <summary>Arbitrary in a produce request; stamped by the leader that appends.</summary>
    public int PartitionLeaderEpoch => BinaryPrimitives.ReadInt32BigEndian(bytes.Span[LeaderEpochAt..]);

    public byte Magic => bytes.Span[MagicAt];

    public uint Crc => BinaryPrimitives.ReadUInt32BigEndian(bytes.Span[CrcAt..]);

    public short Attributes => BinaryPrimitives.ReadInt16BigEndian(bytes.Span[AttributesAt..]);

    public int LastOffsetDelta => BinaryPrimitives.ReadInt32BigEndian(bytes.Span[LastOffsetDeltaAt..]);

    /// <summary>Milliseconds since 1970, of the first record.</summary>
    public long BaseTimestamp => BinaryPrimitives.ReadInt64BigEndian(bytes.Span[BaseTimestampAt..]);

    /// <summary>Milliseconds since 1970, the latest of all records.</summary>
    public long MaxTimestamp => BinaryPrimitives.ReadInt64BigEndian(bytes.Span[MaxTimestampAt..]);

    /// <summary>-1 for a producer that is not idempotent.</summary>
    public long ProducerId => BinaryPrimitives.ReadInt64BigEndian(bytes.Span[ProducerIdAt..]);

    public short ProducerEpoch => BinaryPrimitives.ReadInt16BigEndian(bytes.Span[ProducerEpochAt..]);

    /// <summary>Sequence of the first record; -1 for a producer that is not idempotent and for control batches.</summary>
    public int BaseSequence => BinaryPrimitives.ReadInt32BigEndian(bytes.Span[BaseSequenceAt..]);

    public int RecordCount => BinaryPrimitives.ReadInt32BigEndian(bytes.Span[RecordCountAt..]);

    public Compression Compression => (Compression)(Attributes & CompressionMask);

    public bool IsLogAppendTime => (Attributes & LogAppendTimeBit) != 0;

    public bool IsTransactional => (Attributes & TransactionalBit) != 0;

    public bool IsControl => (Attributes & ControlBit) != 0;

    public bool HasProducerId => ProducerId >= 0;

    public long LastOffset => BaseOffset + LastOffsetDelta;

    public long NextOffset => LastOffset + 1;

    /// <summary>Sequence of the last record; sequences go round from 2^31 - 1 to 0.</summary>
    public int LastSequence => BaseSequence < 0 ? -1 : (int)(((long)BaseSequence + LastOffsetDelta) & int.MaxValue);

    /// <summary>The records, in order; nothing is copied or allocated.</summary>
    public RecordEnumerable Records => new(this);

    /// <summary>Looks at the batch with which the bytes start. Others may follow it.</summary>
    /// <param name="problem">Why there is none, when false.</param>
    public static bool TryRead(ReadOnlyMemory<byte> from, out RecordBatch batch, out BatchProblem problem)
    {
        batch = default;
        var span = from.Span;
        problem = Look(span, out var size);
        if (problem != BatchProblem.None) return false;
        batch = new RecordBatch(from[..size]);
        return true;
    }

    /// <summary>Writes what a leader adds to a batch that it appends; the CRC does not cover it.</summary>
    public static void Stamp(Span<byte> batch, long baseOffset, int leaderEpoch)
    {
        BinaryPrimitives.WriteInt64BigEndian(batch, baseOffset);
        BinaryPrimitives.WriteInt32BigEndian(batch[LeaderEpochAt..], leaderEpoch);
    }

    /// <summary>A copy whose records are all of one time, the broker's: message.timestamp.type=LogAppendTime.</summary>
    public RecordBatch WithAppendTime(long timestampMs)
    {
        var copy = bytes.ToArray();
        BinaryPrimitives.WriteInt16BigEndian(copy.AsSpan(AttributesAt), (short)(Attributes | LogAppendTimeBit));
        BinaryPrimitives.WriteInt64BigEndian(copy.AsSpan(MaxTimestampAt), timestampMs);
        BinaryPrimitives.WriteUInt32BigEndian(copy.AsSpan(CrcAt), Crc32C.Compute(copy.AsSpan(AttributesAt)));
        return new RecordBatch(copy);
    }

    /// <summary>Whether the batch is what it says: <see cref="ErrorCode.CorruptMessage"/> when the CRC is wrong, <see cref="ErrorCode.InvalidRecord"/>
    /// when the counts are or (of uncompressed batches) a record does not parse.</summary>
    public ErrorCode Validate()
    {
        if (!HasValidCrc) return ErrorCode.CorruptMessage;
        if (Compression > Compression.Zstd) return ErrorCode.UnknownServerError;   // as Kafka answers it
        if (RecordCount <= 0 || LastOffsetDelta != RecordCount - 1) return ErrorCode.InvalidRecord;
        return Compression == Compression.None && !RecordEnumerable.AllParse(this) ? ErrorCode.InvalidRecord : ErrorCode.None;
    }

    public bool HasValidCrc => Crc == Crc32C.Compute(bytes.Span[AttributesAt..]);

    /// <summary>
    /// What a leader checks before it appends what a client produced (v3 and later) for one partition: exactly one whole batch, intact, with base offset 0 and no control records.
    /// The error codes are those that Kafka 4.3 answers.
    /// </summary>
    /// <param name="batch">The batch, when the answer is <see cref="ErrorCode.None"/>.</param>
    public static ErrorCode ValidateProduced(ReadOnlyMemory<byte>? records, out RecordBatch batch)
    {
        batch = default;
        if (records is not { Length: > 0 } given) return ErrorCode.InvalidRecord;
        if (!TryRead(given, out var first, out var problem))
            return problem is BatchProblem.UnknownMagic or BatchProblem.BadLength ? ErrorCode.CorruptMessage : ErrorCode.InvalidRecord;
        if (first.BaseOffset != 0 || first is { ProducerId: >= 0, BaseSequence: < 0 }) return ErrorCode.InvalidRecord;
        if (first.Validate() is var error and not ErrorCode.None) return error;
        if (first.SizeInBytes != given.Length || first.IsControl) return ErrorCode.InvalidRecord;
        batch = first;
        return ErrorCode.None;
    }

    internal static BatchProblem Look(ReadOnlySpan<byte> span, out int size)
    {
        size = 0;
        if (span.Length <= MagicAt) return BatchProblem.Truncated;
        var length = BinaryPrimitives.ReadInt32BigEndian(span[8..]);
        var magic = span[MagicAt];
        if (magic != CurrentMagic) return magic < CurrentMagic ? BatchProblem.OldMagic : BatchProblem.UnknownMagic;
        if (length is < HeaderSize - LogOverhead or > int.MaxValue - LogOverhead) return BatchProblem.BadLength;
        if (length > span.Length - LogOverhead) return BatchProblem.Truncated;
        size = LogOverhead + length;
        return BatchProblem.None;
    }
}

/// <summary>The batches that stand one behind the other in a buffer: <c>foreach (var batch in new RecordBatches(bytes))</c>. Allocates nothing.</summary>
/// <remarks>Stops at the first bytes that are no whole batch; the enumerator says where and why.</remarks>
public readonly struct RecordBatches(ReadOnlyMemory<byte> buffer)
{
    public Enumerator GetEnumerator() => new(buffer);

    public struct Enumerator(ReadOnlyMemory<byte> buffer)
    {
        private RecordBatch current;

        public readonly RecordBatch Current => current;

        /// <summary>Bytes of the whole batches so far, <see cref="Current"/> included.</summary>
        public int Position { get; private set; }

        /// <summary>Why it stopped before the end of the buffer.</summary>
        public BatchProblem Problem { get; private set; }

        public bool MoveNext()
        {
            if (Position == buffer.Length || Problem != BatchProblem.None) return false;
            var found = RecordBatch.TryRead(buffer[Position..], out current, out var problem);
            Problem = problem;
            if (found) Position += current.SizeInBytes;
            return found;
        }
    }
}
