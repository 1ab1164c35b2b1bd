using Verify.Checkers;
using Verify.History;
using static Verify.Tests.Checkers.Histories;

namespace Verify.Tests.Checkers;

/// <summary>Each anomaly of consumer groups in the fewest events that show it, and what looks like it and is none.</summary>
public sealed class GroupTests
{
    private readonly HistoryRecorder recorder;
    private readonly GroupRecorder group;
    private readonly int key;

    public GroupTests()
    {
        recorder = new HistoryRecorder(new HistoryLog(), () => 0);
        (group, key) = (new GroupRecorder(recorder, "g"), recorder.Key("t-0"));
    }

    /// <summary>Records 0..n-1 with values 10.., all acknowledged, and read by somebody outside of the group.</summary>
    private void Log(int records)
    {
        for (var i = 0; i < records; i++) recorder.InvokeSend(0, key, 10 + i).Ok(i);
        recorder.InvokePoll(9).Ok([.. Enumerable.Range(0, records).Select(i => new PolledRecord(key, i, 10 + i))]);
    }

    private void Assign(int process, int generation, long offset) => group.InvokeAssigned(process, $"m{process}", generation, [key]).Ok([new KeyOffset(key, offset)]);

    private PendingCommit Commit(int process, int generation, long next) => group.InvokeCommit(process, $"m{process}", generation, [new KeyOffset(key, next)]);

    private void Process(int process, int generation, params int[] offsets)
    {
        foreach (var offset in offsets) group.Processed(process, $"m{process}", generation, new PolledRecord(key, offset, 10 + offset));
    }

    private CheckResult Judged(CheckContract? contract = null) => Check(recorder.Log, contract);

    private static CheckContract Committing(CommitMode mode) => CheckContract.Default with { Commit = mode };

    [Fact]
    public void A_group_that_processes_commits_resumes_and_comes_to_the_end_keeps_every_promise()
    {
        Log(4);
        Assign(1, 1, -1);
        Process(1, 1, 0, 1);
        Commit(1, 1, 2).Ok();
        group.Revoked(1, "m1", 1, [key]);
        Assign(2, 2, 2);
        Process(2, 2, 2, 3);
        Commit(2, 2, 4).Ok();
        group.Drained(8, [key]);

        var result = Judged();

        Assert.Equal("", result.Anomalies());
        Assert.All([Guarantee.AtLeastOnce, Guarantee.AtMostOnce, Guarantee.CommittedOffsets, Guarantee.FencedZombies], guarantee => Assert.Equal(Verdict.Held, result.Of(guarantee)));
        Assert.Equal(4, result.Findings.Single(static f => f.Guarantee == Guarantee.AtLeastOnce).Of);
        Assert.Equal(Verdict.Held, result.Verdict);
    }

    [Fact]
    public void A_history_without_groups_says_nothing_about_them()
    {
        Log(2);

        string[] ofGroups = [Guarantee.AtLeastOnce, Guarantee.AtMostOnce, Guarantee.CommittedOffsets, Guarantee.FencedZombies];
        Assert.Empty(Judged().Findings.Select(static f => f.Guarantee).Intersect(ofGroups));
        Assert.Equal([Guarantee.AtLeastOnce, Guarantee.AtMostOnce], Judged(CheckContract.Default with { Subscription = Subscription.Subscribe }).Findings.Select(static f => f.Guarantee).Intersect(ofGroups));
    }

    [Fact]
    public void A_record_that_the_committed_offset_passed_unprocessed_is_lost_to_the_group()
    {
        Log(3);
        Process(1, 1, 0, 2);
        Commit(1, 1, 3).Ok();

        var result = Judged();
        Assert.Equal(("group-loss 1", Verdict.Violated), (result.Anomalies(), result.Verdict));
        var lost = result.Only(AnomalyName.GroupLoss);
        Assert.Equal(("t-0", 1L, "11"), (lost.Key, lost.Offsets[0], lost.Values[0]));
        Assert.Equal("11 was acknowledged at offset 1; group g passed it by process 1's offset, and nobody had processed it", lost.Note);
        Assert.Equal([2L, 3L, 11L], lost.Events);
    }

