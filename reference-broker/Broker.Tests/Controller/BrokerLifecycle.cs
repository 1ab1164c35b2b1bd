using Broker.Core.Controller;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Tests.Controller;

public sealed class BrokerLifecycle
{
    [Fact]
    public void A_broker_is_let_in_once_it_has_read_its_own_registration()
    {
        var cluster = new Cluster();
        var epoch = cluster.Register(1).BrokerEpoch;

        Assert.True(cluster.Heartbeat(1, offset: epoch - 1).IsFenced);
        Assert.True(cluster.Heartbeat(1, wantFence: true).IsFenced);
        Assert.False(cluster.Heartbeat(1).IsFenced);
    }

    [Fact]
    public void A_second_incarnation_waits_for_the_session_of_the_first()
    {
        var cluster = new Cluster().Start(1, 2);
        Assert.Equal(ErrorCode.DuplicateBrokerRegistration, cluster.Register(1).ErrorCode);

        cluster.Silence(1);
        Assert.Equal(ErrorCode.None, cluster.Register(1).ErrorCode);
    }

    [Fact]
    public void The_same_incarnation_registers_again_under_its_epoch()
    {
        var cluster = new Cluster();
        var request = new BrokerRegistrationRequest
        {
            BrokerId = 1,
            IncarnationId = new Guid(9, 9, 9, new byte[8]),
            Listeners = [new BrokerRegistrationRequest.Listener { Host = "h", Port = 1 }],
        };

        var first = cluster.Commit(cluster.Machine.RegisterBroker(request, cluster.Now));
        var second = cluster.Commit(cluster.Machine.RegisterBroker(request, cluster.Now));

        Assert.Equal((ErrorCode.None, first.BrokerEpoch), (second.ErrorCode, second.BrokerEpoch));
    }

    [Fact]
    public void Broker_epochs_grow_and_old_ones_are_stale()
    {
        var cluster = new Cluster().Start(1, 2);
        var old = cluster.Epoch(1);
        cluster.Silence(1);
        cluster.Register(1);

        Assert.True(cluster.Epoch(1) > old);
        var late = cluster.Commit(cluster.Machine.Heartbeat(new BrokerHeartbeatRequest { BrokerId = 1, BrokerEpoch = old }, cluster.Now));
        Assert.Equal(ErrorCode.StaleBrokerEpoch, late.ErrorCode);
        Assert.Equal(ErrorCode.BrokerIdNotRegistered, cluster.Heartbeat(7).ErrorCode);
    }

    [Fact]
    public void A_silent_leader_is_fenced_and_another_member_leads()
    {
        var cluster = new Cluster().Start(1, 2, 3).Create(1, 2, 3).Silence(1);

        Assert.Equal((2, 1, NodeSet.Of([2, 3])), (cluster.State().Leader, cluster.State().LeaderEpoch, cluster.State().Isr));
        Assert.Contains(cluster.Seen, seen => seen.Kind is ObservationKind.BrokerFenced && seen.Other == 1);
    }

    [Fact]
    public void Ticks_are_due_when_the_first_session_ends()
    {
        var cluster = new Cluster();
        Assert.Equal(Cluster.Session, cluster.Machine.UntilNextTick(cluster.Now));   // nobody's session can end sooner
        cluster.Start(1);
        cluster.Pass(TimeSpan.FromSeconds(1));
        cluster.Start(2);

        Assert.Equal(TimeSpan.FromSeconds(2), cluster.Machine.UntilNextTick(cluster.Now));
        cluster.Pass(TimeSpan.FromSeconds(2));
        Assert.Equal(NodeSet.Of([1]), cluster.Tick());
    }

    [Fact]
    public void A_broker_that_wants_to_go_first_gives_its_leaders_away()
    {
        var cluster = new Cluster().Start(1, 2).Create(1, 2);

        Assert.False(cluster.Heartbeat(1, wantShutDown: true).ShouldShutDown);
        Assert.Equal((2, NodeSet.Of([2])), (cluster.State().Leader, cluster.State().Isr));
        Assert.False(cluster.Heartbeat(1, wantShutDown: true).ShouldShutDown);       // broker 2 does not know yet

        cluster.Heartbeat(2);
        Assert.True(cluster.Heartbeat(1, wantShutDown: true).ShouldShutDown);
        Assert.True(cluster.Machine.Image.Broker(1)!.Fenced);
    }

