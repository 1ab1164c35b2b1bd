using System.Globalization;
using System.Text;
using Broker.Core.Log;
using Broker.Hosting;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Tests.Log;

/// <summary>Compacted logs: what stays, what goes, and what must outlive both.</summary>
public sealed class CompactionTests
{
    private const string Folder = "log";

    private static readonly TimeSpan Retention = TimeSpan.FromSeconds(1);

    private readonly MemoryDisk disk = new();
    private PartitionLog log;

    public CompactionTests() => log = Open();

    [Fact]
    public async Task The_newest_record_of_each_key_stays_where_it_was()
    {
        Put("a", "1");
        Put("b", "2");
        Put("a", "3");
        Put("c", "4");
        Put("b", "5");                                                 // in the segment that is written to
        var end = log.LogEndOffset;

        Assert.Equal(1, await CleanAsync());

        Assert.Equal(["1:b=2", "2:a=3", "3:c=4", "4:b=5"], Stored());
        Assert.Equal((0, end), (log.LogStartOffset, log.LogEndOffset));
        Assert.Equal(["1:b=2", "2:a=3", "3:c=4", "4:b=5"], ReadFrom(0));
    }

    [Fact]
    public async Task What_is_not_committed_is_left_alone()
    {
        foreach (var value in "12345") Put("a", $"{value}");
        Assert.Equal(1, await log.CleanAsync(Bounds() with { HighWatermark = 2 }));
        Assert.Equal(["1:a=2", "2:a=3", "3:a=4", "4:a=5"], Stored());
    }

    [Fact]
    public async Task A_batch_of_which_some_records_go_keeps_the_others_at_their_offsets()
    {
        PutAll(("a", "1"), ("b", "2"), ("c", "3"));
        Put("b", "4");
        Put("x", "5");
        await CleanAsync();
        Assert.Equal(["0:a=1", "2:c=3", "3:b=4", "4:x=5"], Stored());
        Assert.True(log.Batches().All(static batch => batch.HasValidCrc));
    }

    [Fact]
    public async Task A_gzipped_batch_is_cleaned_and_stays_gzipped_and_one_without_a_codec_stays_whole()
    {
        log.Append(Compressed(Batch(("a", "1"), ("b", "2")), gzip: true), 0);
        log.Append(Compressed(Batch(("b", "3")), gzip: false), 0);
        Put("a", "4");
        Put("x", "5");
        Assert.Equal(1, await CleanAsync());
        var batches = log.Batches().ToList();
        Assert.Equal([(Compression.Gzip, 1), (Compression.Zstd, 1), (Compression.None, 1), (Compression.None, 1)], batches.Select(static batch => (batch.Compression, batch.RecordCount)));
        Assert.True(BatchFilter.TryOpen(batches[0], out var opened));
        Assert.Equal(["1:b=2"], Texts([opened]));
    }

    [Theory]
    [InlineData(999, 100, false)]                                      // its time has not come
    [InlineData(1000, 1, false)]                                       // a replica lacks it
    [InlineData(1000, 2, true)]
    public async Task A_tombstone_goes_when_its_time_has_come_and_every_replica_has_it(int afterMs, long lowestDurableEnd, bool goes)
    {
        Put("a", "1");
        Put("a", null);
        Put("x", "2");
        Put("y", "3");
        await CleanAsync();
        Assert.Equal(["1:a=", "2:x=2", "3:y=3"], Stored());

        await log.CleanAsync(Bounds() with { Now = TimeSpan.FromMilliseconds(afterMs), LowestDurableEnd = lowestDurableEnd });

        Assert.Equal(goes ? ["2:x=2", "3:y=3"] : ["1:a=", "2:x=2", "3:y=3"], Stored());
    }

    [Fact]
    public async Task A_tombstone_behind_a_batch_that_cannot_be_read_stays()
    {
        log.Append(Compressed(Batch(("a", "1")), gzip: false), 0);
        Put("a", null);
        Put("x", "2");
        await CleanAsync();
        await log.CleanAsync(Bounds() with { Now = TimeSpan.FromDays(1) });
        Assert.Equal([1L, 1, 1], log.Batches().Select(static batch => (long)batch.RecordCount));
    }

    [Fact]
    public async Task What_came_after_a_cut_waits_its_own_time()
    {
        Put("a", "1");
        Put("b", "2");
        Put("x", "3");
        await CleanAsync();
        log.TruncateTo(1);
        Put("a", null);
        Put("x", "4");
        await log.CleanAsync(Bounds() with { Now = TimeSpan.FromDays(1) });
        Assert.Equal(["1:a=", "2:x=4"], Stored());
    }

