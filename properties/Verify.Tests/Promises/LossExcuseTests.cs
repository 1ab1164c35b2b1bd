using System.Collections.Immutable;
using Verify.Promises;
using static Verify.Tests.Promises.Lives;

namespace Verify.Tests.Promises;

public class LossExcuseTests
{
    private static readonly string[] D3 = ["acks=all", "min.insync.replicas=2"];

    private static TermOfOffice CleanSecond => Elected(2, 2, ElectedFrom.InSyncReplicas, 100, 3, 2, [2, 3]);

    // T1: acks=0

    [Theory]
    [InlineData(Delivery.ConnectionDied, 0, "never-delivered")]
    [InlineData(Delivery.NodeDied, 0, "never-delivered")]
    [InlineData(Delivery.Received, 6, "refused-unseen")]
    [InlineData(Delivery.Received, 3, "refused-unseen")]
    [InlineData(Delivery.Received, 0, null)]
    [InlineData(Delivery.Received, 2, null)]
    [InlineData(Delivery.Received, 87, null)]
    public void T1_a_record_sent_without_asking_may_be_lost_only_on_its_way(Delivery delivery, int refusal, string? expected)
    {
        var life = new RecordEvidence { Transmissions = [new(1, delivery, refusal)], Terms = [First] };
        Assert.Equal(expected, ExcuseOfLoss(With("acks=0"), life));
        Assert.Null(ExcuseOfLoss(With("acks=1"), life));
        Assert.Null(ExcuseOfLoss(With("acks=all"), life));
    }

    [Fact]
    public void T1_a_leader_that_refuses_has_no_excuse() =>
        Assert.Null(ExcuseOfLoss(With("acks=0"), new() { Transmissions = [new(1, Delivery.Received, 6, RefusedWhileLeading: true)], Terms = [First] }));

    [Fact]
    public void T1_a_client_that_never_sent_has_no_excuse() => Assert.Null(ExcuseOfLoss(With("acks=0"), new() { Terms = [First] }));

    [Fact]
    public void T1_a_quiet_run_promises_even_acks_0()
    {
        var life = new RecordEvidence { Transmissions = [new(1, Delivery.ConnectionDied)], Terms = [First] };
        Assert.Null(ExcuseOfLoss(With("acks=0"), life, RunEvidence.Quiet));
    }

    // T2: acks=1

    [Theory]
    [InlineData("acks=0", "leader-changed-before-replication")]
    [InlineData("acks=1", "leader-changed-before-replication")]
    [InlineData("acks=all", null)]
    public void T2_a_record_truncated_after_a_clean_election_before_it_was_committed(string acks, string? expected) =>
        Assert.Equal(expected, ExcuseOfLoss(With(acks), Life(Placed(false, Cut(1, 2)), CleanSecond)));

    [Fact]
    public void T2_a_record_that_died_with_its_leaders_memory() =>
        Assert.Equal("leader-changed-before-replication", ExcuseOfLoss(With("acks=1"), Life(Placed(false, Burnt(1)), CleanSecond).Power((1, 50))));

    [Fact]
    public void T2_below_the_high_watermark_a_clean_election_excuses_nothing() =>
        Assert.Null(ExcuseOfLoss(With("acks=1"), Life(Placed(true, Cut(1, 2), Cut(3, 2)), CleanSecond)));

    [Fact]
    public void T2_a_stable_leader_loses_nothing()
    {
        Assert.Null(ExcuseOfLoss(With("acks=1"), Life(Placed(false, Cut(1, 1)))));
        Assert.Null(ExcuseOfLoss(With("acks=1"), Life(Placed(false, Cut(1, 1)), CleanSecond)));
    }

    [Fact]
    public void T2_a_replica_that_truncates_although_its_leader_has_the_record_has_no_excuse() =>
        Assert.Null(ExcuseOfLoss(
            With("acks=1"),
            Life(Placed(false, Cut(1, 3), Cut(2, 3), Cut(3, 2, at: 110)), CleanSecond, Elected(3, 3, ElectedFrom.InSyncReplicas, 150))));

    // T3: unclean election

    [Theory]
    [InlineData("acks=0")]
    [InlineData("acks=1")]
    [InlineData("acks=all")]
    public void T3_what_the_elected_replica_lacks_is_lost(string acks)
    {
        var life = Life(Placed(true, Cut(1, 2), Cut(3, 2)), Elected(2, 2, ElectedFrom.OutOfSyncReplicas, 100));
        Assert.Equal("unclean-election", ExcuseOfLoss(With(acks, "unclean.leader.election.enable=true"), life));
        Assert.Null(ExcuseOfLoss(With(acks), life));
    }

