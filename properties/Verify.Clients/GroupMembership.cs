using Broker.Protocol;
using Broker.Runtime;

namespace Verify.Clients;

/// <summary>What one member knows of its group, and its requests to the coordinator: join, sync, heartbeat, leave, and offsets.</summary>
internal sealed class GroupMembership
{
    private const string Protocol = "range";

    private readonly IHost host;
    private readonly GroupConsumerSettings settings;
    private readonly ClientRules rules;
    private readonly ClusterMetadata metadata;
    private readonly Action changed;
    private BrokerLink? coordinator;
    private Endpoint? coordinatorAt;
    private TimeSpan lastHeartbeat;
    private bool isClosed;

    public GroupMembership(IHost host, TaskScope scope, GroupConsumerSettings settings, ClientRules rules, Action changed)
    {
        this.host = host;
        this.settings = settings;
        this.rules = rules;
        this.changed = changed;
        metadata = new ClusterMetadata(host, scope, Connection, rules, static () => { });
    }

    public string MemberId { get; private set; } = "";

    /// <summary>-1: no member of any.</summary>
    public int Generation { get; private set; } = -1;

    /// <summary>The share of this generation.</summary>
    public IReadOnlyList<TopicPartition> Share { get; private set; } = [];

    /// <summary>The generation is over, or there was none yet.</summary>
    public bool MustJoin { get; private set; } = true;

    /// <summary>What cannot be cured by joining; the group is left alone.</summary>
    public ErrorCode Fatal { get; private set; }

    private ConnectionSettings Connection => settings.Consumer.Connection;

    private TimeSpan Now => host.Time.GetElapsedTime(0);

    /// <summary>The subscription is another: the next generation is to know.</summary>
    public void Rejoin() => MustJoin = true;

    /// <summary>Joins and takes its share; tries until it has one, or gives up for good.</summary>
    public async Task JoinAsync(IReadOnlyList<string> topics)
    {
        for (var attempt = 1; MustJoin && !isClosed && Fatal == ErrorCode.None; attempt++)
        {
            var reaction = React(await TryJoinAsync(topics));
            if (reaction is GroupReaction.GoOn) MustJoin = false;
            else if (reaction is GroupReaction.Wait or GroupReaction.FindCoordinator or GroupReaction.JoinAnew) await host.Time.DelayAsync(Backoff(attempt));
        }
        lastHeartbeat = Now;
        changed();
    }

    /// <summary>Tells the coordinator, as long as there is a generation, that this member is alive; hears from it when the generation is over.</summary>
    /// <param name="wasPolledAt">When the caller last asked for records.</param>
    public async Task BeatAsync(Func<TimeSpan> wasPolledAt)
    {
        while (!isClosed)
        {
            await host.Time.DelayAsync(settings.HeartbeatInterval / 4);
            if (MustJoin || isClosed) continue;
            if (rules.IsPollOverdue(Now - wasPolledAt(), settings.MaxPollInterval)) await LeaveAsync(Now + settings.SessionTimeout);
            else if (rules.IsHeartbeatDue(Now - lastHeartbeat, settings.HeartbeatInterval)) await BeatOnceAsync();
        }
    }

    /// <summary>A static member stays in the group, and has its session's time to come back.</summary>
    public async Task LeaveAsync(TimeSpan deadline)
    {
        var (member, generation) = (MemberId, Generation);
        MustJoin = true;
        if (settings.InstanceId is not null || generation < 0) return;
        (MemberId, Generation) = ("", -1);
        await AskAsync<LeaveGroupRequest, LeaveGroupResponse>(new LeaveGroupRequest { GroupId = settings.GroupId, MemberId = member, Members = [new LeavingMember { MemberId = member }] }, deadline, static answer => answer.ErrorCode);
        changed();
    }

    public void Close()
    {
        isClosed = true;
        coordinator?.Close();
        metadata.Close();
    }

