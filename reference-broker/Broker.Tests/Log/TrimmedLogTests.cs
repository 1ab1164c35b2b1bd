using Broker.Core.Log;
using Broker.Core.Metadata;
using Broker.Core.Replication;
using Broker.Hosting;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Tests.Log;

/// <summary>Logs whose first records were deleted (KIP-107).</summary>
public sealed class TrimmedLogTests
{
    private const string Folder = "log";

    private readonly MemoryDisk disk = new();
    private PartitionLog log;

    public TrimmedLogTests() => log = Open();

    [Fact]
    public async Task A_start_that_was_saved_is_there_after_a_restart()
    {
        Append(6);
        log.MoveStartTo(4);
        await log.SaveStartAsync();

        log = Open();

        Assert.Equal((4, 6), (log.LogStartOffset, log.LogEndOffset));
        Assert.False(log.IsReadable(3));
        Assert.True(log.IsReadable(4));
        Assert.False(log.HasUnsavedStart);
    }

    [Fact]
    public async Task Segments_below_the_start_go_once_it_is_saved_and_not_before()
    {
        Append(6);
        var before = Segments();
        log.MoveStartTo(4);
        Assert.Equal(before, Segments());
        await log.SaveStartAsync();
        Assert.Equal(before - 4, Segments());
    }

    [Fact]
    public async Task A_segment_that_came_back_below_the_start_does_not_tear_the_log()
    {
        Append(6);
        var first = new byte[200];
        int length;
        using (var file = disk.Open($"{Folder}/{0:D20}.log")) length = file.Read(0, first);
        log.MoveStartTo(4);
        await log.SaveStartAsync();
        using (var file = disk.Open($"{Folder}/{0:D20}.log")) file.Write(0, first.AsSpan(0, length));

        log = Open();

        Assert.Equal((4, 6), (log.LogStartOffset, log.LogEndOffset));
    }

    [Fact]
    public async Task The_start_never_moves_down()
    {
        Append(3);
        log.MoveStartTo(2);
        log.MoveStartTo(1);
        await log.SaveStartAsync();
        Assert.Equal((2, 3), (log.LogStartOffset, log.LogEndOffset));
    }

    [Fact]
    public void A_cut_that_takes_the_batch_with_the_start_leaves_an_empty_log_at_the_start()
    {
        log.Append(Batch(3), 0);
        log.MoveStartTo(2);
        log.TruncateTo(2);
        Assert.Equal((2, 2), (log.LogStartOffset, log.LogEndOffset));
        Assert.Equal(2, log.Append(Batch(1), 1).BaseOffset);
    }

    [Fact]
    public async Task A_log_that_is_cut_below_its_saved_start_begins_anew_there_and_stays_so()
    {
        Append(6);
        log.MoveStartTo(4);
        await log.SaveStartAsync();
        log.TruncateTo(2);
        Assert.Equal((2, 2), (log.LogStartOffset, log.LogEndOffset));
        Append(3);
        await log.FlushAsync();

        log = Open();

        Assert.Equal((2, 5), (log.LogStartOffset, log.LogEndOffset));
    }

    [Fact]
    public void A_log_that_is_cut_down_to_its_start_knows_no_epoch_any_more()
    {
        Append(6);
        log.MoveStartTo(4);
        log.TruncateTo(4);
        Assert.Equal((4, 4, -1), (log.LogStartOffset, log.LogEndOffset, log.LastEpoch));
    }

    [Fact]
    public void A_follower_whose_leader_has_less_than_was_deleted_here_begins_anew_below_its_start()
    {
        Append(6);
        var follower = Follower();
        follower.Replicate(ReadOnlyMemory<byte>.Empty, leaderHighWatermark: 6);
        follower.FollowStart(5);
        follower.Diverged(new EpochEnd(-1, 0));
        follower.AssertInvariants();
        Assert.Equal((0, 0, 0), (log.LogStartOffset, log.LogEndOffset, follower.HighWatermark));
    }

