using System.Collections.Immutable;
using Verify.Promises;
using static Verify.Promises.AnomalyWords;
using static Verify.Tests.Promises.Lives;

namespace Verify.Tests.Promises;

public class OrderAndDuplicateExcuseTests
{
    private static readonly string[] NotIdempotent = ["acks=all", "enable.idempotence=false"];

    private static Placement At(long offset, long producerId = -1, bool acknowledged = true, int epoch = 1) =>
        new(epoch, offset, acknowledged, true, producerId, [Kept(1)]);

    private static RecordEvidence Sent(int times, params ImmutableArray<Placement> placements) => new()
    {
        Acknowledged = true, Transmissions = [.. Enumerable.Repeat(Received(), times)], Placements = placements, Terms = [First], FullIsrAt = [0],
    };

    private static RecordEvidence Pair(RecordEvidence earlier, RecordEvidence later) => earlier with { Other = later };

    // T6

    [Fact]
    public void T6_a_batch_sent_again_without_idempotence_may_be_there_twice()
    {
        var twice = Sent(2, At(7), At(9));
        Assert.Equal("retry-without-idempotence", Excuse(Duplicate, With(NotIdempotent), twice));
        Assert.Equal("retry-without-idempotence", Excuse(Duplicate, With("acks=1"), twice));
        Assert.Null(Excuse(Duplicate, With("acks=all"), twice));
        Assert.Null(Excuse(Duplicate, With("acks=0"), twice));
        Assert.Null(Excuse(Duplicate, With([.. NotIdempotent, "retries=0"]), twice));
    }

    [Fact]
    public void T6_no_duplicate_without_a_retry()
    {
        Assert.Null(Excuse(Duplicate, With(NotIdempotent), Sent(1, At(7), At(9))));
        Assert.Null(Excuse(Duplicate, With(NotIdempotent), Sent(2, At(7), At(9), At(11))));
        Assert.Null(Excuse(Duplicate, With(NotIdempotent), Sent(2, At(7), At(9)), RunEvidence.Quiet));
    }

    [Fact]
    public void T6_a_retry_of_what_was_never_stored_makes_no_duplicate()
    {
        var refusedFirst = Sent(1, At(7), At(9)) with { Transmissions = [new(1, Delivery.Received, 6), Received()] };
        Assert.Null(Excuse(Duplicate, With(NotIdempotent), refusedFirst));
    }

    // T7

    [Fact]
    public void T7_a_batch_sent_again_may_land_behind_its_successor()
    {
        var overtaken = Pair(Sent(2, At(9)), Sent(1, At(7)));
        Assert.Equal("in-flight-reorder-without-idempotence", Excuse(NonmonotonicSend, With(NotIdempotent), overtaken));
        Assert.Null(Excuse(NonmonotonicSend, With("acks=all"), overtaken));
        Assert.Null(Excuse(NonmonotonicSend, With([.. NotIdempotent, "max.in.flight.requests.per.connection=1"]), overtaken));
        Assert.Null(Excuse(RealtimeSendOrder, With(NotIdempotent), overtaken));
    }

    [Fact]
    public void T7_a_batch_sent_again_excuses_also_where_the_first_one_came_late_and_no_connection_died()
    {
        var overtaken = Pair(Sent(2, At(5, acknowledged: false), At(9)) with { Transmissions = [Received(), Received() with { Late = true }] }, Sent(1, At(7)));
        var onlyRetried = new RunEvidence { Retries = 1, LeaderChanges = 1 };
        Assert.Equal("in-flight-reorder-without-idempotence", Excuse(KeyOrder, With("acks=1"), overtaken, onlyRetried));
        Assert.Null(Excuse(KeyOrder, With("acks=all"), overtaken, onlyRetried));
        Assert.Null(Excuse(KeyOrder, With("acks=1", "retries=0"), overtaken, onlyRetried));
    }

    [Fact]
    public void T7_order_is_kept_when_nothing_was_sent_again_and_inside_a_batch()
    {
        Assert.Null(Excuse(KeyOrder, With(NotIdempotent), Pair(Sent(1, At(9)), Sent(1, At(7)))));
        Assert.Null(Excuse(KeyOrder, With(NotIdempotent), Pair(Sent(1, At(9)), Sent(2, At(7)))));
        Assert.Null(Excuse(KeyOrder, With(NotIdempotent), Pair(Sent(2, At(9)), Sent(1, At(7))) with { OtherInSameBatch = true }));
    }

