using Verify.Checkers;
using static Verify.Tests.Checkers.Histories;

namespace Verify.Tests.Checkers;

/// <summary>Each anomaly of records in the fewest events that show it.</summary>
public sealed class ExampleTests
{
    [Fact]
    public void A_record_sent_acknowledged_and_read_holds_every_guarantee_it_can_speak_of()
    {
        var result = Check(Sent(0, 1, 10, 0) + Sent(0, 1, 11, 1) + Polled(1, 1, (0, 10), (1, 11)));

        Assert.Equal("", result.Anomalies());
        Assert.Equal(Verdict.Held, result.Verdict);
        Assert.All(result.Findings, f => Assert.Equal(Verdict.Held, f.Verdict));
        Assert.DoesNotContain(result.Findings, f => f.Guarantee is Guarantee.Recovery or Guarantee.ReplicaAgreement or Guarantee.MetadataAgreement);
    }

    [Fact]
    public void An_empty_history_is_unknown()
    {
        Assert.Equal(Verdict.Unknown, Check("").Verdict);
        Assert.All(Check("").Findings, f => Assert.Equal(Verdict.Unknown, f.Verdict));
    }

    [Fact]
    public void Sends_that_nobody_ever_tried_to_read_are_unknown_not_lost()
    {
        var result = Check(Sent(0, 1, 10, 0) + Sent(0, 1, 11, 1));

        Assert.Equal(Verdict.Unknown, result.Of(Guarantee.NoLostWrites));
        Assert.Equal(Verdict.Unknown, result.Verdict);
    }

    [Fact]
    public void An_acknowledged_record_that_every_reader_passed_over_is_lost()
    {
        var result = Check(Sent(0, 1, 10, 0) + Sent(0, 1, 11, 1) + Sent(0, 1, 12, 2) + Polled(1, 1, (0, 10), (2, 12)));

        Assert.Equal("int-poll-skip 1, lost-write 1, unseen 1", result.Anomalies());
        var lost = result.Only(AnomalyName.LostWrite);
        Assert.Equal(("1", 1L, "11", 0), (lost.Key, lost.Offsets[0], lost.Values[0], lost.Processes[0]));
        Assert.Equal([2L, 3L], lost.Events);
    }

    [Fact]
    public void A_record_at_the_end_that_nobody_reads_is_unseen_and_lost_only_with_a_complete_read()
    {
        var unread = Sent(0, 1, 10, 0) + Sent(0, 1, 11, 1) + FromBeginning(1, 1) + Polled(1, 1, (0, 10));

        Assert.Equal("unseen 1", Check(unread).Anomalies());
        Assert.Equal("lost-write 1, unseen 1", Check(unread + Final(1, 1)).Anomalies());
    }

    [Theory]
    [InlineData(2, "")]
    [InlineData(3, "lost-write 1, unseen 1")]
    public void Where_old_records_go_one_with_too_few_behind_it_is_lost(int mustKeep, string anomalies)
    {
        var history = Sent(0, 1, 10, 0) + Sent(0, 1, 11, 1) + Sent(0, 1, 12, 2) + FromBeginning(1, 1) + Polled(1, 1, (1, 11), (2, 12)) + Final(1, 1);

        Assert.Equal("lost-write 1, unseen 1", Check(history).Anomalies());
        Assert.Equal(anomalies, Check(history, CheckContract.Default with { MustKeep = mustKeep }).Anomalies());
    }

    [Fact]
    public void A_record_that_was_read_once_and_is_missing_from_the_final_read_is_lost()
    {
        var history = Sent(0, 1, 10, 0) + Sent(0, 1, 11, 1) + Polled(1, 1, (0, 10), (1, 11)) + FromBeginning(2, 1) + Polled(2, 1, (0, 10)) + Final(2, 1);

        Assert.Equal("lost-write 1", Check(history).Anomalies());
        Assert.Contains("read once", Check(history).Only(AnomalyName.LostWrite).Note);
    }