    [Fact]
    public async Task The_last_batches_of_a_producer_stay_without_records_and_a_restart_finds_them()
    {
        log = Open(segmentBytes: 750);
        for (var sequence = 0; sequence < 8; sequence++) log.Append(Batch(7, sequence, ("a", $"{sequence}")), 0);
        Put("a", "new");
        Put("x", new string('x', 100));                                // does not fit
        await CleanAsync();
        Assert.Equal([0, 0, 0, 0, 0, 0, 1, 1], log.Batches().Select(static batch => batch.RecordCount));

        log = Open();

        Assert.Equal(new AppendOutcome(ErrorCode.None, 7, 8, IsDuplicate: true), log.Append(Batch(7, 7, ("a", "7")), 0));
        Assert.Equal(new AppendOutcome(ErrorCode.None, 3, 4, IsDuplicate: true), log.Append(Batch(7, 3, ("a", "3")), 0));
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, log.Append(Batch(7, 9, ("a", "9")), 0).Error);
        Assert.Equal(ErrorCode.None, log.Append(Batch(7, 8, ("a", "8")), 0).Error);
    }

    [Fact]
    public async Task Where_a_leader_epoch_began_is_known_for_ever()
    {
        Put("a", "1", epoch: 0);
        Put("a", "2", epoch: 3);
        Put("a", "3", epoch: 3);
        Put("x", "4", epoch: 3);
        await CleanAsync();
        log = Open();
        Assert.Equal(new EpochEnd(0, 1), log.EndOfEpoch(2));
    }

    [Fact]
    public async Task A_follower_reads_a_cleaned_log_and_comes_to_the_same_end()
    {
        for (var i = 0; i < 40; i++) Put($"{i % 3}", $"{i}", epoch: i / 10);
        await CleanAsync();
        var other = PartitionLog.Open(new MemoryDisk(), Folder, new LogSettings(), UnderTest.Rules.Log, UnderTest.Rules.Producers, UnderTest.Rules.Cleaner);
        while (log.Read(other.LogEndOffset, log.LogEndOffset, 1) is { Length: > 0 } batches) Assert.Equal(ErrorCode.None, other.AppendReplicated(batches));
        Assert.Equal(log.LogEndOffset, other.LogEndOffset);
        Assert.Equal(Texts(log.Batches()), Texts(other.Batches()));
        for (var epoch = 0; epoch < 4; epoch++) Assert.Equal(log.EndOfEpoch(epoch), other.EndOfEpoch(epoch));
    }

    [Fact]
    public async Task A_copy_that_never_came_into_its_place_is_removed_at_the_next_start()
    {
        Put("a", "1");
        Put("a", "2");
        Put("x", "3");
        using (var file = disk.Open($"{Folder}/{0:D20}.cleaned")) file.Write(0, "torn"u8);
        log = Open();
        Assert.DoesNotContain(disk.List(Folder), static name => name.EndsWith(".cleaned", StringComparison.Ordinal));
        await CleanAsync();
        Assert.Equal(["1:a=2", "2:x=3"], Stored());
    }

    [Fact]
    public async Task A_log_is_cleaned_once_enough_of_it_is_new()
    {
        for (var i = 0; i < 10; i++) Put("a", $"{i}");
        Assert.Equal(8, await CleanAsync());
        Put("a", "10");
        Assert.Equal(0, await log.CleanAsync(Bounds() with { DirtyRatio = 0.9 }));
        Assert.Equal(1, await CleanAsync());
    }

    [Fact]
    public async Task A_cleaned_segment_is_in_its_place_for_good_before_the_next_one_is_cleaned()
    {
        var forgetful = new ForgetfulDisk(disk);
        var other = OpenOther();
        foreach (var (key, value) in new[] { ("a", "1"), ("a", null), ("x", "2") }) other.Append(Batch((key, value)), 0);
        var bounds = new CleaningBounds(3, 3, TimeSpan.Zero, Retention, 0);
        Assert.Equal(1, await other.CleanAsync(bounds));
        Assert.Equal(1, await other.CleanAsync(bounds with { Now = Retention }));   // the tombstone, too

        forgetful.LosePower();
        Assert.DoesNotContain("0:a=1", Texts(OpenOther().Batches()));

        PartitionLog OpenOther() => PartitionLog.Open(forgetful, "other", new LogSettings(1), UnderTest.Rules.Log, UnderTest.Rules.Producers, UnderTest.Rules.Cleaner);
    }

    private PartitionLog Open(int segmentBytes = 1) => PartitionLog.Open(disk, Folder, new LogSettings(segmentBytes), UnderTest.Rules.Log, UnderTest.Rules.Producers, UnderTest.Rules.Cleaner);

    private CleaningBounds Bounds() => new(log.LogEndOffset, log.LogEndOffset, TimeSpan.Zero, Retention, 0);

    private ValueTask<int> CleanAsync() => log.CleanAsync(Bounds());

    private void Put(string key, string? value, int epoch = 0) => log.Append(Batch((key, value)), epoch);

    private void PutAll(params (string Key, string? Value)[] records) => log.Append(Batch(records), 0);

    private List<string> Stored() => Texts(log.Batches());

    private List<string> ReadFrom(long offset)
    {
        var texts = new List<string>();
        while (log.Read(offset, log.LogEndOffset, 1) is { Length: > 0 } bytes)
        {
            foreach (var batch in new RecordBatches(bytes))
            {
                texts.AddRange(Texts([batch]));
                offset = batch.NextOffset;
            }
        }
        return texts;
    }

    private static List<string> Texts(IEnumerable<RecordBatch> batches)
    {
        var texts = new List<string>();
        foreach (var batch in batches)
            foreach (var record in batch.Records)
                texts.Add(string.Create(CultureInfo.InvariantCulture, $"{record.Offset}:{Encoding.ASCII.GetString(record.Key!.Value.Span)}={(record.Value is { } value ? Encoding.ASCII.GetString(value.Span) : "")}"));
        return texts;
    }

    private static RecordBatch Batch(params (string Key, string? Value)[] records) => Batch(-1, -1, records);

    private static RecordBatch Batch(long producer, int sequence, params (string Key, string? Value)[] records)
    {
        var builder = new RecordBatchBuilder { ProducerId = producer, ProducerEpoch = (short)(producer < 0 ? -1 : 0), BaseSequence = sequence };
        foreach (var (key, value) in records) builder.Append(1000, Encoding.ASCII.GetBytes(key), value is null ? null : Encoding.ASCII.GetBytes(value));
        Assert.True(RecordBatch.TryRead(builder.ToArray(), out var batch, out _));
        return batch;
    }

    /// <summary>The same records gzipped; or as they are under the name of a codec that is not here.</summary>
    private static RecordBatch Compressed(RecordBatch batch, bool gzip)
    {
        var records = batch.Bytes[RecordBatch.HeaderSize..].ToArray();
        if (gzip)
        {
            using var into = new MemoryStream();
            using (var stream = new System.IO.Compression.GZipStream(into, System.IO.Compression.CompressionLevel.Fastest)) stream.Write(records);
            records = into.ToArray();
        }
        byte[] bytes = [.. batch.Bytes.Span[..RecordBatch.HeaderSize], .. records];
        bytes[22] = (byte)(gzip ? Compression.Gzip : Compression.Zstd);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(8), bytes.Length - 12);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(17), Crc32C.Compute(bytes.AsSpan(21)));
        Assert.True(RecordBatch.TryRead(bytes, out var compressed, out _));
        return compressed;
    }

    /// <summary>Of the names that were given since a directory was flushed, the first stands for its old file again after a loss of power: names may be lost in any order.</summary>
    private sealed class ForgetfulDisk(MemoryDisk disk) : IDisk
    {
        private (string Path, byte[] Bytes)? old;

        public string CacheIdentity => disk.CacheIdentity;

        public bool Exists(string path) => disk.Exists(path);

        public IFile Open(string path) => disk.Open(path);

        public IReadOnlyList<string> List(string directory) => disk.List(directory);

        public void Delete(string path) => disk.Delete(path);

        public void Rename(string from, string to)
        {
            using (var file = disk.Open(to))
            {
                var bytes = new byte[file.Length];
                file.Read(0, bytes);
                old ??= (to, bytes);
            }
            disk.Rename(from, to);
        }

        public ValueTask FlushDirectoryAsync(string directory)
        {
            old = null;
            return ValueTask.CompletedTask;
        }

        public void LosePower()
        {
            if (old is not { } lost) return;
            using var file = disk.Open(lost.Path);
            file.Truncate(0);
            file.Write(0, lost.Bytes);
        }
    }
}