    [Fact]
    public void A_record_processed_after_its_commit_was_invoked_is_lost_only_where_members_commit_after_processing()
    {
        Log(1);
        var commit = Commit(1, 1, 1);
        Process(1, 1, 0);
        commit.Ok();

        Assert.Equal("group-loss 1", Judged().Anomalies());
        Assert.Equal("", Judged(Committing(CommitMode.BeforeProcessing)).Anomalies());
        Assert.Equal("", Judged(Committing(CommitMode.Apart)).Anomalies());
    }

    [Fact]
    public void Where_members_commit_before_processing_what_is_never_processed_is_lost_and_not_promised()
    {
        Log(2);
        Commit(1, 1, 2).Ok();
        Process(1, 1, 0);

        var result = Judged(Committing(CommitMode.BeforeProcessing));
        Assert.Equal(("group-loss 1", Verdict.Violated, Verdict.Held), (result.Anomalies(), result.Of(Guarantee.AtLeastOnce), result.Verdict));
    }

    [Fact]
    public void What_another_member_processed_is_processed()
    {
        Log(2);
        Process(1, 1, 0);
        Process(2, 2, 1);
        Commit(2, 2, 2).Ok();

        Assert.Equal("", Judged().Anomalies());
    }

    [Fact]
    public void What_another_group_processed_is_not_processed_in_this_one()
    {
        Log(1);
        new GroupRecorder(recorder, "other").Processed(1, "m", 1, new PolledRecord(key, 0, 10));
        Commit(2, 1, 1).Ok();

        Assert.Equal("group-loss 1", Judged().Anomalies());
    }

    [Theory]
    [InlineData(false, "")]
    [InlineData(true, "group-loss 1")]
    public void A_commit_of_unknown_outcome_passes_nothing_until_somebody_resumes_there(bool shown, string anomalies)
    {
        Log(2);
        Process(1, 1, 1);
        Commit(1, 1, 2).Info();
        if (shown) Assign(2, 2, 2);

        Assert.Equal(anomalies, Judged().Anomalies());
    }

    [Fact]
    public void A_commit_that_failed_passes_nothing()
    {
        Log(2);
        Commit(1, 1, 2).Fail();

        Assert.Equal("", Judged().Anomalies());
    }

    [Fact]
    public void A_record_left_behind_at_the_end_is_lost_to_the_group_unless_it_came_later()
    {
        Log(2);
        Process(1, 1, 0);
        group.NotDrained(8, [key]);
        Assert.Equal("", Judged().Anomalies());
        group.Drained(8, [key]);
        recorder.InvokeSend(0, key, 12).Ok(2);
        recorder.InvokePoll(9).Ok([new PolledRecord(key, 2, 12)]);

        Assert.Equal("group-loss 1", Judged().Anomalies());
        Assert.EndsWith("came to the end of the partition, and nobody had processed it", Judged().Only(AnomalyName.GroupLoss).Note);
    }

    [Fact]
    public void A_record_that_the_log_lost_is_not_the_groups_loss()
    {
        for (var i = 0; i < 3; i++) recorder.InvokeSend(0, key, 10 + i).Ok(i);
        recorder.Assigned(9, [key], seekToBeginning: true);
        recorder.InvokePoll(9).Ok([new PolledRecord(key, 0, 10), new PolledRecord(key, 2, 12)]);
        recorder.FinalRead(9, [key]);
        Process(1, 1, 0, 2);
        Commit(1, 1, 3).Ok();

        Assert.Equal("int-poll-skip 1, lost-write 1, unseen 1", Judged().Anomalies());
    }