    [Fact]
    public void A_broker_in_controlled_shutdown_may_return_before_its_session_ends()
    {
        var cluster = new Cluster().Start(1, 2).Create(1, 2);
        cluster.Heartbeat(1, wantShutDown: true);

        Assert.Equal(ErrorCode.None, cluster.Register(1, clean: true).ErrorCode);
        Assert.False(cluster.Heartbeat(1).IsFenced);
        Assert.Equal(ErrorCode.None, cluster.Alter(1, 2));
    }

    /// <summary>It died before it was told that it was registered, so it wrote nothing, and the next life still names the epoch under which it served.</summary>
    [Fact]
    public void A_life_that_never_heard_of_its_registration_leaves_the_next_one_clean()
    {
        var cluster = new Cluster().Start(1, 2).Create(1, 2);
        var served = cluster.Epoch(1);
        cluster.Pass(Cluster.Session);
        Assert.Equal(ErrorCode.None, cluster.Register(1, clean: true).ErrorCode);
        Assert.Equal(ErrorCode.None, cluster.Register(1, previous: served).ErrorCode);
        Assert.Equal(ErrorCode.None, cluster.Register(1, previous: served).ErrorCode);

        Assert.DoesNotContain(cluster.Seen, seen => seen.Kind == ObservationKind.UncleanRegistration);
    }

    [Fact]
    public void A_life_that_was_let_in_leaves_no_earlier_epoch_to_name()
    {
        var cluster = new Cluster().Start(1, 2).Create(1, 2);
        var served = cluster.Epoch(1);
        cluster.Pass(Cluster.Session);
        Assert.Equal(ErrorCode.None, cluster.Register(1, clean: true).ErrorCode);
        Assert.False(cluster.Heartbeat(1).IsFenced);
        cluster.Pass(Cluster.Session);
        Assert.Equal(ErrorCode.None, cluster.Register(1, previous: served).ErrorCode);

        Assert.Contains(cluster.Seen, seen => seen.Kind == ObservationKind.UncleanRegistration);
    }

    [Fact]
    public void An_unclean_return_leaves_no_earlier_epoch_to_name()
    {
        var cluster = new Cluster().Start(1, 2).Create(1, 2);
        var served = cluster.Epoch(1);
        cluster.Pass(Cluster.Session);
        Assert.Equal(ErrorCode.None, cluster.Register(1).ErrorCode);
        Assert.Equal(ErrorCode.None, cluster.Register(1, previous: served).ErrorCode);

        Assert.Equal(2, cluster.Seen.Count(seen => seen.Kind == ObservationKind.UncleanRegistration));
    }

    [Fact]
    public void A_new_controller_gives_everybody_a_full_session()
    {
        var cluster = new Cluster().Start(1, 2);
        cluster.Pass(Cluster.Session - TimeSpan.FromMilliseconds(1));
        cluster.FailOver();
        cluster.Pass(Cluster.Session - TimeSpan.FromMilliseconds(1));

        Assert.Equal(NodeSet.Empty, cluster.Tick());
        cluster.Pass(TimeSpan.FromMilliseconds(1));
        Assert.Equal(NodeSet.Of([1, 2]), cluster.Tick());
    }

    [Fact]
    public void Producer_ids_are_given_out_once()
    {
        var cluster = new Cluster().Start(1);
        var request = new AllocateProducerIdsRequest { BrokerId = 1, BrokerEpoch = cluster.Epoch(1) };

        var first = cluster.Commit(cluster.Machine.AllocateProducerIds(request));
        cluster.FailOver();
        var second = cluster.Commit(cluster.Machine.AllocateProducerIds(request));

        Assert.Equal((0, 1000), (first.ProducerIdStart, first.ProducerIdLen));
        Assert.Equal(1000, second.ProducerIdStart);
        request.BrokerEpoch++;
        Assert.Equal(ErrorCode.StaleBrokerEpoch, cluster.Commit(cluster.Machine.AllocateProducerIds(request)).ErrorCode);
    }
}
