using Broker.Runtime;
using Chaos.Faults;
using Chaos.Tests.Simulation;

namespace Chaos.Tests.Faults;

public sealed class PowerLimitTests
{
    private readonly PowerLimit limit = new(1, NodeSet.Of([0, 1, 2]), static _ => 3);

    [Fact]
    public void A_second_broker_may_not_lose_power_until_the_ISR_was_full_again()
    {
        Isr(0, 1, 2);
        Assert.False(limit.Forbids(Power(1)));
        Lose(1, bytes: 10);
        Assert.True(limit.Forbids(Power(2)));
        Assert.False(limit.Forbids(Power(1)));                         // the same broker again loses nothing more
        Isr(0, 2);
        Assert.True(limit.Forbids(Power(2)));
        Return(1);
        Isr(0, 1, 2);
        Assert.False(limit.Forbids(Power(2)));
        Assert.Equal(1, limit.Worst);
    }

    [Fact]
    public void An_ISR_that_names_a_broker_which_is_not_back_yet_is_full_in_name_only()
    {
        Isr(0, 1, 2);
        Lose(1, bytes: 10);
        Isr(0, 1, 2);
        Assert.True(limit.Forbids(Power(2)));
        Return(1);
        Isr(0, 1, 2);
        Assert.False(limit.Forbids(Power(2)));
    }

    [Fact]
    public void A_broker_that_lost_power_after_stopping_in_good_order_is_back_once_it_is_let_in_again()
    {
        Isr(0, 1, 2);
        Lose(1, bytes: 0);
        limit.Observe(new Observation(ObservationKind.BrokerUnfenced, new NodeId(3), Other: 1));   // by a heartbeat of its life before
        Isr(0, 1, 2);
        Assert.True(limit.Forbids(Power(2)));
        limit.Observe(new Observation(ObservationKind.NodeStarted, new NodeId(1)));
        limit.Observe(new Observation(ObservationKind.BrokerUnfenced, new NodeId(3), Other: 1));
        Isr(0, 1, 2);
        Assert.False(limit.Forbids(Power(2)));
    }

    [Fact]
    public void A_controller_and_other_faults_do_not_count_and_a_loss_of_nothing_does()
    {
        Isr(0, 1, 2);
        Lose(4, bytes: 10);
        Assert.False(limit.Forbids(Power(2)));
        Lose(1, bytes: 0);
        Assert.True(limit.Forbids(Power(2)));
        Assert.False(limit.Forbids(Power(4)));
        Assert.False(limit.Forbids(new Fault.Crash(Trigger.AtMs(1), Echo.Ms(1), NodeRef.Of(0))));
    }

    [Fact]
    public void Without_a_limit_it_counts_and_forbids_nothing()
    {
        var unlimited = new PowerLimit(null, NodeSet.Of([0, 1, 2]), static _ => 3);
        foreach (var node in new[] { 0, 1, 2 }) unlimited.Observe(new Observation(ObservationKind.PowerLost, new NodeId(node), Offset: 1));
        Assert.False(unlimited.Forbids(Power(0)));
        Assert.Equal(3, unlimited.Worst);
    }

    [Fact]
    public void Each_partition_has_its_own_count_and_the_worst_is_remembered()
    {
        Isr(0, 1, 2);
        limit.Observe(new Observation(ObservationKind.Elected, new NodeId(3), new TopicPartition("t", 1), Nodes: NodeSet.Of([0, 1, 2])));
        Lose(0, bytes: 1);
        Return(0);
        Isr(0, 1, 2);
        Assert.True(limit.Forbids(Power(2)));                          // t-1 is not full again
        Lose(2, bytes: 1);
        Assert.Equal(2, limit.Worst);
    }

    private static Fault.Power Power(int node) => new(Trigger.AtMs(1), Echo.Ms(1), NodeRef.Of(node));

    private void Isr(params int[] nodes) =>
        limit.Observe(new Observation(ObservationKind.IsrCommitted, new NodeId(3), new TopicPartition("t", 0), Nodes: NodeSet.Of(nodes)));

    private void Return(int node) => limit.Observe(new Observation(ObservationKind.UncleanRegistration, new NodeId(3), Other: node));

    private void Lose(int node, long bytes) => limit.Observe(new Observation(ObservationKind.PowerLost, new NodeId(node), Offset: bytes));
}
