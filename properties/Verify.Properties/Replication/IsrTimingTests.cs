using Broker.Core;
using Broker.Core.Log;
using Broker.Core.Metadata;
using Broker.Core.Replication;
using Broker.Protocol;
using Broker.Runtime;
using Broker.Tests;

namespace Verify.Properties.Replication;

/// <summary>When a leader takes a follower for a laggard, and when for in sync. Broker 1 leads; it holds four records, and 2 and 3 have fetched the first two.</summary>
public sealed class IsrTimingTests
{
    private static readonly TimeSpan MaximumLag = TimeSpan.FromSeconds(1), Look = MaximumLag / 2;

    private readonly Partition leader;
    private TimeSpan now = TimeSpan.FromMinutes(1);

    public IsrTimingTests()
    {
        var rules = UnderTest.Rules;
        leader = new Partition(1, new TopicPartition("t", 0), Guid.Empty, PartitionLog.Open(new MemoryDisk(), "log", new LogSettings(), rules.Log, rules.Producers), rules.Replication, static (Observation _) => { });
        leader.Apply(new PartitionState([1, 2, 3], NodeSet.Of([1, 2, 3]), default, -1, 1, 0, 0), TopicSettings.KafkaDefaults with { MinInSyncReplicas = 3 });
        Produces(2);
        Fetches(2, 2);
        Fetches(3, 2);
        Produces(2);
        Assert.Equal(2, leader.HighWatermark);
    }

    [Fact]
    public void A_follower_that_joins_below_the_log_end_stays_if_it_catches_up_in_time()
    {
        ReturnsAfterLagging();

        Fetches(3, 4);
        Assert.Null(Laggards());
        now += Look;
        Fetches(2, 4);
        now += MaximumLag * 2;
        Assert.Null(Laggards());
        Assert.Equal(4, leader.HighWatermark);
    }

    [Fact]
    public void One_that_joins_and_does_not_catch_up_leaves_after_the_lag_allowed()
    {
        ReturnsAfterLagging();

        var joined = now;
        while (Laggards() is null)
        {
            Fetches(3, 4);
            now += Look;
        }
        Assert.InRange(now - joined, MaximumLag, MaximumLag + Look);
    }

    [Fact]
    public void A_fetch_lets_its_follower_join_and_puts_nobody_out()
    {
        now += MaximumLag * 2;
        Fetches(3, 2);
        Assert.Null(leader.IsrWith(3, static (_, _) => true));
        Assert.Null(leader.IsrWith(2, static (_, _) => true));
    }

    /// <summary>2 says nothing for too long, leaves the ISR, comes back where it was, which is the high watermark, and joins.</summary>
    private void ReturnsAfterLagging()
    {
        Assert.Null(Laggards());
        now += MaximumLag + Look;
        Fetches(3, 4);
        Commits(Laggards(), NodeSet.Of([1, 3]), 1);
        Fetches(2, 2);
        Commits(leader.IsrWith(2, static (_, _) => true), NodeSet.Of([1, 2, 3]), 2);
    }

    private NodeSet? Laggards() => leader.IsrWithoutLaggards(now, MaximumLag);

    private void Commits(NodeSet? wanted, NodeSet expected, int partitionEpoch)
    {
        Assert.Equal(expected, wanted);
        leader.IsrAnswered(leader.ProposeIsr(expected), expected, partitionEpoch);
    }

    private void Fetches(int follower, long offset) => leader.FollowerFetched(follower, brokerEpoch: 7, offset, now);

    private void Produces(int records)
    {
        for (var i = 0; i < records; i++)
        {
            RecordBatch.TryRead(new RecordBatchBuilder().Append(0, null, [1]).ToArray(), out var batch, out _);
            leader.Appended(leader.LeaderEpoch, leader.Append(batch, acks: 1).NextOffset);
        }
    }
}
