using Broker.Protocol;

namespace Verify.Tests.Clients;

/// <summary>This part: what clients ask more rarely, and mostly are refused.</summary>
public sealed partial class ProtocolConversation
{
    private const int NoSuchReplica = 99;
    private const sbyte TopicResource = 2, Set = 0, Delete = 1, Append = 2;

    private static readonly Guid NoSuchId = new("00010203-0405-0607-0809-0a0b0c0d0e0f");

    private async Task CornersAsync()
    {
        var id = (await DescribeAsync(Topic)).TopicId;
        await CornersOfTopicsAsync(id);
        await CornersOfProducingAsync();
        await CornersOfFetchingAsync(id);
        await CornersOfOffsetsAsync();
        await SettingsAsync();
        await CornersOfAdministrationAsync();
    }

    private async Task CornersOfTopicsAsync(Guid id)
    {
        await DescribeAsync("describe by id", new MetadataRequestTopic { TopicId = id, Name = null }, 12);
        await DescribeAsync("describe an unknown id", new MetadataRequestTopic { TopicId = NoSuchId, Name = null }, 12);
        await DescribeAsync("describe without a name, v10", new MetadataRequestTopic { TopicId = id, Name = null }, 10);
        await DescribeAsync("describe an unknown id, v11", new MetadataRequestTopic { TopicId = NoSuchId, Name = null }, 11);
        await DescribeAsync("describe the empty name", new MetadataRequestTopic { Name = "" }, 12);
        var none = await AskAsync<MetadataRequest, MetadataResponse>(new MetadataRequest { Topics = [] });
        var all = await AskAsync<MetadataRequest, MetadataResponse>(new MetadataRequest { Topics = [] }, 0);
        Saw("describe no topics", $"{none.Topics.Count}, in v0 {all.Topics.Count}");

        await CreateAsync("create with default counts", new CreatableTopic { Name = "a_b", NumPartitions = -1, ReplicationFactor = -1 });
        await CreateAsync("create where only a dot differs", new CreatableTopic { Name = "a.b", NumPartitions = 1, ReplicationFactor = 1 });
        await CreateAsync("create with an assignment and counts", new CreatableTopic { Name = "none", NumPartitions = 1, ReplicationFactor = 1, Assignments = [new() { BrokerIds = [1] }] });
        await CreateAsync("create with a setting without a value", new CreatableTopic { Name = "none", NumPartitions = 1, ReplicationFactor = 1, Configs = [new() { Name = "min.insync.replicas", Value = null }] });
        var twice = await AskAsync<CreateTopicsRequest, CreateTopicsResponse>(new CreateTopicsRequest { Topics = [One("twice"), One("twice"), One("once")], ValidateOnly = true, TimeoutMs = 10_000 });
        Saw("create twice in one request, only to see", $"{Join(twice.Topics.OrderBy(topic => topic.Name, StringComparer.Ordinal).Select(topic => $"{topic.Name} {topic.ErrorCode} settings {topic.Configs?.Count ?? 0}"))}");

        static CreatableTopic One(string name) => new() { Name = name, NumPartitions = 1, ReplicationFactor = 1 };
    }

    private async Task DescribeAsync(string step, MetadataRequestTopic topic, short version)
    {
        var answer = await AskAsync<MetadataRequest, MetadataResponse>(new MetadataRequest { Topics = [topic], AllowAutoTopicCreation = false }, version);
        Saw(step, $"{Join(answer.Topics.Select(found => $"{found.ErrorCode} {(found.Name is null ? "no name" : $"'{found.Name}'")} partitions {found.Partitions.Count}"))}");
    }

    private async Task CornersOfProducingAsync()
    {
        await SawProduceAsync("produce in a transaction without a transactional id", SmallTopic, 0, Builder("x", batch => (batch.IsTransactional, batch.ProducerId, batch.ProducerEpoch, batch.BaseSequence) = (true, 1, 0, 0)));
        await SawProduceAsync("produce a batch of no records", SmallTopic, 0, new RecordBatchBuilder().ToArray());
        var empty = await AskAsync<InitProducerIdRequest, InitProducerIdResponse>(new InitProducerIdRequest { TransactionalId = "", TransactionTimeoutMs = 60_000 });
        Saw("a producer id for an empty transactional id", $"{empty.ErrorCode}, {empty.ProducerId}");
    }

