using Broker.Core.Groups;
using Broker.Core.Replication;
using Broker.Node.Serving;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Node.Groups;

/// <summary>Which groups this broker coordinates: those of the partitions of __consumer_offsets that it leads. Has the topic created when it is first asked for.</summary>
public sealed class GroupService
{
    private const short CreateTopicsVersion = 5;

    private readonly SortedDictionary<int, CoordinatedPartition> terms = [];
    private readonly IHost host;
    private readonly BrokerSettings settings;
    private readonly GroupRules rules;
    private readonly BrokerIdentity identity;
    private readonly ControllerLink controller;
    private readonly TaskScope scope;
    private bool isCreating;

    public GroupService(IHost host, BrokerSettings settings, GroupRules rules, BrokerIdentity identity, PartitionTable partitions, ControllerLink controller, TaskScope scope)
    {
        this.host = host;
        this.settings = settings;
        this.rules = rules;
        this.identity = identity;
        this.controller = controller;
        this.scope = scope;
        partitions.RoleChanged += Follow;
    }

    /// <summary>By partition.</summary>
    internal IEnumerable<CoordinatedPartition> Terms => terms.Values;

    /// <summary>The term that coordinates a group here, null when another broker does.</summary>
    internal CoordinatedPartition? Find(string group) =>
        identity.Image.Topic(OffsetsTopic.Name) is { } topic && terms.TryGetValue(OffsetsTopic.PartitionOf(group, topic.Partitions.Count), out var term) && term.IsCurrent ? term : null;

    /// <summary>Whether questions about a term's groups can be answered.</summary>
    internal bool MayServe(CoordinatedPartition term) => rules.MayServe(term.Groups.IsLoaded);

    /// <summary>The broker that coordinates a group; null while there is none, with the topic on its way.</summary>
    public (int Broker, Endpoint Endpoint)? Locate(string group)
    {
        if (identity.Image.Topic(OffsetsTopic.Name) is not { } topic)
        {
            Create();
            return null;
        }
        var partition = topic.Partition(OffsetsTopic.PartitionOf(group, topic.Partitions.Count));
        return partition is { HasLeader: true } && identity.Image.Broker(partition.Leader) is { Fenced: false } leader ? (leader.Broker, leader.Endpoint) : null;
    }

    /// <summary>In the order of the metadata log: before anything that comes behind it.</summary>
    public void TopicDeleted(string topic)
    {
        foreach (var term in terms.Values) term.TopicDeleted(topic);
    }

    public void AssertInvariants()
    {
        foreach (var term in terms.Values) term.Groups.AssertInvariants();
    }

    private void Follow(HostedPartition partition, RoleChange change)
    {
        if (partition.Core.Id.Topic != OffsetsTopic.Name) return;
        if (terms.Remove(partition.Core.Id.Partition, out var before)) before.End();
        if (change != RoleChange.BecameLeader) return;
        var term = new CoordinatedPartition(host, rules, settings.Groups, partition, name => identity.Image.Topic(name) is not null, scope);
        terms.Add(partition.Core.Id.Partition, term);
        scope.Start(term.RunAsync);
    }

    /// <summary>One try at a time; who asks meanwhile, or when it failed, asks again.</summary>
    private void Create()
    {
        if (isCreating) return;
        isCreating = true;
        scope.Start(async () =>
        {
            var topic = new CreatableTopic
            {
                Name = OffsetsTopic.Name,
                NumPartitions = settings.Groups.OffsetsTopicPartitions,
                ReplicationFactor = settings.Groups.OffsetsTopicReplicationFactor,
                Configs =
                [
                    new() { Name = "cleanup.policy", Value = "compact" },
                    new() { Name = "compression.type", Value = "producer" },
                    new() { Name = "segment.bytes", Value = FormattableString.Invariant($"{settings.Groups.OffsetsTopicSegmentBytes}") },
                ],
            };
            var request = new CreateTopicsRequest { Topics = [topic], TimeoutMs = (int)settings.RequestTimeout.TotalMilliseconds };
            await controller.AskActiveAsync<CreateTopicsRequest, CreateTopicsResponse>(
                request, CreateTopicsVersion, static answer => answer.Topics.Exists(topic => topic.ErrorCode == ErrorCode.NotController), settings.Backoff);
            isCreating = false;
        });
    }
}