    [Fact]
    public void T3_no_unclean_election_while_an_eligible_replica_is_up() =>
        Assert.Null(ExcuseOfLoss(
            With("unclean.leader.election.enable=true"),
            Life(Placed(true, Cut(1, 2)), Elected(2, 2, ElectedFrom.OutOfSyncReplicas, 100, eligibleBefore: 1, eligibleUp: 1))));

    [Fact]
    public void T3_an_unclean_leader_that_had_the_record_excuses_no_later_loss() =>
        Assert.Null(ExcuseOfLoss(
            With("unclean.leader.election.enable=true"),
            Life(Placed(true, Cut(1, 3), Cut(2, 3)), Elected(2, 2, ElectedFrom.OutOfSyncReplicas, 100), Elected(3, 3, ElectedFrom.InSyncReplicas, 150))));

    [Fact]
    public void T3_an_acknowledgement_before_the_high_watermark_is_no_acknowledgement_even_here() =>
        Assert.Null(ExcuseOfLoss(
            With("acks=all", "unclean.leader.election.enable=true"), Life(Placed(false, Cut(1, 2)), Elected(2, 2, ElectedFrom.OutOfSyncReplicas, 100))));

    // T4: min.insync.replicas=1

    [Fact]
    public void T4_the_last_in_sync_replica_may_lose_it()
    {
        var life = Life(Placed(true, Burnt(1), Cut(2, 2)), Elected(2, 1, ElectedFrom.LastKnownLeader, 100, eligibleBefore: 0)).Power((1, 50));
        Assert.Equal("last-replica-standing", ExcuseOfLoss(With("min.insync.replicas=1"), life));
        Assert.Null(ExcuseOfLoss(With(D3), life));
    }

    [Fact]
    public void T4_while_an_in_sync_replica_keeps_its_data_nothing_is_lost()
    {
        var reelected = Life(Placed(true, Burnt(1), Cut(2, 2)), Elected(2, 1, ElectedFrom.InSyncReplicas, 100, 3, 3, Full)).Power((1, 50));
        Assert.Null(ExcuseOfLoss(With("min.insync.replicas=1"), reelected));
        Assert.Null(ExcuseOfLoss(With("min.insync.replicas=1", "eligible.leader.replicas.version=0"), reelected));
        var tooSoon = Life(Placed(true, Burnt(1), Cut(2, 2)), Elected(2, 1, ElectedFrom.LastKnownLeader, 100, eligibleBefore: 1)).Power((1, 50));
        Assert.Null(ExcuseOfLoss(With("min.insync.replicas=1"), tooSoon));
    }

    // T5: page cache

    [Fact]
    public void T5_min_isr_replicas_that_lose_power_together_may_lose_it()
    {
        var life = Life(Placed(true, Burnt(1), Burnt(2), Cut(3, 3)), Elected(3, 1, ElectedFrom.LastKnownLeader, 100, eligibleBefore: 0)).Power((1, 50), (2, 50));
        Assert.Equal("power-loss-of-min-isr", ExcuseOfLoss(With(D3), life));
        Assert.Null(ExcuseOfLoss(With([.. D3, "flush.messages=1"]), life));
        Assert.Null(ExcuseOfLoss(With("acks=all", "min.insync.replicas=3"), life));
    }

    [Fact]
    public void T5_each_replica_loses_another_tail_yet_both_count()
    {
        var life = Life(Placed(true, Burnt(1), Cut(2, 3), Cut(3, 3)), Elected(3, 1, ElectedFrom.LastKnownLeader, 100, eligibleBefore: 0)).Power((1, 50), (2, 55));
        Assert.Equal("power-loss-of-min-isr", ExcuseOfLoss(With(D3), life));
    }

