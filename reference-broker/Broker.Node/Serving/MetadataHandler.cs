using Broker.Core.Controller;
using Broker.Core.Metadata;
using Broker.Node.Rpc;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Node.Serving;

/// <summary>Tells clients the unfenced brokers, the topics and who leads what, as this broker's own image has it.</summary>
/// <remarks>Topics can be asked for by id from version 12 on; the two versions before have the field, and refuse the whole request that uses it.</remarks>
public sealed class MetadataHandler(BrokerSettings settings, BrokerIdentity identity, ControllerLink controller, TaskScope scope)
{
    private const short ByIdFrom = 12;
    private const short CreationVersion = 7;

    private readonly HashSet<string> wanted = new(StringComparer.Ordinal);   // topics that the controller is being asked to create

    public ValueTask<MetadataResponse?> HandleAsync(MetadataRequest request, RequestContext context)
    {
        var image = identity.Image;
        var answer = new MetadataResponse { ClusterId = "mqverify", ControllerId = settings.Id.Value };
        foreach (var broker in image.Brokers)
            if (!broker.Fenced) answer.Brokers.Add(new MetadataResponseBroker { NodeId = broker.Broker, Host = broker.Endpoint.Host, Port = broker.Endpoint.Port });

        var all = request.Topics is null || context.Header.Version == 0 && request.Topics.Count == 0;
        var tooOld = context.Header.Version < ByIdFrom && !all && request.Topics!.Exists(topic => topic.Name is null || topic.TopicId != Guid.Empty);
        if (all) answer.Topics.AddRange(image.Topics.Select(topic => Describe(topic, image)));
        else if (tooOld) answer.Topics.AddRange(request.Topics!.Select(wanted => new MetadataResponseTopic { ErrorCode = ErrorCode.InvalidRequest, Name = wanted.Name ?? "" }));
        else answer.Topics.AddRange(request.Topics!.Select(asked => Describe(asked, image)));
        if (settings.AutoCreateTopics && request.AllowAutoTopicCreation && !all) Create(answer.Topics);
        return ValueTask.FromResult<MetadataResponse?>(answer);
    }

    /// <summary>Asks for the topics that are not there, with the cluster's defaults. The client asks for them again, as it is told that they are unknown.</summary>
    private void Create(IEnumerable<MetadataResponseTopic> answered)
    {
        foreach (var topic in answered)
            if (topic is { ErrorCode: ErrorCode.UnknownTopicOrPartition, Name: { } name } && wanted.Add(name)) scope.Start(() => CreateAsync(name));
    }

    private async Task CreateAsync(string name)
    {
        var creation = new CreateTopicsRequest
        {
            Topics = [new CreatableTopic { Name = name, NumPartitions = -1, ReplicationFactor = -1 }],
            TimeoutMs = (int)settings.RequestTimeout.TotalMilliseconds,
        };
        await controller.AskActiveAsync<CreateTopicsRequest, CreateTopicsResponse>(
            creation, CreationVersion, answer => answer.Topics.Exists(topic => topic.ErrorCode == ErrorCode.NotController), settings.Backoff);
        wanted.Remove(name);
    }

    private static MetadataResponseTopic Describe(MetadataRequestTopic wanted, MetadataImage image)
    {
        if (wanted.Name is not { } name)
            return image.Topic(wanted.TopicId) is { } byId ? Describe(byId, image) : new MetadataResponseTopic { ErrorCode = ErrorCode.UnknownTopicId, Name = null, TopicId = wanted.TopicId };
        if (TopicNames.Refuse(name) is not null) return new MetadataResponseTopic { ErrorCode = ErrorCode.InvalidTopicException, Name = name };
        return image.Topic(name) is { } topic ? Describe(topic, image) : new MetadataResponseTopic { ErrorCode = ErrorCode.UnknownTopicOrPartition, Name = name };
    }

    private static MetadataResponseTopic Describe(TopicState topic, MetadataImage image)
    {
        var answer = new MetadataResponseTopic { Name = topic.Name, TopicId = topic.Id };
        for (var index = 0; index < topic.Partitions.Count; index++)
        {
            var partition = topic.Partitions[index];
            answer.Partitions.Add(new MetadataResponsePartition
            {
                ErrorCode = partition.HasLeader ? ErrorCode.None : ErrorCode.LeaderNotAvailable,
                PartitionIndex = index,
                LeaderId = partition.Leader,
                LeaderEpoch = partition.LeaderEpoch,
                ReplicaNodes = [.. partition.Replicas],
                IsrNodes = [.. partition.Isr.Ids()],
                OfflineReplicas = [.. partition.Replicas.Where(id => image.Broker(id) is not { Fenced: false })],
            });
        }
        return answer;
    }
}
