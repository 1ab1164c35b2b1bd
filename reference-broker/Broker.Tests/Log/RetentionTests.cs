using Broker.Core.Log;
using Broker.Core.Metadata;
using Broker.Core.Replication;
using Broker.Hosting;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Tests.Log;

/// <summary>What is too old or too much goes, by whole segments; and records are found by their time.</summary>
public sealed class RetentionTests
{
    private const string Folder = "log";
    private const long Now = 1_000_000;

    private readonly MemoryDisk disk = new();
    private PartitionLog log;

    public RetentionTests() => log = Open();

    [Theory]
    [InlineData(-1, -1, 5, 0)]                                         // for ever
    [InlineData(250, -1, 5, 3)]                                        // of 500, 400, 300, 200, 100 ms of age
    [InlineData(250, -1, 2, 2)]                                        // not above the high watermark
    [InlineData(0, -1, 5, 5)]                                          // all of it, the last segment too
    [InlineData(-1, 0, 5, 4)]                                          // by size the segment that is written to stays
    public void Old_segments_go_and_no_others(long retentionMs, long retentionBytes, long highWatermark, long start)
    {
        for (var i = 0; i < 5; i++) log.Append(Batch(Now - 500 + i * 100), 0);
        Assert.Equal(start, log.RetainedStart(Now, retentionMs, retentionBytes, highWatermark));
    }

    [Fact]
    public void By_size_at_least_what_is_asked_for_stays()
    {
        for (var i = 0; i < 5; i++) log.Append(Batch(Now), 0);
        var size = Batch(Now).SizeInBytes;
        Assert.Equal([3L, 2, 2], new[] { size * 2, size * 2 + 1, size * 3 }.Select(bytes => log.RetainedStart(Now, -1, bytes, 5)));
    }

    [Fact]
    public async Task A_leader_deletes_for_good_and_a_compacted_topic_deletes_nothing()
    {
        for (var i = 0; i < 5; i++) log.Append(Batch(Now - 500 + i * 100), 0);
        var leader = new Partition(1, new TopicPartition("t", 0), Guid.Empty, log, UnderTest.Rules.Replication, static (_) => { });
        leader.Apply(new PartitionState([1], NodeSet.Of([1]), NodeSet.Empty, -1, 1, 0, 0), TopicSettings.KafkaDefaults with { RetentionMs = 250, Delete = false, Compact = true });
        await leader.RetainAsync(Now);
        Assert.Equal(0, log.LogStartOffset);

        leader.Apply(leader.State, TopicSettings.KafkaDefaults with { RetentionMs = 250 });
        await leader.RetainAsync(Now);
        log = Open();
        Assert.Equal((3, 5), (log.LogStartOffset, log.LogEndOffset));
    }

    [Fact]
    public void A_segment_is_rolled_when_its_records_span_too_much_time()
    {
        var other = PartitionLog.Open(disk, "other", new LogSettings(SegmentMs: 100), UnderTest.Rules.Log, UnderTest.Rules.Producers);
        foreach (var at in new[] { 0, 100, 101, 150, 202 }) other.Append(Batch(Now + at), 0);
        Assert.Equal([0L, 2, 4], disk.List("other").Select(static name => long.Parse(name.AsSpan(0, 20))));
    }

    [Fact]
    public void A_record_is_found_by_time_without_reading_what_is_earlier_also_after_a_restart()
    {
        var other = PartitionLog.Open(disk, "other", new LogSettings(), UnderTest.Rules.Log, UnderTest.Rules.Producers);
        for (var i = 0; i < 200; i++) other.Append(Batch(Now + i), 0);
        foreach (var opened in new[] { other, PartitionLog.Open(disk, "other", new LogSettings(), UnderTest.Rules.Log, UnderTest.Rules.Producers) })
        {
            foreach (var wanted in new[] { 0, 1, 77, 199 })
            {
                var batches = opened.BatchesSince(Now + wanted).ToList();
                Assert.Equal(wanted, batches.First(batch => batch.MaxTimestamp >= Now + wanted).BaseOffset);
                Assert.True(batches.Count <= 200 - wanted + 20);
            }
            Assert.Empty(opened.BatchesSince(Now + 200));
        }
    }

    [Fact]
    public async Task Who_comes_while_a_flush_is_under_way_shares_the_next_one_and_a_failure_is_for_all()
    {
        var slow = new SlowDisk(disk);
        var other = PartitionLog.Open(slow, "slow", new LogSettings(), UnderTest.Rules.Log, UnderTest.Rules.Producers);
        var flushes = new List<Task>();
        for (var i = 0; i < 5; i++)
        {
            other.Append(Batch(Now), 0);
            flushes.Add(other.FlushAsync().AsTask());
        }
        Assert.Equal((1, 0), (slow.Flushes.Count, other.FlushedEndOffset));
        slow.Flushes[0].SetResult();
        Assert.True(SpinWait.SpinUntil(() => slow.Flushes.Count == 2 && flushes[0].IsCompleted, TimeSpan.FromSeconds(30)));   // what waited for it may run on in another thread
        Assert.Equal(1, other.FlushedEndOffset);
        Assert.Equal([true, false, false, false, false], flushes.Select(static flush => flush.IsCompletedSuccessfully));
        slow.Flushes[1].SetException(new DiskException("input/output error"));
        foreach (var flush in flushes.Skip(1)) await Assert.ThrowsAsync<DiskException>(() => flush);
        Assert.Equal(1, other.FlushedEndOffset);
    }

    private PartitionLog Open() => PartitionLog.Open(disk, Folder, new LogSettings(SegmentBytes: 1), UnderTest.Rules.Log, UnderTest.Rules.Producers);

    private static RecordBatch Batch(long timestamp)
    {
        Assert.True(RecordBatch.TryRead(new RecordBatchBuilder().Append(timestamp, null, new byte[10]).ToArray(), out var batch, out _));
        return batch;
    }

    /// <summary>Files whose flushes the test ends.</summary>
    private sealed class SlowDisk(MemoryDisk disk) : IDisk
    {
        public List<TaskCompletionSource> Flushes { get; } = [];

        public string CacheIdentity => disk.CacheIdentity;

        public bool Exists(string path) => disk.Exists(path);

        public IFile Open(string path) => new SlowFile(disk.Open(path), this);

        public IReadOnlyList<string> List(string directory) => disk.List(directory);

        public void Delete(string path) => disk.Delete(path);

        public void Rename(string from, string to) => disk.Rename(from, to);

        public ValueTask FlushDirectoryAsync(string directory) => ValueTask.CompletedTask;

        private sealed class SlowFile(IFile file, SlowDisk disk) : IFile
        {
            public long Length => file.Length;

            public int Read(long position, Span<byte> into) => file.Read(position, into);

            public void Write(long position, ReadOnlySpan<byte> bytes) => file.Write(position, bytes);

            public void Truncate(long length) => file.Truncate(length);

            public ValueTask FlushAsync()
            {
                disk.Flushes.Add(new TaskCompletionSource());
                return new ValueTask(disk.Flushes[^1].Task);
            }

            public void Dispose() => file.Dispose();
        }
    }
}
