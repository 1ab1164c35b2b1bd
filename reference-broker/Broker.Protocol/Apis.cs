namespace Broker.Protocol;

/// <summary>A request of one API.</summary>
public interface IRequest : IMessage
{
    static abstract ApiKey Key { get; }

    /// <summary>The versions whose every field is known here.</summary>
    static abstract VersionRange Versions { get; }

    /// <summary>The first version with compact strings and tagged fields, request and answer alike. Source: KIP-482.</summary>
    static abstract short FlexibleFrom { get; }
}

/// <summary>A request, and which answer belongs to it.</summary>
public interface IRequest<TResponse> : IRequest where TResponse : IResponse, new();

/// <summary>The answer to the request of the same key; it shares the request's versions.</summary>
public interface IResponse : IMessage
{
    static abstract ApiKey Key { get; }
}

/// <summary>Versions of one API, both ends included.</summary>
public readonly record struct VersionRange(short Min, short Max)
{
    public bool Contains(short version) => version >= Min && version <= Max;

    /// <summary>The newest version that both speak; -1 when there is none.</summary>
    public short NewestShared(VersionRange other)
    {
        var newest = Math.Min(Max, other.Max);
        return newest >= Min && newest >= other.Min ? newest : (short)-1;
    }

    public override string ToString() => $"{Min}-{Max}";
}

/// <summary>One API as it is spoken here.</summary>
public sealed class Api
{
    private Api(ApiKey key, VersionRange versions, short flexibleFrom, Func<IMessage> newRequest, Func<IMessage> newResponse) =>
        (Key, Versions, FlexibleFrom, NewRequest, NewResponse) = (key, versions, flexibleFrom, newRequest, newResponse);

    public ApiKey Key { get; }

    public VersionRange Versions { get; }

    public short FlexibleFrom { get; }

    /// <summary>Makes a request with Kafka's defaults.</summary>
    public Func<IMessage> NewRequest { get; }

    /// <summary>Makes an answer with Kafka's defaults.</summary>
    public Func<IMessage> NewResponse { get; }

    public bool IsFlexible(short version) => version >= FlexibleFrom;

    /// <summary>Answers have a header with tagged fields where they are flexible, except those to ApiVersions: whoever asks it does not know yet what the peer can.</summary>
    public bool HasFlexibleResponseHeader(short version) => IsFlexible(version) && Key != ApiKey.ApiVersions;

    public override string ToString() => $"{Key} {Versions}";

    internal static Api Of<TRequest, TResponse>() where TRequest : IRequest<TResponse>, new() where TResponse : IResponse, new() =>
        new(TRequest.Key, TRequest.Versions, TRequest.FlexibleFrom, static () => new TRequest(), static () => new TResponse());
}

/// <summary>All APIs that are spoken here. Adding one is a file in this folder's <c>Apis</c> and a line here.</summary>
public static class Apis
{
    /// <summary>Ascending by key.</summary>
    public static IReadOnlyList<Api> All { get; } =
    [
        Api.Of<ProduceRequest, ProduceResponse>(),
        Api.Of<FetchRequest, FetchResponse>(),
        Api.Of<ListOffsetsRequest, ListOffsetsResponse>(),
        Api.Of<MetadataRequest, MetadataResponse>(),
        Api.Of<OffsetCommitRequest, OffsetCommitResponse>(),
        Api.Of<OffsetFetchRequest, OffsetFetchResponse>(),
        Api.Of<FindCoordinatorRequest, FindCoordinatorResponse>(),
        Api.Of<JoinGroupRequest, JoinGroupResponse>(),
        Api.Of<HeartbeatRequest, HeartbeatResponse>(),
        Api.Of<LeaveGroupRequest, LeaveGroupResponse>(),
        Api.Of<SyncGroupRequest, SyncGroupResponse>(),
        Api.Of<DescribeGroupsRequest, DescribeGroupsResponse>(),
        Api.Of<ListGroupsRequest, ListGroupsResponse>(),
        Api.Of<ApiVersionsRequest, ApiVersionsResponse>(),
        Api.Of<CreateTopicsRequest, CreateTopicsResponse>(),
        Api.Of<DeleteTopicsRequest, DeleteTopicsResponse>(),
        Api.Of<DeleteRecordsRequest, DeleteRecordsResponse>(),
        Api.Of<InitProducerIdRequest, InitProducerIdResponse>(),
        Api.Of<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>(),
        Api.Of<DescribeConfigsRequest, DescribeConfigsResponse>(),
        Api.Of<AlterConfigsRequest, AlterConfigsResponse>(),
        Api.Of<CreatePartitionsRequest, CreatePartitionsResponse>(),
        Api.Of<DeleteGroupsRequest, DeleteGroupsResponse>(),
        Api.Of<ElectLeadersRequest, ElectLeadersResponse>(),
        Api.Of<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(),
        Api.Of<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>(),
        Api.Of<OffsetDeleteRequest, OffsetDeleteResponse>(),
        Api.Of<VoteRequest, VoteResponse>(),
        Api.Of<BeginQuorumEpochRequest, BeginQuorumEpochResponse>(),
        Api.Of<EndQuorumEpochRequest, EndQuorumEpochResponse>(),
        Api.Of<DescribeQuorumRequest, DescribeQuorumResponse>(),
        Api.Of<AlterPartitionRequest, AlterPartitionResponse>(),
        Api.Of<DescribeClusterRequest, DescribeClusterResponse>(),
        Api.Of<BrokerRegistrationRequest, BrokerRegistrationResponse>(),
        Api.Of<BrokerHeartbeatRequest, BrokerHeartbeatResponse>(),
        Api.Of<AllocateProducerIdsRequest, AllocateProducerIdsResponse>(),
    ];

    private static readonly Api?[] ByKey = Index();

    /// <summary>Null for an API that is not spoken here.</summary>
    public static Api? Find(ApiKey key) => (uint)key < (uint)ByKey.Length ? ByKey[(int)key] : null;

    /// <summary>The API of a message that exists here; throws for any other.</summary>
    public static Api Get(ApiKey key) => Find(key) ?? throw new ArgumentException($"{key} is not an API that is spoken here");

    private static Api?[] Index()
    {
        var index = new Api?[(int)All[^1].Key + 1];
        foreach (var api in All) index[(int)api.Key] = api;
        return index;
    }
}
