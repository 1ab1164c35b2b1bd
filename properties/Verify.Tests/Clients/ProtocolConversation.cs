using Broker.Protocol;
using Broker.Runtime;
using Verify.Clients;

namespace Verify.Tests.Clients;

/// <summary>
/// A fixed sequence of requests to one fresh single-node cluster, and what was observed of each answer: error codes, offsets, epochs, counts; nothing that may differ between two
/// runs or two right brokers. The same sequence against two brokers must give the same list. It is the client's own codec on both sides only if the other broker is ours:
/// that is why the list is recorded from Apache Kafka.
/// </summary>
/// <param name="recordTime">Milliseconds since 1970 of the first record; near the broker's now, since brokers refuse far futures and retire far pasts.</param>
public sealed partial class ProtocolConversation(IHost host, Endpoint broker, long recordTime)
{
    public const string Topic = "conversation";
    public const string SafeTopic = "two-in-sync";
    public const string SmallTopic = "small-batches";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly List<string> observed = [];
    private readonly BrokerLink link = new(host, new ConnectionSettings([broker]), ClientRules.Faithful, broker, static () => { });

    /// <summary>One line for each step: its name, a colon, what was observed.</summary>
    public async Task<IReadOnlyList<string>> RunAsync()
    {
        await ConnectAsync();
        await TopicsAsync();
        await ProducingAsync();
        await IdempotenceAsync();
        await FetchingAsync();
        await ListingOffsetsAsync();
        await EpochsAsync();
        await MoreInSyncThanReplicasAsync();
        await OlderVersionsAsync();
        await AdministrationAsync();
        await CornersAsync();
        await GroupsAsync();
        await SettingsToldAsync();
        await GrowthAsync();
        await TrimmingAsync();
        await SessionsAsync();
        await StampingAsync();
        await DeletionAsync();
        link.Close();
        return observed;
    }

    private void Saw(string step, FormattableString what) => observed.Add($"{step}: {FormattableString.Invariant(what)}");

    private Task<TResponse> AskAsync<TRequest, TResponse>(TRequest request, short? version = null)
        where TRequest : IRequest<TResponse> where TResponse : class, IResponse, new() => AskAsync<TRequest, TResponse>(link, request, version);

    private static async Task<TResponse> AskAsync<TRequest, TResponse>(BrokerLink over, TRequest request, short? version = null)
        where TRequest : IRequest<TResponse> where TResponse : class, IResponse, new()
    {
        var reply = await over.AskAsync<TRequest, TResponse>(request, Patience, version);
        return reply.Message ?? throw new InvalidOperationException($"{TRequest.Key}: {reply.Error}, sent: {reply.WasSent}");
    }

    /// <summary>Metadata and offsets follow a little later, and a node may still be starting: asks again until the answer is as awaited, or gives what it got last.</summary>
    private async Task<T> UntilAsync<T>(Func<Task<T>> ask, Func<T, bool> isAwaited)
    {
        var deadline = host.Time.Monotonic() + TimeSpan.FromMinutes(2);
        while (true)
        {
            var answer = await ask();
            if (isAwaited(answer) || host.Time.Monotonic() > deadline) return answer;
            await host.Time.DelayAsync(TimeSpan.FromMilliseconds(50));
        }
    }

    private async Task ConnectAsync()
    {
        await UntilAsync(link.OpenAsync, static isOpen => isOpen);
        var known = await UntilAsync(() => AskAsync<MetadataRequest, MetadataResponse>(new MetadataRequest { Topics = [] }), static answer => answer.Brokers.Count == 1);
        foreach (var (endpoints, version) in new (sbyte, short)[] { (1, 0), (1, 1), (1, 2), (2, 1), (7, 2) })
        {
            var cluster = await AskAsync<DescribeClusterRequest, DescribeClusterResponse>(new DescribeClusterRequest { EndpointType = endpoints }, version);
            Saw($"describe the cluster, endpoints of type {endpoints}, v{version}", $"{cluster.ErrorCode}, has a message {cluster.ErrorMessage is not null}, type {cluster.EndpointType}, id {cluster.ClusterId.Length > 0}, {Join(cluster.Brokers.Select(b => $"{b.BrokerId} {b.Rack ?? "no rack"} {b.IsFenced} {b.Port == broker.Port}"))}, controller {cluster.ControllerId}");
        }
        Saw("brokers", $"{known.Brokers.Count}, topics {known.Topics.Count}, has a cluster id {known.ClusterId is not null}");
    }

