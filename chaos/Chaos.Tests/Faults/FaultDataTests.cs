using System.Text.Json;
using Broker.Runtime;
using Chaos.Faults;
using Chaos.Tests.Simulation;
using FsCheck;
using FsCheck.Fluent;

namespace Chaos.Tests.Faults;

public sealed class FaultDataTests
{
    private static readonly TopicPartition T0 = new("t", 0);
    private static readonly JsonSerializerOptions OneLine = new(FaultJson.Options) { WriteIndented = false };

    [Fact]
    public void Every_fault_word_survives_the_way_through_json()
    {
        var schedule = new FaultSchedule(FaultWord.All.Select(EveryFaultTests.Example));
        Assert.Equal(FaultWord.All, schedule.Select(fault => fault.Word));
        schedule = new FaultSchedule([.. schedule, new Fault.Partition(Trigger.AtMs(0), Echo.Ms(1), NodeGroup.Of(0), NodeGroup.None, Port: 9092), new Fault.Crash(LeftAlone, Echo.Ms(1), NodeRef.Of(0))]);
        Assert.Equal(schedule, FaultSchedule.FromJson(schedule.ToJson()));
    }

    [Fact]
    public void Any_drawn_schedule_survives_the_way_through_json() =>
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed =>
        {
            var schedule = ScheduleGenerator.Swarm(new Prng((ulong)seed), Scope);
            return FaultSchedule.FromJson(schedule.ToJson()).Equals(schedule);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Json_reads_like_the_fault()
    {
        var fault = new Fault.Power(Trigger.AfterMs(new ObservationPattern(ObservationKind.BecameLeader, new NodeId(2), T0, 3), 5), Echo.Ms(800), new NodeRef.LeaderOf(T0));
        var json = JsonSerializer.Serialize<Fault>(fault, OneLine);
        Assert.Equal("""{"fault":"power","when":{"after":"became-leader","node":2,"partition":"t-0","epoch":3,"delay":5},"howLong":800,"node":"leader-of t-0","tail":"drawn"}""", json);
    }

    [Theory]
    [InlineData("""[{"fault":"meteor","when":{"at":1}}]""")]
    [InlineData("""[{"fault":"crash","when":{"at":1,"after":"elected"},"howLong":1,"node":1}]""")]
    [InlineData("""[{"fault":"crash","when":{},"howLong":1,"node":1}]""")]
    [InlineData("""[{"fault":"crash","when":{"at":1},"howLong":1,"node":"the-boss"}]""")]
    [InlineData("""[{"fault":"crash","when":{"at":1},"howLong":1,"node":64}]""")]
    [InlineData("""[{"fault":"crash","when":{"at":"soon"},"howLong":1,"node":1}]""")]
    [InlineData("""[{"fault":"crash","when":{"at":1},"howLong":1,"node":1,"colour":"red"}]""")]
    [InlineData("""[{"fault":"move-leader","when":{"at":1},"topicPartition":"t","to":1}]""")]
    [InlineData("""[{"fault":"crash","when":{"at":1},"howLong":1}]""")]
    [InlineData("""[{"fault":"crash","when":{"at":1},"howLong":1,"node":null}]""")]
    [InlineData("""[{"fault":"crash","howLong":1,"node":1}]""")]
    [InlineData("""[{"fault":"delay","when":{"at":1},"howLong":1,"node":1,"to":2}]""")]
    [InlineData("""[{"when":{"at":1},"howLong":1,"node":1}]""")]
    [InlineData("null")]
    public void Json_that_is_no_schedule_is_refused(string json) => Assert.Throws<JsonException>(() => FaultSchedule.FromJson(json));

    [Fact]
    public void A_fault_reads_like_a_sentence()
    {
        var became = new ObservationPattern(ObservationKind.BecameLeader, new NodeId(2), T0);
        var power = new Fault.Power(Trigger.AfterMs(became, 5), Echo.Ms(800), new NodeRef.LeaderOf(T0));
        Assert.Equal("the leader of t-0 loses power for 800 ms, 5 ms after node 2 became leader of t-0", FaultText.Sentence(power));
        Assert.Equal("node 2 (leader of t-0) loses power for 800 ms, 5 ms after node 2 became leader of t-0", FaultText.Sentence(power, power with { Node = NodeRef.Of(2) }));
        Assert.Equal("node 2 crashes for 10 ms, right after it became leader of t-0", FaultText.Sentence(new Fault.Crash(Trigger.AfterMs(became, 0), Echo.Ms(10), NodeRef.Of(2))));
        Assert.Equal("nodes 0, 1 and node 2 are cut apart for 10 ms, at 1.5 ms", FaultText.Sentence(new Fault.Partition(Trigger.AtMs(1.5), Echo.Ms(10), NodeGroup.Of(0, 1), NodeGroup.Of(2))));
        Assert.Equal("nothing from node 0 reaches everybody else for 10 ms, at 1 ms", FaultText.Sentence(new Fault.Partition(Trigger.AtMs(1), Echo.Ms(10), NodeGroup.Of(0), NodeGroup.None, CutWay.Out)));
        Assert.Equal("node 0 crashes for 1 ms, 5 ms after an ISR of t-0 was committed of 1 later than 2000 ms", FaultText.Sentence(new Fault.Crash(LeftAlone, Echo.Ms(1), NodeRef.Of(0))));
        Assert.Equal("node 1 and node 2 are cut apart on port 9092 for 10 ms, at 1 ms", FaultText.Sentence(new Fault.Partition(Trigger.AtMs(1), Echo.Ms(10), NodeGroup.Of(1), NodeGroup.Of(2), Port: 9092)));
        Assert.Equal("the next 2 Fetch requests from anybody to node 0 are kept back for 10 ms, 3 ms after the 4th time a node answered a produce",
            FaultText.Sentence(new Fault.Hold(Trigger.AfterMs(new ObservationPattern(ObservationKind.ProduceAnswered), 3, 4), Echo.Ms(10), null, NodeRef.Of(0), 1, false, 2)));
        Assert.All(FaultWord.All, word => Assert.EndsWith(", at 200 ms", FaultText.Sentence(EveryFaultTests.Example(word)), StringComparison.Ordinal));
    }

    private static Trigger.After LeftAlone { get; } = new(new ObservationPattern(ObservationKind.IsrCommitted, Partition: T0, Size: 1), 1, Echo.Ms(5), Echo.Ms(2000));

    internal static ScheduleScope Scope { get; } = new()
    {
        Words = FaultWord.All,
        Brokers = NodeSet.Of([0, 1, 2]),
        Controllers = NodeSet.Of([3, 4, 5]),
        Clients = NodeSet.Of([6, 7]),
        Partitions = [T0, new TopicPartition("t", 1)],
        PowerBudget = 2,
    };
}
