using Broker.Runtime;
using Chaos.Faults;
using Verify.Promises;

namespace Verify.Tests.Judging;

public sealed class LossJudgementTests
{
    private const int NotLeader = 6;

    // acks=0

    [Theory]
    [InlineData(FrameLoss.ConnectionDied)]
    [InlineData(FrameLoss.NodeDied)]
    [InlineData(FrameLoss.WorldEnded)]
    public void A_request_that_the_network_vouches_to_have_lost_was_never_delivered(FrameLoss how)
    {
        HandMadeRun Sent() => new HandMadeRun("acks=0").Sends(1).IsTold(1, -1);
        Assert.Equal("1: never-delivered", Sent().Loses(how, 1, 1).IsReadFinally().Judged("lost-write"));
        Assert.Equal("1: none", Sent().IsReadFinally().Judged("lost-write"));
        Assert.Equal("1: none", Sent().Loses(how, 1, 2).IsReadFinally().Judged("lost-write"));
        Assert.Equal("1: none", Sent().Loses(how, 1, 1).Receives(1, 1).IsReadFinally().Judged("lost-write"));
    }

    [Fact]
    public void A_request_that_nobody_was_told_to_be_refused_may_be_lost_unless_its_refuser_led()
    {
        HandMadeRun Sent() => new HandMadeRun("acks=0").Sends(1).IsTold(1, -1);
        Assert.Equal("1: refused-unseen", Sent().Receives(2, 1, NotLeader).IsReadFinally().Judged("lost-write"));
        Assert.Equal("1: none", Sent().Receives(1, 1, NotLeader).IsReadFinally().Judged("lost-write"));
        Assert.Equal("1: refused-unseen", Sent().Elected(1, 2, ElectionKind.Clean, HandMadeRun.FullIsr, 3, 3).Receives(1, 1, NotLeader).IsReadFinally().Judged("lost-write"));
        Assert.Equal("1: none", Sent().Receives(2, 1, refusal: 2).IsReadFinally().Judged("lost-write"));
    }

    [Fact]
    public void A_batch_over_which_its_broker_died_was_never_delivered_but_one_that_it_swallowed_was()
    {
        HandMadeRun Sent() => new HandMadeRun("acks=0").Sends(1).IsTold(1, -1);
        Assert.Equal("1: never-delivered", Sent().DiesReading(1, 1, TimeSpan.Zero).IsReadFinally().Judged("lost-write"));
        Assert.Equal("1: none", Sent().DiesReading(1, 1, TimeSpan.FromMilliseconds(1)).IsReadFinally().Judged("lost-write"));
        Assert.Equal("1: none", Sent().DiesReading(1, 2, TimeSpan.Zero).IsReadFinally().Judged("lost-write"));
        Assert.Equal("1: none", Sent().Receives(1, 1).DiesReading(1, 2, TimeSpan.Zero).IsReadFinally().Judged("lost-write"));
    }

    [Fact]
    public void With_acks_0_what_arrives_after_a_read_began_is_not_lost()
    {
        var later = new HandMadeRun("acks=0").Sends(1).IsTold(1, -1).IsReadFinally();
        Assert.Equal("", later.Appends(1, 0, 0, 1).Judged("lost-write"));
        Assert.Equal("", new HandMadeRun("acks=0").Sends(1).IsTold(1, -1).IsReadFinally().Appends(1, 0, 0, 1).IsReadFinally(1).Judged("lost-write"));
        Assert.Equal("1: none", new HandMadeRun("acks=0").Sends(1).IsTold(1, -1).Appends(1, 0, 0, 1).IsReadFinally().Judged("lost-write"));
    }

