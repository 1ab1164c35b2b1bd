using Broker.Core.Groups;
using Broker.Node.Rpc;
using Broker.Node.Serving;
using Broker.Protocol;

namespace Broker.Node.Groups;

/// <summary>The requests of groups, each passed to the coordinators of the groups it names.</summary>
public sealed class GroupHandlers(GroupService groups, BrokerIdentity identity)
{
    private const sbyte GroupKey = 0, TransactionKey = 1;

    public void Serve(RequestRouter router)
    {
        router.On<FindCoordinatorRequest, FindCoordinatorResponse>((request, context) => ValueTask.FromResult<FindCoordinatorResponse?>(Find(request, context.Header.Version)));
        router.On<JoinGroupRequest, JoinGroupResponse>((request, context) => AskAsync<JoinGroupResponse>(request.GroupId, request, context));
        router.On<SyncGroupRequest, SyncGroupResponse>((request, context) => AskAsync<SyncGroupResponse>(request.GroupId, request, context));
        router.On<HeartbeatRequest, HeartbeatResponse>((request, context) => AskAsync<HeartbeatResponse>(request.GroupId, request, context));
        router.On<LeaveGroupRequest, LeaveGroupResponse>((request, context) => AskAsync<LeaveGroupResponse>(request.GroupId, request, context));
        router.On<OffsetCommitRequest, OffsetCommitResponse>(CommitAsync);
        router.On<OffsetFetchRequest, OffsetFetchResponse>((request, context) => ValueTask.FromResult<OffsetFetchResponse?>(Fetch(request, context.Header.Version)));
        router.On<OffsetDeleteRequest, OffsetDeleteResponse>(DeleteOffsetsAsync);
        router.On<DeleteGroupsRequest, DeleteGroupsResponse>(DeleteAsync);
        router.On<DescribeGroupsRequest, DescribeGroupsResponse>((request, context) => ValueTask.FromResult<DescribeGroupsResponse?>(Describe(request, context.Header.Version)));
        router.On<ListGroupsRequest, ListGroupsResponse>((request, _) => ValueTask.FromResult<ListGroupsResponse?>(List(request)));
    }

    private async ValueTask<TResponse?> AskAsync<TResponse>(string group, IMessage body, RequestContext context) where TResponse : class, IMessage
    {
        var version = context.Header.Version;
        if (group.Length == 0 && body is not (OffsetCommitRequest or DeleteGroupsRequest)) return (TResponse)GroupRefusal.Of(body, version, ErrorCode.InvalidGroupId);
        if (groups.Find(group) is not { } term) return (TResponse)GroupRefusal.Of(body, version, ErrorCode.NotCoordinator);
        return (TResponse)await term.AskAsync(body, version, context.Header.ClientId ?? "", $"/{context.Remote.Host}");
    }

    // Finding

    private FindCoordinatorResponse Find(FindCoordinatorRequest request, short version)
    {
        if (version >= 4) return new FindCoordinatorResponse { Coordinators = request.CoordinatorKeys.ConvertAll(key => Find(key, request.KeyType)) };
        var found = Find(request.KeyName, request.KeyType);
        return new FindCoordinatorResponse { ErrorCode = found.ErrorCode, ErrorMessage = found.ErrorCode == ErrorCode.None ? "NONE" : found.ErrorMessage, NodeId = found.NodeId, Host = found.Host, Port = found.Port };
    }

    /// <summary>Nobody coordinates transactions here.</summary>
    private FindCoordinatorResponse.Coordinator Find(string key, sbyte type)
    {
        if (type is not (GroupKey or TransactionKey)) return Nowhere(key, ErrorCode.InvalidRequest);
        if (type is TransactionKey || groups.Locate(key) is not { } found) return Nowhere(key, ErrorCode.CoordinatorNotAvailable);
        return new FindCoordinatorResponse.Coordinator { KeyName = key, NodeId = found.Broker, Host = found.Endpoint.Host, Port = found.Endpoint.Port };
    }

    private static FindCoordinatorResponse.Coordinator Nowhere(string key, ErrorCode error) => new() { KeyName = key, NodeId = -1, Host = "", Port = -1, ErrorCode = error, ErrorMessage = null };

    // Offsets