    /// <summary>Of the generation in which it is asked; nothing is tried twice: a commit that comes late would undo what came after it.</summary>
    public async Task<CommitOutcome> CommitAsync(IReadOnlyDictionary<TopicPartition, (long Offset, int Epoch)> offsets, TimeSpan deadline)
    {
        var (member, generation) = (MemberId, Generation);
        var request = new OffsetCommitRequest
        {
            GroupId = settings.GroupId, MemberId = member, GenerationIdOrMemberEpoch = generation, GroupInstanceId = settings.InstanceId,
            Topics = [.. offsets.OrderBy(static one => one.Key.Partition).GroupBy(static one => one.Key.Topic).OrderBy(static topic => topic.Key, StringComparer.Ordinal).Select(topic => new OffsetCommitRequestTopic
            {
                Name = topic.Key,
                Partitions = [.. topic.Select(one => new OffsetCommitRequestPartition { PartitionIndex = one.Key.Partition, CommittedOffset = one.Value.Offset, CommittedLeaderEpoch = rules.EpochToCommit(one.Value.Epoch) })],
            })],
        };
        var reply = await AskAsync<OffsetCommitRequest, OffsetCommitResponse>(request, deadline, FirstError);
        var error = reply.Message is { } answer ? FirstError(answer) : reply.Error;
        if (rules.IsPresentGeneration(generation, Generation)) React(error);
        var surelyNot = reply.Message is null ? !reply.WasSent : rules.SurelyNotCommitted(error);
        var kind = error == ErrorCode.None ? OutcomeKind.Ok : surelyNot ? OutcomeKind.Fail : OutcomeKind.Info;
        return new CommitOutcome(kind, error, member, generation, offsets.ToDictionary(static one => one.Key, static one => one.Value.Offset));

        static ErrorCode FirstError(OffsetCommitResponse answer) => answer.Topics.SelectMany(static topic => topic.Partitions).FirstOrDefault(static partition => partition.ErrorCode != ErrorCode.None)?.ErrorCode ?? ErrorCode.None;
    }

    /// <summary>What the group has committed, asked until it is answered or the time is up.</summary>
    public async Task<Answer<IReadOnlyDictionary<TopicPartition, (long Offset, int Epoch)>>> CommittedAsync(IReadOnlyList<TopicPartition> partitions, TimeSpan deadline)
    {
        List<OffsetFetchRequestTopic> topics = [.. partitions.GroupBy(static one => one.Topic).Select(static topic => new OffsetFetchRequestTopic { Name = topic.Key, PartitionIndexes = [.. topic.Select(static one => one.Partition)] })];
        var request = new OffsetFetchRequest { GroupId = settings.GroupId, Topics = topics, Groups = [new OffsetFetchRequestGroup { GroupId = settings.GroupId, Topics = topics }] };
        var error = ErrorCode.RequestTimedOut;
        for (var attempt = 1; !isClosed && !rules.IsDue(Now, deadline); attempt++)
        {
            var reply = await AskAsync<OffsetFetchRequest, OffsetFetchResponse>(request, deadline, ErrorOf);
            error = reply.Message is { } answer ? ErrorOf(answer) : reply.Error;
            if (error == ErrorCode.None)
            {
                var told = reply.Message!.Groups.Count > 0 ? reply.Message.Groups[0].Topics : reply.Message.Topics;
                return new(error, told.SelectMany(static topic => topic.Partitions.Select(one => (Key: new TopicPartition(topic.Name, one.PartitionIndex), Value: (one.CommittedOffset, one.CommittedLeaderEpoch)))).ToDictionary(static one => one.Key, static one => one.Value));
            }
            if (rules.ReactToCoordinator(error) is GroupReaction.GiveUp) break;
            await host.Time.DelayAsync(ClusterMetadata.Shorter(Backoff(attempt), deadline - Now));
        }
        return new(error, null);

        static ErrorCode ErrorOf(OffsetFetchResponse answer) => answer.Groups.Count > 0 ? answer.Groups[0].ErrorCode : answer.ErrorCode;
    }

