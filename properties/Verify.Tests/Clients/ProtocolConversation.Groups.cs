using Broker.Protocol;
using Verify.Clients;

namespace Verify.Tests.Clients;

/// <summary>This part: consumer groups by the classic protocol. Member ids differ from run to run; what is told is who leads, how many are there, and what each gets.</summary>
public sealed partial class ProtocolConversation
{
    private const string Simple = "simple", Rebalanced = "rebalanced", Static = "static";
    private const int Session = 10_000, TwoHours = 7_200_000;

    private static readonly JoinGroupProtocol[] Ranged = [new() { Name = "range", Metadata = ConsumerProtocol.Subscription([Topic]) }];

    private async Task GroupsAsync()
    {
        await CoordinatorsAsync();
        await UnknownGroupsAsync();
        await OffsetsWithoutMembersAsync();
        await RefusedJoinsAsync();
        await GenerationsAsync();
        await StaticMembersAsync();
        await GroupsGoAsync();
    }

    private async Task CoordinatorsAsync()
    {
        var found = await UntilAsync(() => AskAsync<FindCoordinatorRequest, FindCoordinatorResponse>(new FindCoordinatorRequest { CoordinatorKeys = [Simple, Rebalanced] }, 4),
            static answer => answer.Coordinators.TrueForAll(static one => one.ErrorCode is ErrorCode.None));
        Saw("find two coordinators", $"{Join(found.Coordinators.Select(one => $"{one.KeyName} {one.ErrorCode} {one.NodeId} {one.ErrorMessage ?? "no message"}"))}");
        foreach (short version in new short[] { 0, 1, 3 })
        {
            var one = await AskAsync<FindCoordinatorRequest, FindCoordinatorResponse>(new FindCoordinatorRequest { KeyName = Simple }, version);
            Saw($"find a coordinator v{version}", $"{one.ErrorCode}, {one.NodeId}, '{one.ErrorMessage ?? "no message"}'");
        }
        var empty = await AskAsync<FindCoordinatorRequest, FindCoordinatorResponse>(new FindCoordinatorRequest { KeyName = "" }, 3);
        Saw("find the coordinator of no name", $"{empty.ErrorCode}, {empty.NodeId}");
        var odd = await AskAsync<FindCoordinatorRequest, FindCoordinatorResponse>(new FindCoordinatorRequest { KeyName = Simple, KeyType = 7 }, 3);
        Saw("find the coordinator of an unknown kind", $"{odd.ErrorCode}, {odd.NodeId}");
        await UntilAsync(() => FetchOffsetsAsync(Simple, 0), static answer => answer.ErrorCode is ErrorCode.None);
        var described = await DescribeAsync("__consumer_offsets");
        Saw("describe the topic of offsets", $"{described.ErrorCode}, internal {described.IsInternal}, {described.Partitions.Count}");
        await SawProduceAsync("produce to the topic of offsets", "__consumer_offsets", 0, Batch("x"));
    }

    private async Task UnknownGroupsAsync()
    {
        await HeartbeatAsync("heartbeat to an unknown group", "nobody", 0, "m");
        await HeartbeatAsync("heartbeat to no name", "", 0, "m");
        await SyncAsync("sync with an unknown group", link, "nobody", 0, "m");
        await SyncAsync("sync with no name", link, "", 0, "m");
        await LeaveAsync("leave an unknown group", "nobody", "m");
        await LeaveAsync("leave an unknown group v1", "nobody", "m", version: 1);
        await LeaveAsync("leave no name", "", "m");
        await CommitAsync("commit with a generation to an unknown group", "nobody", 0, 5, generation: 1, member: "m");
        await CommitAsync("commit as a member without a generation to an unknown group", "nobody-either", 0, 5, member: "m");
        await CommitAsync("commit to no name", "", 0, 5);
        await CommitAsync("commit with a generation to no name", "", 0, 5, generation: 1, member: "m");
        await SawOffsetsAsync("offsets of an unknown group", "nobody", 0);
        await SawOffsetsAsync("all offsets of an unknown group", "nobody", null);
        await SawOffsetsAsync("offsets of no name", "", 0);
        foreach (short version in new short[] { 5, 6 })
        {
            await DescribeGroupAsync($"describe an unknown group v{version}", "nobody", version);
            await DescribeGroupAsync($"describe no name v{version}", "", version);
        }
        await DeleteGroupsAsync("delete an unknown group", "nobody");
        await DeleteGroupsAsync("delete no name", "");
        await DeleteOffsetsAsync("delete offsets of an unknown group", "nobody", Topic, 0);
        await DeleteOffsetsAsync("delete offsets of no name", "", Topic, 0);
    }

