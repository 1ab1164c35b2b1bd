using Broker.Runtime;
using Chaos.Faults;
using Verify.Campaign.Results;
using Verify.Promises;

namespace Verify.Tests.Judging;

public sealed class OtherJudgementTests
{
    [Fact]
    public void A_batch_sent_again_without_idempotence_may_lie_there_twice()
    {
        var twice = new HandMadeRun("acks=1").Sends(1).Appends(1, 0, 0, 1).Appends(1, 0, 1, 1).Commits(1, 0, 2).IsTold(1, 1).IsReadFinally(1, 1);
        Assert.Equal("1: retry-without-idempotence", twice.Judged("duplicate"));
        Assert.Equal(1, twice.Judged().Evidence.Retries);

        var copied = new HandMadeRun("acks=1").Sends(1).Appends(1, 0, 0, 1).Replicates(1, 0, 1, 1).Commits(1, 0, 2).IsTold(1, 1).IsReadFinally(1, 1);
        Assert.Equal("1: none", copied.Judged("duplicate"));
        Assert.Equal("1: none", new HandMadeRun("acks=all").Sends(1).Appends(1, 0, 0, 1, producerId: 7).Appends(1, 0, 1, 1, producerId: 7).Commits(1, 0, 2).IsTold(1, 1).IsReadFinally(1, 1).Judged("duplicate"));
    }

    [Fact]
    public void A_batch_acknowledged_at_one_place_and_read_at_another_was_sent_twice_whatever_became_of_the_first()
    {
        HandMadeRun Moved(bool sentTwice)
        {
            var run = new HandMadeRun("acks=1").Sends(1).Appends(1, 0, 0, 1).Replicates(2, 0, 0, 1);
            if (sentTwice) run.Appends(1, 0, 1, 1);
            else run.Replicates(1, 0, 1, 1);
            return run.IsTold(1, 1).Elected(1, 2, ElectionKind.Clean, HandMadeRun.FullIsr, 3, 3).TookOffice(1, 2, HandMadeRun.FullIsr).Cuts(1, 1, 1).Commits(2, 1, 1).IsReadFinally(1);
        }
        Assert.Equal("1: retry-without-idempotence", Moved(sentTwice: true).Judged("duplicate"));
        Assert.Equal("1: none", Moved(sentTwice: false).Judged("duplicate"));
    }

    [Fact]
    public void An_idempotent_producer_in_a_new_session_may_store_a_batch_again()
    {
        var twice = new HandMadeRun("acks=all").Sends(1).Appends(1, 0, 0, 1, producerId: 7).Commits(1, 0, 1).Appends(1, 0, 1, 1, producerId: 8).Commits(1, 0, 2).IsTold(1, 1).IsReadFinally(1, 1);
        Assert.Equal(2, twice.Judged().Evidence.ProducerSessions);
        Assert.Equal("1: producer-session-changed", twice.Judged("duplicate"));
    }

    [Fact]
    public void Without_idempotence_a_retry_may_land_behind_its_successor()
    {
        HandMadeRun Passed(bool retried)
        {
            var run = new HandMadeRun("acks=1").Sends(1).Sends(2);
            if (retried) run.Receives(2, 1, refusal: 6);
            return run.Appends(1, 0, 0, 2).Appends(1, 0, 1, 1).IsTold(2, 0).IsTold(1, 1).IsReadFinally(2, 1);
        }
        Assert.Equal("1+2: in-flight-reorder-without-idempotence", Passed(retried: true).Judged("nonmonotonic-send"));
        Assert.Equal("1+2: none", Passed(retried: false).Judged("nonmonotonic-send"));
    }

    /// <summary>1 went to broker 1 and was held up; 2 went to broker 2, which led by then; then 1 led again, and took what was still on its way.</summary>
    [Fact]
    public void Without_idempotence_what_is_on_its_way_to_two_leaders_may_change_places()
    {
        HandMadeRun Passed(int second) => new HandMadeRun("acks=1").Sends(1).Sends(2)
            .Elected(1, second, ElectionKind.Clean, HandMadeRun.FullIsr, 3, 3).TookOffice(1, second, HandMadeRun.FullIsr).Appends(second, 1, 0, 2, connection: 40_002).IsTold(2, 0)
            .Elected(2, 1, ElectionKind.Clean, HandMadeRun.FullIsr, 3, 3).TookOffice(2, 1, HandMadeRun.FullIsr).Appends(1, 2, 1, 1, connection: 40_001).IsTold(1, 1).IsReadFinally(2, 1);
        Assert.Equal("1+2: in-flight-to-two-leaders", Passed(second: 2).Judged("nonmonotonic-send"));
        Assert.Equal("1+2: none", Passed(second: 1).Judged("nonmonotonic-send"));
    }