    private async Task CornersOfFetchingAsync(Guid id)
    {
        await FetchAsync("fetch by id", new FetchTopic { TopicId = id, Partitions = [At(0, 11)] }, 13);
        await FetchAsync("fetch an unknown partition by id", new FetchTopic { TopicId = id, Partitions = [At(7, 0)] }, 13);
        await FetchAsync("fetch an unknown id", new FetchTopic { TopicId = NoSuchId, Partitions = [At(0, 0)] }, 13);
        await FetchAsync("fetch in a session that is not there", new FetchTopic { Topic = Topic, Partitions = [At(0, 11)] }, 12, session: 4711, sessionEpoch: 3);
        await FetchAsync("fetch in the session 0", new FetchTopic { Topic = Topic, Partitions = [At(0, 11)] }, 7, session: 0, sessionEpoch: 3);
        await FetchAsync("fetch and end a session that is not there", new FetchTopic { Topic = Topic, Partitions = [At(0, 11)] }, 12, session: 4711, sessionEpoch: -1);
        await FetchAsync("fetch as a replica that is none", new FetchTopic { Topic = Topic, Partitions = [At(0, 11)] }, 12, replica: NoSuchReplica);
        await FetchAsync("fetch as a replica that is none, in the leader's epoch", new FetchTopic { Topic = Topic, Partitions = [At(0, 11, epoch: 0)] }, 12, replica: NoSuchReplica);
        await FetchAsync("fetch at the end as a replica that is none", new FetchTopic { Topic = Topic, Partitions = [At(0, 12)] }, 12, replica: NoSuchReplica);

        static FetchPartition At(int partition, long offset, int epoch = -1) => new() { Partition = partition, FetchOffset = offset, CurrentLeaderEpoch = epoch, PartitionMaxBytes = 1 << 20 };
    }

    private async Task FetchAsync(string step, FetchTopic topic, short version, int session = 0, int sessionEpoch = -1, int replica = -1)
    {
        var request = new FetchRequest { ReplicaId = replica, MaxWaitMs = 100, MinBytes = 1, MaxBytes = 1 << 20, SessionId = session, SessionEpoch = sessionEpoch, Topics = [topic] };
        var answer = await AskAsync<FetchRequest, FetchResponse>(request, version);
        Saw(step, $"{answer.ErrorCode}, session {answer.SessionId}, {Join(answer.Responses.SelectMany(found => found.Partitions).Select(data => $"{data.ErrorCode} high watermark {data.HighWatermark} {(data.Records is { Length: > 0 } ? "records" : "no records")}"))}");
    }

    private async Task CornersOfOffsetsAsync()
    {
        const long largestTimestamp = -3, earliestLocal = -4, latestTiered = -5, unknown = -7;
        await SawOffsetAsync("largest timestamp v6", Topic, 0, largestTimestamp, version: 6);
        await SawOffsetAsync("earliest local", Topic, 0, earliestLocal, version: 8);
        await SawOffsetAsync("earliest local v7", Topic, 0, earliestLocal, version: 7);
        await SawOffsetAsync("latest tiered v8", Topic, 0, latestTiered, version: 8);
        await SawOffsetAsync("no such question", Topic, 0, unknown, version: 8);
        await SawOffsetAsync("no such question of an unknown partition", Topic, 7, unknown, version: 8);
    }

    /// <remarks>No unknown operation: Kafka 4.3.1's active controller gives up its office over one (and answers UNKNOWN_SERVER_ERROR).</remarks>
    private async Task SettingsAsync()
    {
        await AlterAsync("alter a setting", Topic, [("min.insync.replicas", Set, "1")]);
        await AlterAsync("alter a setting back", Topic, [("min.insync.replicas", Delete, null)]);
        await AlterAsync("alter to a bad value", Topic, [("min.insync.replicas", Set, "0")]);
        await AlterAsync("alter to no value", Topic, [("min.insync.replicas", Set, null)]);
        await AlterAsync("alter an unknown setting", Topic, [("no.such.setting", Set, "1")]);
        await AlterAsync("alter an unknown setting back", Topic, [("no.such.setting", Delete, null)]);
        await AlterAsync("alter one setting twice", Topic, [("min.insync.replicas", Set, "1"), ("min.insync.replicas", Set, "2")]);
        await AlterAsync("append to a number", Topic, [("min.insync.replicas", Append, "1")]);
        await AlterAsync("append to a list", Topic, [("cleanup.policy", Append, "delete")]);
        await AlterAsync("append nothing to a list", Topic, [("cleanup.policy", Append, null)]);
        await AlterAsync("alter an unknown topic", "nowhere", [("min.insync.replicas", Set, "1")]);
        await AlterAsync("alter an ill-formed name", "a b", [("min.insync.replicas", Set, "1")]);
        await AlterAsync("alter an unknown kind of resource", Topic, [("min.insync.replicas", Set, "1")], kind: 77);
        await AlterAsync("alter one topic twice", Topic, [("min.insync.replicas", Set, "1")], times: 2);
        await ReplaceAsync("replace the settings", Topic, ("flush.messages", "1000"), ("min.insync.replicas", "1"));
        await ReplaceAsync("replace the settings by none", Topic);
        await ReplaceAsync("replace by a bad value", Topic, ("min.insync.replicas", "0"));
        await ReplaceAsync("replace by no value", Topic, ("min.insync.replicas", null));
        await ReplaceAsync("replace by an unknown setting", Topic, ("no.such.setting", "1"));
        await ReplaceAsync("replace by one setting twice", Topic, ("min.insync.replicas", "1"), ("min.insync.replicas", "1"));
        await ReplaceAsync("replace back", Topic);
        await ReplaceAsync("replace in an unknown topic", "nowhere", ("min.insync.replicas", "1"));
    }

