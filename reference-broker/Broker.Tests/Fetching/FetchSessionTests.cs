using Broker.Core.Fetching;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Tests.Fetching;

/// <summary>What the recorded conversation cannot show of fetch sessions: room, and the last epoch.</summary>
public sealed class FetchSessionTests
{
    private const int Slots = 2;

    private readonly FetchSessions sessions = new(UnderTest.Rules.FetchSessions, Slots, new Prng(1));
    private TimeSpan now = TimeSpan.FromHours(1);

    [Fact]
    public void Only_so_many_sessions_are_kept_and_a_new_one_is_declined()
    {
        Assert.NotNull(Begin(1));
        Assert.NotNull(Begin(1));
        Assert.Null(Begin(9));
        Assert.Equal(Slots, sessions.Count);
    }

    [Fact]
    public void The_session_that_was_idle_longest_gives_way()
    {
        var (first, second) = (Begin(1)!, Begin(1)!);
        now += FetchSessions.Protection;
        Assert.Equal(ErrorCode.None, Ask(first, 1).Error);
        now += TimeSpan.FromSeconds(1);
        Assert.NotNull(Begin(1));
        Assert.Equal(ErrorCode.None, Ask(first, 2).Error);
        Assert.Equal(ErrorCode.FetchSessionIdNotFound, Ask(second, 1).Error);
    }

    [Theory]
    [InlineData(3, false, true)]
    [InlineData(2, false, false)]
    [InlineData(1, true, true)]
    public void A_used_session_that_has_lived_its_time_gives_way_to_a_larger_one_or_a_follower(int partitions, bool isFollower, bool expected)
    {
        var (small, large) = (Begin(2)!, Begin(4)!);
        now += FetchSessions.Protection + TimeSpan.FromSeconds(1);
        Assert.Equal(ErrorCode.None, Ask(small, 1).Error);
        Assert.Equal(ErrorCode.None, Ask(large, 1).Error);

        Assert.Equal(expected, Begin(partitions, isFollower) is not null);
        Assert.Equal(expected ? ErrorCode.FetchSessionIdNotFound : ErrorCode.None, Ask(small, 2).Error);
        Assert.Equal(ErrorCode.None, Ask(large, 2).Error);
    }

    [Fact]
    public void After_the_last_epoch_comes_1_for_0_begins_a_session()
    {
        var rules = new FetchSessionRules();
        Assert.Equal((1, 2, 1), (rules.EpochAfter(0), rules.EpochAfter(1), rules.EpochAfter(int.MaxValue)));
    }

    [Fact]
    public void Who_got_records_is_answered_last_the_next_time()
    {
        var session = Begin(3)!;
        var first = session.Asked.First().Partition;
        Assert.True(session.IsNews(first, new FetchResponse.PartitionData { HighWatermark = 1, Records = new byte[1] }));
        Assert.Equal(first, session.Asked.Last().Partition);
    }

    [Fact]
    public void A_request_that_waited_while_the_next_one_came_is_not_the_next_any_more()
    {
        var session = Begin(1)!;
        Ask(session, 1);
        Assert.True(sessions.IsStillNext(session, 1));
        Ask(session, 2);
        Assert.False(sessions.IsStillNext(session, 1));
    }

    private FetchSession? Begin(int partitions, bool isFollower = false) =>
        sessions.Begin([.. Enumerable.Range(0, partitions).Select(static i => (new FetchedPartition("t", Guid.Empty, i), new FetchPartition { Partition = i }))], byId: false, isFollower, now);

    private FetchContext Ask(FetchSession session, int epoch) => sessions.Open(new FetchRequest { SessionId = session.Id, SessionEpoch = epoch }, byId: false, now);
}
