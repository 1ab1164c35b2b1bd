using Broker.Runtime;
using Chaos.Faults;
using Verify.Campaign.Judging;
using Verify.Campaign.Results;
using Verify.Campaign.Running;
using Verify.Campaign.Stories;
using Verify.History;
using Verify.Promises;
using static Verify.Tests.Stories.ScriptedRun;

namespace Verify.Tests.Stories;

public sealed class StoryTellerTests
{
    private static readonly Violation Lost = new("no-lost-writes", "lost-write", "t-0", ["2"], [1], "2 was acknowledged at offset 1; a complete read lacks it", Excuse.LeaderChangedBeforeReplication);

    [Fact]
    public void A_loss_reads_like_a_story_on_a_terminal()
    {
        var story = StoryTeller.Tell(TwoWrites(), Lost, "stories/x.story.json");
        Assert.Equal(
            """
            Broker 1 acknowledged value 2 and then cut it off to follow broker 2, which
            leads epoch 2 without it.
            no-lost-writes: lost-write, permitted by leader-changed-before-replication
            acks=all min.insync.replicas=2 unclean.leader.election.enable=false

              fault 1: broker 1 and everybody else are cut apart for 400 ms, at 90 ms

               seconds   who             what
                 0.000   broker 1        leads t-0 in epoch 1; in-sync replicas [1,2,3]
                 0.000   controller 11   is the active controller
                 0.010   producer 0      sends value 1 to t-0: acknowledged, offset 0
                 0.090   broker 1        FAULT: broker 1 and everybody else are cut apart
                                         for 400 ms (until 0.490)
                 0.100 * producer 0      sends value 2 to t-0, received by broker 1 at 0.101
                 0.101 * broker 1        appends value 2 at offset 1 of t-0 as leader of
                                         epoch 1
                 0.102 * broker 1        acknowledges value 2 to producer 0, offset 1
                 0.200   controller 11   fences broker 1
                 0.200   controller 11   elects broker 2 leader of t-0 for epoch 2, from the
                                         in-sync replicas; in-sync replicas [2,3]
                 0.203 * broker 2        leads t-0 in epoch 2, its log ending at 1: it does
                                         not have value 2
                 0.490   broker 1        reaches the others again
                 0.495 * broker 1        follows broker 2 in epoch 2 and cuts its log of t-0
                                         from 2 to 1: value 2 is gone here
                 0.495 *                 No broker has value 2 any more. (!)
                19.990   operator        reads t-0 from its start to its end: 1 record, last
                                         offset 0
                19.990 * operator        does not find value 2 (!)

            The life of value 2 at offset 1:
                 0.100   sent by producer 0 to t-0
                 0.101   appended by broker 1, leader of epoch 1, at offset 1
                 0.103   acknowledged to producer 0 by broker 1, offset 1
                 0.200   broker 2, which does not have it, is elected leader of epoch 2,
                         from the in-sync replicas
                 0.495   truncated by broker 1 (log end 2 to 1), following broker 2, leader
                         of epoch 2, which does not have value 2
                 0.495   no broker has it any more
                19.990   missing from a complete read of t-0 by the operator

            """,
            TraceText.Of(story));
    }

    [Fact]
    public void Every_line_fits_the_terminal_and_every_entry_has_its_lane()
    {
        var story = StoryTeller.Tell(TwoWrites(), Lost, "stories/x.story.json");
        Assert.All(TraceText.Of(story).Split('\n'), line => Assert.InRange(line.Length, 0, 80));
        Assert.All(story.Entries, entry => Assert.InRange(entry.Lane, -1, story.Lanes.Count - 1));
        Assert.All(story.Entries.Where(entry => entry.To is not null), entry => Assert.InRange(entry.To!.Value, 0, story.Lanes.Count - 1));
        Assert.Equal(story.Entries.Select(entry => entry.TimeMs).Order(), story.Entries.Select(entry => entry.TimeMs));
        Assert.Equal(["producer 0", "operator", "broker 1", "broker 2", "broker 3", "controller 11"], story.Lanes.Select(lane => lane.Name));
    }

