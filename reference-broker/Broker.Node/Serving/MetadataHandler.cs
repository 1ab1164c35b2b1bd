using Broker.Core.Controller;
using Broker.Core.Groups;
using Broker.Core.Metadata;
using Broker.Node.Rpc;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Node.Serving;

/// <summary>Tells clients the unfenced brokers, the topics and who leads what, as this broker's own image has it.</summary>
/// <remarks>Topics can be asked for by id from version 12 on; the two versions before have the field, and refuse the whole request that uses it.</remarks>
public sealed class MetadataHandler(IHost host, BrokerSettings settings, BrokerIdentity identity, ControllerLink controller, TaskScope scope)
{
    internal const string ClusterId = "mqverify";

    private const short ByIdFrom = 12;
    private const short CreationVersion = 7;

    /// <summary>Of topics that one request has made; of the others it hears that they are unknown, and asks again.</summary>
    private const int MostCreations = 100;

    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(5), CreationLimit = TimeSpan.FromSeconds(1);

    private readonly HashSet<string> creating = new(StringComparer.Ordinal);   // what the controller is being asked for

    public async ValueTask<MetadataResponse?> HandleAsync(MetadataRequest request, RequestContext context)
    {
        var isAll = request.Topics is null || context.Header.Version == 0 && request.Topics.Count == 0;
        if (settings.AutoCreateTopics && request.AllowAutoTopicCreation && !isAll) await CreateMissingAsync(request.Topics!);
        return Answer(request, isAll, context.Header.Version);
    }

    private MetadataResponse Answer(MetadataRequest request, bool isAll, short version)
    {
        var image = identity.Image;
        var answer = new MetadataResponse { ClusterId = ClusterId, ControllerId = settings.Id.Value };
        foreach (var broker in image.Brokers)
            if (!broker.Fenced) answer.Brokers.Add(new MetadataResponseBroker { NodeId = broker.Broker, Host = broker.Endpoint.Host, Port = broker.Endpoint.Port });

        var tooOld = version < ByIdFrom && !isAll && request.Topics!.Exists(topic => topic.Name is null || topic.TopicId != Guid.Empty);
        if (isAll) answer.Topics.AddRange(image.Topics.Select(topic => Describe(topic, image)));
        else if (tooOld) answer.Topics.AddRange(request.Topics!.Select(wanted => new MetadataResponseTopic { ErrorCode = ErrorCode.InvalidRequest, Name = wanted.Name ?? "" }));
        else answer.Topics.AddRange(request.Topics!.DistinctBy(static wanted => (wanted.Name, wanted.TopicId)).Select(wanted => Describe(wanted, image)));
        return answer;
    }

    /// <summary>
    /// Has the topics made that are not there, with the cluster's defaults, and waits a little until this broker knows them. Kafka answers at once that they are unknown, and its clients
    /// ask again after a second or so.
    /// </summary>
    private async Task CreateMissingAsync(List<MetadataRequestTopic> asked)
    {
        var missing = asked.Select(topic => topic.Name).OfType<string>().Distinct().Where(name => identity.Image.Topic(name) is null && TopicNames.Refuse(name) is null && !OffsetsTopic.IsInternal(name)).Take(MostCreations).ToArray();
        if (missing.Length == 0) return;
        foreach (var name in missing)
            if (creating.Add(name)) scope.Start(() => CreateAsync(name));
        var until = host.Time.Monotonic() + CreationLimit;
        while (Array.Exists(missing, name => identity.Image.Topic(name) is null && creating.Contains(name)) && (until - host.Time.Monotonic()).Ticks > 0) await host.Time.DelayAsync(LookAgain);
    }

    private async Task CreateAsync(string name)
    {
        var creation = new CreateTopicsRequest
        {
            Topics = [new CreatableTopic { Name = name, NumPartitions = -1, ReplicationFactor = -1 }],
            TimeoutMs = (int)settings.RequestTimeout.TotalMilliseconds,
        };
        var answer = await controller.AskActiveAsync<CreateTopicsRequest, CreateTopicsResponse>(
            creation, CreationVersion, answer => answer.Topics.Exists(topic => topic.ErrorCode == ErrorCode.NotController), settings.Backoff);
        if (answer is { Topics: [{ ErrorCode: ErrorCode.None or ErrorCode.TopicAlreadyExists }] }) await host.Time.DelayAsync(CreationLimit);   // its record is on the way here
        creating.Remove(name);
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
        var answer = new MetadataResponseTopic { Name = topic.Name, TopicId = topic.Id, IsInternal = OffsetsTopic.IsInternal(topic.Name) };
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