    [Fact]
    public void With_acks_0_what_is_committed_after_a_read_began_is_not_lost()
    {
        HandMadeRun Stored() => new HandMadeRun("acks=0").Sends(1).IsTold(1, -1).Appends(1, 0, 0, 1);
        Assert.Equal("", Stored().IsReadFinally().Commits(1, 0, 1).Judged("lost-write"));
        Assert.Equal("1: none", Stored().Commits(1, 0, 1).IsReadFinally().Judged("lost-write"));
        Assert.Equal("1: none", Stored().IsReadFinally().Commits(1, 0, 0).Judged("lost-write"));
        Assert.Equal("1: none", new HandMadeRun("acks=1").Sends(1).Appends(1, 0, 0, 1).IsTold(1, 0).IsReadFinally().Commits(1, 0, 1).Judged("lost-write"));
    }

    // A leader that changes

    private static HandMadeRun TakenByOne(string acks) => new HandMadeRun(acks).Sends(1).Appends(1, 0, 0, 1);

    [Fact]
    public void What_only_a_deposed_leader_had_may_be_lost_with_acks_1()
    {
        HandMadeRun Deposed(string acks) => TakenByOne(acks).IsTold(1, 0).Elected(1, 2, ElectionKind.Clean, 0b1100, 3, 2).TookOffice(1, 2, 0b1100);
        Assert.Equal("1: leader-changed-before-replication", Deposed("acks=1").Cuts(1, 1, 0).IsReadFinally().Judged("lost-write"));
        Assert.Equal("1: none", Deposed("acks=all").Cuts(1, 1, 0).IsReadFinally().Judged("lost-write"));
        Assert.Equal("1: none", Deposed("acks=1").IsReadFinally().Judged("lost-write"));                               // 1 still has it
        Assert.Equal("1: none", Deposed("acks=1").Replicates(1, 1, 0, 9).IsReadFinally(9).Judged("lost-write"));       // overwritten by nobody knows what
        Assert.Equal("1: none", TakenByOne("acks=1").IsTold(1, 0).Cuts(1, 0, 0).IsReadFinally().Judged("lost-write")); // under the same leader
    }

    [Fact]
    public void What_the_high_watermark_has_passed_is_kept_by_clean_elections()
    {
        var committed = TakenByOne("acks=1").Replicates(2, 0, 0, 1).Replicates(3, 0, 0, 1).Commits(1, 0, 1).IsTold(1, 0)
            .Elected(1, 2, ElectionKind.Clean, 0b1100, 3, 2).TookOffice(1, 2, 0b1100).Cuts(2, 1, 0).Cuts(3, 1, 0).Cuts(1, 1, 0);
        Assert.Equal("1: none", committed.IsReadFinally().Judged("lost-write"));
    }

    private static HandMadeRun Unclean(string setting, int alive) =>
        new HandMadeRun("acks=all", setting, "min.insync.replicas=1").Isr(0b0010).Sends(1).Appends(1, 0, 0, 1).Commits(1, 0, 1).IsTold(1, 0).Crashes(1)
            .Elected(1, 3, ElectionKind.Unclean, 0b1000, eligible: 1, alive).TookOffice(1, 3, 0b1000).Returns(1, 1, unclean: false).Cuts(1, 1, 0);

    [Fact]
    public void An_unclean_election_loses_what_the_elected_one_lacks_if_nobody_eligible_was_up()
    {
        Assert.Equal("1: unclean-election", Unclean("unclean.leader.election.enable=true", alive: 0).IsReadFinally().Judged("lost-write"));
        Assert.Equal("1: none", Unclean("unclean.leader.election.enable=true", alive: 1).IsReadFinally().Judged("lost-write"));
        Assert.Equal("1: none", Unclean("unclean.leader.election.enable=false", alive: 0).IsReadFinally().Judged("lost-write"));
    }