    private async Task OffsetsWithoutMembersAsync()
    {
        await CommitAsync("commit without a member", Simple, 0, 5);
        await CommitAsync("commit without a member, a smaller one", Simple, 0, 3);
        await CommitAsync("commit far past the end", Simple, 1, 1_000_000, epoch: 77, metadata: "far");
        await CommitAsync("commit metadata of 4096", Simple, 0, 4, metadata: new string('m', 4096));
        await CommitAsync("commit metadata of 4097", Simple, 0, 5, metadata: new string('m', 4097));
        await CommitAsync("commit no metadata", Simple, 0, 4, metadata: null);
        await CommitAsync("commit a negative offset", Simple, 1, -7);
        await CommitAsync("commit in an unknown topic", Simple, 0, 5, topic: "nowhere");
        await CommitAsync("commit in an unknown partition", Simple, 7, 5);
        await CommitAsync("commit with a generation to a group without members", Simple, 0, 5, generation: 0, member: "m");
        await CommitAsync("commit as an instance to a group without members", Simple, 0, 5, instance: "i");
        foreach (short version in new short[] { 2, 5, 6, 8 }) await CommitAsync($"commit v{version}", Simple, 0, 10 + version, version: version);
        foreach (short version in new short[] { 1, 2, 5, 7, 8, 9 }) await SawOffsetsAsync($"offsets v{version}", Simple, 0, version);
        await SawOffsetsAsync("all offsets v2", Simple, null, 2);
        await SawOffsetsAsync("all offsets v8", Simple, null);
        await DescribeGroupAsync("describe a group that only has offsets", Simple, 6);
        foreach (short version in new short[] { 2, 4, 5 }) await ListGroupsAsync($"list groups v{version}", [], [], version);
        await DeleteOffsetsAsync("delete offsets", Simple, Topic, 7);
        await DeleteOffsetsAsync("delete offsets that are not there", Simple, SafeTopic, 0);
        await DeleteOffsetsAsync("delete offsets in an unknown topic", Simple, "nowhere", 0);
        await DeleteOffsetsAsync("delete offsets in an unknown partition", Simple, Topic, 9);
        await SawOffsetsAsync("all offsets after the deletion", Simple, null);
    }

    private async Task RefusedJoinsAsync()
    {
        await JoinAsync("join no name", link, "", "");
        await JoinAsync("join with a session of 1 ms", link, Rebalanced, "", session: 1);
        await JoinAsync("join with a session of 2 h", link, Rebalanced, "", session: TwoHours);
        await JoinAsync("join with no protocols", link, Rebalanced, "", protocols: []);
        await JoinAsync("join with no type", link, Rebalanced, "", type: "");
        await JoinAsync("join as an unknown member", link, Rebalanced, "stranger");
        await DescribeGroupAsync("describe a group that nobody could join", Rebalanced, 6);
    }

