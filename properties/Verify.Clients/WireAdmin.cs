using Broker.Protocol;
using Broker.Runtime;

namespace Verify.Clients;

/// <summary>Kafka's administrative requests on the wire.</summary>
/// <remarks>
/// A change is tried again until the time is up, at other brokers too. So an answer like TOPIC_ALREADY_EXISTS, after an earlier attempt that may have been executed, is info and not fail:
/// whoever uses a name once may read it as success.
/// </remarks>
public sealed class WireAdmin : IAdmin
{
    private const sbyte PreferredElection = 0;

    private readonly IHost host;
    private readonly ConnectionSettings settings;
    private readonly ClientRules rules;
    private readonly ClusterMetadata metadata;

    /// <param name="scope">Whoever owns it sees the failures of background work.</param>
    public WireAdmin(IHost host, TaskScope scope, ConnectionSettings settings, ClientRules? rules = null)
    {
        this.host = host;
        this.settings = settings;
        this.rules = rules ?? ClientRules.Faithful;
        metadata = new ClusterMetadata(host, scope, settings, this.rules, static () => { });
    }

    private TimeSpan Now => host.Time.GetElapsedTime(0);

    public Task<AdminOutcome> CreateTopicAsync(NewTopic topic, TimeSpan timeout)
    {
        var created = new CreatableTopic { Name = topic.Name, NumPartitions = topic.Partitions, ReplicationFactor = topic.ReplicationFactor };
        if (topic.Assignment is { } assignment)
        {
            (created.NumPartitions, created.ReplicationFactor) = (-1, -1);
            created.Assignments = [.. assignment.Select((replicas, index) => new CreatableReplicaAssignment { PartitionIndex = index, BrokerIds = Ids(replicas) })];
        }
        foreach (var (name, value) in topic.Configuration ?? []) created.Configs.Add(new CreatableTopicConfig { Name = name, Value = value });
        var request = new CreateTopicsRequest { Topics = [created], TimeoutMs = Milliseconds(settings.RequestTimeout) };
        return ChangeAsync<CreateTopicsRequest, CreateTopicsResponse>(request, timeout,
            static answer => answer.Topics is [var only] ? (only.ErrorCode, only.ErrorMessage) : (ErrorCode.UnknownServerError, null));
    }

    public Task<AdminOutcome> DeleteTopicAsync(string topic, TimeSpan timeout)
    {
        var request = new DeleteTopicsRequest { Topics = [new DeleteTopicState { Name = topic }], TopicNames = [topic], TimeoutMs = Milliseconds(settings.RequestTimeout) };
        return ChangeAsync<DeleteTopicsRequest, DeleteTopicsResponse>(request, timeout,
            static answer => answer.Responses is [var only] ? (only.ErrorCode, only.ErrorMessage) : (ErrorCode.UnknownServerError, null));
    }

    public async Task<Answer<IReadOnlyList<string>>> ListTopicsAsync(TimeSpan timeout, NodeId? broker = null)
    {
        var answer = await AskMetadataAsync(new MetadataRequest { Topics = null, AllowAutoTopicCreation = false }, timeout, broker);
        if (answer.Value is not { } known) return new Answer<IReadOnlyList<string>>(answer.Error, null);
        List<string> names = [.. known.Topics.Where(static t => t is { ErrorCode: ErrorCode.None, Name: not null }).Select(static t => t.Name!)];
        names.Sort(StringComparer.Ordinal);
        return new Answer<IReadOnlyList<string>>(ErrorCode.None, names);
    }