    private async Task TopicsAsync()
    {
        await CreateAsync("create", new CreatableTopic { Name = Topic, NumPartitions = 2, ReplicationFactor = 1 });
        await CreateAsync("create again", new CreatableTopic { Name = Topic, NumPartitions = 2, ReplicationFactor = 1 });
        await CreateAsync("create with no partitions", new CreatableTopic { Name = "none", NumPartitions = 0, ReplicationFactor = 1 });
        await CreateAsync("create with no replicas", new CreatableTopic { Name = "none", NumPartitions = 1, ReplicationFactor = 0 });
        await CreateAsync("create with 99 replicas", new CreatableTopic { Name = "none", NumPartitions = 1, ReplicationFactor = 99 });
        await CreateAsync("create with an ill-formed name", new CreatableTopic { Name = "a b", NumPartitions = 1, ReplicationFactor = 1 });
        await CreateAsync("create '.'", new CreatableTopic { Name = ".", NumPartitions = 1, ReplicationFactor = 1 });
        await CreateAsync("create with a name of 250", new CreatableTopic { Name = new string('x', 250), NumPartitions = 1, ReplicationFactor = 1 });
        await CreateAsync("create with an unknown setting", new CreatableTopic { Name = "none", NumPartitions = 1, ReplicationFactor = 1, Configs = [new() { Name = "no.such.setting", Value = "1" }] });
        await CreateAsync("create with a bad value", new CreatableTopic { Name = "none", NumPartitions = 1, ReplicationFactor = 1, Configs = [new() { Name = "min.insync.replicas", Value = "0" }] });
        await CreateAsync("create on an unknown broker", new CreatableTopic { Name = "none", NumPartitions = -1, ReplicationFactor = -1, Assignments = [new() { BrokerIds = [77] }] });
        await CreateAsync("create with more to be in sync than replicas", new CreatableTopic { Name = SafeTopic, NumPartitions = 1, ReplicationFactor = 1, Configs = [new() { Name = "min.insync.replicas", Value = "2" }] });
        await CreateAsync("create for small batches", new CreatableTopic { Name = SmallTopic, NumPartitions = 1, ReplicationFactor = 1, Configs = [new() { Name = "max.message.bytes", Value = "200" }] });

        foreach (var topic in new[] { Topic, SafeTopic, SmallTopic })
            await UntilAsync(() => DescribeAsync(topic), static answer => answer is { ErrorCode: ErrorCode.None, Partitions: [{ LeaderId: >= 0 }, ..] });
        var described = await DescribeAsync(Topic);
        Saw("describe", $"{described.ErrorCode}, {Join(described.Partitions.OrderBy(p => p.PartitionIndex).Select(p => $"{p.PartitionIndex} {p.ErrorCode} epoch {p.LeaderEpoch} replicas {p.ReplicaNodes.Count} in sync {p.IsrNodes.Count}"))}");
        Saw("describe an unknown topic", $"{(await DescribeAsync("nowhere")).ErrorCode}");
        Saw("describe an ill-formed name", $"{(await DescribeAsync("a b")).ErrorCode}");
        var all = await AskAsync<MetadataRequest, MetadataResponse>(new MetadataRequest { Topics = null });
        Saw("list topics", $"{Join(all.Topics.Select(t => t.Name!).Order(StringComparer.Ordinal))}");
    }

    private async Task CreateAsync(string step, CreatableTopic topic)
    {
        var answer = await UntilAsync(() => AskAsync<CreateTopicsRequest, CreateTopicsResponse>(new CreateTopicsRequest { Topics = [topic], TimeoutMs = 10_000 }),
            answer => topic.ReplicationFactor != 1 || answer.Topics[0].ErrorCode is not ErrorCode.InvalidReplicationFactor);     // the broker is still fenced
        var result = answer.Topics.Single();
        Saw(step, result.ErrorCode is ErrorCode.None ? $"{result.ErrorCode}, partitions {result.NumPartitions}, replicas {result.ReplicationFactor}" : (FormattableString)$"{result.ErrorCode}");
    }

    private async Task<MetadataResponseTopic> DescribeAsync(string topic) =>
        (await AskAsync<MetadataRequest, MetadataResponse>(new MetadataRequest { Topics = [new MetadataRequestTopic { Name = topic }], AllowAutoTopicCreation = false })).Topics.Single();