    [Fact]
    public void With_acks_0_order_holds_on_one_connection()
    {
        HandMadeRun Over(int first, int second) =>
            new HandMadeRun("acks=0").Sends(1).IsTold(1, -1).Sends(2).IsTold(2, -1).Loses(FrameLoss.ConnectionDied, 1, 3)
                .Appends(1, 0, 0, 2, connection: second).Appends(1, 0, 1, 1, connection: first).IsReadFinally(2, 1);
        Assert.Equal("1+2: another-connection", Over(40_001, 40_002).Judged("nonmonotonic-send"));
        Assert.Equal("1+2: none", Over(40_001, 40_001).Judged("nonmonotonic-send"));
    }

    [Fact]
    public void A_reader_goes_back_only_past_what_was_lost_by_right()
    {
        HandMadeRun Back(int alive) =>
            new HandMadeRun("acks=all", "unclean.leader.election.enable=true", "min.insync.replicas=1").Isr(0b0010).Sends(1).Appends(1, 0, 0, 1).Commits(1, 0, 1).IsTold(1, 0).Reads(0, 1).Crashes(1)
                .Elected(1, 3, ElectionKind.Unclean, 0b1000, eligible: 1, alive).TookOffice(1, 3, 0b1000).Returns(1, 1, unclean: false).Cuts(1, 1, 0)
                .Sends(2).Appends(3, 1, 0, 2).Commits(3, 1, 1).IsTold(2, 0).Reads(0, 2).IsReadFinally(2);
        Assert.Equal(": unclean-election", Back(alive: 0).Judged("nonmonotonic-poll"));
        Assert.Equal(": none", Back(alive: 1).Judged("nonmonotonic-poll"));
    }

    [Fact]
    public void A_record_that_nobody_sent_has_no_excuse() =>
        Assert.Equal("9: none", new HandMadeRun("acks=0").IsReadFinally(9).Judged("phantom-record"));

    // Recovery

    [Fact]
    public void A_node_that_stops_by_itself_breaks_recovery_whatever_else_happened()
    {
        var failed = new HandMadeRun("acks=0").Fails(2).Judged();
        var broken = Assert.Single(failed.Broken);
        Assert.Equal(("recovery", "no-progress", "node 2"), (broken.Guarantee, broken.Anomaly, broken.Key));
        Assert.Contains("it broke", broken.Note, StringComparison.Ordinal);
        Assert.Equal(0, failed.Evidence.ReplicasGone);
    }

    [Fact]
    public void A_cluster_that_does_not_come_up_or_recover_breaks_recovery_unless_too_few_are_left()
    {
        Assert.Equal("none", Excuse(new HandMadeRun { Ready = false }));
        Assert.Equal("none", Excuse(new HandMadeRun { RecoveredAfter = null }));
        Assert.Equal("none", Excuse(new HandMadeRun { RecoveredAfter = null }.Crashes(1)));
        Assert.Equal("too-few-replicas-left", Excuse(new HandMadeRun { RecoveredAfter = null }.Crashes(1).Crashes(2)));
        Assert.Equal("record-corrupt", Excuse(new HandMadeRun { RecoveredAfter = null }.Bites(new Fault.BitRot(Trigger.AtMs(1), NodeRef.Of(1)), 1)));
        Assert.Equal("record-corrupt", Excuse(new HandMadeRun { RecoveredAfter = null }.Bites(new Fault.BitRot(Trigger.AtMs(1), NodeRef.Of(11)), 11)));
        static string Excuse(HandMadeRun run) => Assert.Single(run.Judged().All).Excuse?.Name ?? "none";
    }

    // Verdicts and figures

    [Fact]
    public void Each_guarantee_of_the_workload_is_listed_with_its_promise_and_what_was_seen()
    {
        var verdict = new HandMadeRun("acks=1").Sends(1).Appends(1, 0, 0, 1).IsTold(1, 0).IsReadFinally(1).Judged();
        Assert.Equal(
            ["no-lost-writes", "no-phantom-writes", "no-duplicates", "stable-offsets", "ordering", "consistent-polls", "recovery", "replica-agreement"],
            verdict.Guarantees.Select(guarantee => guarantee.Guarantee));
        var kept = verdict.Guarantees[0];
        Assert.Equal((ResultVerdict.Held, true, 1L, "acknowledged"), (kept.Seen, kept.Promised, kept.Of, kept.OfWhat));
        Assert.Equal(ResultVerdict.Unknown, verdict.Guarantees[4].Seen);
        Assert.NotNull(verdict.Guarantees[4].Why);

        var moved = new HandMadeRun("acks=1").Elected(1, 2, ElectionKind.Clean, HandMadeRun.FullIsr, 3, 3).TookOffice(1, 2, HandMadeRun.FullIsr).Judged();
        Assert.Equal((1L, false), (moved.Figures.LeaderChanges, moved.Guarantees[0].Promised));
    }

