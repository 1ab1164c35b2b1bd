using Broker.Core.Groups;
using Broker.Protocol;
using static Broker.Tests.Groups.GroupWorld;

namespace Broker.Tests.Groups;

public sealed class GroupCoordinatorTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly GroupWorld world = new();

    [Fact]
    public void Before_its_log_is_replayed_a_coordinator_answers_nothing_else()
    {
        var coordinator = new GroupCoordinator(UnderTest.Rules.Groups, new GroupSettings(), new Broker.Runtime.Prng(1));
        var effect = Assert.Single(coordinator.Step(new GroupInput.Request(new GroupCaller(1, 9, "c", "h"), Commit(1)), default));
        Assert.Equal(ErrorCode.CoordinatorLoadInProgress, ErrorOf((OffsetCommitResponse)((GroupEffect.Answer)effect).Message));
    }

    [Fact]
    public void The_first_member_waits_for_the_initial_delay_and_again_while_others_come()
    {
        var delayed = new GroupWorld(settings: new GroupSettings());
        var one = delayed.Ask(Join("", "i1"));
        delayed.Pass(2 * Second);
        var two = delayed.Ask(Join("", "i2"));
        delayed.Pass(2 * Second);
        Assert.Null(delayed.Answer<JoinGroupResponse>(one));                // the second came within the delay
        delayed.Pass(2 * Second);
        Assert.Equal((1, 2), (delayed.Answer<JoinGroupResponse>(one)!.GenerationId, delayed.Answer<JoinGroupResponse>(one)!.Members.Count));
        Assert.Equal(1, delayed.Answer<JoinGroupResponse>(two)!.GenerationId);
    }

    [Fact]
    public void The_protocol_that_most_members_prefer_is_chosen_of_those_that_all_know()
    {
        List<long> joins = [];
        var delayed = new GroupWorld(settings: new GroupSettings());
        foreach (var (instance, protocols) in new[] { ("i1", new[] { "a", "b", "c" }), ("i2", ["c", "b"]), ("i3", ["d", "b", "c"]) }) joins.Add(delayed.Ask(Join("", instance, protocols: protocols)));
        delayed.Pass(10 * Second);
        Assert.All(joins, join => Assert.Equal("b", delayed.Answer<JoinGroupResponse>(join)!.ProtocolName));
    }

    [Fact]
    public void A_member_that_falls_silent_is_out_and_the_others_share_anew()
    {
        var one = world.StableAlone();
        var two = world.Get<JoinGroupResponse>(Join("")).MemberId;
        var second = world.Ask(Join(two));
        world.Get<JoinGroupResponse>(Join(one));
        Assert.Equal(2, world.Answer<JoinGroupResponse>(second)!.GenerationId);
        world.Get<SyncGroupResponse>(Sync(one, 2, shares: [(one, [1]), (two, [2])]));
        world.Get<SyncGroupResponse>(Sync(two, 2));

        for (var i = 0; i < 11; i++)
        {
            world.Pass(Second);
            world.Get<HeartbeatResponse>(Beat(one, 2));
        }
        Assert.Equal(ErrorCode.UnknownMemberId, world.Get<HeartbeatResponse>(Beat(two, 2)).ErrorCode);
        Assert.Equal(ErrorCode.RebalanceInProgress, world.Get<HeartbeatResponse>(Beat(one, 2)).ErrorCode);
        Assert.Equal(3, world.Get<JoinGroupResponse>(Join(one)).GenerationId);
    }

    [Fact]
    public void Members_that_do_not_join_again_in_time_are_left_behind()
    {
        var one = world.StableAlone();
        var two = world.Get<JoinGroupResponse>(Join("", sessionMs: 60_000)).MemberId;
        var waiting = world.Ask(Join(two, sessionMs: 60_000));
        for (var i = 0; i < 19; i++)
        {
            world.Get<HeartbeatResponse>(Beat(one, 1));                 // alive, but it never joins
            world.Pass(Second);
        }
        Assert.Null(world.Answer<JoinGroupResponse>(waiting));
        world.Pass(Second);
        var generation = world.Answer<JoinGroupResponse>(waiting)!;
        Assert.Equal((2, two, 1), (generation.GenerationId, generation.Leader, generation.Members.Count));
    }

    [Fact]
    public void A_member_that_never_asks_for_its_share_does_not_hold_up_the_group()
    {
        var one = world.StableAlone();
        var two = world.Get<JoinGroupResponse>(Join("")).MemberId;
        world.Ask(Join(two));
        world.Get<JoinGroupResponse>(Join(one));
        var waiting = world.Ask(Sync(two, 2));                          // the leader says nothing more but is alive
        for (var i = 0; i < 21; i++)
        {
            world.Get<HeartbeatResponse>(Beat(one, 2));
            world.Pass(Second);
        }
        Assert.Equal(ErrorCode.RebalanceInProgress, world.Answer<SyncGroupResponse>(waiting)!.ErrorCode);
        var generation = world.Get<JoinGroupResponse>(Join(two));
        Assert.Equal((3, two, 1), (generation.GenerationId, generation.Leader, generation.Members.Count));
    }

    [Fact]
    public void An_id_that_was_given_and_does_not_come_is_forgotten()
    {
        var one = world.StableAlone();
        var never = world.Get<JoinGroupResponse>(Join("")).MemberId;
        var two = world.Get<JoinGroupResponse>(Join("")).MemberId;
        world.Ask(Join(two));
        var waiting = world.Ask(Join(one));
        Assert.Null(world.Answer<JoinGroupResponse>(waiting));              // all have joined but the one to come
        world.Pass(10 * Second);
        Assert.Equal(2, world.Answer<JoinGroupResponse>(waiting)!.GenerationId);
        Assert.Equal(ErrorCode.UnknownMemberId, world.Get<JoinGroupResponse>(Join(never)).ErrorCode);
    }

    [Fact]
    public void A_full_group_takes_no_more()
    {
        var small = new GroupWorld(settings: new GroupSettings { MaxSize = 1, InitialRebalanceDelay = TimeSpan.Zero });
        small.StableAlone();
        Assert.Equal(ErrorCode.GroupMaxSizeReached, small.Get<JoinGroupResponse>(Join("")).ErrorCode);
    }

    [Fact]
    public void An_offset_is_shown_and_acknowledged_when_it_is_replicated_and_not_before()
    {
        world.Replicates = false;
        var commit = world.Ask(Commit(5));
        Assert.Equal(-1, world.Offset(0));
        Assert.Null(world.Answer<OffsetCommitResponse>(commit));
        world.Replicate();
        Assert.Equal(5, world.Offset(0));
        Assert.Equal(ErrorCode.None, ErrorOf(world.Answer<OffsetCommitResponse>(commit)!));
    }

    [Fact]
    public void A_commit_that_is_late_is_an_error_and_may_hold_all_the_same()
    {
        world.Replicates = false;
        var commit = world.Ask(Commit(5));
        world.Pass(5 * Second);
        Assert.Equal(ErrorCode.CoordinatorNotAvailable, ErrorOf(world.Answer<OffsetCommitResponse>(commit)!));
        Assert.Equal(-1, world.Offset(0));
        world.Replicate();
        Assert.Equal(5, world.Offset(0));
    }

    [Theory]
    [InlineData(ErrorCode.NotEnoughReplicas, ErrorCode.CoordinatorNotAvailable)]
    [InlineData(ErrorCode.NotLeaderOrFollower, ErrorCode.NotCoordinator)]
    [InlineData(ErrorCode.RecordListTooLarge, ErrorCode.UnknownServerError)]
    public void A_refused_write_is_told_in_the_words_of_groups(ErrorCode refusal, ErrorCode told)
    {
        world.Refusal = refusal;
        Assert.Equal(told, ErrorOf(world.Get<OffsetCommitResponse>(Commit(5))));
        Assert.Equal(-1, world.Offset(0));
    }

    [Fact]
    public void An_assignment_that_could_not_be_stored_is_handed_to_nobody()
    {
        var one = world.Enter().MemberId;
        world.Refusal = ErrorCode.NotEnoughReplicas;
        Assert.Equal(ErrorCode.CoordinatorNotAvailable, world.Get<SyncGroupResponse>(Sync(one, 1, shares: (one, [1]))).ErrorCode);
        world.Refusal = ErrorCode.None;
        Assert.Equal(ErrorCode.RebalanceInProgress, world.Get<SyncGroupResponse>(Sync(one, 1)).ErrorCode);
        Assert.Equal(2, world.Get<JoinGroupResponse>(Join(one)).GenerationId);
    }

    [Fact]
    public void A_successor_goes_on_with_the_group_as_it_was_stored()
    {
        var one = world.StableAlone([7]);
        world.Get<OffsetCommitResponse>(Commit(5, 1, one));
        world.FailOver();
        Assert.Equal(ErrorCode.None, world.Get<HeartbeatResponse>(Beat(one, 1)).ErrorCode);
        Assert.Equal([7], world.Get<SyncGroupResponse>(Sync(one, 1)).Assignment.ToArray());
        Assert.Equal(5, world.Offset(0));
        world.Pass(10 * Second);                                       // and counts its members' silence from its own beginning
        Assert.Equal("Empty", world.Describe().GroupState);
    }

    [Fact]
    public void A_static_member_that_came_back_is_the_instance_for_a_successor_too()
    {
        var old = world.Get<JoinGroupResponse>(Join("", "i")).MemberId;
        world.Get<SyncGroupResponse>(Sync(old, 1, "i", (old, [1])));
        var next = world.Get<JoinGroupResponse>(Join("", "i")).MemberId;
        world.FailOver();
        Assert.Equal(ErrorCode.FencedInstanceId, world.Get<HeartbeatResponse>(Beat(old, 1, "i")).ErrorCode);
        Assert.Equal(ErrorCode.FencedInstanceId, ErrorOf(world.Get<OffsetCommitResponse>(Commit(9, 1, old, "i"))));
        Assert.Equal(ErrorCode.None, world.Get<HeartbeatResponse>(Beat(next, 1, "i")).ErrorCode);
    }

    [Fact]
    public void A_static_member_is_told_its_new_id_once_that_is_replicated()
    {
        var old = world.Get<JoinGroupResponse>(Join("", "i")).MemberId;
        world.Get<SyncGroupResponse>(Sync(old, 1, "i", (old, [1])));
        world.Replicates = false;
        var back = world.Ask(Join("", "i"));
        Assert.Null(world.Answer<JoinGroupResponse>(back));
        world.Replicate();
        Assert.Equal((ErrorCode.None, 1), (world.Answer<JoinGroupResponse>(back)!.ErrorCode, world.Answer<JoinGroupResponse>(back)!.GenerationId));
    }

    [Fact]
    public void A_deleted_group_is_gone_for_a_successor_too_and_may_begin_anew()
    {
        world.Get<OffsetCommitResponse>(Commit(5));
        Assert.Equal(ErrorCode.None, world.Get<DeleteGroupsResponse.DeletableGroupResult>(new DeleteGroupsRequest { GroupsNames = [Group] }).ErrorCode);
        world.FailOver();
        Assert.Equal(("Dead", -1L), (world.Describe().GroupState, world.Offset(0)));
        world.Get<OffsetCommitResponse>(Commit(2));
        Assert.Equal(2, world.Offset(0));
    }

    [Fact]
    public void A_deletion_that_could_not_be_stored_deletes_nothing()
    {
        world.Get<OffsetCommitResponse>(Commit(5));
        world.Refusal = ErrorCode.NotEnoughReplicas;
        Assert.Equal(ErrorCode.CoordinatorNotAvailable, world.Get<DeleteGroupsResponse.DeletableGroupResult>(new DeleteGroupsRequest { GroupsNames = [Group] }).ErrorCode);
        Assert.Equal(5, world.Offset(0));
    }

    [Fact]
    public void A_commit_that_lies_before_a_deletion_does_not_bring_the_group_back()
    {
        world.Replicates = false;
        world.Ask(Commit(5));
        world.Ask(new DeleteGroupsRequest { GroupsNames = [Group] });
        world.Replicate();
        Assert.Equal(-1, world.Offset(0));
        world.FailOver();
        Assert.Equal(-1, world.Offset(0));
    }

    [Fact]
    public void A_commit_that_is_on_its_way_is_not_swept_away_by_retention()
    {
        world.Get<OffsetCommitResponse>(Commit(5));
        world.Pass(TimeSpan.FromDays(7) - TimeSpan.FromMinutes(1));
        world.Replicates = false;
        var commit = world.Ask(Commit(6));
        world.Pass(TimeSpan.FromMinutes(30));
        world.Replicates = true;
        world.Replicate();
        Assert.Equal(6, world.Offset(0));
        Assert.NotNull(world.Answer<OffsetCommitResponse>(commit));
    }

    [Fact]
    public void Offsets_of_a_live_group_do_not_expire_and_those_of_an_empty_one_do_from_its_end_on()
    {
        var one = world.StableAlone();
        world.Get<OffsetCommitResponse>(Commit(5, 1, one));
        for (var passed = 0; passed < 8 * 24 * 3600; passed += 8)
        {
            world.Pass(8 * Second);
            world.Get<HeartbeatResponse>(Beat(one, 1));
        }
        Assert.Equal(5, world.Offset(0));
        world.Get<LeaveGroupResponse>(Leave(one));
        world.Pass(TimeSpan.FromDays(6.9));
        Assert.Equal(5, world.Offset(0));
        world.Pass(TimeSpan.FromDays(0.2));
        Assert.Equal(("Dead", -1L), (world.Describe().GroupState, world.Offset(0)));
        world.FailOver();
        Assert.Equal(-1, world.Offset(0));
    }
}