    private async Task EpochsAsync()
    {
        await EpochEndAsync("end of epoch 0", Topic, 0, current: 0, epoch: 0);
        await EpochEndAsync("end of epoch 0, current not said", Topic, 0, current: -1, epoch: 0);
        await EpochEndAsync("end of epoch 5", Topic, 0, current: 0, epoch: 5);
        await EpochEndAsync("end of epoch 0 of the other partition", Topic, 1, current: 0, epoch: 0);
        await EpochEndAsync("end of epoch 0 of an empty partition", SafeTopic, 0, current: 0, epoch: 0);
        await EpochEndAsync("end of an epoch under a future leader", Topic, 0, current: 99, epoch: 0);
        await EpochEndAsync("end of an epoch of an unknown partition", Topic, 7, current: 0, epoch: 0);
    }

    private async Task EpochEndAsync(string step, string topic, int partition, int current, int epoch)
    {
        var asked = new OffsetForLeaderPartition { Partition = partition, CurrentLeaderEpoch = current, LeaderEpoch = epoch };
        var answer = await AskAsync<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>(
            new OffsetForLeaderEpochRequest { ReplicaId = -1, Topics = [new OffsetForLeaderTopic { Topic = topic, Partitions = [asked] }] });
        var end = answer.Topics.Single().Partitions.Single();
        Saw(step, $"{end.ErrorCode}, epoch {end.LeaderEpoch}, end {end.EndOffset}");
    }

    private async Task AdministrationAsync()
    {
        await ElectAsync("elect where nothing is to do", Topic, 0);
        await ElectAsync("elect in an unknown partition", Topic, 7);
        await ReassignAsync("reassign to the same replicas", Topic, 0, [1]);
        await ReassignAsync("reassign to an unknown broker", Topic, 0, [77]);
        await ReassignAsync("reassign an unknown topic", "nowhere", 0, [1]);
        await ReassignAsync("cancel a reassignment that is not there", Topic, 0, null);
    }

    private async Task ElectAsync(string step, string topic, int partition, sbyte type = 0)
    {
        var answer = await AskAsync<ElectLeadersRequest, ElectLeadersResponse>(
            new ElectLeadersRequest { ElectionType = type, TopicPartitions = [new TopicPartitions { Topic = topic, Partitions = [partition] }], TimeoutMs = 10_000 });
        Saw(step, $"{answer.ErrorCode}, {Join(answer.ReplicaElectionResults.SelectMany(t => t.PartitionResult).Select(p => $"{p.PartitionId} {p.ErrorCode}"))}");
    }

    private async Task ReassignAsync(string step, string topic, int partition, List<int>? replicas)
    {
        var answer = await AskAsync<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>(new AlterPartitionReassignmentsRequest
        {
            TimeoutMs = 10_000,
            Topics = [new ReassignableTopic { Name = topic, Partitions = [new ReassignablePartition { PartitionIndex = partition, Replicas = replicas }] }],
        });
        Saw(step, $"{answer.ErrorCode}, {Join(answer.Responses.SelectMany(t => t.Partitions).Select(p => $"{p.PartitionIndex} {p.ErrorCode}"))}");
    }

    private async Task DeletionAsync()
    {
        const string Group = "of-the-deleted";
        await CommitAsync("commit to a topic to be deleted", Group, 0, 1, topic: SmallTopic);
        await CommitAsync("commit to one that stays", Group, 0, 2);
        await DeleteAsync("delete", SmallTopic);
        await DeleteAsync("delete an unknown topic", "nowhere");
        var gone = await UntilAsync(() => DescribeAsync(SmallTopic), static answer => answer.ErrorCode is not ErrorCode.None);
        Saw("describe after the deletion", $"{gone.ErrorCode}");
        var refused = await UntilAsync(() => ProduceAsync(SmallTopic, 0, Batch("late")), static answer => answer.ErrorCode is not ErrorCode.None);
        Saw("produce after the deletion", $"{refused.ErrorCode}");
        var left = await UntilAsync(() => FetchOffsetsAsync(Group, null), static answer => answer.Topics.Count < 2);
        Saw("offsets after the deletion", $"{Join(left.Topics.Select(static topic => topic.Name))}");
    }

    private async Task DeleteAsync(string step, string topic)
    {
        var answer = await AskAsync<DeleteTopicsRequest, DeleteTopicsResponse>(
            new DeleteTopicsRequest { Topics = [new DeleteTopicState { Name = topic }], TopicNames = [topic], TimeoutMs = 10_000 });
        Saw(step, $"{answer.Responses.Single().ErrorCode}");
    }

    private static string Join(IEnumerable<string> parts) => $"[{string.Join(", ", parts)}]";
}
