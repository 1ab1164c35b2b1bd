using System.Collections.Immutable;
using Broker.Core.Metadata;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Core.Controller;

/// <summary>Topics are created and deleted.</summary>
public sealed partial class ControllerMachine
{
    /// <summary>Of one request; of partitions there is a limit anyway. Source: Kafka's ReplicationControlManager, MAX_PARTITIONS_PER_BATCH.</summary>
    private const int MostTopicsAtOnce = 10_000;

    /// <summary>
    /// Errors, for each topic: INVALID_TOPIC_EXCEPTION, TOPIC_ALREADY_EXISTS, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR, INVALID_REPLICA_ASSIGNMENT,
    /// INVALID_CONFIG, INVALID_REQUEST for a name given twice, and for all of them POLICY_VIOLATION where they are too many at once. A count of -1 asks for the default.
    /// </summary>
    public Decision<CreateTopicsResponse> CreateTopics(CreateTopicsRequest request)
    {
        var response = new CreateTopicsResponse();
        var answered = new SortedSet<string>(StringComparer.Ordinal);
        var twice = GivenTwice(request.Topics.Select(static topic => topic.Name));
        var tooMany = request.Topics.Count > MostTopicsAtOnce;
        foreach (var wanted in request.Topics)
        {
            if (!answered.Add(wanted.Name)) continue;
            response.Topics.Add(tooMany ? Refused(wanted, new Refusal(ErrorCode.PolicyViolation, "Excessively large number of partitions per request.")) : twice.Contains(wanted.Name) ? Refused(wanted, new Refusal(ErrorCode.InvalidRequest, "Duplicate topic name.")) : Create(wanted, request.ValidateOnly));
        }
        return Decide(response);
    }

    /// <summary>Errors, for each topic: UNKNOWN_TOPIC_OR_PARTITION by name, UNKNOWN_TOPIC_ID by id, INVALID_REQUEST for both, neither or the same twice.</summary>
    public Decision<DeleteTopicsResponse> DeleteTopics(DeleteTopicsRequest request)
    {
        var response = new DeleteTopicsResponse();
        var asked = request.TopicNames.Select(name => (Name: (string?)name, TopicId: Guid.Empty))
            .Concat(request.Topics.Select(topic => (topic.Name, topic.TopicId)))
            .ToList();
        var twice = GivenTwice(asked);
        foreach (var (name, id) in asked.Distinct()) response.Responses.Add(Delete(name, id, twice.Contains((name, id))));
        return Decide(response);
    }

    /// <summary>In one pass: a request may give a hundred thousand.</summary>
    private static HashSet<T> GivenTwice<T>(IEnumerable<T> given) where T : notnull => [.. given.CountBy(static one => one).Where(static count => count.Value > 1).Select(static count => count.Key)];

    private DeletableTopicResult Delete(string? name, Guid id, bool twice)
    {
        if (twice || name is null == (id == Guid.Empty))
            return Answer(ErrorCode.InvalidRequest, twice ? "Duplicate topic." : "You must give either a name or an id.");
        var topic = name is null ? image.Topic(id) : image.Topic(name);
        if (topic is null)
            return name is null
                ? Answer(ErrorCode.UnknownTopicId, "This server does not host this topic ID.")
                : Answer(ErrorCode.UnknownTopicOrPartition, "This server does not host this topic-partition.");
        Append(new MetadataRecord.RemoveTopic(topic.Id));
        return new DeletableTopicResult { Name = topic.Name, TopicId = topic.Id };

        DeletableTopicResult Answer(ErrorCode error, string message) => new() { Name = name, TopicId = id, ErrorCode = error, ErrorMessage = message };
    }