    public async Task<Answer<TopicDescription>> DescribeTopicAsync(string topic, TimeSpan timeout, NodeId? broker = null)
    {
        var answer = await AskMetadataAsync(new MetadataRequest { Topics = [new MetadataRequestTopic { Name = topic }], AllowAutoTopicCreation = false }, timeout, broker);
        if (answer.Value is not { } known) return new Answer<TopicDescription>(answer.Error, null);
        if (known.Topics is not [var found]) return new Answer<TopicDescription>(ErrorCode.UnknownServerError, null);
        if (found.ErrorCode is not ErrorCode.None) return new Answer<TopicDescription>(found.ErrorCode, null);
        var partitions = found.Partitions.OrderBy(static p => p.PartitionIndex).Select(static p => new PartitionDescription(
            p.PartitionIndex, p.ErrorCode, new NodeId(p.LeaderId), p.LeaderEpoch, Nodes(p.ReplicaNodes), Nodes(p.IsrNodes)));
        return new Answer<TopicDescription>(ErrorCode.None, new TopicDescription(topic, found.TopicId, [.. partitions]));
    }

    public async Task<Answer<ClusterDescription>> DescribeClusterAsync(TimeSpan timeout)
    {
        var answer = await AskMetadataAsync(new MetadataRequest { Topics = [], AllowAutoTopicCreation = false }, timeout, null);
        if (answer.Value is not { } known) return new Answer<ClusterDescription>(answer.Error, null);
        var brokers = known.Brokers.OrderBy(static b => b.NodeId).Select(static b => new BrokerDescription(new NodeId(b.NodeId), new Endpoint(b.Host, b.Port)));
        return new Answer<ClusterDescription>(ErrorCode.None, new ClusterDescription(known.ClusterId, new NodeId(known.ControllerId), [.. brokers]));
    }

    public async Task<AdminOutcome> MoveLeaderAsync(TopicPartition partition, NodeId leader, TimeSpan timeout)
    {
        var deadline = Now + timeout;
        var described = await DescribeTopicAsync(partition.Topic, timeout);
        if (described.Value is not { } topic) return new AdminOutcome(OutcomeKind.Fail, described.Error);
        if (topic.Partitions.FirstOrDefault(p => p.Partition == partition.Partition) is not { } found) return new AdminOutcome(OutcomeKind.Fail, ErrorCode.UnknownTopicOrPartition);
        if (!found.Replicas.Contains(leader)) return new AdminOutcome(OutcomeKind.Fail, ErrorCode.InvalidReplicaAssignment, $"{leader} is no replica of {partition}");

        if (found.Replicas[0] != leader)
        {
            var reordered = await ReorderAsync(partition, [leader, .. found.Replicas.Where(r => r != leader)], deadline - Now);
            if (reordered.Kind is not OutcomeKind.Ok) return reordered;
        }
        var elected = await ElectPreferredAsync(partition, deadline - Now);
        return elected.Error is ErrorCode.ElectionNotNeeded ? AdminOutcome.Done : elected;
    }

    public void Close() => metadata.Close();

    private Task<AdminOutcome> ReorderAsync(TopicPartition partition, IReadOnlyList<NodeId> replicas, TimeSpan timeout)
    {
        var wanted = new ReassignablePartition { PartitionIndex = partition.Partition, Replicas = Ids(replicas) };
        var request = new AlterPartitionReassignmentsRequest
        {
            TimeoutMs = Milliseconds(settings.RequestTimeout),
            Topics = [new ReassignableTopic { Name = partition.Topic, Partitions = [wanted] }],
        };
        return ChangeAsync<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>(request, timeout, static answer =>
            answer.ErrorCode is not ErrorCode.None ? (answer.ErrorCode, answer.ErrorMessage)
            : answer.Responses is [{ Partitions: [var only] }] ? (only.ErrorCode, only.ErrorMessage)
            : (ErrorCode.UnknownServerError, null));
    }

