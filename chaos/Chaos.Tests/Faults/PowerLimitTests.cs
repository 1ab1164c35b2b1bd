using Broker.Runtime;
using Chaos.Faults;
using Chaos.Tests.Simulation;

namespace Chaos.Tests.Faults;

public sealed class PowerLimitTests
{
    private readonly PowerLimit limit = new(1, NodeSet.Of([0, 1, 2]), 3);

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
        Isr(0, 1, 2);
        Assert.False(limit.Forbids(Power(2)));
        Assert.Equal(1, limit.Worst);
    }

    [Fact]
    public void A_loss_of_nothing_a_controller_and_other_faults_do_not_count()
    {
        Isr(0, 1, 2);
        Lose(1, bytes: 0);
        Lose(4, bytes: 10);
        Assert.False(limit.Forbids(Power(2)));
        Lose(2, bytes: 1);
        Assert.False(limit.Forbids(Power(4)));
        Assert.False(limit.Forbids(new Fault.Crash(Trigger.AtMs(1), Echo.Ms(1), NodeRef.Of(0))));
    }

    [Fact]
    public void Each_partition_has_its_own_count_and_the_worst_is_remembered()
    {
        Isr(0, 1, 2);
        limit.Observe(new Observation(ObservationKind.Elected, new NodeId(3), new TopicPartition("t", 1), Nodes: NodeSet.Of([0, 1, 2])));
        Lose(0, bytes: 1);
        Isr(0, 1, 2);
        Assert.True(limit.Forbids(Power(2)));                          // t-1 is not full again
        Lose(2, bytes: 1);
        Assert.Equal(2, limit.Worst);
    }

    private static Fault.Power Power(int node) => new(Trigger.AtMs(1), Echo.Ms(1), NodeRef.Of(node));

    private void Isr(params int[] nodes) =>
        limit.Observe(new Observation(ObservationKind.IsrCommitted, new NodeId(3), new TopicPartition("t", 0), Nodes: NodeSet.Of(nodes)));

    private void Lose(int node, long bytes) => limit.Observe(new Observation(ObservationKind.PowerLost, new NodeId(node), Offset: bytes));
}