    private CreatableTopicResult Create(CreatableTopic wanted, bool validateOnly)
    {
        if (RefuseName(wanted.Name) is { } badName) return Refused(wanted, badName);
        if (RefuseConfigs(wanted.Configs) is { } badConfig) return Refused(wanted, badConfig);
        if (Place(wanted, out var placed) is { } misplaced) return Refused(wanted, misplaced);

        var id = Guid.Empty;
        if (!validateOnly)
        {
            id = NextTopicId();
            Append(new MetadataRecord.CreateTopic(id, wanted.Name));
            foreach (var config in wanted.Configs) Append(new MetadataRecord.TopicConfig(id, config.Name, config.Value));
            for (var partition = 0; partition < placed.Count; partition++)
            {
                var state = NewPartition(placed[partition]);
                Append(new MetadataRecord.PartitionChange(id, partition, state));
                Show(new TopicPartition(wanted.Name, partition), state, null, ElectionKind.Clean);
            }
        }
        return new CreatableTopicResult
        {
            Name = wanted.Name,
            TopicId = id,
            ErrorMessage = null,
            NumPartitions = placed.Count,
            ReplicationFactor = (short)placed[0].Length,
            Configs = Describe(wanted.Configs),
        };
    }

    private Refusal? RefuseName(string name)
    {
        if (TopicNames.Refuse(name) is { } reason) return new Refusal(ErrorCode.InvalidTopicException, reason);
        if (image.Topic(name) is not null) return new Refusal(ErrorCode.TopicAlreadyExists, $"Topic '{name}' already exists.");
        return image.Topics.FirstOrDefault(topic => TopicNames.Collide(topic.Name, name)) is { } other
            ? new Refusal(ErrorCode.InvalidTopicException, $"Topic '{name}' collides with existing topic: {other.Name}")
            : null;
    }

    private static Refusal? RefuseConfigs(List<CreatableTopicConfig> configs)
    {
        foreach (var config in configs)
            if (TopicConfigs.Refuse(config.Name, config.Value) is { } reason) return new Refusal(ErrorCode.InvalidConfig, reason);
        return null;
    }

    /// <summary>The brokers of each partition, as the request names them or going round those registered, those let in first.</summary>
    private Refusal? Place(CreatableTopic wanted, out List<ImmutableArray<int>> placed)
    {
        placed = [];
        if (wanted.Assignments.Count > 0) return TakeAssignments(wanted, placed);
        var partitions = wanted.NumPartitions == -1 ? settings.DefaultPartitions : wanted.NumPartitions;
        var replicas = wanted.ReplicationFactor == -1 ? settings.DefaultReplicationFactor : wanted.ReplicationFactor;
        var before = image.Topics.Sum(topic => topic.Partitions.Count);
        if (partitions <= 0) return new Refusal(ErrorCode.InvalidPartitions, "Number of partitions was set to an invalid non-positive value.");
        if (partitions > settings.PartitionLimit - before) return new Refusal(ErrorCode.InvalidPartitions, $"A cluster has at most {settings.PartitionLimit} partitions.");
        if (replicas <= 0) return new Refusal(ErrorCode.InvalidReplicationFactor, "Replication factor must be larger than 0.");

        return Spread(partitions, replicas, placed);
    }

    /// <summary>New partitions go round the brokers from where all partitions before them ended.</summary>
    private Refusal? Spread(int partitions, int replicas, List<ImmutableArray<int>> placed)
    {
        var before = image.Topics.Sum(topic => topic.Partitions.Count);
        var active = image.Brokers.Where(StartsInSync).Select(broker => broker.Broker).ToList();
        var others = image.Brokers.Where(broker => !StartsInSync(broker)).Select(broker => broker.Broker).ToList();
        if (replicas > active.Count + others.Count)
            return new Refusal(ErrorCode.InvalidReplicationFactor, $"Unable to replicate the partition {replicas} time(s): only {active.Count + others.Count} broker(s) are registered.");
        if (active.Count == 0) return new Refusal(ErrorCode.InvalidReplicationFactor, "All brokers are currently fenced.");
        for (var partition = 0; partition < partitions; partition++)
            placed.Add([.. GoRound(active, before + partition).Concat(GoRound(others, before + partition)).Take(replicas)]);
        return null;
    }

