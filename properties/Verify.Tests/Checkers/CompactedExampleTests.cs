using Verify.Checkers;
using static Verify.Tests.Checkers.Histories;

namespace Verify.Tests.Checkers;

/// <summary>Compacted partitions: what a reader must find of each key, and what it may miss by right. Each history ends with one complete read.</summary>
public sealed class CompactedExampleTests
{
    private static readonly CheckContract Compacted = CheckContract.Default with { Compacted = true };

    private static string Put(int value, string key, int offset) => Send(0, "invoke", 1, value, more: Key(key)) + Send(0, "ok", 1, value, offset, Key(key));

    private static string Delete(int value, string key, int offset) => Send(0, "invoke", 1, value, more: More(key, tombstone: true)) + Send(0, "ok", 1, value, offset, More(key, tombstone: true));

    /// <summary>A send whose outcome nobody knows.</summary>
    private static string Unknown(int value, string key, bool tombstone) =>
        Send(0, "invoke", 1, value, more: More(key, tombstone)) + Send(0, "info", 1, value, more: More(key, tombstone));

    private static string More(string key, bool tombstone) => (tombstone ? ",\"tombstone\":true" : "") + Key(key);

    private static string Key(string key) => $",\"recordKey\":\"{key}\"";

    private static string ReadAll(params (int Offset, int Value, string Key)[] records) =>
        FromBeginning(9, 1) + (records.Length == 0 ? "" : Records(records)) + Final(9, 1);

    private static string Records((int Offset, int Value, string Key)[] records) =>
        $$"""{"process":9,"type":"ok","f":"poll","mops":[{"op":"poll","records":[{{string.Join(',', records.Select(static r => $$"""{"key":1,"offset":{{r.Offset}},"value":{{r.Value}}{{Key(r.Key)}}}"""))}}]}]}""" + "\n";

    private static CheckResult Judge(string history) => Check(history, Compacted);

    [Fact]
    public void What_a_newer_record_of_its_key_supersedes_may_be_gone_unseen()
    {
        var result = Judge(Put(10, "a", 0) + Put(11, "b", 1) + Put(12, "a", 2) + ReadAll((1, 11, "b"), (2, 12, "a")));
        Assert.Equal("", result.Anomalies());
        Assert.Equal(Verdict.Held, result.Of(Guarantee.NoLostWrites));
    }

    [Fact]
    public void The_same_is_a_loss_where_nothing_is_compacted() =>
        Assert.Equal("lost-write 1, unseen 1", Check(Put(10, "a", 0) + Put(11, "b", 1) + Put(12, "a", 2) + ReadAll((1, 11, "b"), (2, 12, "a"))).Anomalies());

    [Fact]
    public void Planted_the_newest_value_of_a_key_is_gone()
    {
        var result = Judge(Put(10, "a", 0) + Put(11, "b", 1) + Delete(12, "c", 2) + ReadAll((1, 11, "b")));
        Assert.Equal("compacted-newest 1, lost-write 1, unseen 1", result.Anomalies());
        Assert.Equal(["10"], result.Only(AnomalyName.CompactedNewest).Values);
    }

    [Fact]
    public void Planted_an_older_value_is_the_last_of_its_key()
    {
        var result = Judge(Put(10, "a", 0) + Put(11, "a", 1) + Delete(12, "c", 2) + ReadAll((0, 10, "a")));
        Assert.Equal("compacted-newest 1, lost-write 1, unseen 1", result.Anomalies());
        Assert.Equal(["11", "10"], result.Only(AnomalyName.CompactedNewest).Values);
    }

    [Fact]
    public void A_deleted_key_is_gone_with_its_tombstone_or_without() =>
        Assert.All(new[] { ReadAll(), ReadAll((1, 11, "a")), ReadAll((0, 10, "a"), (1, 11, "a")) }, read => Assert.Equal("", Judge(Put(10, "a", 0) + Delete(11, "a", 1) + Delete(12, "z", 2) + read).Anomalies()));

    [Fact]
    public void Planted_a_deleted_key_is_back()
    {
        var result = Judge(Put(10, "a", 0) + Delete(11, "a", 1) + Delete(12, "z", 2) + ReadAll((0, 10, "a")));
        Assert.Equal("compacted-newest 1", result.Anomalies());
        Assert.Equal(["11", "10"], result.Only(AnomalyName.CompactedNewest).Values);
    }

    [Fact]
    public void A_put_of_unknown_outcome_may_follow_a_deletion() =>
        Assert.Equal("", Judge(Put(10, "a", 0) + Delete(11, "a", 1) + Unknown(12, "a", tombstone: false) + ReadAll((5, 12, "a"))).Anomalies());

    [Fact]
    public void A_deletion_of_unknown_outcome_may_have_taken_the_newest_value() =>
        Assert.Equal("", Judge(Put(10, "a", 0) + Unknown(11, "a", tombstone: true) + ReadAll()).Anomalies());

    [Fact]
    public void Planted_a_deletion_of_unknown_outcome_takes_no_older_value_back() =>
        Assert.Contains("compacted-newest 1", Judge(Put(10, "a", 0) + Put(11, "a", 1) + Unknown(12, "a", tombstone: true) + ReadAll((0, 10, "a"))).Anomalies(), StringComparison.Ordinal);

    [Fact]
    public void A_deletion_that_failed_for_certain_takes_nothing() =>
        Assert.Contains("compacted-newest 1", Judge(Put(10, "a", 0) + Unknown(11, "a", tombstone: true).Replace("info", "fail", StringComparison.Ordinal) + ReadAll()).Anomalies(), StringComparison.Ordinal);

    [Fact]
    public void Planted_a_record_that_is_superseded_only_after_it_was_missed_is_lost()
    {
        var early = Put(10, "a", 0) + Put(11, "b", 1) + ReadAll((1, 11, "b"));
        Assert.Equal("compacted-newest 1, lost-write 1", Judge(early + Put(12, "a", 2) + ReadAll((1, 11, "b"), (2, 12, "a"))).Anomalies().Replace(", unseen 1", "", StringComparison.Ordinal));
    }

    [Fact]
    public void A_reader_may_skip_what_was_cleaned_and_nothing_else()
    {
        var sent = Put(10, "a", 0) + Put(11, "b", 1) + Put(12, "a", 2) + Put(13, "c", 3);
        Assert.Equal("", Judge(sent + ReadAll((1, 11, "b"), (2, 12, "a"), (3, 13, "c"))).Anomalies());
        var skipped = ReadAll((0, 10, "a"), (2, 12, "a"), (3, 13, "c")).Replace("\"process\":9", "\"process\":8", StringComparison.Ordinal);
        Assert.Contains("int-poll-skip 1", Judge(sent + skipped + ReadAll((1, 11, "b"), (2, 12, "a"), (3, 13, "c"))).Anomalies(), StringComparison.Ordinal);
    }
}
