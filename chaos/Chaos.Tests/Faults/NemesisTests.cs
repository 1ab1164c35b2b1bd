using Broker.Runtime;
using Chaos.Faults;
using Chaos.Simulation;
using Chaos.Tests.Simulation;

namespace Chaos.Tests.Faults;

public sealed class NemesisTests
{
    private static readonly TopicPartition T0 = new("t", 0);

    [Fact]
    public void A_fault_follows_the_nth_matching_observation_after_its_delay()
    {
        var target = Run(
            [new Fault.Crash(Trigger.AfterMs(new ObservationPattern(ObservationKind.ProduceAnswered, Partition: T0, Other: 0), 5, count: 3), Echo.Ms(20), new NodeRef.Observed())],
            nemesis =>
            [
                (10, () => nemesis.Observe(Answered(1, error: 0))),
                (20, () => nemesis.Observe(Answered(1, error: 6))),
                (30, () => nemesis.Observe(Answered(1, error: 0))),
                (40, () => nemesis.Observe(Answered(2, error: 0))),
                (50, () => nemesis.Observe(Answered(1, error: 0))),
            ]);
        Assert.Equal(["45 inject 0 crash 2", "65 heal 0"], target.Calls);
    }

    [Fact]
    public void What_was_seen_too_early_or_names_another_number_of_nodes_does_not_count()
    {
        static Observation Isr(params int[] nodes) => new(ObservationKind.IsrCommitted, NodeId.None, T0, 0, Nodes: NodeSet.Of(nodes));
        var target = Run(
            [new Fault.Crash(new Trigger.After(new ObservationPattern(ObservationKind.IsrCommitted, Size: 1), 1, Echo.Ms(5), Since: Echo.Ms(20)), Echo.Ms(20), NodeRef.Of(2))],
            nemesis =>
            [
                (10, () => nemesis.Observe(Isr(1))),
                (30, () => nemesis.Observe(Isr(1, 2))),
                (40, () => nemesis.Observe(Isr(2))),
                (50, () => nemesis.Observe(Isr(2))),
            ]);
        Assert.Equal(["45 inject 0 crash 2", "65 heal 0"], target.Calls);
    }

    [Fact]
    public void A_role_is_resolved_when_the_fault_fires_and_a_role_nobody_plays_hits_nobody()
    {
        var target = Run(
            [
                new Fault.Pause(Trigger.AtMs(10), Echo.Ms(5), new NodeRef.LeaderOf(T0)),
                new Fault.Pause(Trigger.AtMs(20), Echo.Ms(5), new NodeRef.ActiveController()),
                new Fault.Reset(Trigger.AtMs(30), NodeRef.Of(4), new NodeRef.LeaderOf(T0)),
            ],
            _ => []);
        Assert.Equal(["10 inject 0 pause 7", "15 heal 0", "30 inject 2 reset 4", "30 heal 2"], target.Calls);
    }

    [Fact]
    public void A_vetoed_fault_never_happens_and_does_not_count()
    {
        Nemesis seen = null!;
        var target = Run([new Fault.Power(Trigger.AtMs(10), Echo.Ms(5), NodeRef.Of(1)), new Fault.Crash(Trigger.AtMs(10), Echo.Ms(5), NodeRef.Of(1))], nemesis =>
        {
            seen = nemesis;
            nemesis.Veto = fault => fault is Fault.Power;
            return [];
        });
        Assert.Equal(["10 inject 1 crash 1", "15 heal 1"], target.Calls);
        Assert.Equal([true, false], seen.Outcomes.Select(outcome => outcome.Vetoed));
        Assert.Equal([null, Echo.Ms(10)], seen.Outcomes.Select(outcome => outcome.At));
        Assert.Empty(seen.Bitten);
    }

    [Fact]
    public void Healing_all_ends_what_is_active_and_stops_what_was_still_to_come()
    {
        var target = Run([new Fault.Pause(Trigger.AtMs(10), Echo.Ms(500), NodeRef.Of(1)), new Fault.Pause(Trigger.AtMs(60), Echo.Ms(5), NodeRef.Of(1))],
            nemesis => [(50, nemesis.HealAll), (55, () => nemesis.Observe(Answered(1, 0)))]);
        Assert.Equal(["10 inject 0 pause 1", "50 heal 0"], target.Calls);
    }

    [Fact]
    public void Roles_follow_the_newest_epoch()
    {
        var roles = new ObservedRoles();
        Assert.Null(roles.Find(new NodeRef.LeaderOf(T0)));
        roles.Observe(new Observation(ObservationKind.BecameLeader, new NodeId(2), T0, Epoch: 1));
        roles.Observe(new Observation(ObservationKind.BecameFollower, new NodeId(1), T0, Epoch: 1, Other: 2));
        roles.Observe(new Observation(ObservationKind.BecameFollower, new NodeId(0), T0, Epoch: 1, Other: 2));
        Assert.Equal(new NodeId(2), roles.Find(new NodeRef.LeaderOf(T0)));
        Assert.Equal(new NodeId(1), roles.Find(new NodeRef.FollowerOf(T0, 1)));
        roles.Observe(new Observation(ObservationKind.BecameLeader, new NodeId(1), T0, Epoch: 3));
        roles.Observe(new Observation(ObservationKind.BecameLeader, new NodeId(0), T0, Epoch: 2));
        Assert.Equal(new NodeId(1), roles.Find(new NodeRef.LeaderOf(T0)));
        Assert.Equal(new NodeId(0), roles.Find(new NodeRef.FollowerOf(T0, 0)));
        Assert.Null(roles.Find(new NodeRef.FollowerOf(T0, 2)));
        roles.Observe(new Observation(ObservationKind.QuorumLeader, new NodeId(5), Epoch: 4));
        Assert.Equal(new NodeId(5), roles.Find(new NodeRef.ActiveController()));
    }

    private static Observation Answered(int node, int error) => new(ObservationKind.ProduceAnswered, new NodeId(node), T0, Other: error);

    private static Noting Run(Fault[] faults, Func<Nemesis, (int AtMs, Action Do)[]> script)
    {
        var world = new SimWorld(1);
        var target = new Noting(world);
        var nemesis = new Nemesis(new FaultSchedule(faults), target, world.Time);
        world.Run(async () =>
        {
            var steps = script(nemesis);
            nemesis.Start();
            foreach (var (atMs, act) in steps)
            {
                await world.Time.DelayAsync(Echo.Ms(atMs) - world.Now);
                act();
            }

            await world.Time.DelayAsync(Echo.Ms(200));
        }, TimeSpan.FromSeconds(1));
        return target;
    }

    private sealed class Noting(SimWorld world) : IFaultTarget
    {
        public List<string> Calls { get; } = [];

        public NodeId? Find(NodeRef role) => role is NodeRef.LeaderOf ? new NodeId(7) : null;

        public void Inject(int index, Fault fault) => Calls.Add($"{world.Now.TotalMilliseconds} inject {index} {fault.Word} {fault.Subject}");

        public void Heal(int index) => Calls.Add($"{world.Now.TotalMilliseconds} heal {index}");
    }
}