    private async Task GenerationsAsync()
    {
        var one = (await JoinAsync("join for the first time", link, Rebalanced, "")).MemberId;
        await DescribeGroupAsync("describe a group with a member to come", Rebalanced, 6);
        await JoinAsync("join as was told", link, Rebalanced, one);
        await DescribeGroupAsync("describe a group that awaits its leader", Rebalanced, 6);
        await HeartbeatAsync("heartbeat while the leader is awaited", Rebalanced, 1, one);
        await CommitAsync("commit while the leader is awaited", Rebalanced, 0, 1, generation: 1, member: one);
        await SyncAsync("sync in another generation", link, Rebalanced, 2, one);
        await SyncAsync("sync as a stranger", link, Rebalanced, 1, "stranger");
        await SyncAsync("sync by another protocol", link, Rebalanced, 1, one, protocol: "roundrobin");
        await SyncAsync("sync by another type", link, Rebalanced, 1, one, type: "connect");
        await SyncAsync("sync as the leader", link, Rebalanced, 1, one, shares: [(one, "all")]);
        await SyncAsync("sync again", link, Rebalanced, 1, one);
        await HeartbeatAsync("heartbeat", Rebalanced, 1, one);
        await HeartbeatAsync("heartbeat of another generation", Rebalanced, 2, one);
        await HeartbeatAsync("heartbeat of a stranger", Rebalanced, 1, "stranger");
        await HeartbeatAsync("heartbeat as an instance that is none", Rebalanced, 1, one, instance: "i");
        await CommitAsync("commit as a member", Rebalanced, 0, 4, generation: 1, member: one, epoch: 0, metadata: "mine");
        await CommitAsync("commit of another generation", Rebalanced, 0, 5, generation: 0, member: one);
        await CommitAsync("commit as a stranger", Rebalanced, 0, 5, generation: 1, member: "stranger");
        await CommitAsync("commit as nobody where there are members", Rebalanced, 0, 5);
        await CommitAsync("commit as a member without a generation", Rebalanced, 0, 5, member: one);
        await CommitAsync("commit too much metadata as a stranger", Rebalanced, 0, 5, generation: 1, member: "stranger", metadata: new string('m', 4097));
        await SawOffsetsAsync("offsets of the group", Rebalanced, 0);
        await DescribeGroupAsync("describe a stable group", Rebalanced, 6);
        await ListGroupsAsync("list stable groups", ["stable"], [], 5);
        await ListGroupsAsync("list empty groups", ["Empty"], ["Classic"], 5);
        await ListGroupsAsync("list groups of another type", [], ["share"], 5);
        await DeleteGroupsAsync("delete a group with members", Rebalanced);
        await DeleteOffsetsAsync("delete offsets of what is subscribed to", Rebalanced, Topic, 0);
        await DeleteOffsetsAsync("delete offsets of what is not subscribed to", Rebalanced, SafeTopic, 0);
        await JoinAsync("join by another type", link, Rebalanced, "", type: "connect");
        await JoinAsync("join by another protocol", link, Rebalanced, "", protocols: [new() { Name = "sticky" }]);
        await TwoMembersAsync(one);
    }

    private async Task TwoMembersAsync(string one)
    {
        var second = new BrokerLink(host, new ConnectionSettings([broker]), ClientRules.Faithful, broker, static () => { });
        await UntilAsync(second.OpenAsync, static isOpen => isOpen);
        var two = (await JoinAsync("a second member joins", second, Rebalanced, "")).MemberId;
        await HeartbeatAsync("heartbeat before the second comes again", Rebalanced, 1, one);
        var joining = AskJoinAsync(second, Rebalanced, two);
        await UntilAsync(() => BeatAsync(Rebalanced, 1, one, null), static answer => answer is ErrorCode.RebalanceInProgress);
        await HeartbeatAsync("heartbeat while members join", Rebalanced, 1, one);
        await CommitAsync("commit while members join", Rebalanced, 0, 5, generation: 1, member: one);
        await SyncAsync("sync while members join", link, Rebalanced, 1, one);
        await DescribeGroupAsync("describe a group that members join", Rebalanced, 6);
        await JoinAsync("the first comes again", link, Rebalanced, one);
        SawJoin("the second comes again", two, await joining);
        await JoinAsync("the second comes again before the leader's word", second, Rebalanced, two);
        await JoinAsync("the first comes again before its word", link, Rebalanced, one);
        await HeartbeatAsync("heartbeat of the generation before", Rebalanced, 1, one);
        var waiting = AskSyncAsync(second, Rebalanced, 2, two);
        await SyncAsync("the first gives the shares", link, Rebalanced, 2, one, shares: [(one, "first"), (two, "second"), ("stranger", "third")]);
        SawSync("the second asked for its share", await waiting);
        await JoinAsync("the second joins once more, the same", second, Rebalanced, two);
        await HeartbeatAsync("heartbeat after that", Rebalanced, 2, one);
        await LeaveAsync("a stranger leaves", Rebalanced, "stranger");
        await LeaveAsync("a stranger leaves v1", Rebalanced, "stranger", version: 1);
        await LeaveAsync("the second leaves", Rebalanced, two);
        await LeaveAsync("the second leaves again", Rebalanced, two);
        await HeartbeatAsync("heartbeat after the second left", Rebalanced, 2, one);
        await JoinAsync("the first comes again, alone", link, Rebalanced, one);
        await SyncAsync("and gives itself all but says nothing", link, Rebalanced, 3, one);
        await JoinAsync("the leader joins once more, the same", link, Rebalanced, one);
        await SyncAsync("the leader gives itself all", link, Rebalanced, 4, one, shares: [(one, "all")]);
        await LeaveAsync("the last one leaves v2", Rebalanced, one, version: 2);
        await DescribeGroupAsync("describe a group that everybody left", Rebalanced, 6);
        await HeartbeatAsync("heartbeat to a group that everybody left", Rebalanced, 4, one);
        await CommitAsync("commit with a generation to a group that everybody left", Rebalanced, 0, 6, generation: 4, member: one);
        await CommitAsync("commit without to a group that everybody left", Rebalanced, 0, 7);
        await SawOffsetsAsync("offsets of a group that everybody left", Rebalanced, 0);
        second.Close();
    }