    [Fact]
    public void A_record_that_two_leaders_stored_at_one_offset_was_acknowledged_by_the_one_that_answered()
    {
        HandMadeRun Twice(int answering) =>
            new HandMadeRun("acks=all", "unclean.leader.election.enable=true").Sends(1).Elected(1, 2, ElectionKind.Clean, 0b1100, 3, 2).TookOffice(1, 2, 0b1100).Appends(2, 1, 0, 1).Appends(1, 0, 0, 1)
                .Replicates(3, 1, 0, 1).Commits(2, 1, 1).Answers(answering, answering == 2 ? 1 : 0, 0).IsTold(1, 0).Cuts(1, 1, 0)
                .Elected(2, 1, ElectionKind.Unclean, 0b0010, eligible: 2, alive: 0).TookOffice(2, 1, 0b0010).Cuts(2, 2, 0).Cuts(3, 2, 0).IsReadFinally();
        Assert.Equal("1: unclean-election", Twice(answering: 2).Judged("lost-write"));
        Assert.Equal("1: none", Twice(answering: 1).Judged("lost-write"));                                             // it had not committed it
    }

    [Fact]
    public void A_record_both_lost_and_never_seen_is_one_case() =>
        Assert.Equal("lost-write", Assert.Single(Unclean("unclean.leader.election.enable=true", alive: 1).IsReadFinally().Judged().Broken).Anomaly);

    [Fact]
    public void Offsets_given_out_again_and_replicas_that_differ_share_the_excuse_of_the_loss()
    {
        var replaced = Unclean("unclean.leader.election.enable=true", alive: 0).Sends(2).Appends(3, 1, 0, 2).Commits(3, 1, 1).IsTold(2, 0).IsReadFinally(2);
        Assert.Equal("1+2: unclean-election", replaced.Judged("inconsistent-offsets"));
        Assert.Equal("1+2: unclean-election", replaced.Judged("divergent-replicas"));
        Assert.Equal("1: unclean-election", replaced.Judged("lost-write"));
    }

    [Fact]
    public void An_unclean_election_counts_although_its_leader_died_before_it_took_office()
    {
        HandMadeRun DiedBetween(int alive) =>
            new HandMadeRun("acks=all", "unclean.leader.election.enable=true").Sends(1).Appends(1, 0, 0, 1).Replicates(2, 0, 0, 1).Commits(1, 0, 1).IsTold(1, 0).Isr(0b0110)
                .LosesPower(3).Elected(1, 3, ElectionKind.Unclean, 0b1000, eligible: 2, alive).Elected(2, -1, ElectionKind.None, 0, 1, 0).Returns(3, 0)
                .Elected(3, 3, ElectionKind.LastKnownLeader, 0b1000, 0, 0).TookOffice(3, 3, 0b1000).Cuts(1, 3, 0).Cuts(2, 3, 0).IsReadFinally();
        Assert.Equal("1: unclean-election", DiedBetween(alive: 0).Judged("lost-write"));
        Assert.Equal("1: none", DiedBetween(alive: 1).Judged("lost-write"));
    }

    [Fact]
    public void Who_takes_office_long_after_its_time_was_elected_as_its_controller_decided()
    {
        HandMadeRun Late(ElectionKind how) => TakenByOne("acks=1").IsTold(1, 0).Decided(1, 3, how, 0b1000, 1, 1).Elected(2, 2, ElectionKind.Eligible, 0b0100, 3, 1).TookOffice(2, 2, 0b0100).Cuts(1, 2, 0)
            .TookOffice(1, 3, 0b1000).IsReadFinally();
        Assert.Equal("1: leader-changed-before-replication", Late(ElectionKind.Clean).Judged("lost-write"));
        Assert.Equal("1: none", Late(ElectionKind.Unclean).Judged("lost-write"));
    }