    [Fact]
    public void A_record_acknowledged_after_the_final_read_began_is_not_lost()
    {
        var history = Sent(0, 1, 10, 0) + FromBeginning(2, 1) + Sent(0, 1, 11, 1) + Polled(2, 1, (0, 10)) + Final(2, 1) + Polled(1, 1, (1, 11));

        Assert.Equal("", Check(history).Anomalies());
    }

    [Fact]
    public void A_position_that_moved_by_itself_does_not_restart_a_complete_read()
    {
        var history = Sent(0, 1, 10, 0) + Sent(0, 1, 11, 1) + Sent(0, 1, 12, 2) + FromBeginning(2, 1) + Polled(2, 1, (0, 10), (1, 11)) + Event(2, "ok", "assigned", "\"keys\":[1]") + Polled(2, 1, (1, 11), (2, 12)) + Final(2, 1);

        Assert.Equal("", Check(history).Anomalies());
        Assert.Equal("lost-write 1", Check(history.Replace("\"assigned\",\"keys\":[1]", "\"assign\",\"keys\":[1],\"seekToBeginning\":true")).Anomalies());
    }

    [Fact]
    public void Indeterminate_and_failed_sends_may_be_missing()
    {
        var history = Sent(0, 1, 10, 0) + Send(1, "invoke", 1, 11) + Send(1, "info", 1, 11) + Send(2, "invoke", 1, 12) + Send(2, "fail", 1, 12)
            + FromBeginning(3, 1) + Polled(3, 1, (0, 10)) + Final(3, 1);

        Assert.Equal("", Check(history).Anomalies());
    }

    [Fact]
    public void With_acks_0_losses_are_counted_of_what_was_sent_and_break_no_promise()
    {
        var acksNone = CheckContract.Default with { Acks = Acks.None, Idempotence = false };
        var history = Send(0, "invoke", 1, 10) + Send(0, "ok", 1, 10) + Send(0, "invoke", 1, 11) + Send(0, "ok", 1, 11) + FromBeginning(1, 1) + Polled(1, 1, (0, 11)) + Final(1, 1);

        var result = Check(history, acksNone);

        Assert.Equal("lost-write 1, unseen 1", result.Anomalies());
        Assert.Equal((2L, Verdict.Violated), (result.Findings[0].Of, result.Of(Guarantee.NoLostWrites)));
        Assert.Equal(Verdict.Held, result.Verdict);
    }

    [Fact]
    public void A_record_that_nobody_sent_is_a_phantom()
    {
        var result = Check(Sent(0, 1, 10, 0) + Polled(1, 1, (0, 10), (1, 99)));

        Assert.Equal("phantom-record 1", result.Anomalies());
        Assert.Contains("nobody", result.Only(AnomalyName.PhantomRecord).Note);
    }

    [Fact]
    public void A_record_in_another_partition_than_it_was_sent_to_is_a_phantom_there()
    {
        var result = Check(Sent(0, 1, 10, 0) + Polled(1, 1, (0, 10)) + Polled(1, 2, (0, 10)));

        Assert.Equal("phantom-record 1", result.Anomalies());
        Assert.Contains("sent to 1", result.Only(AnomalyName.PhantomRecord).Note);
    }

    [Theory]
    [InlineData("ok")]
    [InlineData("info")]
    [InlineData("fail")]
    public void A_failed_send_that_any_poll_returns_is_an_aborted_read(string poll)
    {
        var history = Send(0, "invoke", 1, 10) + Send(0, "fail", 1, 10) + Poll(1, poll, 1, (0, 10));

        Assert.Equal("G1a 1", Check(history).Anomalies());
    }