    [Fact]
    public void A_run_whose_leaders_change_only_after_healing_is_not_complete()
    {
        static bool IsComplete(bool healsFirst)
        {
            var run = new HandMadeRun("acks=1").Bites(new Fault.Crash(Trigger.AtMs(1), TimeSpan.FromMilliseconds(1), NodeRef.Of(3)), 3);
            for (var i = 0; i < 100; i++) run.Sends(i).Appends(1, 0, i, i).IsTold(i, i);
            if (healsFirst) run.Heals();
            run.Elected(1, 2, ElectionKind.Clean, HandMadeRun.FullIsr, 3, 3).TookOffice(1, 2, HandMadeRun.FullIsr);
            var figures = (healsFirst ? run : run.Heals()).Judged();
            Assert.Equal(1, figures.Figures.LeaderChanges);
            return figures.IsComplete(figures.Evidence.Faults);
        }
        Assert.True(IsComplete(healsFirst: false));
        Assert.False(IsComplete(healsFirst: true));
    }

    [Fact]
    public void An_outage_is_the_longest_gap_between_sends_that_came_through()
    {
        var run = new HandMadeRun("acks=1");
        Assert.Null(run.Judged().Figures.LongestOutage);
        run.Sends(1).Appends(1, 0, 0, 1).IsTold(1, 0);                     // invoked 5 steps before the next; what fails in between does not end the outage
        run.Sends(2).IsToldNothing(2).Sends(3).Appends(1, 0, 1, 3).IsTold(3, 1).IsReadFinally(1, 3);
        var figures = run.Judged().Figures;
        Assert.Equal(TimeSpan.FromMilliseconds(8), figures.LongestOutage);
        Assert.Equal((2L, 1L, 0L), (figures.Acknowledged, figures.Indeterminate, figures.Failed));
        Assert.Equal(2, figures.Latencies.Count);
    }

    [Fact]
    public void Elections_by_kind_and_other_events_are_counted()
    {
        var events = new HandMadeRun("acks=1").Isr(HandMadeRun.FullIsr).Isr(0b0110).Isr(0b0010).Isr(HandMadeRun.FullIsr).LosesPower(3).Cuts(2, 0, 0)
            .Elected(1, 3, ElectionKind.Unclean, 0b1000, 1, 0).Elected(2, 1, ElectionKind.LastKnownLeader, 0b0010, 0, 0).Receives(2, 1, refusal: 6).Judged().Figures.Events;
        Assert.Equal((2L, 1L, 1L, 1L), (events["isr-shrinks"], events["isr-expansions"], events["power-losses"], events["truncations"]));
        Assert.Equal((1L, 1L, 1L, 1L), (events["clean-elections"], events["unclean-elections"], events["last-known-leader-elections"], events["refused-requests"]));
    }

    /// <summary>1 and 2 had a later record of the key, compacted the older one away, and lost the later one to 3, which is elected without either being in sync with it.</summary>
    [Theory]
    [InlineData(5, true, "1: unclean-election")]
    [InlineData(5, false, "1: none")]
    [InlineData(6, true, "1: none")]
    public void What_compaction_gave_up_for_a_later_record_may_go_with_it(int laterKey, bool isLost, string expected)
    {
        var run = new HandMadeRun("acks=all", "unclean.leader.election.enable=true").SendsKeyed(1, 5).Appends(1, 0, 0, 1).Replicates(2, 0, 0, 1).Replicates(3, 0, 0, 1).Commits(1, 0, 1).IsTold(1, 0)
            .SendsKeyed(2, laterKey).Appends(1, 0, 1, 2).Replicates(2, 0, 1, 2).Isr(0b0110).Commits(1, 0, 2).IsToldNothing(2);
        if (isLost) run.Elected(1, 3, ElectionKind.Unclean, isr: 0b1000, eligible: 0, alive: 0).TookOffice(1, 3, 0b1000).Cuts(1, 1, 1).Cuts(2, 1, 1);
        Assert.Equal(expected, run.IsReadFinally().Judged("compacted-newest"));
    }
}