    /// <remarks>Kafka leaves partitions that need no election out of its answer.</remarks>
    private Task<AdminOutcome> ElectPreferredAsync(TopicPartition partition, TimeSpan timeout)
    {
        var request = new ElectLeadersRequest
        {
            ElectionType = PreferredElection,
            TopicPartitions = [new TopicPartitions { Topic = partition.Topic, Partitions = [partition.Partition] }],
            TimeoutMs = Milliseconds(settings.RequestTimeout),
        };
        return ChangeAsync<ElectLeadersRequest, ElectLeadersResponse>(request, timeout, static answer =>
            answer.ErrorCode is not ErrorCode.None ? (answer.ErrorCode, null)
            : answer.ReplicaElectionResults is [{ PartitionResult: [var only] }] ? (only.ErrorCode, only.ErrorMessage)
            : (ErrorCode.ElectionNotNeeded, null));
    }

    /// <summary>Tries a change until it is done, refused, uncertain, or the time is up.</summary>
    private async Task<AdminOutcome> ChangeAsync<TRequest, TResponse>(TRequest request, TimeSpan timeout, Func<TResponse, (ErrorCode Error, string? Message)> read)
        where TRequest : IRequest<TResponse> where TResponse : class, IResponse, new()
    {
        var deadline = Now + timeout;
        var mayHaveHappened = false;
        var (error, message) = (ErrorCode.RequestTimedOut, (string?)null);
        for (var attempt = 1; await LinkAsync(deadline, attempt) is { } link; attempt++)
        {
            var reply = await link.AskAsync<TRequest, TResponse>(request, ClusterMetadata.Shorter(deadline - Now, settings.RequestTimeout));
            (error, message) = reply.Message is { } answer ? read(answer) : (reply.Error, null);
            if (reply.Message is not null && error is ErrorCode.None) return AdminOutcome.Done;
            mayHaveHappened |= reply.WasSent && (reply.Message is null ? rules.UnansweredMayHaveHappened() : !rules.SurelyNotDone(error));
            if (!rules.MayRepeatChange(mayHaveHappened) || !rules.IsAdminRetriable(error)) break;
            await metadata.Changed.WaitAsync(ClusterMetadata.Shorter(deadline - Now, rules.Backoff(settings.RetryBackoff, settings.MaxRetryBackoff, attempt, host.Random.NextDouble())));
        }
        return new AdminOutcome(rules.UnsuccessfulOutcome(mayHaveHappened), error, message);
    }

    /// <summary>The controller first, where it is a broker that we know; then any.</summary>
    private async Task<BrokerLink?> LinkAsync(TimeSpan deadline, int attempt)
    {
        if (attempt == 1 && metadata.Brokers.ContainsKey(metadata.Controller))
            return await metadata.AnyLinkAsync(ClusterMetadata.Shorter(deadline, Now + settings.RetryBackoff), new NodeId(metadata.Controller)) ?? await metadata.AnyLinkAsync(deadline);
        return await metadata.AnyLinkAsync(deadline);
    }

    private async Task<Answer<MetadataResponse>> AskMetadataAsync(MetadataRequest request, TimeSpan timeout, NodeId? broker)
    {
        var deadline = Now + timeout;
        var error = ErrorCode.RequestTimedOut;
        for (var attempt = 1; await metadata.AnyLinkAsync(deadline, broker) is { } link; attempt++)
        {
            var reply = await link.AskAsync<MetadataRequest, MetadataResponse>(request, ClusterMetadata.Shorter(deadline - Now, settings.RequestTimeout));
            if (reply.Message is { } answer) return new Answer<MetadataResponse>(ErrorCode.None, answer);
            error = reply.Error;
            await metadata.Changed.WaitAsync(ClusterMetadata.Shorter(deadline - Now, rules.Backoff(settings.RetryBackoff, settings.MaxRetryBackoff, attempt, host.Random.NextDouble())));
        }
        return new Answer<MetadataResponse>(error, null);
    }

    private static int Milliseconds(TimeSpan span) => (int)Math.Min(int.MaxValue, span.TotalMilliseconds);

    private static List<int> Ids(IReadOnlyList<NodeId> nodes) => [.. nodes.Select(static n => n.Value)];

    private static List<NodeId> Nodes(List<int> ids) => [.. ids.Select(static id => new NodeId(id))];
}
