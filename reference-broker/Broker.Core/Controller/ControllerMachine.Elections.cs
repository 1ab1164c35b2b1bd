using System.Collections.Immutable;
using Broker.Core.Metadata;
using Broker.Protocol;

namespace Broker.Core.Controller;

/// <summary>An operator moves leadership: elections on demand (KIP-460) and another order of replicas (KIP-455).</summary>
public sealed partial class ControllerMachine
{
    private const sbyte Preferred = 0, Unclean = 1;

    /// <summary>
    /// Election type 0: the preferred leader; 1: unclean, whatever the topic's setting says. Null partitions: all that need it. Errors, for each
    /// partition: UNKNOWN_TOPIC_OR_PARTITION, ELECTION_NOT_NEEDED, PREFERRED_LEADER_NOT_AVAILABLE, ELIGIBLE_LEADERS_NOT_AVAILABLE.
    /// </summary>
    public Decision<ElectLeadersResponse> ElectLeaders(ElectLeadersRequest request)
    {
        if (request.ElectionType is not (Preferred or Unclean)) return Decide(new ElectLeadersResponse { ErrorCode = ErrorCode.InvalidRequest });
        var preferred = request.ElectionType is Preferred;
        var response = new ElectLeadersResponse();
        var asked = request.TopicPartitions?.Select(topic => (topic.Topic, (IEnumerable<int>)topic.Partitions))
            ?? image.Topics.Select(topic => (topic.Name, Enumerable.Range(0, topic.Partitions.Count)));
        foreach (var (name, partitions) in asked)
        {
            var answered = new ReplicaElectionResult { Topic = name };
            foreach (var partition in partitions)
            {
                var (error, message) = ElectOne(name, partition, preferred);
                if (error is ErrorCode.ElectionNotNeeded && request.TopicPartitions is null) continue;
                answered.PartitionResult.Add(new ElectLeadersResponse.PartitionResult { PartitionId = partition, ErrorCode = error, ErrorMessage = message });
            }
            response.ReplicaElectionResults.Add(answered);
        }
        return Decide(response);
    }

    /// <summary>
    /// Another order of the same replicas takes effect at once; a preferred election then moves the leader. Errors, for each partition:
    /// UNKNOWN_TOPIC_OR_PARTITION, NO_REASSIGNMENT_IN_PROGRESS for a cancellation, INVALID_REPLICA_ASSIGNMENT for any other set of replicas.
    /// </summary>
    public Decision<AlterPartitionReassignmentsResponse> AlterPartitionReassignments(AlterPartitionReassignmentsRequest request)
    {
        var response = new AlterPartitionReassignmentsResponse { ErrorMessage = null };
        foreach (var asked in request.Topics)
        {
            var answered = new ReassignableTopicResponse { Name = asked.Name };
            foreach (var partition in asked.Partitions)
            {
                var (error, message) = Reorder(asked.Name, partition);
                answered.Partitions.Add(new ReassignablePartitionResponse { PartitionIndex = partition.PartitionIndex, ErrorCode = error, ErrorMessage = message });
            }
            response.Responses.Add(answered);
        }
        return Decide(response);
    }

    private (ErrorCode, string?) ElectOne(string name, int index, bool preferred)
    {
        if (image.Topic(name) is not { } topic) return (ErrorCode.UnknownTopicOrPartition, $"No such topic as {name}");
        if (topic.Partition(index) is not { } partition) return (ErrorCode.UnknownTopicOrPartition, $"No such partition as {name}-{index}");
        if (!rules.Election.ElectionIsNeeded(preferred, partition.Leader, partition.Replicas[0])) return (ErrorCode.ElectionNotNeeded, "Leader election not needed for topic partition.");
        return Change(topic, index, new PartitionWish(Alive(), PreferredWanted: preferred, UncleanAllowed: !preferred))
            ? (ErrorCode.None, null)
            : preferred
                ? (ErrorCode.PreferredLeaderNotAvailable, "The preferred leader was not available.")
                : (ErrorCode.EligibleLeadersNotAvailable, "Eligible topic partition leaders are not available.");
    }

    private (ErrorCode, string?) Reorder(string name, ReassignablePartition wanted)
    {
        if (image.Topic(name)?.Partition(wanted.PartitionIndex) is not { } partition) return (ErrorCode.UnknownTopicOrPartition, $"No such partition as {name}-{wanted.PartitionIndex}");
        if (wanted.Replicas is not { } replicas) return (ErrorCode.NoReassignmentInProgress, "No partition reassignment is in progress.");
        if (!replicas.Order().SequenceEqual(partition.Replicas.Order()))
            return (ErrorCode.InvalidReplicaAssignment, "Replicas can only be put in another order here, not moved to other brokers.");
        Change(image.Topic(name)!, wanted.PartitionIndex, new PartitionWish(Alive(), Replicas: [.. replicas]));
        return (ErrorCode.None, null);
    }
}