    [Fact]
    public void A_group_that_begins_at_the_end_does_not_owe_what_lay_before()
    {
        Log(3);
        Process(1, 1, 2);
        Commit(1, 1, 3).Ok();

        Assert.Equal("group-loss 2", Judged().Anomalies());
        Assert.Equal("", Judged(CheckContract.Default with { GroupStart = GroupStart.Latest }).Anomalies());
    }

    [Fact]
    public void A_record_processed_twice_is_told_whoever_did_it_and_breaks_at_most_once_alone()
    {
        Log(1);
        Process(1, 1, 0);
        Process(2, 2, 0);
        Process(2, 2, 0);
        Commit(2, 2, 1).Ok();

        Assert.Equal(("group-double-consume 1", Verdict.Held), (Judged().Anomalies(), Judged().Verdict));
        Assert.Equal(Verdict.Violated, Judged(Committing(CommitMode.BeforeProcessing)).Verdict);
        Assert.Equal("offset 0 was processed in group g before process 2 did so again", Judged().Only(AnomalyName.GroupDoubleConsume).Note);
    }

    [Fact]
    public void The_same_offset_of_another_partition_or_group_is_another_record()
    {
        Log(1);
        Process(1, 1, 0);
        group.Processed(1, "m1", 1, new PolledRecord(recorder.Key("t-1"), 0, 10));
        new GroupRecorder(recorder, "other").Processed(1, "m1", 1, new PolledRecord(key, 0, 10));

        Assert.Equal("", Judged().Anomalies());
    }

    [Fact]
    public void A_member_that_resumes_below_an_acknowledged_commit_shows_a_regression()
    {
        Commit(1, 1, 5).Ok();
        Commit(1, 1, 10).Ok();
        Assign(2, 2, 5);

        Assert.Equal("offset-regression 1", Judged().Anomalies());
        Assert.Equal("process 1 committed 10 for group g, and process 2 was told later 5", Judged().Only(AnomalyName.OffsetRegression).Note);
        Assert.Equal([10L, 5L], Judged().Only(AnomalyName.OffsetRegression).Offsets);
    }

    [Fact]
    public void A_member_that_is_told_of_no_offset_shows_a_lost_commit()
    {
        Commit(1, 1, 5).Ok();
        Assign(2, 2, -1);

        Assert.Equal(("lost-commit 1", Verdict.Violated), (Judged().Anomalies(), Judged().Of(Guarantee.CommittedOffsets)));
    }

    [Fact]
    public void A_commit_acknowledged_while_the_question_was_under_way_may_be_missed()
    {
        Commit(1, 1, 5).Ok();
        var (commit, asked) = (Commit(1, 1, 10), group.InvokeAssigned(2, "m2", 2, [key]));
        commit.Ok();
        asked.Ok([new KeyOffset(key, 5)]);

        Assert.Equal("", Judged().Anomalies());
    }

    [Fact]
    public void An_assignment_that_does_not_tell_when_it_asked_is_not_judged()
    {
        var late = Event(1, "ok", "commit", "\"group\":\"g\",\"offsets\":{\"p\":5}") + Event(2, "ok", "assigned", "\"group\":\"g\",\"keys\":[\"p\"],\"offsets\":{\"p\":0}");

        Assert.Equal(("", Verdict.Unknown), (Check(late).Anomalies(), Check(late).Of(Guarantee.CommittedOffsets)));
    }

    [Fact]
    public void A_later_lower_commit_of_the_generation_explains_a_lower_answer()
    {
        Assign(1, 1, -1);
        Commit(1, 1, 10).Ok();
        Commit(1, 1, 5).Ok();
        Assign(2, 2, 5);

        Assert.Equal("", Judged().Anomalies());
    }

    [Theory]
    [InlineData(false, "")]
    [InlineData(true, "offset-regression 1")]
    public void A_lower_commit_of_unknown_outcome_explains_it_until_a_later_generation_has_committed(bool overtaken, string anomalies)
    {
        Assign(1, 1, -1);
        Commit(1, 1, 5).Info();
        if (overtaken) Assign(2, 2, -1);
        Commit(overtaken ? 2 : 1, overtaken ? 2 : 1, 10).Ok();
        Assign(3, 3, 5);

        Assert.Equal(anomalies, Judged().Anomalies());
    }

