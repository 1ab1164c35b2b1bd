using System.Text;
using Broker.Protocol;
using Broker.Runtime;
using FsCheck;
using FsCheck.Fluent;

namespace Broker.Tests.Protocol;

public sealed class RecordBatchTests
{
    /// <summary>Written by Kafka 4.3's own builder: three records of a transactional producer, one with headers, one without key, one tombstone.</summary>
    private const string Golden =
        "000000000000000000000059FFFFFFFF02A082BCC50010000000020000018BCFE568000000018BCFE568070000000000000FA00005" +
        "0000003C0000000328000000026B0A76616C7565040268040102026E010E000E020102780014000D0408646561640100";

    private static RecordBatchBuilder GoldenBuilder() => new RecordBatchBuilder { ProducerId = 4000, ProducerEpoch = 5, BaseSequence = 60, IsTransactional = true }
        .Append(1_700_000_000_000, "k"u8.ToArray(), "value"u8.ToArray(), [new RecordHeader("h", new byte[] { 1, 2 }), new RecordHeader("n", null)])
        .Append(1_700_000_000_007, null, "x"u8.ToArray())
        .Append(1_699_999_999_993, "dead"u8.ToArray(), null);

    private static RecordBatch Read(ReadOnlyMemory<byte> bytes)
    {
        Assert.True(RecordBatch.TryRead(bytes, out var batch, out var problem), problem.ToString());
        return batch;
    }

    private static byte[] Batch(int records, long baseOffset = 0)
    {
        var builder = new RecordBatchBuilder { BaseOffset = baseOffset };
        for (var i = 0; i < records; i++) builder.Append(1000 + i, BitConverter.GetBytes(i), Encoding.UTF8.GetBytes($"value-{i}"));
        return builder.ToArray();
    }

    [Fact]
    public void A_batch_has_the_bytes_that_Kafka_gives_it() => Assert.Equal(Golden, Convert.ToHexString(GoldenBuilder().ToArray()));

    [Fact]
    public void The_size_is_known_before_the_batch_is_made()
    {
        var builder = GoldenBuilder();
        Assert.Equal(builder.ToArray().Length, builder.SizeInBytes);
        builder.Clear();
        Assert.Equal(RecordBatch.HeaderSize, builder.SizeInBytes);
    }

    [Fact]
    public void A_batch_that_Kafka_wrote_shows_its_header_and_records()
    {
        var batch = Read(Convert.FromHexString(Golden));
        Assert.Equal(ErrorCode.None, batch.Validate());
        Assert.Equal((0L, 2L, 3L, 2, 3), (batch.BaseOffset, batch.LastOffset, batch.NextOffset, batch.LastOffsetDelta, batch.RecordCount));
        Assert.Equal((-1, (byte)2, 0xA082BCC5u, (short)16), (batch.PartitionLeaderEpoch, batch.Magic, batch.Crc, batch.Attributes));
        Assert.Equal((4000L, (short)5, 60, 62), (batch.ProducerId, batch.ProducerEpoch, batch.BaseSequence, batch.LastSequence));
        Assert.Equal((1_700_000_000_000, 1_700_000_000_007), (batch.BaseTimestamp, batch.MaxTimestamp));
        Assert.Equal((true, false, false, Compression.None), (batch.IsTransactional, batch.IsControl, batch.IsLogAppendTime, batch.Compression));
        Assert.Equal(batch.SizeInBytes - 12, batch.BatchLength);

        var shown = new List<string>();
        foreach (var record in batch.Records)
        {
            var line = $"{record.Offset} {record.Timestamp - 1_700_000_000_000} {Text(record.Key)}={Text(record.Value)}";
            foreach (var header in record.Headers) line += $" {header.Key}:{(header.Value is { } value ? Convert.ToHexString(value.Span) : "null")}";
            shown.Add(line);
        }
        Assert.Equal(["0 0 k=value h:0102 n:null", "1 7 null=x", "2 -7 dead=null"], shown);
    }