    [Fact]
    public void An_aborted_transaction_may_be_read_uncommitted_and_is_reported_all_the_same()
    {
        const string mops = "\"mops\":[{\"op\":\"send\",\"key\":1,\"value\":10}]";
        var history = Event(0, "invoke", "txn", mops) + Event(0, "fail", "txn", mops) + Polled(1, 1, (0, 10));

        Assert.Equal(Verdict.Violated, Check(history).Of(Guarantee.NoAbortedReads));
        var permitted = Check(history, CheckContract.Default with { Isolation = Isolation.ReadUncommitted });
        Assert.Equal(("G1a 1", Verdict.Held), (permitted.Anomalies(), permitted.Of(Guarantee.NoAbortedReads)));
    }

    [Fact]
    public void One_value_at_two_offsets_is_a_duplicate()
    {
        var result = Check(Sent(0, 1, 10, 0) + Polled(1, 1, (0, 10), (1, 10)));

        Assert.Equal("duplicate 1", result.Anomalies());
        Assert.Equal([0L, 1L], result.Only(AnomalyName.Duplicate).Offsets);
    }

    [Fact]
    public void A_value_that_the_application_sent_twice_is_no_duplicate()
    {
        Assert.Equal("", Check(Sent(0, 1, 10, 0) + Sent(0, 1, 10, 1) + Polled(1, 1, (0, 10), (1, 10))).Anomalies());
    }

    [Fact]
    public void Two_values_at_one_offset_are_inconsistent_whoever_tells()
    {
        var byPolls = Sent(0, 1, 10, 0) + Send(1, "invoke", 1, 11) + Send(1, "info", 1, 11) + Polled(2, 1, (0, 10)) + Polled(3, 1, (0, 11));
        var byAcknowledgement = Sent(0, 1, 10, 0) + Send(1, "invoke", 1, 11) + Send(1, "info", 1, 11) + Polled(2, 1, (0, 11));

        Assert.Equal("inconsistent-offsets 1", Check(byPolls).Anomalies());
        Assert.Equal("inconsistent-offsets 1, lost-write 1, unseen 1", Check(byAcknowledgement).Anomalies());
        Assert.Equal(["10", "11"], Check(byPolls).Only(AnomalyName.InconsistentOffsets).Values);
    }

    [Fact]
    public void Sends_of_one_process_out_of_order_are_nonmonotonic_and_out_of_real_time()
    {
        var result = Check(Sent(0, 1, 10, 1) + Sent(0, 1, 11, 0) + Polled(1, 1, (0, 11), (1, 10)));

        Assert.Equal("nonmonotonic-send 1, realtime-send-order 1", result.Anomalies());
        Assert.Equal([1L, 0L], result.Only(AnomalyName.NonmonotonicSend).Offsets);
    }

    [Fact]
    public void An_acknowledged_send_lies_below_what_another_process_invokes_later()
    {
        Assert.Equal("realtime-send-order 1", Check(Sent(0, 1, 10, 1) + Sent(1, 1, 11, 0) + Polled(2, 1, (0, 11), (1, 10))).Anomalies());
    }

    [Fact]
    public void Concurrent_sends_may_lie_in_any_order()
    {
        var history = Send(0, "invoke", 1, 10) + Send(1, "invoke", 1, 11) + Send(0, "ok", 1, 10, 1) + Send(1, "ok", 1, 11, 0) + Polled(2, 1, (0, 11), (1, 10));

        Assert.Equal("", Check(history).Anomalies());
    }

    [Fact]
    public void A_timed_out_send_may_land_late_without_idempotence_or_after_a_crash_but_not_within_an_idempotent_session()
    {
        var timedOut = Send(0, "invoke", 1, 10) + Send(0, "info", 1, 10);
        var later = Sent(0, 1, 11, 0) + Polled(1, 1, (0, 11), (1, 10));

        Assert.Equal("nonmonotonic-send 1", Check(timedOut + later).Anomalies());
        Assert.Equal("", Check(timedOut + Event(0, "info", "crash") + later).Anomalies());
        Assert.Equal("", Check(timedOut + later, CheckContract.Default with { Idempotence = false }).Anomalies());
    }