    [Fact]
    public void T7_two_batches_in_flight_to_two_leaders_may_change_places()
    {
        RecordEvidence To(int node, long offset, int epoch) => Sent(1, At(offset, epoch: epoch)) with { Transmissions = [Received(node)] };
        var overtaken = Pair(To(1, 9, epoch: 3), To(2, 7, epoch: 2));
        Assert.Equal("in-flight-to-two-leaders", Excuse(NonmonotonicSend, With("acks=1"), overtaken));
        Assert.Equal("in-flight-to-two-leaders", Excuse(NonmonotonicSend, With([.. NotIdempotent, "retries=0"]), overtaken));
        Assert.Null(Excuse(NonmonotonicSend, With("acks=1"), Pair(To(1, 9, epoch: 3), To(1, 7, epoch: 3))));
        Assert.Null(Excuse(NonmonotonicSend, With("acks=1"), overtaken with { Transmissions = [Received() with { Late = true }] }));
        Assert.Null(Excuse(NonmonotonicSend, With("acks=1"), overtaken with { OtherInSameBatch = true }));
        Assert.Null(Excuse(NonmonotonicSend, With("acks=all"), overtaken));
        Assert.Null(Excuse(NonmonotonicSend, With("acks=1", "max.in.flight.requests.per.connection=1"), overtaken));
        Assert.Null(Excuse(NonmonotonicSend, With("acks=1"), overtaken, RunEvidence.Quiet));
    }

    [Fact]
    public void A_record_given_up_may_arrive_late_over_its_dead_connection()
    {
        var late = Sent(1, At(9, acknowledged: false)) with { Acknowledged = false, Transmissions = [Received() with { Late = true }] };
        var alone = With([.. NotIdempotent, "max.in.flight.requests.per.connection=1"]);
        Assert.Equal("late-delivery-over-dead-connection", Excuse(NonmonotonicSend, alone, Pair(late, Sent(1, At(7)))));
        Assert.Null(Excuse(NonmonotonicSend, With("acks=all"), Pair(late, Sent(1, At(7)))));
        Assert.Null(Excuse(NonmonotonicSend, alone, Pair(late with { Acknowledged = true }, Sent(1, At(7)))));
        var firstInOrder = late with { Acknowledged = true, Transmissions = [.. late.Transmissions, Received()], Placements = [At(5), At(9)] };
        Assert.Equal("late-delivery-over-dead-connection", Excuse(NonmonotonicSend, alone, Pair(firstInOrder, Sent(1, At(7)))));
    }

    // T1, order

    [Fact]
    public void T1_order_is_kept_within_one_connection()
    {
        RecordEvidence Over(long connection, long offset) => Sent(1, At(offset, acknowledged: false)) with { Acknowledged = false, Transmissions = [Received() with { Connection = connection }] };
        Assert.Equal("another-connection", Excuse(IntNonmonotonicSend, With("acks=0"), Pair(Over(1, 9), Over(2, 7))));
        Assert.Null(Excuse(IntNonmonotonicSend, With("acks=0"), Pair(Over(1, 9), Over(1, 7))));
        Assert.Null(Excuse(IntNonmonotonicSend, With("acks=0"), Pair(Over(-1, 9), Over(2, 7))));
        Assert.Null(Excuse(IntNonmonotonicSend, With("acks=1"), Pair(Over(1, 9), Over(2, 7))));
    }

    // T11

    [Fact]
    public void T11_idempotence_reaches_over_one_session()
    {
        var c = With("acks=all");
        Assert.Equal("producer-session-changed", Excuse(Duplicate, c, Sent(2, At(7, 1), At(9, 2))));
        Assert.Null(Excuse(Duplicate, c, Sent(2, At(7, 1), At(9, 1))));
        Assert.Null(Excuse(Duplicate, c, Sent(2, At(7), At(9))));
        var unacknowledged = Sent(1, At(9, 1, acknowledged: false)) with { Acknowledged = false };
        Assert.Equal("producer-session-changed", Excuse(NonmonotonicSend, c, Pair(unacknowledged, Sent(1, At(7, 2)))));
        Assert.Null(Excuse(NonmonotonicSend, c, Pair(unacknowledged, Sent(1, At(7, 1)))));
        Assert.Null(Excuse(NonmonotonicSend, c, Pair(Sent(1, At(9, 1)), Sent(1, At(7, 2)))));
    }

