using Broker.Core.Groups;
using Broker.Runtime;
using Verify.Clients;
using Verify.Promises;
using Verify.Workloads;

namespace Verify.Campaign.Running;

/// <summary>The topic in which groups under test keep their offsets: whatever the topic under test is set to, this one keeps the promise on which those of groups rest.</summary>
internal static class OffsetsPlan
{
    public const int Partitions = 2, MinInSyncReplicas = PromiseMatrix.OffsetsMinIsr;

    private const short ReplicationFactor = 3;

    public static IReadOnlyList<TopicPartition> All { get; } = [.. Enumerable.Range(0, Partitions).Select(index => new TopicPartition(OffsetsTopic.Name, index))];

    /// <summary>Created before the first group needs it: a broker would create it with its own defaults.</summary>
    public static NewTopic New { get; } = new(OffsetsTopic.Name, Partitions, ReplicationFactor, Configuration:
        [new("cleanup.policy", "compact"), new(SettingCatalogue.MinInsyncReplicas, $"{MinInSyncReplicas}"), new(SettingCatalogue.UncleanLeaderElection, "false")]);

    /// <summary>The partition that keeps a group.</summary>
    public static TopicPartition PartitionOf(string group) => All[OffsetsTopic.PartitionOf(group, Partitions)];

    /// <summary>Those that keep the groups of a plan.</summary>
    public static IReadOnlyList<TopicPartition> Of(WorkloadPlan plan) => [.. plan.Members.Select(static member => PartitionOf(member.GroupId)).Distinct().OrderBy(static one => one.Partition)];

    public static int ReplicasOf(Configuration configuration, TopicPartition partition) => partition.Topic == OffsetsTopic.Name ? ReplicationFactor : configuration.ReplicationFactor;
}
