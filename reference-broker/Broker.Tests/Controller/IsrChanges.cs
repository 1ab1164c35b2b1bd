using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Tests.Controller;

public sealed class IsrChanges
{
    private readonly Cluster cluster = new Cluster().Start(1, 2, 3, 4).Create(1, 2, 3);

    [Fact]
    public void The_leader_shrinks_and_expands_its_isr()
    {
        Assert.Equal(ErrorCode.None, cluster.Alter(1, 2));
        Assert.Equal((NodeSet.Of([1, 2]), 1, 0), (cluster.State().Isr, cluster.State().PartitionEpoch, cluster.State().LeaderEpoch));

        Assert.Equal(ErrorCode.None, cluster.Alter(1, 2, 3));
        Assert.Equal((NodeSet.Of([1, 2, 3]), 2), (cluster.State().Isr, cluster.State().PartitionEpoch));
        Assert.Equal(2, cluster.Seen.Last(seen => seen.Kind is ObservationKind.IsrCommitted).Offset);
    }

    [Fact]
    public void A_wish_that_is_fulfilled_already_changes_nothing()
    {
        Assert.Equal(ErrorCode.None, cluster.Alter(1, 2, 3));
        Assert.Equal(0, cluster.State().PartitionEpoch);
    }

    [Fact]
    public void Epochs_and_the_leader_are_checked()
    {
        cluster.Silence(1);                                             // 2 leads in epoch 1, partition epoch 1
        cluster.Start(1);

        Assert.Equal(ErrorCode.NotController, cluster.AlterAs(2, leaderEpoch: 2, partitionEpoch: 1, 2, 3));
        Assert.Equal(ErrorCode.NotController, cluster.AlterAs(2, leaderEpoch: 1, partitionEpoch: 2, 2, 3));
        Assert.Equal(ErrorCode.FencedLeaderEpoch, cluster.AlterAs(1, leaderEpoch: 0, partitionEpoch: 0, 1));
        Assert.Equal(ErrorCode.InvalidRequest, cluster.AlterAs(3, leaderEpoch: 1, partitionEpoch: 1, 3));
        Assert.Equal(ErrorCode.InvalidUpdateVersion, cluster.AlterAs(2, leaderEpoch: 1, partitionEpoch: 0, 2));
        Assert.Equal(ErrorCode.None, cluster.AlterAs(2, leaderEpoch: 1, partitionEpoch: 1, 2));
    }

    [Fact]
    public void An_isr_is_a_set_of_replicas_with_the_leader()
    {
        Assert.Equal(ErrorCode.InvalidRequest, cluster.Alter(1, 4));
        Assert.Equal(ErrorCode.InvalidRequest, cluster.Alter(2, 3));
        Assert.Equal(ErrorCode.InvalidRequest, cluster.Alter(1, 2, 2));
        Assert.Equal(ErrorCode.InvalidRequest, cluster.Alter(1, 200));
    }

    [Fact]
    public void Fenced_members_are_ineligible()
    {
        cluster.Silence(3);

        Assert.Equal(ErrorCode.IneligibleReplica, cluster.Alter(1, 2, 3));
    }

    [Fact]
    public void Members_in_controlled_shutdown_are_ineligible()
    {
        cluster.Heartbeat(1, wantShutDown: true);                       // 2 leads

        Assert.Equal(ErrorCode.IneligibleReplica, cluster.Alter(1, 2, 3));
    }

    [Fact]
    public void A_member_that_restarted_since_the_leader_saw_it_fetch_is_ineligible()
    {
        cluster.Silence(3);
        var request = cluster.AlterRequest(1, 0, cluster.State().PartitionEpoch, 1, 2, 3);
        cluster.Start(3);

        var answer = cluster.Commit(cluster.Machine.AlterPartition(request));

        Assert.Equal(ErrorCode.IneligibleReplica, answer.Topics[0].Partitions[0].ErrorCode);
        Assert.Equal(ErrorCode.None, cluster.Alter(1, 2, 3));
    }

    [Fact]
    public void A_former_incarnation_of_the_leader_is_refused_as_a_whole()
    {
        var request = cluster.AlterRequest(1, 0, 0, 1);
        request.BrokerEpoch--;

        Assert.Equal(ErrorCode.StaleBrokerEpoch, cluster.Commit(cluster.Machine.AlterPartition(request)).ErrorCode);
    }

    [Fact]
    public void Unknown_topics_and_partitions_are_told_apart()
    {
        var request = cluster.AlterRequest(1, 0, 0, 1);
        request.Topics[0].Partitions[0].PartitionIndex = 5;
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, cluster.Commit(cluster.Machine.AlterPartition(request)).Topics[0].Partitions[0].ErrorCode);

        request.Topics[0].TopicId = new Guid(1, 2, 3, new byte[8]);
        Assert.Equal(ErrorCode.UnknownTopicId, cluster.Commit(cluster.Machine.AlterPartition(request)).Topics[0].Partitions[0].ErrorCode);
    }
}