    [Fact]
    public void A_commit_accepted_from_a_generation_that_was_over_is_a_zombies_and_explains_no_lower_answer()
    {
        Assign(1, 1, -1);
        Assign(2, 2, -1);
        Commit(2, 2, 10).Ok();
        Commit(1, 1, 5).Ok();
        Assign(3, 3, 5);

        Assert.Equal("offset-regression 1, zombie-commit 1", Judged().Anomalies());
        Assert.Contains("committed in generation 1 of group g after a later generation had begun", Judged().Only(AnomalyName.ZombieCommit).Note);
    }

    [Fact]
    public void A_zombie_that_is_refused_or_not_yet_one_or_whose_group_began_again_is_no_anomaly()
    {
        Assign(1, 1, -1);
        var early = Commit(1, 1, 5);
        Assign(2, 2, -1);
        early.Ok();
        Commit(1, 1, 6).Fail();
        Commit(1, 1, 7).Info();
        Assign(3, 1, 5);
        Commit(3, 1, 8).Ok();

        Assert.Equal("", Judged().Anomalies());
        Assert.Equal(Verdict.Held, Judged().Of(Guarantee.FencedZombies));
    }

    [Fact]
    public void Where_nothing_else_is_told_a_poll_is_processed_and_the_next_poll_commits_it()
    {
        var subscribed = Sent(0, 1, 10, 0) + Sent(0, 1, 11, 1) + Sent(0, 1, 12, 2) + Polled(9, 1, (0, 10), (1, 11), (2, 12)) + Event(1, "ok", "subscribe", "\"keys\":[1]");
        var jumped = subscribed + Polled(1, 1, (0, 10)) + Event(1, "ok", "assigned", "\"keys\":[1],\"group\":\"g\"") + Polled(1, 1, (2, 12));

        Assert.Equal("", Check(jumped).Anomalies());
        Assert.Equal("group-loss 2", Check(jumped + Polled(1, 1)).Anomalies());
        Assert.Equal("", Check(jumped + Event(1, "info", "crash") + Polled(1, 1)).Anomalies());
        Assert.Equal("", Check(jumped + Event(1, "ok", "assign", "\"keys\":[1]") + Polled(1, 1)).Anomalies());
        Assert.Equal("group-loss 2", Check(subscribed + Polled(1, 1, (2, 12)).Replace("poll\",\"mops", "txn\",\"mops")).Anomalies());
    }

    [Fact]
    public void A_record_named_by_its_value_is_found_where_it_lies()
    {
        var history = Sent(0, 1, 10, 0) + Polled(9, 1, (0, 10)) + Event(1, "ok", "process", "\"group\":\"g\",\"key\":1,\"value\":10") + Event(1, "ok", "commit", "\"group\":\"g\",\"offsets\":{\"1\":1}");

        Assert.Equal("", Check(history).Anomalies());
        Assert.Equal("group-loss 1", Check(history.Replace("\"key\":1,\"value\":10}\n{\"process\":1,\"type\":\"ok\",\"f\":\"commit\"", "\"key\":1,\"value\":11}\n{\"process\":1,\"type\":\"ok\",\"f\":\"commit\"")).Anomalies());
    }

    [Fact]
    public void Memory_follows_the_gaps_and_not_the_records()
    {
        for (var i = 0; i < 100_000; i++) Process(1, 1, i);
        Commit(1, 1, long.MaxValue / 2).Ok();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var suite = CheckerSuite.For(CheckContract.Default, Guarantee.AtLeastOnce, Guarantee.AtMostOnce, Guarantee.CommittedOffsets, Guarantee.FencedZombies);
        suite.ObserveAll(recorder.Log);

        Assert.Equal(100_000, suite.Conclude()[1].Of);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 50_000);
    }
}