    [Fact]
    public void Nobody_told_of_an_unclean_election_and_nobody_took_office_by_it()
    {
        HandMadeRun Untold(int alive) =>
            new HandMadeRun("acks=all", "unclean.leader.election.enable=true").Sends(1).Appends(1, 0, 0, 1).Replicates(2, 0, 0, 1).Commits(1, 0, 1).IsTold(1, 0).Isr(0b0110)
                .Decided(1, 3, ElectionKind.Unclean, 0b1000, 2, alive).Elected(2, 3, ElectionKind.Clean, 0b1000, 1, 1).TookOffice(2, 3, 0b1000).Cuts(1, 2, 0).Cuts(2, 2, 0).IsReadFinally();
        Assert.Equal("1: unclean-election", Untold(alive: 0).Judged("lost-write"));
        Assert.Equal("1: none", Untold(alive: 1).Judged("lost-write"));
        Assert.Equal(1, Untold(alive: 0).Judged().Evidence.UncleanElections);
    }

    [Fact]
    public void A_decision_that_a_later_controller_did_not_know_was_lost_and_excuses_nothing()
    {
        HandMadeRun Twice(int lost) =>
            new HandMadeRun("acks=all", "unclean.leader.election.enable=true", "min.insync.replicas=1").Isr(0b0010).Sends(1).Appends(1, 0, 0, 1).Commits(1, 0, 1).IsTold(1, 0)
                .Decided(1, 3, ElectionKind.Unclean, 0b1000, 1, alive: 0, lost).Decided(1, 3, ElectionKind.Clean, 0b1000, 1, 1, quorumEpoch: 2).TookOffice(1, 3, 0b1000).Cuts(1, 1, 0).IsReadFinally();
        Assert.Equal("1: none", Twice(lost: 1).Judged("lost-write"));
        Assert.Equal(0, Twice(lost: 1).Judged().Evidence.UncleanElections);
        Assert.Equal("1: unclean-election", Twice(lost: 3).Judged("lost-write"));
    }

    [Fact]
    public void A_leader_that_lacked_a_record_before_it_was_committed_does_not_count()
    {
        HandMadeRun Survived(int committedIn) =>
            new HandMadeRun("acks=1", "unclean.leader.election.enable=true").Sends(1).Appends(1, 0, 0, 1).Replicates(3, 0, 0, 1).IsTold(1, 0).Commits(3, committedIn, committedIn == 0 ? 1 : 0)
                .Elected(1, 2, ElectionKind.Clean, 0b1100, 3, 2).TookOffice(1, 2, 0b1100)
                .Elected(2, 3, ElectionKind.Clean, 0b1000, 2, 1).TookOffice(2, 3, 0b1000).Replicates(2, 0, 0, 1).Commits(3, 2, 1)
                .Elected(3, 1, ElectionKind.Unclean, 0b0010, eligible: 1, alive: 0).LosesPower(1).Returns(1, 0).TookOffice(3, 1, 0b0010).Cuts(2, 3, 0).Cuts(3, 3, 0).IsReadFinally();
        Assert.Equal("1: unclean-election", Survived(committedIn: 2).Judged("lost-write"));
        Assert.Equal("1: none", Survived(committedIn: 0).Judged("lost-write"));
    }

    [Fact]
    public void A_deposed_leader_that_does_not_know_it_may_commit_alone_what_it_then_loses()
    {
        HandMadeRun Two(int alive, bool cut)
        {
            var run = new HandMadeRun("acks=all", "unclean.leader.election.enable=true", "min.insync.replicas=1").Isr(0b0010).Sends(1).Sends(2)
                .Elected(1, 3, ElectionKind.Unclean, 0b1000, eligible: 1, alive).TookOffice(1, 3, 0b1000).Appends(3, 1, 0, 2).Commits(3, 1, 1).IsTold(2, 0)
                .Appends(1, 0, 0, 1).Commits(1, 0, 1).IsTold(1, 0);
            return (cut ? run.Cuts(1, 1, 0) : run).IsReadFinally(2);
        }
        Assert.Equal("2+1: unclean-election", Two(alive: 0, cut: true).Judged("divergent-replicas"));
        Assert.Equal("2+1: none", Two(alive: 1, cut: true).Judged("divergent-replicas"));
        Assert.Equal("2+1: none", Two(alive: 0, cut: false).Judged("divergent-replicas"));
    }