    [Fact]
    public async Task A_log_that_ends_below_its_saved_start_begins_anew_there()
    {
        Append(6);
        log.MoveStartTo(6);
        await log.SaveStartAsync();
        foreach (var name in disk.List(Folder).Where(static name => name.EndsWith(".log", StringComparison.Ordinal)).ToList()) disk.Delete($"{Folder}/{name}");

        log = Open();

        Assert.Equal((6, 6), (log.LogStartOffset, log.LogEndOffset));
    }

    [Fact]
    public void A_follower_takes_its_leaders_start_as_far_as_it_knows_records_to_be_committed()
    {
        Append(6);
        var follower = Follower();
        follower.Replicate(ReadOnlyMemory<byte>.Empty, leaderHighWatermark: 3);
        follower.FollowStart(5);
        Assert.Equal((3, 3), (log.LogStartOffset, follower.HighWatermark));
    }

    [Fact]
    public void A_follower_whose_new_leader_knows_less_keeps_its_high_watermark_at_its_start()
    {
        Append(6);
        var follower = Follower();
        follower.Replicate(ReadOnlyMemory<byte>.Empty, leaderHighWatermark: 6);
        follower.FollowStart(5);
        follower.Replicate(ReadOnlyMemory<byte>.Empty, leaderHighWatermark: 2);
        follower.AssertInvariants();
        Assert.Equal(5, follower.HighWatermark);
    }

    [Theory]
    [InlineData(9, 9)]
    [InlineData(4, 6)]
    public void A_follower_begins_anew_only_if_its_log_ends_below_the_leaders_start(long leadersStart, long end)
    {
        Append(6);
        var follower = Follower();
        follower.FollowFrom(leadersStart);
        follower.AssertInvariants();
        Assert.Equal(end, log.LogEndOffset);
    }

    [Theory]
    [InlineData(-1, ErrorCode.None, 4)]
    [InlineData(3, ErrorCode.None, 3)]
    [InlineData(4, ErrorCode.None, 4)]
    [InlineData(5, ErrorCode.OffsetOutOfRange, 0)]
    [InlineData(-2, ErrorCode.OffsetOutOfRange, 0)]
    public void A_leader_deletes_up_to_its_high_watermark(long offset, ErrorCode expected, long start)
    {
        Append(6);
        var leader = new Partition(1, new TopicPartition("t", 0), Guid.Empty, log, UnderTest.Rules.Replication, static (_) => { });
        leader.Apply(new PartitionState([1, 2], NodeSet.Of([1, 2]), NodeSet.Empty, -1, 1, 0, 0), TopicSettings.KafkaDefaults);
        leader.FollowerFetched(2, 1, 4, TimeSpan.Zero);
        leader.FollowerStarts(2, 0);

        Assert.Equal(expected, leader.Trim(offset, out _));
        Assert.Equal(start, log.LogStartOffset);
        Assert.Equal(0, leader.LowWatermark(static _ => true));
        Assert.Equal(start, leader.LowWatermark(static _ => false));
        leader.FollowerStarts(2, start);
        Assert.Equal(start, leader.LowWatermark(static _ => true));
    }

    private Partition Follower()
    {
        var follower = new Partition(1, new TopicPartition("t", 0), Guid.Empty, log, UnderTest.Rules.Replication, static (_) => { });
        follower.Apply(new PartitionState([2, 1], NodeSet.Of([1, 2]), NodeSet.Empty, -1, 2, 0, 0), TopicSettings.KafkaDefaults);
        return follower;
    }

    private PartitionLog Open() => PartitionLog.Open(disk, Folder, new LogSettings(SegmentBytes: 1), UnderTest.Rules.Log, UnderTest.Rules.Producers);

    private void Append(int batches)
    {
        for (var i = 0; i < batches; i++) log.Append(Batch(1), 0);
    }

    private int Segments() => disk.List(Folder).Count(static name => name.EndsWith(".log", StringComparison.Ordinal));

    private static RecordBatch Batch(int records)
    {
        var builder = new RecordBatchBuilder();
        for (var i = 0; i < records; i++) builder.Append(1000 + i, null, new byte[10]);
        Assert.True(RecordBatch.TryRead(builder.ToArray(), out var batch, out _));
        return batch;
    }
}