    [Fact]
    public void The_life_of_any_record_can_be_told()
    {
        var run = TwoWrites();
        Assert.Equal(["sent by producer 0 to t-0", "appended by broker 1, leader of epoch 1, at offset 0", "replicated to broker 2 from broker 1, offset 0",
            "acknowledged to producer 0 by broker 1, offset 0", "read by operator at offset 0, in a complete read after healing"], StoryTeller.LifeOf(run, 1)!.Steps.Select(step => step.Text));
        Assert.Contains(StoryTeller.LifeOf(run, 2)!.Steps, step => step.Text.StartsWith("truncated by broker 1", StringComparison.Ordinal));
        Assert.Null(StoryTeller.LifeOf(run, 99));
    }

    [Fact]
    public void A_record_lost_with_the_power_says_whose_power_it_was()
    {
        var power = new Fault.Power(Trigger.AtMs(50), Scenarios.Ms(100), NodeRef.Of(1));
        var run = new ScriptedRun()
            .Recorded(10, it => it.InvokeSend(0, it.Key("t-0"), 2)).Appended(11, 1, 1, 1, 2)
            .Seen(50, 1, new Observation(ObservationKind.FaultBit, default, Other: 0)).Seen(50, 1, new Observation(ObservationKind.PowerLost, default, Offset: 70))
            .Seen(160, 1, new Observation(ObservationKind.LogRecovered, default, T0, Offset: 1))
            .Play(Scenarios.WithSends(1, power), new FaultOutcome(0, power, power, Scenarios.Ms(50), false, true));
        var story = StoryTeller.Tell(run, Lost, "stories/x.story.json");
        Assert.Equal("Broker 1 acknowledged value 2 and then lost it with its power before it was on disk.", story.Title);
        Assert.True(Assert.Single(story.Entries, entry => entry.Kind == StoryKind.Fault).Focus);
        Assert.Contains(story.Entries, entry => entry is { Kind: StoryKind.Lost, TimeMs: 160, Lane: >= 0 });
        Assert.Contains(story.Record!.Steps, step => step is { TimeMs: 160, Text: "no broker has it any more" });
    }

    [Fact]
    public void Long_stories_leave_out_the_quiet_and_keep_the_loss()
    {
        var script = Script();
        for (var i = 0; i < 400; i++) script.Seen(300 + i, 11, new Observation(ObservationKind.IsrCommitted, default, T0, 1, i, Nodes: NodeSet.Of([1, 2])));
        var story = StoryTeller.Tell(script.Play(Scenarios.WithSends(2)), Lost, "stories/x.story.json");
        Assert.Equal(StoryTeller.MostEntries + 1, story.Entries.Count);
        Assert.Contains("left out", story.Entries[^1].Text, StringComparison.Ordinal);
        Assert.Contains(story.Entries, entry => entry.Kind == StoryKind.Lost);
        Assert.Contains(story.Entries, entry => entry.Kind == StoryKind.Truncate);
    }