    [Fact]
    public void An_election_that_its_controller_did_not_live_to_tell_is_known_by_who_took_office()
    {
        HandMadeRun Untold(int alive) =>
            new HandMadeRun("acks=all", "unclean.leader.election.enable=true", "min.insync.replicas=1").Isr(0b0010).Sends(1).Appends(1, 0, 0, 1).Commits(1, 0, 1).IsTold(1, 0).Crashes(1)
                .Decided(1, 3, ElectionKind.Unclean, 0b1000, eligible: 1, alive).TookOffice(1, 3, 0b1000).Returns(1, 1, unclean: false).Cuts(1, 1, 0).IsReadFinally();
        Assert.Equal("1: unclean-election", Untold(alive: 0).Judged("lost-write"));
        Assert.Equal("1: none", Untold(alive: 1).Judged("lost-write"));
        Assert.Equal(1, Untold(alive: 0).Judged().Evidence.UncleanElections);
    }

    // Power

    /// <summary>Both followers, then the leader, lose power; the last known leader leads again without the record.</summary>
    private static HandMadeRun PowerGone(Action<HandMadeRun>? between = null, params string[] settings)
    {
        var run = new HandMadeRun(["acks=all", "min.insync.replicas=2", .. settings]).Sends(1).Appends(1, 0, 0, 1).Replicates(2, 0, 0, 1).Replicates(3, 0, 0, 1).Commits(1, 0, 1).IsTold(1, 0);
        run.LosesPower(2).LosesPower(3);
        between?.Invoke(run);
        return run.LosesPower(1).Elected(1, -1, ElectionKind.None, 0, 3, 0).Returns(1, 0).Elected(2, 1, ElectionKind.LastKnownLeader, 0b0010, 0, 0).TookOffice(2, 1, 0b0010)
            .Returns(2, 0).Returns(3, 0).IsReadFinally();
    }

    [Fact]
    public void Min_isr_power_losses_before_the_ISR_is_full_again_lose_what_was_not_synced()
    {
        Assert.Equal("1: power-loss-of-min-isr", PowerGone().Judged("lost-write"));
        Assert.Equal("1: none", PowerGone(run => run.Flushes(1, 1)).Judged("lost-write"));
        Assert.Equal(3, PowerGone().Judged().Evidence.PowerLossesBeforeFullIsr);
        Assert.Equal(1, PowerGone().Judged().Figures.Events["power-losses-over-limit"]);
    }

    [Fact]
    public void A_full_ISR_between_the_losses_ends_the_count_if_it_is_full_in_fact()
    {
        static void BackAndFull(HandMadeRun run) => run.Returns(2, 1).Returns(3, 1).Isr(HandMadeRun.FullIsr);
        Assert.Equal("1: none", PowerGone(BackAndFull).Judged("lost-write"));
        Assert.Equal("1: power-loss-of-min-isr", PowerGone(run => run.Isr(HandMadeRun.FullIsr)).Judged("lost-write"));   // nobody was back: full in name only
    }

    /// <summary>Broker 3 had cut value 1 off and copied value 2 to its place; neither was synced, so that it comes back as long as it was, with value 1.</summary>
    private static HandMadeRun CutUndone(int foundEpoch, bool flushed = false)
    {
        var run = new HandMadeRun("acks=all", "min.insync.replicas=2").Sends(1).Replicates(3, 0, 0, 1).Elected(1, 1, ElectionKind.Clean, HandMadeRun.FullIsr, 3, 3).TookOffice(1, 1, HandMadeRun.FullIsr).Cuts(3, 1, 0)
            .Sends(2).Appends(1, 1, 0, 2).Replicates(2, 1, 0, 2).Replicates(3, 1, 0, 2).Commits(1, 1, 1).IsTold(2, 0);
        if (flushed) run.Flushes(3, 1);
        return run.LosesPower(1).LosesPower(2).LosesPower(3).Elected(2, -1, ElectionKind.None, 0, 3, 0).Returns(1, 0).Returns(2, 0).Returns(3, 1, epoch: foundEpoch)
            .Elected(3, 3, ElectionKind.LastKnownLeader, 0b1000, 0, 0).TookOffice(3, 3, 0b1000).IsReadFinally(1);
    }

