using Broker.Core.Log;
using Broker.Core.Metadata;
using Broker.Core.Replication;
using Broker.Hosting;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Tests.Replication;

/// <summary>One replica of a partition in exact states, one promise per test.</summary>
public sealed class PartitionTests
{
    private readonly MemoryDisk disk = new();

    /// <remarks>KIP-279: after one cut the logs may still differ; only asking again shows it.</remarks>
    [Fact]
    public void Logs_that_parted_more_than_once_become_the_same()
    {
        var (leader, follower) = (Replica(1), Replica(2));
        Fill(leader.Log, 1, 1, 1, 3, 3);
        Fill(follower.Log, 1, 1, 2, 2, 4, 4);
        leader.Apply(State(leader: 1, leaderEpoch: 5, partitionEpoch: 5), TopicSettings.KafkaDefaults);
        follower.Apply(State(leader: 1, leaderEpoch: 5, partitionEpoch: 5), TopicSettings.KafkaDefaults);
        for (var fetches = 0; fetches < 6; fetches++)
        {
            var from = follower.Log.LogEndOffset;
            if (leader.Divergence(follower.LastFetchedEpoch, from) is { } parted) follower.Diverged(parted);
            else follower.Replicate(leader.Log.Read(from, leader.Log.LogEndOffset, 10_000), leader.HighWatermark);
        }
        Assert.Equal([1, 1, 1, 3, 3], follower.Log.Batches().Select(static batch => batch.PartitionLeaderEpoch));
    }

    [Fact]
    public void A_flush_that_ends_in_a_later_epoch_counts_nothing()
    {
        var leader = Leader();
        Fill(leader.Log, 0, 0);
        leader.Apply(State(leader: 2, leaderEpoch: 1, partitionEpoch: 1), TopicSettings.KafkaDefaults);
        leader.Diverged(new EpochEnd(0, 0));                           // its records never were on another
        leader.Apply(State(leader: 1, leaderEpoch: 2, partitionEpoch: 2) with { Isr = NodeSet.Of([1]) }, TopicSettings.KafkaDefaults);

        leader.Appended(leaderEpoch: 0, nextOffset: 2);
        leader.AssertInvariants();
        Assert.Equal(0, leader.HighWatermark);
    }

    /// <remarks>KIP-497: metadata may tell of an ISR that the leader has already had replaced.</remarks>
    [Fact]
    public void An_older_state_of_the_partition_changes_nothing()
    {
        var leader = Leader();
        leader.Apply(State(leader: 1, leaderEpoch: 0, partitionEpoch: 5), TopicSettings.KafkaDefaults);
        leader.Apply(State(leader: 1, leaderEpoch: 0, partitionEpoch: 4) with { Isr = NodeSet.Of([1]) }, TopicSettings.KafkaDefaults);

        Produce(leader);
        Assert.Equal(0, leader.HighWatermark);
    }

    [Fact]
    public void Consumers_read_what_the_whole_isr_has_and_no_more()
    {
        var leader = Leader();
        for (var i = 0; i < 3; i++) Produce(leader);
        leader.FollowerFetched(2, brokerEpoch: 7, fetchOffset: 2, now: TimeSpan.Zero);

        Assert.Equal([0, 1], Offsets(leader.Log.Read(0, leader.VisibleEnd(isFollower: false), 10_000)));
        Assert.Equal([0, 1, 2], Offsets(leader.Log.Read(0, leader.VisibleEnd(isFollower: true), 10_000)));
    }

    /// <remarks>Kafka: UnexpectedAppendOffsetException.</remarks>
    [Fact]
    public void What_lies_below_the_end_of_a_log_is_not_replicated_into_it()
    {
        var (leader, follower) = (Leader(), Replica(2));
        for (var i = 0; i < 3; i++) Produce(leader);
        var batches = leader.Log.Read(0, 3, 10_000);
        Assert.Equal(ErrorCode.None, follower.Log.AppendReplicated(batches));
        Assert.Equal(ErrorCode.OffsetOutOfRange, follower.Log.AppendReplicated(batches));
        Assert.Equal([0, 1, 2], follower.Log.Batches().Select(static batch => batch.BaseOffset));
    }

    /// <remarks>KIP-98; KAFKA-12153: a batch that was cut away is not there, and must not be answered as if it were.</remarks>
    [Fact]
    public void With_its_batches_a_producers_sequences_are_cut()
    {
        var log = Replica(1).Log;
        for (var sequence = 0; sequence < 4; sequence++) log.Append(Batch(sequence), 0);
        log.TruncateTo(2);
        Assert.Equal(new AppendOutcome(ErrorCode.None, 2, 3), log.Append(Batch(2), 1));
        Assert.Equal(new AppendOutcome(ErrorCode.None, 3, 4), log.Append(Batch(3), 1));
    }

    private static long[] Offsets(ReadOnlyMemory<byte> batches) => [.. Log.BatchesInTests.BaseOffsets(new RecordBatches(batches))];

    private Partition Leader()
    {
        var leader = Replica(1);
        leader.Apply(State(leader: 1, leaderEpoch: 0, partitionEpoch: 0), TopicSettings.KafkaDefaults);
        return leader;
    }

    private Partition Replica(int broker)
    {
        var log = PartitionLog.Open(disk, $"log-{broker}", new LogSettings(), UnderTest.Rules.Log, UnderTest.Rules.Producers);
        return new Partition(broker, new TopicPartition("t", 0), Guid.Empty, log, UnderTest.Rules.Replication, static (Observation _) => { });
    }

    private static PartitionState State(int leader, int leaderEpoch, int partitionEpoch) => new([1, 2], NodeSet.Of([1, 2]), NodeSet.Empty, -1, leader, leaderEpoch, partitionEpoch);

    private static void Fill(PartitionLog log, params int[] epochs)
    {
        foreach (var epoch in epochs) log.Append(Batch(), epoch);
    }

    private static void Produce(Partition leader) => leader.Appended(leader.LeaderEpoch, leader.Append(Batch(), acks: 1).NextOffset);

    private static RecordBatch Batch(int sequence = -1)
    {
        var builder = new RecordBatchBuilder();
        if (sequence >= 0) (builder.ProducerId, builder.ProducerEpoch, builder.BaseSequence) = (7, 0, sequence);
        RecordBatch.TryRead(builder.Append(0, null, [1]).ToArray(), out var batch, out _);
        return batch;
    }
}
