using System.Collections.Immutable;
using Broker.Core.Metadata;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Core.Controller;

/// <summary>Topics grow.</summary>
public sealed partial class ControllerMachine
{
    /// <summary>
    /// Errors, for each topic: UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS where the count would not grow or grow too far, INVALID_REPLICA_ASSIGNMENT,
    /// INVALID_REPLICATION_FACTOR, and INVALID_REQUEST for a name given twice.
    /// </summary>
    public Decision<CreatePartitionsResponse> CreatePartitions(CreatePartitionsRequest request)
    {
        var response = new CreatePartitionsResponse();
        var answered = new SortedSet<string>(StringComparer.Ordinal);
        var twice = GivenTwice(request.Topics.Select(static topic => topic.Name));
        foreach (var wanted in request.Topics)
        {
            if (!answered.Add(wanted.Name)) continue;
            var refusal = twice.Contains(wanted.Name) ? new Refusal(ErrorCode.InvalidRequest, "Duplicate topic name.") : Grow(wanted, request.ValidateOnly);
            response.Results.Add(new CreatePartitionsResponse.CreatePartitionsTopicResult { Name = wanted.Name, ErrorCode = refusal?.Error ?? ErrorCode.None, ErrorMessage = refusal?.Reason });
        }
        return Decide(response);
    }

    private Refusal? Grow(CreatePartitionsRequest.CreatePartitionsTopic wanted, bool validateOnly)
    {
        if (image.Topic(wanted.Name) is not { } topic) return new Refusal(ErrorCode.UnknownTopicOrPartition, null);
        var (before, added) = (topic.Partitions.Count, (long)wanted.Count - topic.Partitions.Count);
        if (added == 0) return new Refusal(ErrorCode.InvalidPartitions, $"Topic already has {before} partition(s).");
        if (added < 0) return new Refusal(ErrorCode.InvalidPartitions, $"The topic {topic.Name} currently has {before} partition(s); {wanted.Count} would not be an increase.");
        if (added > settings.PartitionLimit - image.Topics.Sum(one => one.Partitions.Count))
            return new Refusal(ErrorCode.InvalidPartitions, $"A cluster has at most {settings.PartitionLimit} partitions.");

        var replicas = topic.Partitions[0].Replicas.Length;
        if (PlaceMore(wanted, before, (int)added, replicas, out var placed) is { } misplaced) return misplaced;
        if (validateOnly) return null;
        for (var i = 0; i < placed.Count; i++)
        {
            var state = NewPartition(placed[i]);
            Append(new MetadataRecord.PartitionChange(topic.Id, before + i, state));
            Show(new TopicPartition(topic.Name, before + i), state, null, ElectionKind.Clean);
        }
        return null;
    }

    private Refusal? PlaceMore(CreatePartitionsRequest.CreatePartitionsTopic wanted, int before, int added, int replicas, out List<ImmutableArray<int>> placed)
    {
        placed = [];
        if (wanted.Assignments is not { } assignments) return Spread(added, replicas, placed);
        if (assignments.Count != added)
            return new Refusal(ErrorCode.InvalidReplicaAssignment, $"Attempted to add {added} additional partition(s), but only {assignments.Count} assignment(s) were specified.");
        foreach (var assigned in assignments)
            if (TakeAssignment(before + placed.Count, assigned.BrokerIds, replicas, placed) is { } refusal) return refusal;
        return null;
    }
}