    private async Task StaticMembersAsync()
    {
        var one = (await JoinAsync("join as an instance", link, Static, "", instance: "i1")).MemberId;
        await SyncAsync("the instance gives itself all", link, Static, 1, one, instance: "i1", shares: [(one, "all")]);
        await JoinAsync("join as an instance with an unknown id", link, Static, "stranger", instance: "i1");
        await JoinAsync("join as an unknown instance with an id", link, Static, one, instance: "i2");
        var next = (await JoinAsync("the instance comes back", link, Static, "", instance: "i1")).MemberId;
        Saw("its id", $"is another {next != one}");
        await HeartbeatAsync("heartbeat of the instance's old id", Static, 1, one, instance: "i1");
        await HeartbeatAsync("heartbeat of the old id alone", Static, 1, one);
        await HeartbeatAsync("heartbeat of the new id", Static, 1, next, instance: "i1");
        await CommitAsync("commit by the old id", Static, 0, 1, generation: 1, member: one, instance: "i1");
        await CommitAsync("commit by the new id", Static, 0, 2, generation: 1, member: next, instance: "i1");
        await SyncAsync("sync by the old id", link, Static, 1, one, instance: "i1");
        await SyncAsync("sync by the new id", link, Static, 1, next, instance: "i1");
        await LeaveAsync("leave by the old id", Static, one, instance: "i1");
        var older = (await JoinAsync("the instance comes back by v8", link, Static, "", instance: "i1", version: 8)).MemberId;
        await SyncAsync("and is given what it had", link, Static, 1, older, instance: "i1");
        await JoinAsync("the instance comes back with another protocol beside", link, Static, "", instance: "i1", protocols: [.. Ranged, new() { Name = "other" }]);
        await JoinAsync("the instance comes back with nothing that was before", link, Static, "", instance: "i1", protocols: [new() { Name = "new" }]);
        await LeaveAsync("leave by the instance's name", Static, "", instance: "i1");
        await LeaveAsync("leave by an unknown instance's name", Static, "", instance: "i1");
    }

    private async Task GroupsGoAsync()
    {
        await DeleteGroupsAsync("delete groups", Simple, Rebalanced, "nobody", Static);
        await SawOffsetsAsync("offsets of a deleted group", Rebalanced, 0);
        await DescribeGroupAsync("describe a deleted group", Rebalanced, 6);
        await ListGroupsAsync("list the groups that are left", [], [], 5);
    }

    private async Task<JoinGroupResponse> JoinAsync(
        string step, BrokerLink over, string group, string member, string? instance = null, int session = Session, string type = ConsumerProtocol.Type, JoinGroupProtocol[]? protocols = null, short version = 9)
    {
        var answer = await AskJoinAsync(over, group, member, instance, session, type, protocols, version);
        SawJoin(step, member, answer);
        return answer;
    }

    private static Task<JoinGroupResponse> AskJoinAsync(
        BrokerLink over, string group, string member, string? instance = null, int session = Session, string type = ConsumerProtocol.Type, JoinGroupProtocol[]? protocols = null, short version = 9)
    {
        var request = new JoinGroupRequest
        {
            GroupId = group, MemberId = member, GroupInstanceId = instance, SessionTimeoutMs = session, RebalanceTimeoutMs = 20_000, ProtocolType = type, Protocols = [.. protocols ?? Ranged],
        };
        return AskAsync<JoinGroupRequest, JoinGroupResponse>(over, request, version);
    }