    [Fact]
    public void Sends_within_one_operation_keep_their_order_and_may_have_others_between()
    {
        static string Two(string type, string first, string second) => Event(0, type, "txn", $$"""
            "mops":[{"op":"send","key":1,"value":10{{first}}},{"op":"send","key":1,"value":11{{second}}}]
            """.Trim());
        var swapped = Two("invoke", "", "") + Two("ok", ",\"offset\":1", ",\"offset\":0") + Polled(1, 1, (0, 11), (1, 10));
        var apart = Two("invoke", "", "") + Send(2, "invoke", 1, 12) + Send(2, "ok", 1, 12, 1) + Two("ok", ",\"offset\":0", ",\"offset\":2") + Polled(1, 1, (0, 10), (1, 12), (2, 11));

        Assert.Equal("int-nonmonotonic-send 1", Check(swapped).Anomalies());
        Assert.Equal(("int-send-skip 1", Verdict.Held), (Check(apart).Anomalies(), Check(apart).Verdict));
    }

    [Fact]
    public void Records_of_one_key_out_of_producer_order_are_told_as_such_even_with_others_between()
    {
        const string cat = ",\"recordKey\":\"cat\"";
        var history = Sent(0, 1, 10, 5, cat) + Sent(0, 1, 11, 6, ",\"recordKey\":\"dog\"") + Sent(0, 1, 12, 2, cat) + Polled(1, 1, (2, 12), (5, 10), (6, 11));

        Assert.Equal("key-order 1, nonmonotonic-send 1, realtime-send-order 1", Check(history).Anomalies());
        Assert.Contains("cat", Check(history).Only(AnomalyName.KeyOrder).Note);
    }

    [Fact]
    public void A_lost_record_does_not_make_the_survivors_look_out_of_order()
    {
        var history = Sent(0, 1, 10, 7) + Sent(0, 1, 11, 0) + FromBeginning(1, 1) + Polled(1, 1, (0, 11)) + Final(1, 1);

        Assert.Equal("lost-write 1, unseen 1", Check(history).Anomalies());
    }

    private static readonly string Three = Sent(0, 1, 10, 0) + Sent(0, 1, 11, 1) + Sent(0, 1, 12, 2) + Polled(9, 1, (0, 10), (1, 11), (2, 12));

    [Fact]
    public void Going_back_between_polls_and_within_one_are_told_apart()
    {
        Assert.Equal("nonmonotonic-poll 1", Check(Three + Polled(1, 1, (0, 10), (1, 11)) + Polled(1, 1, (1, 11), (2, 12))).Anomalies());
        Assert.Equal("int-nonmonotonic-poll 1", Check(Three + Polled(1, 1, (1, 11), (0, 10))).Anomalies());
    }

    [Fact]
    public void Leaving_out_a_known_record_between_polls_and_within_one_are_told_apart()
    {
        Assert.Equal("poll-skip 1", Check(Three + Polled(1, 1, (0, 10)) + Polled(1, 1, (2, 12))).Anomalies());
        Assert.Equal("int-poll-skip 1", Check(Three + Polled(1, 1, (0, 10), (2, 12))).Anomalies());
        Assert.Equal(["11"], Check(Three + Polled(1, 1, (0, 10), (2, 12))).Only(AnomalyName.InternalPollSkip).Values);
    }

    [Fact]
    public void A_skip_is_found_even_if_the_record_becomes_known_only_later()
    {
        var history = Sent(0, 1, 10, 0) + Send(0, "invoke", 1, 11) + Sent(2, 1, 12, 2) + Polled(1, 1, (0, 10), (2, 12)) + Send(0, "ok", 1, 11, 1) + Polled(3, 1, (0, 10), (1, 11), (2, 12));

        Assert.Equal("int-poll-skip 1", Check(history).Anomalies());
    }

    [Fact]
    public void Gaps_in_offsets_are_legal()
    {
        Assert.Equal("", Check(Sent(0, 1, 10, 0) + Sent(0, 1, 11, 7) + Polled(1, 1, (0, 10)) + Polled(1, 1, (7, 11)) + Polled(2, 1, (0, 10), (7, 11))).Anomalies());
    }