    private async Task<ErrorCode> TryJoinAsync(IReadOnlyList<string> topics)
    {
        var request = new JoinGroupRequest
        {
            GroupId = settings.GroupId, MemberId = MemberId, GroupInstanceId = settings.InstanceId, ProtocolType = ConsumerProtocol.Type,
            SessionTimeoutMs = (int)settings.SessionTimeout.TotalMilliseconds, RebalanceTimeoutMs = (int)settings.MaxPollInterval.TotalMilliseconds,
            Protocols = [new JoinGroupProtocol { Name = Protocol, Metadata = ConsumerProtocol.Subscription(topics) }],
        };
        var reply = await AskAsync<JoinGroupRequest, JoinGroupResponse>(request, Now + settings.MaxPollInterval + Connection.RequestTimeout, static answer => answer.ErrorCode);
        if (reply.Message is not { } joined) return reply.Error;
        if (joined.ErrorCode is ErrorCode.None or ErrorCode.MemberIdRequired) MemberId = joined.MemberId;
        if (joined.ErrorCode != ErrorCode.None) return joined.ErrorCode;
        Generation = joined.GenerationId;

        var isLeader = joined.Leader == joined.MemberId;
        var sync = new SyncGroupRequest
        {
            GroupId = settings.GroupId, MemberId = MemberId, GenerationId = Generation, GroupInstanceId = settings.InstanceId, ProtocolType = ConsumerProtocol.Type, ProtocolName = joined.ProtocolName,
            Assignments = rules.MustAssign(isLeader, joined.SkipAssignment) ? await AssignAsync(joined.Members) : [],
        };
        var shared = await AskAsync<SyncGroupRequest, SyncGroupResponse>(sync, Now + settings.MaxPollInterval + Connection.RequestTimeout, static answer => answer.ErrorCode);
        if (shared.Message is not { ErrorCode: ErrorCode.None } share) return shared.Message?.ErrorCode ?? shared.Error;
        if (ConsumerProtocol.PartitionsOf(share.Assignment) is not { } partitions) return ErrorCode.CorruptMessage;
        Share = [.. partitions.SelectMany(static topic => topic.Partitions.Select(partition => new TopicPartition(topic.Topic, partition)))];
        return ErrorCode.None;
    }

    /// <summary>Who gets what, by ranges of each topic. A topic that nobody knows yet is assigned to nobody.</summary>
    private async Task<List<SyncGroupAssignment>> AssignAsync(List<JoinGroupResponseMember> members)
    {
        List<(JoinGroupResponseMember Member, IReadOnlyList<string> Topics)> known =
            [.. members.Select(static member => (member, ConsumerProtocol.TopicsOf(member.Metadata) ?? [])).OrderBy(static one => one.member.GroupInstanceId ?? one.member.MemberId, StringComparer.Ordinal)];
        var shares = known.ToDictionary(static one => one.Member.MemberId, static _ => new List<(string Topic, IReadOnlyList<int> Partitions)>(), StringComparer.Ordinal);
        foreach (var topic in known.SelectMany(static one => one.Topics).Distinct().Order(StringComparer.Ordinal))
        {
            var partitions = await PartitionsOfAsync(topic);
            var subscribed = known.FindAll(one => one.Topics.Contains(topic));
            for (var i = 0; i < subscribed.Count; i++)
                if (rules.RangeOf(partitions, subscribed.Count, i) is { Count: > 0 } range) shares[subscribed[i].Member.MemberId].Add((topic, [.. Enumerable.Range(range.First, range.Count)]));
        }
        return known.ConvertAll(one => new SyncGroupAssignment { MemberId = one.Member.MemberId, Assignment = ConsumerProtocol.Assignment(shares[one.Member.MemberId]) });
    }

    private async Task<int> PartitionsOfAsync(string topic)
    {
        var request = new MetadataRequest { Topics = [new MetadataRequestTopic { Name = topic }], AllowAutoTopicCreation = false };
        var deadline = Now + settings.SessionTimeout;
        for (var attempt = 1; !isClosed && await metadata.AnyLinkAsync(deadline) is { } link; attempt++)
        {
            var reply = await link.AskAsync<MetadataRequest, MetadataResponse>(request, ClusterMetadata.Shorter(Connection.RequestTimeout, deadline - Now));
            if (reply.Message is { Topics: [{ ErrorCode: ErrorCode.None } found] }) return found.Partitions.Count;
            await host.Time.DelayAsync(ClusterMetadata.Shorter(Backoff(attempt), deadline - Now));
        }
        return 0;
    }