    private void SawJoin(string step, string member, JoinGroupResponse answer) =>
        Saw(step, answer.ErrorCode is ErrorCode.None
            ? $"{answer.ErrorCode}, generation {answer.GenerationId}, {answer.ProtocolType ?? "no type"} {answer.ProtocolName}, leads {answer.Leader == answer.MemberId}, skips {answer.SkipAssignment}, members {Join(answer.Members.Select(m => $"{m.GroupInstanceId ?? "dynamic"} {m.Metadata.Length}"))}"
            : (FormattableString)$"{answer.ErrorCode}, generation {answer.GenerationId}, {answer.ProtocolType ?? "no type"} {answer.ProtocolName ?? "no protocol"}, leader '{answer.Leader}', has an id {answer.MemberId.Length > 0}, keeps it {answer.MemberId == member}");

    private async Task SyncAsync(string step, BrokerLink over, string group, int generation, string member, string? instance = null, string? type = ConsumerProtocol.Type, string? protocol = "range", (string Member, string Share)[]? shares = null) =>
        SawSync(step, await AskSyncAsync(over, group, generation, member, instance, type, protocol, shares));

    private static Task<SyncGroupResponse> AskSyncAsync(BrokerLink over, string group, int generation, string member, string? instance = null, string? type = ConsumerProtocol.Type, string? protocol = "range", (string Member, string Share)[]? shares = null)
    {
        var request = new SyncGroupRequest
        {
            GroupId = group, GenerationId = generation, MemberId = member, GroupInstanceId = instance, ProtocolType = type, ProtocolName = protocol,
            Assignments = [.. (shares ?? []).Select(share => new SyncGroupAssignment { MemberId = share.Member, Assignment = ScriptedCluster.Bytes(share.Share) })],
        };
        return AskAsync<SyncGroupRequest, SyncGroupResponse>(over, request, 5);
    }

    private void SawSync(string step, SyncGroupResponse answer) =>
        Saw(step, $"{answer.ErrorCode}, {answer.ProtocolType ?? "no type"} {answer.ProtocolName ?? "no protocol"}, '{ScriptedCluster.Text(answer.Assignment)}'");

    private async Task HeartbeatAsync(string step, string group, int generation, string member, string? instance = null) => Saw(step, $"{await BeatAsync(group, generation, member, instance)}");

    private async Task<ErrorCode> BeatAsync(string group, int generation, string member, string? instance) =>
        (await AskAsync<HeartbeatRequest, HeartbeatResponse>(new HeartbeatRequest { GroupId = group, GenerationId = generation, MemberId = member, GroupInstanceId = instance })).ErrorCode;

    private async Task LeaveAsync(string step, string group, string member, string? instance = null, short version = 5)
    {
        var answer = await AskAsync<LeaveGroupRequest, LeaveGroupResponse>(new LeaveGroupRequest { GroupId = group, MemberId = member, Members = [new LeavingMember { MemberId = member, GroupInstanceId = instance }] }, version);
        Saw(step, $"{answer.ErrorCode}, {Join(answer.Members.Select(left => $"{left.ErrorCode} same id {left.MemberId == member} {left.GroupInstanceId ?? "dynamic"}"))}");
    }

    private async Task CommitAsync(string step, string group, int partition, long offset, int generation = -1, string member = "", string? instance = null, int epoch = -1, string? metadata = "", string topic = Topic, short version = 9)
    {
        var committed = new OffsetCommitRequestPartition { PartitionIndex = partition, CommittedOffset = offset, CommittedLeaderEpoch = epoch, CommittedMetadata = metadata };
        var answer = await AskAsync<OffsetCommitRequest, OffsetCommitResponse>(new OffsetCommitRequest
        {
            GroupId = group, GenerationIdOrMemberEpoch = generation, MemberId = member, GroupInstanceId = instance, Topics = [new OffsetCommitRequestTopic { Name = topic, Partitions = [committed] }],
        }, version);
        Saw(step, $"{Join(answer.Topics.SelectMany(t => t.Partitions).Select(p => $"{p.PartitionIndex} {p.ErrorCode}"))}");
    }