    [Fact]
    public void A_new_position_is_legal_after_seeking_crashing_or_assigning_anew_but_not_after_assigning_the_same()
    {
        var (first, again) = (Polled(1, 1, (0, 10), (1, 11)), Polled(1, 1, (0, 10)));

        Assert.Equal("", Check(Three + first + FromBeginning(1, 1) + again).Anomalies());
        Assert.Equal("", Check(Three + first + Event(1, "info", "crash") + again).Anomalies());
        Assert.Equal("", Check(Three + first + Event(1, "ok", "assign", "\"keys\":[2]") + Event(1, "ok", "assign", "\"keys\":[1]") + again).Anomalies());
        Assert.Equal("nonmonotonic-poll 1", Check(Three + first + Event(1, "ok", "assign", "\"keys\":[1,2]") + again).Anomalies());
        Assert.Equal("nonmonotonic-poll 1", Check(Three + first + Event(1, "fail", "assign", "\"keys\":[2]") + again).Anomalies());
    }

    [Fact]
    public void A_subscribed_consumer_may_jump_when_rebalanced_and_only_then_if_it_tells_when()
    {
        var subscribed = Three + Event(1, "ok", "subscribe", "\"keys\":[1]");
        var assigned = subscribed + Event(1, "ok", "assigned", "\"keys\":[1]");
        var (first, again) = (Polled(1, 1, (0, 10), (1, 11)), Polled(1, 1, (0, 10)));

        Assert.Equal("group-double-consume 1", Check(subscribed + first + again).Anomalies());
        Assert.Equal("group-double-consume 1, nonmonotonic-poll 1", Check(assigned + first + again).Anomalies());
        Assert.Equal("group-double-consume 1", Check(assigned + first + Event(1, "ok", "revoked", "\"keys\":[1]") + again).Anomalies());
        Assert.Equal("group-double-consume 2", Check(Three + first + again, CheckContract.Default with { Subscription = Subscription.Subscribe }).Anomalies());
    }

    [Fact]
    public void A_poll_that_was_not_ok_is_checked_and_does_not_move_the_position()
    {
        var first = Polled(1, 1, (0, 10));

        Assert.Equal("", Check(Three + first + Poll(1, "info", 1, (1, 11), (2, 12)) + Polled(1, 1, (1, 11))).Anomalies());
        Assert.Equal("nonmonotonic-poll 1", Check(Three + first + Poll(1, "fail", 1, (0, 10)) + Polled(1, 1, (1, 11))).Anomalies());
    }

    [Fact]
    public void A_record_read_before_its_send_was_invoked_comes_from_the_future()
    {
        Assert.Equal("future-read 1", Check(Polled(1, 1, (0, 10)) + Sent(0, 1, 10, 0)).Anomalies());
    }

    [Fact]
    public void A_history_of_completions_only_tells_nothing_about_the_future()
    {
        Assert.Equal("", Check(Polled(1, 1, (0, 10)) + Send(0, "ok", 1, 10, 0)).Anomalies());
    }

    [Fact]
    public void Bad_data_is_a_finding_or_nothing_and_hides_no_other()
    {
        var history = Polled(1, 1) + Polled(1, 7) + Sent(0, 1, 10, 0) + Sent(0, 1, 11, 1) + Sent(0, 1, 12, 2)
            + Polled(1, 1, (0, 10), (1, 99), (2, 12), (3, 10))
            + """{"process":2,"type":"ok","f":"poll","mops":[{"op":"poll","records":[{"key":1,"value":12},{"key":"x","value":"y"}],"emptyKeys":[5]}]}""" + "\n";

        Assert.Equal("duplicate 1, inconsistent-offsets 1, lost-write 1, phantom-record 2, unseen 1", Check(history).Anomalies());
    }
}