    // T3, what follows from a permitted loss

    private static RecordEvidence LostUncleanly => Life(Placed(true, Cut(1, 2), Cut(3, 2)), Elected(2, 2, ElectedFrom.OutOfSyncReplicas, 100));

    [Fact]
    public void T3_offsets_are_given_out_again_after_a_permitted_loss()
    {
        var c = With("unclean.leader.election.enable=true");
        Assert.Equal("unclean-election", Excuse(InconsistentOffsets, c, LostUncleanly with { Offset = 7 }));
        Assert.Null(Excuse(InconsistentOffsets, c, LostUncleanly with { Offset = 8 }));
        Assert.Null(Excuse(InconsistentOffsets, c, Sent(1, At(7)) with { Offset = 7 }));
        Assert.Null(Excuse(InconsistentOffsets, With(), LostUncleanly with { Offset = 7 }));
    }

    [Fact]
    public void T2_an_offset_acknowledged_by_a_deposed_leader_is_given_out_again()
    {
        var life = Life(Placed(false, Cut(1, 2)), Elected(2, 2, ElectedFrom.InSyncReplicas, 100)) with { Offset = 7 };
        Assert.Equal("leader-changed-before-replication", Excuse(InconsistentOffsets, With("acks=1"), life));
        Assert.Equal("leader-changed-before-replication", Excuse(NonmonotonicSend, With("acks=1"), Pair(life, Sent(1, At(5, epoch: 2)))));
        Assert.Null(Excuse(PollSkip, With("acks=1"), life));
    }

    [Fact]
    public void T3_readers_go_back_or_skip_when_what_they_had_read_was_lost()
    {
        var c = With("unclean.leader.election.enable=true");
        foreach (var anomaly in new[] { NonmonotonicPoll, IntNonmonotonicPoll, PollSkip, IntPollSkip })
        {
            Assert.Equal("unclean-election", Excuse(anomaly, c, LostUncleanly));
            Assert.Null(Excuse(anomaly, c, Sent(1, At(7))));
        }

        Assert.Null(Excuse(FutureRead, c, LostUncleanly));
    }

    [Fact]
    public void T3_a_record_seen_and_lost_may_be_seen_again_after_its_retry()
    {
        var c = With("unclean.leader.election.enable=true");
        var again = LostUncleanly with { Placements = [LostUncleanly.Placements[0], At(5, 1, epoch: 2)], Transmissions = [Received(), Received(2)] };
        Assert.Equal("unclean-election", Excuse(Duplicate, c, again));
        Assert.Null(Excuse(Duplicate, With(), again));
    }

    [Fact]
    public void T3_replicas_may_come_to_hold_another_record_where_one_was_lost_by_right()
    {
        var c = With("unclean.leader.election.enable=true");
        var replaced = LostUncleanly with { Offset = LostUncleanly.Placements[0].Offset };
        Assert.Equal("unclean-election", Excuse(DivergentReplicas, c, replaced));
        Assert.Null(Excuse(DivergentReplicas, c, replaced with { Offset = 99 }));
        Assert.Null(Excuse(DivergentReplicas, With(), replaced));
    }

    [Theory]
    [InlineData(PhantomRecord)]
    [InlineData(TwoLeaders)]
    [InlineData(WatermarkRegression)]
    [InlineData(FutureRead)]
    [InlineData("no-such-anomaly")]
    public void Some_anomalies_are_never_excused(string anomaly)
    {
        var c = With("acks=0", "unclean.leader.election.enable=true", "min.insync.replicas=1");
        Assert.Null(Excuse(anomaly, c, LostUncleanly));
        Assert.True(PromiseMatrix.IsPromised(c, Anything(c), anomaly));
    }

    [Fact]
    public void Recovery_and_metadata_are_excused_by_the_run_alone()
    {
        var c = With();
        Assert.Equal("quorum-lost", Excuses.For(LostTopic, c, new() { ControllersGone = 2 }, null)?.Name);
        Assert.Null(Excuses.For(LostTopic, c, new() { ControllersGone = 1 }, null));
        Assert.Equal("too-few-replicas-left", Excuses.For(NoProgress, c, new() { ReplicasGone = 2 }, null)?.Name);
        Assert.Null(Excuses.For(NoProgress, c, new() { ReplicasGone = 1 }, null));
    }
}
