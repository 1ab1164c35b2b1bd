using System.Collections.Immutable;
using Verify.Promises;

namespace Verify.Tests.Promises;

/// <summary>What befalls a record in a consumer group is excused by what its members did, and by nothing that they did not. The record stands at offset 7; times are positions in a history.</summary>
public sealed class GroupExcuseTests
{
    private static readonly RunEvidence Disturbed = new() { MemberCrashes = 1, Rebalances = 1, CommitsUnconfirmed = 1 };

    private static Tenure Has(long asked, long begins = 5, long? processed = null, long? crashed = null, params PassingCommit[] commits) =>
        new(300, asked, asked + 1, begins, processed is { } at ? [at] : [], [.. commits], crashed);

    private static PassingCommit Confirmed(long invoked) => new(CommitFate.Confirmed, invoked, invoked + 1);

    private static PassingCommit Unknown(long invoked) => new(CommitFate.Unknown, invoked, long.MaxValue);

    private static PassingCommit Refused(long invoked) => new(CommitFate.Refused, invoked, invoked + 1);

    private static string? Loss(string commit, params Tenure[] tenures) => Ask(AnomalyWords.GroupLoss, commit, tenures);

    private static string? Repetition(string commit, params Tenure[] tenures) => Ask(AnomalyWords.GroupDoubleConsume, commit, tenures);

    private static string? Ask(string anomaly, string commit, Tenure[] tenures) =>
        GroupExcuses.For(anomaly, Configuration.OfWords([$"commit={commit}"]), Disturbed, new GroupEvidence(7, tenures.ToImmutableArray()))?.Name;

    [Fact]
    public void Who_commits_first_may_lose_by_a_crash_or_by_a_commit_that_it_does_not_learn_of()
    {
        Assert.Equal("crash-before-processing", Loss("before", Has(1, commits: Confirmed(10), crashed: 20)));
        Assert.Equal("crash-before-processing", Loss("before", Has(1, commits: Unknown(10), crashed: 20)));
        Assert.Equal("commit-unconfirmed", Loss("before", Has(1, commits: Unknown(10)), Has(30, begins: 9)));
        Assert.Equal("crash-before-processing", Loss("before", Has(1, commits: Unknown(10), crashed: 20), Has(5, begins: 9) with { Told = 25 })); // asked before, answered after
    }

    [Fact]
    public void A_loss_that_no_member_brought_about_is_excused_by_nothing()
    {
        Assert.Null(Loss("before", Has(1, commits: Confirmed(10))));                                          // it lives, and had the record
        Assert.Null(Loss("before", Has(1, commits: Refused(10), crashed: 20), Has(30, begins: 9)));           // a commit that was refused does not count
        Assert.Null(Loss("before", Has(1, crashed: 8), Has(30, begins: 9, commits: Confirmed(40))));          // the group was said to stand beyond it, and nobody had committed so
        Assert.Null(Loss("before", Has(1), Has(5, begins: 9), Has(30, commits: Confirmed(40), crashed: 41))); // nor had anybody when that was said
        Assert.Null(Loss("before", Has(1, commits: Unknown(10)), Has(30, commits: Confirmed(40))));           // the second one had it and lives
        Assert.Null(Loss("before"));
    }

    [Theory]
    [InlineData("after")]
    [InlineData("auto")]
    public void Who_commits_later_may_repeat_what_was_not_confirmed(string commit)
    {
        Assert.Equal("crash-before-commit", Repetition(commit, Has(1, processed: 10, crashed: 20), Has(30, processed: 40)));
        Assert.Equal("commit-unconfirmed", Repetition(commit, Has(1, processed: 10, commits: Unknown(20)), Has(30, processed: 40)));
        Assert.Equal("commit-unconfirmed", Repetition(commit, Has(1, processed: 10, commits: Refused(20)), Has(30, processed: 40)));
        Assert.Equal("rebalance-before-commit", Repetition(commit, Has(1, processed: 50), Has(30, processed: 40, commits: Confirmed(45))));
    }

    [Theory]
    [InlineData("after")]
    [InlineData("auto")]
    public void Who_commits_later_loses_nothing_and_repeats_nothing_that_was_confirmed(string commit)
    {
        Assert.Null(Loss(commit, Has(1, commits: Confirmed(10), crashed: 20)));
        Assert.Null(Repetition(commit, Has(1, processed: 10, commits: Confirmed(20), crashed: 25), Has(30, processed: 40)));
        Assert.Null(Repetition(commit, Has(1, processed: 10, crashed: 20), Has(30, processed: 40, commits: Confirmed(41)), Has(50, processed: 60)));
        Assert.Null(Repetition(commit, Has(1, processed: 10, crashed: 20), Has(30, begins: 9, processed: 40)));    // it read what it was not to read
        Assert.Null(Repetition(commit, Has(1) with { Processed = [10, 11] }, Has(30, processed: 40)));            // twice by one member in one go
    }

    [Fact]
    public void Who_commits_first_repeats_nothing() => Assert.Null(Repetition("before", Has(1, processed: 10, crashed: 20), Has(30, processed: 40)));

    [Fact]
    public void Without_a_crash_in_the_run_no_crash_excuses() =>
        Assert.Null(GroupExcuses.For(AnomalyWords.GroupLoss, Configuration.OfWords(["commit=before"]), RunEvidence.Quiet, new GroupEvidence(7, [Has(1, commits: Confirmed(10), crashed: 20)])));

    [Theory]
    [InlineData("before", "perm", "keep")]
    [InlineData("after", "keep", "perm")]
    [InlineData("auto", "keep", "perm")]
    public void The_promise_says_at_least_or_at_most_once(string commit, string atLeast, string atMost)
    {
        var killed = PromiseText.Of(Configuration.OfWords([$"commit={commit}"])).Guarantees.ToDictionary(one => one.Guarantee.Name, one => one.ByClass[1].Level.ToString().ToLowerInvariant()[..4]);
        Assert.Equal((atLeast, atMost, "keep", "keep"), (killed["at-least-once"], killed["at-most-once"], killed["committed-offsets"], killed["fenced-zombies"]));
    }

    [Fact]
    public void Without_groups_nothing_is_said_of_them() => Assert.DoesNotContain(PromiseText.Of(Configuration.Default).Guarantees, one => GuaranteeCatalogue.IsOfGroups(one.Guarantee.Name));
}