    [Fact]
    public void A_topic_that_comes_back_is_told_by_those_who_asked_and_listed()
    {
        var scenario = Scenarios.WithSends(0) with { Plan = new Workloads.WorkloadPlan(Workloads.WorkloadNames.Metadata, 1, 1, 0, []) };
        var run = new ScriptedRun()
            .Seen(-100, 11, new Observation(ObservationKind.QuorumLeader, default, Epoch: 1))
            .Recorded(5, it => it.Topics(EventFunction.Delete, EventType.Invoke, 0, [it.Name("m1")]))
            .Recorded(9, it => it.Topics(EventFunction.Delete, EventType.Ok, 0, [it.Name("m1")]))
            .Seen(40, 12, new Observation(ObservationKind.QuorumLeader, default, Epoch: 2))
            .Recorded(19_990, it => it.Topics(EventFunction.List, EventType.Ok, 200, [it.Name("m1")], final: true))
            .Play(scenario);
        var story = StoryTeller.Tell(run, new Violation("metadata-agreement", "resurrected-topic", "m1", [], [], "m1 was deleted, and is listed at the end", null), "stories/m.story.json");
        Assert.Equal(
            ["controller 11: is the active controller", "client 0: asks to delete topic m1", "client 0: is told that topic m1 is deleted", "controller 12: becomes the active controller, quorum epoch 2", "operator: lists the topics: m1 is among them",
                "M1 was deleted, and is listed at the end."],
            story.Entries.Select(entry => entry.Lane < 0 ? entry.Text : $"{story.Lanes[entry.Lane].Name}: {entry.Text}"));
        Assert.Equal("M1 was deleted, and is listed at the end.", story.Title);
        Assert.Null(story.Record);
    }

    private static RunRecord TwoWrites()
    {
        var pause = new Fault.Partition(Trigger.AtMs(90), Scenarios.Ms(400), NodeGroup.Of(1), NodeGroup.None);
        return Script().Play(Scenarios.WithSends(2, pause), new FaultOutcome(0, pause, pause, Scenarios.Ms(90), false, true));
    }

    /// <summary>Value 1 is replicated, value 2 is not; broker 1 is cut off, broker 2 takes over, broker 1 comes back and cuts its log.</summary>
    private static ScriptedRun Script()
    {
        PendingSend first = default, second = default;
        return new ScriptedRun()
            .Seen(-500, 11, new Observation(ObservationKind.QuorumLeader, default, Epoch: 1))
            .Seen(-400, 11, new Observation(ObservationKind.Elected, default, T0, 1, (long)ElectionKind.Clean, Other: 1, Nodes: NodeSet.Of([1, 2, 3])))
            .Recorded(10, it => first = it.InvokeSend(0, it.Key("t-0"), 1))
            .Appended(11, 1, 1, 0, 1)
            .Replicated(13, 2, 1, 1, 0, 1)
            .Seen(14, 1, new Observation(ObservationKind.ProduceAnswered, default, T0, 1, 0, 1, 0))
            .Recorded(15, _ => first.Ok(0))
            .Seen(90, 1, new Observation(ObservationKind.FaultBit, default, Other: 0))
            .Recorded(100, it => second = it.InvokeSend(0, it.Key("t-0"), 2))
            .Appended(101, 1, 1, 1, 2)
            .Seen(102, 1, new Observation(ObservationKind.ProduceAnswered, default, T0, 1, 1, 2, 0))
            .Recorded(103, _ => second.Ok(1))
            .Seen(200, 11, new Observation(ObservationKind.BrokerFenced, default, Other: 1))
            .Seen(200, 11, new Observation(ObservationKind.Elected, default, T0, 2, (long)ElectionKind.Clean, Other: 2, Nodes: NodeSet.Of([2, 3])))
            .Seen(200, 11, new Observation(ObservationKind.IsrCommitted, default, T0, 2, 3, Nodes: NodeSet.Of([2, 3])))
            .Seen(203, 2, new Observation(ObservationKind.BecameLeader, default, T0, 2, 1, 1, Nodes: NodeSet.Of([2, 3])))
            .Seen(490, 1, new Observation(ObservationKind.FaultHealed, default, Other: 0))
            .Seen(495, 1, new Observation(ObservationKind.Truncated, default, T0, 2, 1, 2, 2))
            .Recorded(19_980, it => it.Assigned(200, [it.Key("t-0")], seekToBeginning: true))
            .Recorded(19_985, it => it.InvokePoll(200, final: true).Ok([new PolledRecord(it.Key("t-0"), 0, 1)]))
            .Recorded(19_990, it => it.FinalRead(200, [it.Key("t-0")]));
    }
}
