using Verify.History;

namespace Verify.Tests.Judging;

/// <summary>What sets a group back although nothing of its coordinator's log is lost, and what looks like it and has no excuse.</summary>
public sealed class GroupJudgementTests
{
    private static HandMadeRun WithTwo(string commit) => new HandMadeRun("acks=all", $"commit={commit}").Sends(1).Appends(1, 0, 0, 1, producerId: 7).Sends(2).Appends(1, 0, 1, 2, producerId: 7).Commits(1, 0, 2)
        .IsTold(1, 0).IsTold(2, 1).Coordinates(2, 0);

    /// <summary>It commits 1 and hears nothing, then 2, and then finds the group at 1.</summary>
    private static string SetBack(string commit, EventType first, int nextGeneration = 1, long found = 1) =>
        WithTwo(commit).MemberHas(0).MemberProcesses(1, 0).MemberCommits(1, first).MemberGivesUp()
            .MemberHas(1, nextGeneration).MemberProcesses(2, 1, nextGeneration).MemberCommits(2, EventType.Ok, nextGeneration).MemberGivesUp(nextGeneration)
            .MemberHas(found, 3).MemberProcesses(2, 1, 3).MemberCommits(2, EventType.Ok, 3).IsReadFinally(1, 2).Judged("group-double-consume");

    [Theory]
    [InlineData("before")]
    [InlineData("after")]
    [InlineData("auto")]
    public void A_commit_that_was_given_up_may_arrive_after_the_next_one(string commit) => Assert.Equal("2: commit-overtaken", SetBack(commit, EventType.Info));

    [Fact]
    public void A_commit_that_was_answered_or_fenced_or_is_of_another_offset_sets_nobody_back()
    {
        Assert.Equal("2: none", SetBack("after", EventType.Ok));
        Assert.Equal("2: none", SetBack("after", EventType.Info, nextGeneration: 2));
        Assert.Equal("2: none", SetBack("after", EventType.Info, found: 0));
    }

    /// <summary>2 coordinates, and 3 takes over and confirms 2; whether 2 has heard of it, and whether it got the commit, differs.</summary>
    private static HandMadeRun AskedAfter(bool heard = false, bool hasCommit = false, bool isDeposed = true)
    {
        var run = WithTwo("after").MemberHas(0).MemberProcesses(1, 0).MemberProcesses(2, 1);
        if (isDeposed) run.Coordinates(3, 1);
        if (heard) run.FollowsCoordinator(2, 1);
        run.KeepsCommit(isDeposed ? 3 : 2, hasCommit ? 2 : 1, isDeposed ? 1 : 0, 0, 2);
        return run.MemberCommits(2, EventType.Ok).MemberGivesUp().MemberHas(-1, 2).MemberProcesses(1, 0, 2).MemberProcesses(2, 1, 2).MemberCommits(2, EventType.Ok, 2).IsReadFinally(1, 2);
    }

    [Fact]
    public void Who_asks_a_coordinator_that_does_not_know_it_is_deposed_hears_what_that_one_knew()
    {
        Assert.Equal(1, AskedAfter().Judged().Evidence.StaleCoordinators);
        Assert.Equal(": stale-coordinator", AskedAfter().Judged("lost-commit"));
        Assert.Equal("1: stale-coordinator, 2: stale-coordinator", AskedAfter().Judged("group-double-consume"));
    }

    [Fact]
    public void A_coordinator_in_office_or_one_that_knows_of_its_end_or_of_the_commit_has_no_excuse()
    {
        Assert.Equal(": none", AskedAfter(isDeposed: false).Judged("lost-commit"));
        Assert.Equal(": none", AskedAfter(heard: true).Judged("lost-commit"));
        Assert.Equal(": none", AskedAfter(hasCommit: true).Judged("lost-commit"));
        Assert.Equal("1: none, 2: none", AskedAfter(heard: true).Judged("group-double-consume"));
    }
}
