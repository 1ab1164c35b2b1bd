using Broker.Protocol;

namespace Broker.Core.Groups;

/// <summary>The answer to a request to a group that is refused as a whole.</summary>
public static class GroupRefusal
{
    public static IMessage Of(IMessage request, short version, ErrorCode error) => request switch
    {
        JoinGroupRequest it => Join(version, it.MemberId, error),
        SyncGroupRequest => new SyncGroupResponse { ErrorCode = error },
        HeartbeatRequest => new HeartbeatResponse { ErrorCode = error },
        LeaveGroupRequest => new LeaveGroupResponse { ErrorCode = error },
        OffsetCommitRequest it => Commit(it, (_, _) => error),
        OffsetDeleteRequest => new OffsetDeleteResponse { ErrorCode = error },
        DeleteGroupsRequest it => new DeleteGroupsResponse.DeletableGroupResult { GroupId = it.GroupsNames[0], ErrorCode = error },
        _ => throw new InvalidOperationException($"no request to a group: {request}"),
    };

    public static JoinGroupResponse Join(short version, string memberId, ErrorCode error) =>
        new() { ErrorCode = error, MemberId = memberId, ProtocolName = version >= 7 ? null : "" };

    public static OffsetCommitResponse Commit(OffsetCommitRequest request, Func<string, OffsetCommitRequestPartition, ErrorCode> error) => new()
    {
        Topics = request.Topics.ConvertAll(topic => new OffsetCommitResponseTopic
        {
            Name = topic.Name,
            Partitions = topic.Partitions.ConvertAll(partition => new PartitionError { PartitionIndex = partition.PartitionIndex, ErrorCode = error(topic.Name, partition) }),
        }),
    };
}