    [Fact]
    public void Records_come_back_as_they_were_appended() =>
        Prop.ForAll<ulong>(seed =>
        {
            var prng = new Prng(seed);
            var builder = new RecordBatchBuilder { BaseOffset = prng.Below(1 << 30), IsControl = prng.Below(2) == 0 };
            var given = new List<(long Timestamp, byte[]? Key, byte[]? Value, RecordHeader[] Headers)>();
            for (var count = prng.Between(1, 20); count > 0; count--)
            {
                var headers = new RecordHeader[prng.Below(3)];
                for (var i = 0; i < headers.Length; i++) headers[i] = new RecordHeader($"h{prng.Below(100)}", Bytes(prng) is { } value ? value : default(ReadOnlyMemory<byte>?));
                given.Add((prng.Below(2) == 0 ? prng.Below(1 << 30) : (long)(prng.NextUInt64() >> 2), Bytes(prng), Bytes(prng), headers));
                builder.Append(given[^1].Timestamp, given[^1].Key, given[^1].Value, headers);
            }
            var batch = Read(builder.ToArray());
            Assert.Equal(ErrorCode.None, batch.Validate());
            Assert.Equal(given.Max(record => record.Timestamp), batch.MaxTimestamp);
            var at = 0;
            foreach (var record in batch.Records)
            {
                var (timestamp, key, value, headers) = given[at];
                Assert.Equal((builder.BaseOffset + at, timestamp), (record.Offset, record.Timestamp));
                Assert.Equal((Hex(key), Hex(value)), (Hex(record.Key?.ToArray()), Hex(record.Value?.ToArray())));
                Assert.Equal(headers.Length, record.Headers.Count);
                var header = 0;
                foreach (var read in record.Headers)
                {
                    Assert.Equal((headers[header].Key, Hex(headers[header].Value?.ToArray())), (read.Key, Hex(read.Value?.ToArray())));
                    header++;
                }
                Assert.Equal(headers.Length, header);
                at++;
            }
            Assert.Equal(given.Count, at);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_checksum_sees_every_flipped_bit_in_its_range_and_none_outside()
    {
        var good = GoldenBuilder().ToArray();
        for (var at = 0; at < good.Length; at++)
            for (var bit = 0; bit < 8; bit++)
            {
                var bytes = good.ToArray();
                bytes[at] ^= (byte)(1 << bit);
                if (at is >= 8 and < 12 or 16) continue;               // length and magic: other bytes, or no batch
                Assert.Equal(at < 16 ? ErrorCode.None : ErrorCode.CorruptMessage, Read(bytes).Validate());
            }
    }

    [Fact]
    public void A_batch_cut_at_any_byte_is_truncated()
    {
        var whole = GoldenBuilder().ToArray();
        for (var length = 0; length < whole.Length; length++)
        {
            Assert.False(RecordBatch.TryRead(whole.AsMemory(0, length), out _, out var problem));
            Assert.Equal(BatchProblem.Truncated, problem);
            Assert.Equal(ErrorCode.InvalidRecord, RecordBatch.ValidateProduced(whole.AsMemory(0, length), out _));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(48)]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    [InlineData(int.MaxValue)]
    public void A_length_that_no_batch_has_is_refused(int length)
    {
        var bytes = Batch(2);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(8), length);
        Assert.False(RecordBatch.TryRead(bytes, out _, out var problem));
        Assert.Equal(BatchProblem.BadLength, problem);
    }

    [Fact]
    public void Stamping_offset_and_leader_epoch_leaves_the_checksum_right()
    {
        var bytes = Batch(3);
        RecordBatch.Stamp(bytes, 1_000_000_007, 12);
        var batch = Read(bytes);
        Assert.Equal((ErrorCode.None, 1_000_000_007L, 1_000_000_010L, 12), (batch.Validate(), batch.BaseOffset, batch.NextOffset, batch.PartitionLeaderEpoch));
    }

    [Fact]
    public void Batches_of_a_buffer_come_in_order_up_to_the_one_that_is_cut()
    {
        byte[] bytes = [.. Batch(2), .. Batch(1, 2), .. Batch(3, 3)];
        var offsets = new List<long>();
        foreach (var batch in new RecordBatches(bytes)) offsets.Add(batch.BaseOffset);
        Assert.Equal([0, 2, 3], offsets);

        var cut = new RecordBatches(bytes.AsMemory(0, bytes.Length - 1)).GetEnumerator();
        Assert.True(cut.MoveNext() && cut.MoveNext());
        Assert.False(cut.MoveNext());
        Assert.False(cut.MoveNext());
        Assert.Equal((BatchProblem.Truncated, bytes.Length - Batch(3).Length), (cut.Problem, cut.Position));
    }

    [Fact]
    public void What_a_client_may_not_produce_gets_the_code_that_Kafka_gives()
    {
        Assert.Equal(ErrorCode.None, RecordBatch.ValidateProduced(Batch(3), out var batch));
        Assert.Equal(3, batch.RecordCount);
        Assert.Equal(ErrorCode.InvalidRecord, Refusal(null));
        Assert.Equal(ErrorCode.InvalidRecord, Refusal(Array.Empty<byte>()));
        Assert.Equal(ErrorCode.InvalidRecord, Refusal(Batch(0)));
        Assert.Equal(ErrorCode.InvalidRecord, Refusal(Batch(1, baseOffset: 4)));
        Assert.Equal(ErrorCode.InvalidRecord, Refusal((byte[])[.. Batch(1), .. Batch(1)]));
        Assert.Equal(ErrorCode.InvalidRecord, Refusal(new RecordBatchBuilder { IsControl = true }.Append(1, null, "x"u8.ToArray()).ToArray()));
        Assert.Equal(ErrorCode.InvalidRecord, Refusal(Changed(bytes => bytes[26] = 5, fixChecksum: true)));     // last offset delta
        Assert.Equal(ErrorCode.InvalidRecord, Refusal(Changed(bytes => bytes[60] = 2, fixChecksum: true)));     // record count
        Assert.Equal(ErrorCode.InvalidRecord, Refusal(Changed(bytes => bytes[^1] = 2, fixChecksum: true)));     // header count of the last record
        Assert.Equal(ErrorCode.InvalidRecord, Refusal(Changed(bytes => bytes[16] = 1)));
        Assert.Equal(ErrorCode.CorruptMessage, Refusal(Changed(bytes => bytes[16] = 3)));
        Assert.Equal(ErrorCode.CorruptMessage, Refusal(Changed(bytes => bytes[17] ^= 1)));
    }

    private static ErrorCode Refusal(ReadOnlyMemory<byte>? records) => RecordBatch.ValidateProduced(records, out _);

    private static byte[] Changed(Action<byte[]> change, bool fixChecksum = false)
    {
        var bytes = Batch(3);
        change(bytes);
        if (fixChecksum) System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(17), Crc32C.Compute(bytes.AsSpan(21)));
        return bytes;
    }

    [Fact]
    public void A_compressed_batch_is_passed_on_but_its_records_are_not_read()
    {
        var batch = Read(Changed(bytes => bytes[22] |= (byte)Compression.Zstd, fixChecksum: true));
        Assert.Equal((ErrorCode.None, Compression.Zstd), (batch.Validate(), batch.Compression));
        Assert.Throws<MalformedFrameException>(() =>
        {
            foreach (var _ in batch.Records)
            {
            }
        });
    }

    [Fact]
    public void Records_changed_behind_a_right_checksum_are_read_or_refused_and_nothing_else() =>
        Prop.ForAll<ulong>(seed =>
        {
            var prng = new Prng(seed);
            var bytes = GoldenBuilder().ToArray();
            for (var change = prng.Between(1, 3); change > 0; change--) bytes[prng.Between(23, bytes.Length - 1)] = (byte)prng.Below(256);
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(17), Crc32C.Compute(bytes.AsSpan(21)));
            var batch = Read(bytes);
            var valid = batch.Validate() == ErrorCode.None;
            var refused = false;
            try
            {
                foreach (var record in batch.Records)
                    foreach (var header in record.Headers) _ = header.Key;
            }
            catch (MalformedFrameException)
            {
                refused = true;
            }
            return !(valid && refused);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    [Fact]
    public void Walking_batches_and_records_allocates_nothing()
    {
        byte[] bytes = [.. Batch(100), .. Batch(100, 100)];
        long Walk()
        {
            var sum = 0L;
            foreach (var batch in new RecordBatches(bytes))
                foreach (var record in batch.Records) sum += record.Offset + record.Value!.Value.Length;
            return sum;
        }
        Walk();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var sum = Walk();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(sum > 199 * 100);
    }

    [Fact]
    public void The_checksum_is_Castagnolis()
    {
        Assert.Equal(0xE3069283u, Crc32C.Compute("123456789"u8));
        Assert.Equal(0x8A9136AAu, Crc32C.Compute(new byte[32]));
        Assert.Equal(0u, Crc32C.Compute([]));
    }

    [Fact]
    public void Sequences_go_round_after_the_largest_number()
    {
        var builder = new RecordBatchBuilder { ProducerId = 1, ProducerEpoch = 0, BaseSequence = int.MaxValue - 1 };
        for (var i = 0; i < 4; i++) builder.Append(1, null, "x"u8.ToArray());
        Assert.Equal(1, Read(builder.ToArray()).LastSequence);
    }

    private static byte[]? Bytes(Prng prng)
    {
        if (prng.Below(4) == 0) return null;
        var bytes = new byte[prng.Below(5) == 0 ? 300 : prng.Below(20)];
        for (var i = 0; i < bytes.Length; i++) bytes[i] = (byte)prng.Below(256);
        return bytes;
    }

    private static string Hex(byte[]? bytes) => bytes is null ? "null" : Convert.ToHexString(bytes);

    private static string Text(ReadOnlyMemory<byte>? bytes) => bytes is { } some ? Encoding.UTF8.GetString(some.Span) : "null";
}
