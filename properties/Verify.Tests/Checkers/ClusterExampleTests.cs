using Verify.Checkers;
using static Verify.Tests.Checkers.Histories;

namespace Verify.Tests.Checkers;

/// <summary>Each anomaly of replicas, topics and recovery in the fewest events that show it.</summary>
public sealed class ClusterExampleTests
{
    private static readonly string Healthy =
        Observed(1, "became-leader", 1, 1, 0) + Observed(1, "appended", 1, 1, 0, 10, 11) + Observed(2, "replicated", 1, 1, 0, 10, 11) + Observed(1, "high-watermark", 1, 1, 2) + Observed(2, "high-watermark", 1, 1, 2);

    [Fact]
    public void Replicas_that_hold_the_same_below_their_watermarks_agree()
    {
        Assert.Equal(("", Verdict.Held), (Check(Healthy).Anomalies(), Check(Healthy).Verdict));
    }

    [Fact]
    public void Replicas_that_differ_below_their_watermarks_diverge()
    {
        var history = Healthy + Observed(3, "replicated", 1, 1, 0, 10, 99) + Observed(3, "high-watermark", 1, 1, 2);

        var diverged = Check(history);

        Assert.Equal("divergent-replicas 1", diverged.Anomalies());
        Assert.Equal((1L, "11", "99"), (diverged.Only(AnomalyName.DivergentReplicas).Offsets[0], diverged.Only(AnomalyName.DivergentReplicas).Values[0], diverged.Only(AnomalyName.DivergentReplicas).Values[1]));
    }

    [Fact]
    public void What_lies_above_the_watermark_or_was_cut_in_time_may_differ()
    {
        var above = Healthy + Observed(3, "replicated", 1, 1, 0, 10, 99) + Observed(3, "high-watermark", 1, 1, 1);
        var cut = above + Observed(3, "truncated", 1, 1, 1) + Observed(3, "replicated", 1, 1, 1, 11) + Observed(3, "high-watermark", 1, 1, 2);

        Assert.Equal("", Check(above).Anomalies());
        Assert.Equal("", Check(cut).Anomalies());
    }

    [Fact]
    public void A_committed_record_that_a_new_leader_replaces_is_a_divergence_told_once()
    {
        var replaced = Healthy + Observed(3, "became-leader", 1, 2, 1) + Observed(3, "appended", 1, 2, 0, 10, 99) + Observed(3, "high-watermark", 1, 2, 2)
            + Observed(1, "truncated", 1, 2, 1) + Observed(1, "replicated", 1, 2, 1, 99) + Observed(1, "high-watermark", 1, 2, 2);

        Assert.Equal("divergent-replicas 1", Check(replaced).Anomalies());
    }

    [Fact]
    public void An_epoch_with_two_leaders_is_told_once_for_each_further_one()
    {
        Assert.Equal("two-leaders 1", Check(Healthy + Observed(2, "became-leader", 1, 1, 2) + Observed(2, "appended", 1, 1, 2, 12)).Anomalies());
        Assert.Equal("", Check(Healthy + Observed(2, "became-leader", 1, 2, 2) + Observed(2, "appended", 1, 2, 2, 12)).Anomalies());
        Assert.Equal("", Check(Healthy + Observed(2, "became-leader", 2, 1, 0)).Anomalies());
    }

    [Fact]
    public void A_watermark_goes_back_only_with_a_new_epoch_or_a_restart()
    {
        Assert.Equal("watermark-regression 1", Check(Healthy + Observed(2, "high-watermark", 1, 1, 1)).Anomalies());
        Assert.Equal("", Check(Healthy + Observed(2, "high-watermark", 1, 2, 1)).Anomalies());
        Assert.Equal("", Check(Healthy + Event(-1, "ok", "observe", "\"node\":2,\"kind\":\"node-started\"").Replace("\"process\":-1,", "") + Observed(2, "high-watermark", 1, 1, 1)).Anomalies());
    }