    private async Task BeatOnceAsync()
    {
        var (member, generation) = (MemberId, Generation);
        lastHeartbeat = Now;
        var request = new HeartbeatRequest { GroupId = settings.GroupId, MemberId = member, GenerationId = generation, GroupInstanceId = settings.InstanceId };
        var reply = await AskAsync<HeartbeatRequest, HeartbeatResponse>(request, Now + settings.SessionTimeout, static answer => answer.ErrorCode);
        if (rules.IsPresentGeneration(generation, Generation)) React(reply.Message?.ErrorCode ?? reply.Error);
    }

    private GroupReaction React(ErrorCode error)
    {
        var reaction = rules.ReactToCoordinator(error);
        if (reaction is GroupReaction.JoinAnew) (MemberId, Generation) = ("", -1);
        if (reaction is GroupReaction.JoinAgain or GroupReaction.JoinAnew or GroupReaction.TakeId) MustJoin = true;
        if (reaction is GroupReaction.GiveUp)
        {
            Fatal = error;
            (MustJoin, MemberId, Generation) = (true, "", -1);
        }
        changed();
        return reaction;
    }

    /// <summary>One request to the coordinator, which is found first; whoever turns out not to be it, or does not answer, is not asked again.</summary>
    private async Task<Reply<TResponse>> AskAsync<TRequest, TResponse>(TRequest request, TimeSpan deadline, Func<TResponse, ErrorCode> errorOf)
        where TRequest : IRequest<TResponse> where TResponse : class, IResponse, new()
    {
        if (await CoordinatorAsync(deadline) is not { } link) return new Reply<TResponse>(false, ErrorCode.CoordinatorNotAvailable, null);
        var isLong = TRequest.Key is ApiKey.JoinGroup or ApiKey.SyncGroup;   // answered when the others have come
        var reply = await link.AskAsync<TRequest, TResponse>(request, isLong ? deadline - Now : ClusterMetadata.Shorter(Connection.RequestTimeout, deadline - Now));
        var error = reply.Message is { } answer ? errorOf(answer) : reply.Error;
        if (rules.ReactToCoordinator(error) is GroupReaction.FindCoordinator && link == coordinator) coordinatorAt = null;
        return reply;
    }

    private async Task<BrokerLink?> CoordinatorAsync(TimeSpan deadline)
    {
        for (var attempt = 1; !isClosed && !rules.IsDue(Now, deadline); attempt++)
        {
            if (coordinatorAt is null && await metadata.AnyLinkAsync(deadline) is { } any)
            {
                var reply = await any.AskAsync<FindCoordinatorRequest, FindCoordinatorResponse>(new FindCoordinatorRequest { KeyName = settings.GroupId, CoordinatorKeys = [settings.GroupId] }, Connection.RequestTimeout);
                var found = reply.Message is not { } answer ? null : answer.Coordinators.Count > 0 ? answer.Coordinators[0]
                    : new FindCoordinatorResponse.Coordinator { ErrorCode = answer.ErrorCode, Host = answer.Host, Port = answer.Port };
                if (found is { ErrorCode: ErrorCode.None }) coordinatorAt = new Endpoint(found.Host, found.Port);
            }
            if (coordinatorAt is { } at)
            {
                if (coordinator?.Endpoint != at)
                {
                    coordinator?.Close();
                    coordinator = new BrokerLink(host, Connection, rules, at, changed);
                }
                if (await coordinator.OpenAsync()) return coordinator;
                coordinatorAt = null;                                  // it may be another by now
            }
            await host.Time.DelayAsync(ClusterMetadata.Shorter(Backoff(attempt), deadline - Now));
        }
        return null;
    }

    private TimeSpan Backoff(int failures) => rules.Backoff(Connection.RetryBackoff, Connection.MaxRetryBackoff, failures, host.Random.NextDouble());
}