    private IEnumerable<int> GoRound(List<int> brokers, int partitionsBefore)
    {
        for (var replica = 0; replica < brokers.Count; replica++) yield return rules.Placement.Replica(brokers, partitionsBefore, replica);
    }

    private Refusal? TakeAssignments(CreatableTopic wanted, List<ImmutableArray<int>> placed)
    {
        if (wanted.NumPartitions != -1 || wanted.ReplicationFactor != -1)
            return new Refusal(ErrorCode.InvalidRequest, "With an assignment of replicas both counts must be -1.");
        foreach (var assigned in wanted.Assignments.OrderBy(assignment => assignment.PartitionIndex))
        {
            if (assigned.PartitionIndex != placed.Count)
                return new Refusal(ErrorCode.InvalidReplicaAssignment, "Partitions must be numbered from 0 without gaps, each once.");
            if (TakeAssignment(placed.Count, assigned.BrokerIds, placed.Count > 0 ? placed[0].Length : null, placed) is { } refusal) return refusal;
        }
        return null;
    }

    /// <param name="replicas">How many all partitions of the topic have; null: this is the first.</param>
    private Refusal? TakeAssignment(int partition, List<int> brokers, int? replicas, List<ImmutableArray<int>> placed)
    {
        var known = brokers.TrueForAll(broker => image.Broker(broker) is not null);
        if (!known || brokers.Count == 0 || brokers.Distinct().Count() != brokers.Count)
            return new Refusal(ErrorCode.InvalidReplicaAssignment, $"Replicas of partition {partition} must be registered brokers, each once.");
        if (replicas is { } all && all != brokers.Count)
            return new Refusal(ErrorCode.InvalidReplicaAssignment, "All partitions must have the same number of replicas.");
        if (!brokers.Exists(broker => StartsInSync(image.Broker(broker)!)))
            return new Refusal(ErrorCode.InvalidReplicaAssignment, $"All brokers of partition {partition} are fenced or shutting down.");
        placed.Add([.. brokers]);
        return null;
    }

    private PartitionState NewPartition(ImmutableArray<int> replicas)
    {
        var inSync = replicas.Where(replica => StartsInSync(image.Broker(replica)!)).ToList();
        var leader = rules.Election.ChooseClean(inSync, PartitionState.NoLeader, replicas[0]);
        return new PartitionState(replicas, NodeSet.Of(inSync), NodeSet.Empty, PartitionState.NoLeader, leader, LeaderEpoch: 0, PartitionEpoch: 0);
    }

    private bool StartsInSync(BrokerRegistration broker) => rules.Placement.StartsInSync(broker.Fenced, broker.InControlledShutdown);

    private Guid NextTopicId()
    {
        Span<byte> bytes = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes, prng.NextUInt64());
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], prng.NextUInt64() | 1);   // never the zero id
        return new Guid(bytes, bigEndian: true);
    }

    /// <summary>Every setting of a topic with these of its own.</summary>
    private List<CreatableTopicConfigs> Describe(List<CreatableTopicConfig> own)
    {
        const sbyte dynamicTopicConfig = 1, defaultConfig = 5;
        var described = new List<CreatableTopicConfigs>(TopicConfigs.Names.Count);
        foreach (var name in TopicConfigs.Names)
        {
            var set = own.FindLast(config => config.Name == name);
            described.Add(new CreatableTopicConfigs
            {
                Name = name,
                Value = set is null ? TopicConfigs.DefaultOf(name, image.Defaults) : set.Value,
                ConfigSource = set is null ? defaultConfig : dynamicTopicConfig,
            });
        }
        return described;
    }

    private static CreatableTopicResult Refused(CreatableTopic wanted, Refusal refusal) =>
        new() { Name = wanted.Name, ErrorCode = refusal.Error, ErrorMessage = refusal.Reason };

    private sealed record Refusal(ErrorCode Error, string? Reason);
}
