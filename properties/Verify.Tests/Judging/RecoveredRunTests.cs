using Broker.Core.Replication;
using Broker.Runtime;
using Chaos.Faults;
using Verify.Campaign.Judging;
using Verify.Campaign.Running;
using Verify.Promises;
using Verify.Workloads;
using Verify.Zoo;

namespace Verify.Tests.Judging;

/// <summary>The last reads begin when everything acknowledged is committed, or lost: not when one broker says that the ISR is full.</summary>
public sealed class RecoveredRunTests
{
    private static readonly TopicPartition Only = new(ClusterNodes.Topic, 0);

    /// <summary>Each of them, in the world of its seed, came to its last reads too early once.</summary>
    private static readonly SortedDictionary<string, Scenario> Scenarios = new(StringComparer.Ordinal)
    {
        ["the high watermark trails when the ISR is full: the followers were cut off while the leader took the record, for too short a time to leave"] = Of(
            61000132, 600, 1, ["acks=1", "flush.messages=1"], readers: 0, new WorldShape(Ms(1), Ms(3.371), 1, 1),
            new Fault.Partition(Trigger.AtMs(500), Ms(100), NodeGroup.Of(2, 3, 11, 21, 22), NodeGroup.Of(1, 12, 13, 41, 42)), (45, 500)),
        ["the high watermark trails where nobody is told of an offset"] = Of(
            5001711, 600, 2, ["acks=0", "min.insync.replicas=3", "flush.messages=1", "unclean.leader.election.enable=true"], readers: 2, new WorldShape(Ms(1.077), Ms(4.639), 1, 1),
            new Fault.Crash(After(6), Ms(10), NodeRef.Of(3)), (85, 50), (156, 200), (166, 250)),
        ["the broker that is asked was cut off, and tells of the ISR before the election"] = Of(
            5006736, 4500, 1, ["acks=1", "unclean.leader.election.enable=true"], readers: 2, WorldShape.Plain,
            new Fault.Partition(Trigger.AtMs(200), Ms(4600), NodeGroup.Of(1, 13, 22, 41, 42), NodeGroup.Of(2, 3, 11, 12, 21)), (61, 400)),
    };

    public static TheoryData<string> Names => [.. Scenarios.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void What_had_only_not_come_through_yet_is_not_taken_for_lost(string name)
    {
        var run = SimulatedRun.Play(Scenarios[name]);
        Assert.NotEmpty(run.Bitten);
        Assert.NotNull(run.RecoveredAfter);
        Assert.Empty(Judge.Of(run).Broken.Select(broken => broken.Note));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void What_a_broker_swallowed_is_missed_all_the_same(string name)
    {
        var planted = SwallowTheFirst.Planted;
        var run = SimulatedRun.Play(Scenarios[name] with { Mutant = planted.Slug }, planted);
        Assert.NotNull(run.RecoveredAfter);
        Assert.Contains(Judge.Of(run).Broken, broken => broken.Anomaly == "lost-write");
    }

    private static Scenario Of(ulong seed, double lengthMs, int? powerLimit, string[] settings, int readers, WorldShape world, Fault fault, params (long Value, double AtMs)[] sends) => new(
        seed, Configuration.OfWords(settings), new WorkloadPlan(WorkloadNames.Log, 1, 1, readers, [.. sends.Select(send => new Command.Send(Ms(send.AtMs), 0, 0, send.Value))]), new FaultSchedule([fault]), world, Ms(lengthMs), powerLimit);

    private static Trigger.After After(int answers) => new(new ObservationPattern(ObservationKind.ClientAnswered, Partition: Only), answers, Ms(200));

    private static TimeSpan Ms(double ms) => TimeSpan.FromMilliseconds(ms);

    /// <summary>The first produce request of every life of a node is answered as done and its records are dropped.</summary>
    private sealed class SwallowTheFirst : ReplicationRules
    {
        private int requests;

        public static Mutant Planted { get; } = new("swallow-the-first", "planted, for this test", "The first produce request is answered as done and its records are dropped.", Rarity.Easy, ["lost-write"], "log")
        {
            Broker = static rules => rules with { Replication = new SwallowTheFirst() },
            Counts = false,
        };

        public override IReadOnlyList<ProduceStep> ProduceSteps() => ++requests == 1 ? [ProduceStep.Flush, ProduceStep.Count, ProduceStep.AwaitCommit] : base.ProduceSteps();
    }
}