    /// <summary>Partitions that this broker does not know are refused; the others go to the coordinator.</summary>
    private async ValueTask<OffsetCommitResponse?> CommitAsync(OffsetCommitRequest request, RequestContext context)
    {
        var unknown = Unknown(request.Topics, static topic => topic.Name, static topic => topic.Partitions, static partition => partition.PartitionIndex);
        var answer = request.Topics.Exists(static topic => topic.Partitions.Count > 0) ? (await AskAsync<OffsetCommitResponse>(request.GroupId, request, context))!
            : new OffsetCommitResponse { Topics = request.Topics.ConvertAll(static topic => new OffsetCommitResponseTopic { Name = topic.Name }) };
        for (var i = 0; i < answer.Topics.Count; i++) answer.Topics[i].Partitions.AddRange(unknown[i]);
        return answer;
    }

    private async ValueTask<OffsetDeleteResponse?> DeleteOffsetsAsync(OffsetDeleteRequest request, RequestContext context)
    {
        var unknown = Unknown(request.Topics, static topic => topic.Name, static topic => topic.Partitions, static partition => partition.PartitionIndex);
        var answer = (await AskAsync<OffsetDeleteResponse>(request.GroupId, request, context))!;
        for (var i = 0; i < answer.Topics.Count; i++) answer.Topics[i].Partitions.AddRange(unknown[i]);
        return answer;
    }

    /// <summary>Takes out of a request what this broker does not know, and returns the refusals by topic.</summary>
    private List<List<PartitionError>> Unknown<TTopic, TPartition>(List<TTopic> topics, Func<TTopic, string> name, Func<TTopic, List<TPartition>> partitions, Func<TPartition, int> index) => topics.ConvertAll(topic =>
    {
        var known = identity.Image.Topic(name(topic));
        var unknown = partitions(topic).FindAll(IsUnknown);
        partitions(topic).RemoveAll(IsUnknown);
        return unknown.ConvertAll(partition => new PartitionError { PartitionIndex = index(partition), ErrorCode = ErrorCode.UnknownTopicOrPartition });

        bool IsUnknown(TPartition partition) => known?.Partition(index(partition)) is null;
    });

    private OffsetFetchResponse Fetch(OffsetFetchRequest request, short version)
    {
        if (version >= 8) return new OffsetFetchResponse { Groups = [.. request.Groups.DistinctBy(static group => group.GroupId).Select(group => Fetch(group.GroupId, group.Topics))] };
        var found = Fetch(request.GroupId, request.Topics);
        if (version >= 2 || found.ErrorCode == ErrorCode.None) return new OffsetFetchResponse { Topics = found.Topics, ErrorCode = found.ErrorCode };
        return new OffsetFetchResponse
        {
            Topics = request.Topics!.ConvertAll(topic => new OffsetFetchResponseTopic
            {
                Name = topic.Name,
                Partitions = topic.PartitionIndexes.ConvertAll(partition => new OffsetFetchResponsePartition { PartitionIndex = partition, ErrorCode = found.ErrorCode }),
            }),
        };
    }

    private OffsetFetchResponseGroup Fetch(string group, List<OffsetFetchRequestTopic>? topics)
    {
        var error = Problem(group, out var term);
        return new OffsetFetchResponseGroup { GroupId = group, ErrorCode = error, Topics = error == ErrorCode.None ? term!.Groups.Offsets(group, topics) : [] };
    }

    // Administration

    private async ValueTask<DeleteGroupsResponse?> DeleteAsync(DeleteGroupsRequest request, RequestContext context)
    {
        var answer = new DeleteGroupsResponse();
        foreach (var group in request.GroupsNames.Distinct())
            answer.Results.Add((await AskAsync<DeleteGroupsResponse.DeletableGroupResult>(group, new DeleteGroupsRequest { GroupsNames = [group] }, context))!);
        return answer;
    }

    private DescribeGroupsResponse Describe(DescribeGroupsRequest request, short version) => new()
    {
        Groups = [.. request.Groups.Distinct().Select(group => Problem(group, out var term) is var error and not ErrorCode.None ? new DescribedGroup { GroupId = group, ErrorCode = error } : term!.Groups.Describe(group, version))],
    };

    private ListGroupsResponse List(ListGroupsRequest request)
    {
        var answer = new ListGroupsResponse();
        foreach (var term in groups.Terms)
        {
            if (!term.IsCurrent) continue;
            if (groups.MayServe(term)) answer.Groups.AddRange(term.Groups.List(request.StatesFilter, request.TypesFilter));
            else answer.ErrorCode = ErrorCode.CoordinatorLoadInProgress;
        }
        return answer;
    }

    private ErrorCode Problem(string group, out CoordinatedPartition? term)
    {
        term = groups.Find(group);
        return term is null ? ErrorCode.NotCoordinator : groups.MayServe(term) ? ErrorCode.None : ErrorCode.CoordinatorLoadInProgress;
    }
}