    [Fact]
    public void T5_power_losses_with_a_full_ISR_between_do_not_add_up()
    {
        var life = Life(Placed(true, Burnt(1, at: 80), Burnt(2, at: 20), Cut(2, 3, storedAt: 30), Cut(3, 3)), Elected(3, 1, ElectedFrom.LastKnownLeader, 100, eligibleBefore: 0))
            .Power((2, 20), (1, 80));
        Assert.Equal("power-loss-of-min-isr", ExcuseOfLoss(With(D3), life));
        Assert.Null(ExcuseOfLoss(With(D3), life with { FullIsrAt = [0, 40] }));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1, 1)]
    [InlineData(1, 1, 1, 1)]
    [InlineData(2, 1, 2)]
    [InlineData(1, 1, 0, 2)]
    [InlineData(2, 1, 0, 2, 3, 2)]
    public void Power_losses_are_counted_by_node_between_moments_of_full_ISR(int expected, params int[] nodesAndZeroForFull)
    {
        var at = nodesAndZeroForFull.Select((node, i) => (node, at: (long)i)).ToList();
        Assert.Equal(expected, RunEvidence.MostBeforeFullIsr(at.Where(e => e.node > 0).Select(e => new PowerLoss(e.node, e.at)), at.Where(e => e.node == 0).Select(e => e.at)));
    }

    [Fact]
    public void A_copy_cut_and_fetched_again_is_judged_by_how_it_ended_at_last()
    {
        var life = Life(Placed(false, Cut(1, 3), Cut(2, 2, at: 30), Cut(2, 3, storedAt: 40)), Elected(2, 1, ElectedFrom.InSyncReplicas, 20), Elected(3, 3, ElectedFrom.InSyncReplicas, 100));
        Assert.Equal("leader-changed-before-replication", ExcuseOfLoss(With("acks=1"), life));
    }

    [Fact]
    public void T5_without_eligible_leader_replicas_the_last_one_standing_suffices()
    {
        var life = Life(Placed(true, Burnt(2), Cut(1, 2), Cut(3, 2)), Elected(2, 2, ElectedFrom.InSyncReplicas, 100, isr: [2])).Power((2, 50));
        Assert.Equal("last-replica-standing", ExcuseOfLoss(With([.. D3, "eligible.leader.replicas.version=0"]), life));
        Assert.Null(ExcuseOfLoss(With(D3), life));
        Assert.Null(ExcuseOfLoss(With([.. D3, "eligible.leader.replicas.version=0", "flush.messages=1"]), life));
    }

    [Fact]
    public void T5_killed_processes_lose_nothing()
    {
        var life = Life(Placed(true, new Copy(1, 10, false, CopyEnd.Vanished, 50), new Copy(2, 10, false, CopyEnd.Vanished, 50)), Elected(3, 1, ElectedFrom.LastKnownLeader, 100, 0));
        Assert.Null(ExcuseOfLoss(With(D3), life));
        Assert.Null(ExcuseOfLoss(With("acks=1"), life));
    }

    [Fact]
    public void T5_what_was_flushed_is_not_lost_to_power()
    {
        var life = Life(Placed(true, Burnt(1, flushed: true), Burnt(2, flushed: true)), Elected(3, 1, ElectedFrom.LastKnownLeader, 100, 0)).Power((1, 50), (2, 50));
        Assert.Null(ExcuseOfLoss(With(D3), life));
        Assert.Null(ExcuseOfLoss(With("acks=1"), life with { Placements = [life.Placements[0] with { ReachedHighWatermark = false }] }));
    }

    [Fact]
    public void T5_power_losses_of_others_excuse_no_leader_that_lost_nothing() =>
        Assert.Null(ExcuseOfLoss(
            With(D3),
            Life(Placed(true, Burnt(1), Burnt(2), Cut(3, 3)), Elected(3, 3, ElectedFrom.LastKnownLeader, 100, eligibleBefore: 0)).Power((1, 50), (2, 50))
                with { Placements = [Placed(true, Burnt(1), Burnt(2))] }));

    [Fact]
    public void A_failed_disk_counts_even_when_every_batch_is_flushed()
    {
        Copy Rotten(int node) => new(node, 10, true, CopyEnd.LostToDisk, 50);
        var life = Life(Placed(true, Rotten(1), Rotten(2), Cut(3, 3)), Elected(3, 1, ElectedFrom.InSyncReplicas, 100, 2, 2, [1, 2]));
        Assert.Equal("disk-loss-of-min-isr", ExcuseOfLoss(With([.. D3, "flush.messages=1"]), life, new() { DiskLossesBeforeFullIsr = 2 }));
        var one = Life(Placed(true, Rotten(1), Cut(2, 3), Cut(3, 3)), Elected(3, 1, ElectedFrom.InSyncReplicas, 100, 2, 2, [1, 2]));
        Assert.Null(ExcuseOfLoss(With(D3), one));
    }

    // T6: a record sent twice is lost only when both copies are

    [Fact]
    public void Every_copy_of_a_record_stored_twice_needs_a_reason()
    {
        var second = new Placement(2, 9, false, false, -1, [Kept(2, 120)]);
        var life = Life(Placed(false, Cut(1, 2)), CleanSecond);
        Assert.Null(ExcuseOfLoss(With("acks=1"), life with { Placements = [life.Placements[0], second] }));
    }

    [Fact]
    public void An_acknowledgement_for_a_place_that_never_was_has_no_excuse()
    {
        // The retry of a truncated batch is answered "duplicate, ok" from a table that was not truncated.
        var life = Life(Placed(false, Cut(1, 2)) with { Acknowledged = false }, CleanSecond);
        Assert.Null(ExcuseOfLoss(With("acks=1"), life));
        Assert.Null(ExcuseOfLoss(With(D3), life));
    }
}