    [Fact]
    public void Power_that_undoes_a_cut_takes_what_was_written_in_its_place()
    {
        Assert.Equal("2: power-loss-of-min-isr", CutUndone(foundEpoch: 0).Judged("lost-write"));
        Assert.Equal("2: none", CutUndone(foundEpoch: 1).Judged("lost-write"));                 // it came back with value 2
        Assert.Equal("2: none", CutUndone(foundEpoch: 0, flushed: true).Judged("lost-write"));
    }

    [Fact]
    public void A_flush_per_batch_excuses_no_loss_to_power() =>
        Assert.Equal("1: none", PowerGone(null, "flush.messages=1").Judged("lost-write"));

    private static HandMadeRun LastStanding(string elr, ElectionKind how) =>
        new HandMadeRun("acks=all", "min.insync.replicas=2", elr).Sends(1).Appends(1, 0, 0, 1).Replicates(2, 0, 0, 1).Replicates(3, 0, 0, 1).Commits(1, 0, 1).IsTold(1, 0)
            .Isr(0b0010).LosesPower(1).Elected(1, -1, ElectionKind.None, 0b0010, 1, 0).Returns(1, 0).Elected(2, 1, how, 0b0010, 1, 1).TookOffice(2, 1, 0b0010)
            .Cuts(2, 2, 0).Cuts(3, 2, 0).IsReadFinally();

    [Fact]
    public void The_last_of_the_ISR_loses_all_where_eligible_replicas_are_not_tracked()
    {
        Assert.Equal("1: last-replica-standing", LastStanding("eligible.leader.replicas.version=0", ElectionKind.Clean).Judged("lost-write"));
        Assert.Equal("1: none", LastStanding("eligible.leader.replicas.version=1", ElectionKind.Clean).Judged("lost-write"));
    }

    [Fact]
    public void A_log_that_is_shorter_after_a_mere_crash_excuses_nothing()
    {
        var crashed = new HandMadeRun("acks=1").Sends(1).Appends(1, 0, 0, 1).IsTold(1, 0).Crashes(1).Elected(1, 2, ElectionKind.Clean, 0b1100, 3, 2).TookOffice(1, 2, 0b1100);
        Assert.Equal("1: none", crashed.Returns(1, 0).IsReadFinally().Judged("lost-write"));
    }

    [Fact]
    public void A_disk_that_lies_may_lose_what_was_synced()
    {
        HandMadeRun Lied(bool lies)
        {
            var run = new HandMadeRun("acks=all", "min.insync.replicas=1", "flush.messages=1").Isr(0b0010).Sends(1).Appends(1, 0, 0, 1).Flushes(1, 1).Commits(1, 0, 1).IsTold(1, 0);
            if (lies) run.Bites(new Fault.DiskLies(Trigger.AtMs(1), TimeSpan.FromMilliseconds(1), NodeRef.Of(1)), 1);
            return run.LosesPower(1).Elected(1, -1, ElectionKind.None, 0, 1, 0).Returns(1, 0).Elected(2, 1, ElectionKind.LastKnownLeader, 0b0010, 0, 0).TookOffice(2, 1, 0b0010).IsReadFinally();
        }
        Assert.Equal("1: disk-loss-of-min-isr", Lied(true).Judged("lost-write"));
        Assert.Equal("1: none", Lied(false).Judged("lost-write"));
    }
}