    private async Task ReplaceAsync(string step, string topic, params (string Name, string? Value)[] settings)
    {
        var resource = new AlterConfigsRequest.AlterConfigsResource
        {
            ResourceType = TopicResource,
            ResourceName = topic,
            Configs = [.. settings.Select(static setting => new AlterConfigsRequest.AlterableConfig { Name = setting.Name, Value = setting.Value })],
        };
        var answer = await AskAsync<AlterConfigsRequest, AlterConfigsResponse>(new AlterConfigsRequest { Resources = [resource] });
        Saw(step, $"{Join(answer.Responses.Select(altered => $"{altered.ErrorCode}"))}");
    }

    private async Task AlterAsync(string step, string topic, (string Name, sbyte Operation, string? Value)[] changes, sbyte kind = TopicResource, int times = 1)
    {
        var resource = new IncrementalAlterConfigsRequest.AlterConfigsResource
        {
            ResourceType = kind,
            ResourceName = topic,
            Configs = [.. changes.Select(change => new IncrementalAlterConfigsRequest.AlterableConfig { Name = change.Name, ConfigOperation = change.Operation, Value = change.Value })],
        };
        var answer = await AskAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(new IncrementalAlterConfigsRequest { Resources = [.. Enumerable.Repeat(resource, times)] });
        Saw(step, $"{Join(answer.Responses.Select(altered => $"{altered.ErrorCode}"))}");
    }

    private async Task CornersOfAdministrationAsync()
    {
        await ElectAsync("elect uncleanly where nothing is to do", Topic, 0, type: 1);
        var anywhere = await AskAsync<ElectLeadersRequest, ElectLeadersResponse>(new ElectLeadersRequest { TopicPartitions = null, TimeoutMs = 10_000 });
        Saw("elect wherever it is needed", $"{anywhere.ErrorCode}, {anywhere.ReplicaElectionResults.Count}");
        await ElectAsync("elect in an unknown topic", "nowhere", 0);
        await ReassignAsync("reassign to one broker twice", Topic, 0, [1, 1]);
        await ReassignAsync("reassign to nobody", Topic, 0, []);
        await ReassignAsync("reassign an unknown partition", Topic, 7, [1]);
        await DeleteAsync("delete an unknown id", new DeleteTopicState { Name = null, TopicId = NoSuchId });
        await DeleteAsync("delete by name and id", new DeleteTopicState { Name = "a_b", TopicId = NoSuchId });
        await DeleteAsync("delete by neither", new DeleteTopicState { Name = null });
        await DeleteAsync("delete twice in one request", new DeleteTopicState { Name = "a_b" }, new DeleteTopicState { Name = "a_b" });
        await DeleteAsync("delete where only a dot would have differed", new DeleteTopicState { Name = "a_b" });
    }

    private async Task DeleteAsync(string step, params DeleteTopicState[] topics)
    {
        var answer = await AskAsync<DeleteTopicsRequest, DeleteTopicsResponse>(new DeleteTopicsRequest { Topics = [.. topics], TimeoutMs = 10_000 });
        Saw(step, $"{Join(answer.Responses.Select(deleted => $"{deleted.ErrorCode} {(deleted.Name is null ? "no name" : deleted.Name)}"))}");
    }
}