    private async Task SawOffsetsAsync(string step, string group, int? partition, short version = 8)
    {
        var (error, topics) = version >= 8 ? Of(await FetchOffsetsAsync(group, partition, version)) : Of(await FetchOldOffsetsAsync(group, partition, version));
        Saw(step, $"{error}, {Join(topics.OrderBy(t => t.Name, StringComparer.Ordinal).SelectMany(t => t.Partitions.OrderBy(p => p.PartitionIndex).Select(p => $"{t.Name} {p.PartitionIndex} {p.ErrorCode} offset {p.CommittedOffset} epoch {p.CommittedLeaderEpoch} metadata '{(p.Metadata!.Length > 10 ? $"{p.Metadata.Length}" : p.Metadata)}'")))}");

        static (ErrorCode, List<OffsetFetchResponseTopic>) Of(OffsetFetchResponseGroup group) => (group.ErrorCode, group.Topics);
    }

    private async Task<OffsetFetchResponseGroup> FetchOffsetsAsync(string group, int? partition, short version = 8) =>
        (await AskAsync<OffsetFetchRequest, OffsetFetchResponse>(new OffsetFetchRequest { Groups = [new OffsetFetchRequestGroup { GroupId = group, Topics = OffsetTopics(partition) }] }, version)).Groups.Single();

    private async Task<OffsetFetchResponseGroup> FetchOldOffsetsAsync(string group, int? partition, short version)
    {
        var answer = await AskAsync<OffsetFetchRequest, OffsetFetchResponse>(new OffsetFetchRequest { GroupId = group, Topics = OffsetTopics(partition) }, version);
        return new OffsetFetchResponseGroup { Topics = answer.Topics, ErrorCode = answer.ErrorCode };
    }

    private static List<OffsetFetchRequestTopic>? OffsetTopics(int? partition) =>
        partition is { } one ? [new() { Name = Topic, PartitionIndexes = [one, 9] }, new() { Name = "nowhere", PartitionIndexes = [0] }] : null;

    private async Task DescribeGroupAsync(string step, string group, short version)
    {
        var answer = (await AskAsync<DescribeGroupsRequest, DescribeGroupsResponse>(new DescribeGroupsRequest { Groups = [group] }, version)).Groups.Single();
        Saw(step, $"{answer.ErrorCode}, {answer.ErrorMessage ?? "no message"}, '{answer.GroupState}', '{answer.ProtocolType}' '{answer.ProtocolData}', {Join(answer.Members.Select(m => $"{m.GroupInstanceId ?? "dynamic"} {m.ClientId} {m.ClientHost.StartsWith('/')} {m.MemberMetadata.Length} '{ScriptedCluster.Text(m.MemberAssignment)}'").Order(StringComparer.Ordinal))}");
    }

    private async Task ListGroupsAsync(string step, List<string> states, List<string> types, short version)
    {
        var answer = await AskAsync<ListGroupsRequest, ListGroupsResponse>(new ListGroupsRequest { StatesFilter = states, TypesFilter = types }, version);
        Saw(step, $"{answer.ErrorCode}, {Join(answer.Groups.OrderBy(g => g.GroupId, StringComparer.Ordinal).Select(g => $"'{g.GroupId}' '{g.ProtocolType}' '{g.GroupState}' '{g.GroupType}'"))}");
    }

    private async Task DeleteGroupsAsync(string step, params string[] names)
    {
        var answer = await AskAsync<DeleteGroupsRequest, DeleteGroupsResponse>(new DeleteGroupsRequest { GroupsNames = [.. names] });
        Saw(step, $"{Join(answer.Results.OrderBy(r => r.GroupId, StringComparer.Ordinal).Select(r => $"'{r.GroupId}' {r.ErrorCode}"))}");
    }

    private async Task DeleteOffsetsAsync(string step, string group, string topic, int partition)
    {
        var answer = await AskAsync<OffsetDeleteRequest, OffsetDeleteResponse>(
            new OffsetDeleteRequest { GroupId = group, Topics = [new OffsetDeleteRequestTopic { Name = topic, Partitions = [new OffsetDeleteRequestPartition { PartitionIndex = partition }] }] });
        Saw(step, $"{answer.ErrorCode}, {Join(answer.Topics.SelectMany(t => t.Partitions).Select(p => $"{p.PartitionIndex} {p.ErrorCode}"))}");
    }
}