    private static string Topic(int process, string type, string f, params string[] topics) => Event(process, type, f, $"\"topics\":[{string.Join(',', topics.Select(t => $"\"{t}\""))}]");

    private static string Done(int process, string f, params string[] topics) => Topic(process, "invoke", f, topics) + Topic(process, "ok", f, topics);

    [Fact]
    public void An_acknowledged_topic_that_the_settled_list_lacks_is_lost()
    {
        Assert.Equal("lost-topic 1", Check(Done(0, "create", "a", "b") + Done(1, "list", "b")).Anomalies());
        Assert.Equal("a", Check(Done(0, "create", "a", "b") + Done(1, "list", "b")).Only(AnomalyName.LostTopic).Key);
        Assert.Equal(Verdict.Held, Check(Done(0, "create", "a", "b") + Done(1, "list", "b", "a", "c")).Verdict);
    }

    [Fact]
    public void A_deleted_topic_that_the_settled_list_has_is_resurrected()
    {
        Assert.Equal("resurrected-topic 1", Check(Done(0, "create", "a") + Done(0, "delete", "a") + Done(1, "list", "a")).Anomalies());
        Assert.Equal("", Check(Done(0, "create", "a") + Done(0, "delete", "a") + Done(2, "create", "a") + Done(1, "list", "a")).Anomalies());
    }

    [Fact]
    public void Only_the_settled_list_counts()
    {
        var late = Done(0, "create", "a") + Done(1, "list");

        Assert.Equal("", Check(late + Done(1, "list", "a")).Anomalies());
        Assert.Equal("lost-topic 1", Check(late.Replace("\"list\",", "\"list\",\"final\":true,") + Done(1, "list", "a")).Anomalies());
    }

    private static string Finally(params string[] topics) => Done(1, "list", topics).Replace("\"list\",", "\"list\",\"final\":true,");

    [Fact]
    public void What_a_list_showed_and_nobody_deleted_is_there_for_good_whether_or_not_its_creation_was_acknowledged()
    {
        var shown = Topic(0, "invoke", "create", "a") + Topic(0, "info", "create", "a") + Done(2, "list", "a");

        Assert.Equal("lost-topic 1", Check(shown + Finally()).Anomalies());
        Assert.Equal("", Check(shown + Finally("a")).Anomalies());
        Assert.Equal("", Check(shown + Done(1, "list") + Finally("a")).Anomalies());                       // a broker may not know it yet
        Assert.Equal("", Check(shown + Done(3, "delete", "a") + Finally()).Anomalies());
        Assert.Equal("", Check(shown + Topic(3, "invoke", "delete", "a") + Finally()).Anomalies());
        Assert.Equal("lost-topic 1", Check(shown + Topic(3, "invoke", "delete", "a") + Topic(3, "fail", "delete", "a") + Finally()).Anomalies());
    }

    [Fact]
    public void What_may_still_happen_or_may_have_come_last_excuses()
    {
        Assert.Equal("", Check(Topic(2, "invoke", "delete", "a") + Topic(2, "info", "delete", "a") + Done(0, "create", "a") + Done(1, "list")).Anomalies());
        Assert.Equal("", Check(Topic(2, "invoke", "delete", "a") + Done(0, "create", "a") + Topic(2, "ok", "delete", "a") + Done(1, "list")).Anomalies());
        Assert.Equal("", Check(Topic(1, "invoke", "list") + Done(0, "create", "a") + Topic(1, "ok", "list")).Anomalies());
        Assert.Equal("lost-topic 1", Check(Done(0, "create", "a") + Topic(2, "invoke", "delete", "a") + Topic(2, "fail", "delete", "a") + Done(1, "list")).Anomalies());
    }

    [Fact]
    public void Of_two_calls_at_once_by_one_client_either_may_be_the_one_answered()
    {
        var twice = Topic(0, "invoke", "create", "a") + Done(2, "delete", "a") + Topic(0, "invoke", "create", "a");

        Assert.Equal("", Check(twice + Topic(0, "ok", "create", "a") + Topic(0, "fail", "create", "a") + Done(1, "list")).Anomalies());
        Assert.Equal("", Check(twice + Topic(0, "info", "create", "a") + Topic(0, "ok", "create", "a") + Done(1, "list")).Anomalies());
        Assert.Equal("lost-topic 1", Check(twice + Topic(0, "ok", "create", "a") + Topic(0, "ok", "create", "a") + Done(0, "create", "a") + Done(1, "list")).Anomalies());
        Assert.Equal("lost-topic 1", Check(Done(2, "delete", "a") + Topic(0, "invoke", "create", "a") + Topic(0, "invoke", "create", "a") + Topic(0, "ok", "create", "a") + Done(1, "list")).Anomalies());
    }

    private static string At(double seconds, string line) => line.Replace("{\"process\"", $"{{\"time\":{seconds * 1e9:0},\"process\"");

    private static readonly string Healed = At(10, Sent(0, 1, 10, 0)) + At(20, Event(0, "ok", "heal"));

    private static readonly CheckContract Bound = CheckContract.Default with { RecoveryBound = TimeSpan.FromSeconds(5) };

    [Fact]
    public void A_partition_that_accepts_a_write_within_the_bound_has_recovered()
    {
        var history = Healed + At(21, Send(0, "invoke", 1, 11)) + At(25, Send(0, "ok", 1, 11, 1)) + At(60, Polled(1, 1, (0, 10), (1, 11)));

        Assert.Equal(("", Verdict.Held), (Check(history, Bound).Anomalies(), Check(history, Bound).Of(Guarantee.Recovery)));
    }

    [Fact]
    public void A_partition_that_accepts_no_write_within_the_bound_is_stuck_and_unknown_before()
    {
        var tried = Healed + At(21, Send(0, "invoke", 1, 11)) + At(23, Send(0, "info", 1, 11)) + At(23, Polled(1, 1, (0, 10)));
        var late = tried + At(30, Sent(0, 1, 12, 1)) + At(30, Polled(1, 1, (1, 12)));

        Assert.Equal(Verdict.Unknown, Check(tried, Bound).Of(Guarantee.Recovery));
        Assert.Equal("no-progress 1", Check(late, Bound).Anomalies());
    }

    [Fact]
    public void A_partition_that_cannot_be_read_to_its_end_after_the_heal_is_stuck()
    {
        var failed = Healed + At(21, Sent(0, 1, 11, 1)) + At(22, Polled(1, 1, (0, 10), (1, 11))) + At(23, Event(1, "info", "final", "\"keys\":[1]"));

        Assert.Equal("no-progress 1", Check(failed, Bound).Anomalies());
        Assert.Equal("", Check(failed + At(24, Final(1, 1)), Bound).Anomalies());
    }
}
