using Broker.Protocol;
using Broker.Runtime;

namespace Verify.Clients;

/// <summary>Topics and leaders.</summary>
public interface IAdmin
{
    /// <summary>Creates a topic. Ok says that the controller committed it; other brokers learn of it a little later.</summary>
    Task<AdminOutcome> CreateTopicAsync(NewTopic topic, TimeSpan timeout);

    Task<AdminOutcome> DeleteTopicAsync(string topic, TimeSpan timeout);

    /// <summary>The names of all topics in ordinal order, as the given broker knows them, or any broker.</summary>
    Task<Answer<IReadOnlyList<string>>> ListTopicsAsync(TimeSpan timeout, NodeId? broker = null);

    /// <summary>A topic as the given broker knows it, or any broker.</summary>
    Task<Answer<TopicDescription>> DescribeTopicAsync(string topic, TimeSpan timeout, NodeId? broker = null);

    Task<Answer<ClusterDescription>> DescribeClusterAsync(TimeSpan timeout);

    /// <summary>
    /// Makes a replica the preferred leader (by putting it first among the replicas) and has it elected. Ok when it leads, also when it did before;
    /// fail when it cannot be elected, for instance because it is not in sync.
    /// </summary>
    Task<AdminOutcome> MoveLeaderAsync(TopicPartition partition, NodeId leader, TimeSpan timeout);

    void Close();
}

/// <param name="Partitions">Number of partitions; -1 for the broker's default.</param>
/// <param name="ReplicationFactor">Replicas of each; -1 for the broker's default.</param>
/// <param name="Assignment">The replicas of each partition, preferred leader first; replaces both counts when given.</param>
/// <param name="Configuration">Topic settings under Kafka's names.</param>
public sealed record NewTopic(
    string Name,
    int Partitions,
    short ReplicationFactor,
    IReadOnlyList<IReadOnlyList<NodeId>>? Assignment = null,
    IReadOnlyList<KeyValuePair<string, string>>? Configuration = null);

/// <param name="Partitions">In ascending order of their index.</param>
public sealed record TopicDescription(string Name, Guid TopicId, IReadOnlyList<PartitionDescription> Partitions);

/// <param name="Leader"><see cref="NodeId.None"/> when there is none.</param>
public sealed record PartitionDescription(
    int Partition, ErrorCode Error, NodeId Leader, int LeaderEpoch, IReadOnlyList<NodeId> Replicas, IReadOnlyList<NodeId> InSyncReplicas);

/// <param name="Brokers">Those that are not fenced, ascending by id.</param>
public sealed record ClusterDescription(string? ClusterId, NodeId Controller, IReadOnlyList<BrokerDescription> Brokers);

public sealed record BrokerDescription(NodeId Id, Endpoint Endpoint);
