using Broker.Core;
using Broker.Core.Log;
using Broker.Core.Metadata;
using Broker.Core.Replication;
using Broker.Runtime;

namespace Broker.Node.Serving;

/// <summary>The partitions that have a replica on this broker, kept in step with the metadata.</summary>
public sealed class PartitionTable(IHost host, BrokerSettings settings, BrokerRules rules, TaskScope scope)
{
    private readonly Dictionary<(Guid Topic, int Index), HostedPartition> byId = [];
    private readonly Dictionary<TopicPartition, HostedPartition> byName = [];
    private readonly List<HostedPartition> inOrder = [];

    /// <summary>In the order in which they came to this broker.</summary>
    public IReadOnlyList<HostedPartition> All => inOrder;

    /// <summary>The stop in good order that this node comes from, 0 where it does not: logs that saved themselves then are not scanned.</summary>
    public long ComesFrom { get; set; }

    /// <summary>Set when a partition came, went or changed its leader.</summary>
    public Signal LeadershipChanged { get; } = new(host.Time);

    /// <summary>Raised when a partition took up leading or following here; with none of both when it is gone.</summary>
    public event Action<HostedPartition, RoleChange>? RoleChanged;

    /// <summary>Raised when a partition has taken over its state and settings from the metadata.</summary>
    public event Action<Partition>? Applied;

    public HostedPartition? Find(string topic, int index) => byName.GetValueOrDefault(new TopicPartition(topic, index));

    public HostedPartition? Find(Guid topic, int index) => byId.GetValueOrDefault((topic, index));

    /// <summary>Takes over all of an image: at start, once it has reached this broker's own registration.</summary>
    public void Apply(MetadataImage image)
    {
        foreach (var topic in image.Topics) Apply(topic);
    }

    /// <summary>Takes over what one record changed in the image.</summary>
    public void Apply(MetadataImage image, MetadataRecord record)
    {
        switch (record)
        {
            case MetadataRecord.PartitionChange it when image.Topic(it.Topic) is { } topic: Apply(topic, it.Partition); break;
            case MetadataRecord.TopicConfig it when image.Topic(it.Topic) is { } topic: Apply(topic); break;
            case MetadataRecord.RemoveTopic it: Remove(it.Topic); break;
        }
    }

    public void AssertInvariants()
    {
        foreach (var partition in inOrder) partition.Core.AssertInvariants();
    }

    private void Apply(TopicState topic)
    {
        for (var index = 0; index < topic.Partitions.Count; index++) Apply(topic, index);
    }

    private void Apply(TopicState topic, int index)
    {
        var state = topic.Partitions[index];
        if (!state.Replicas.Contains(settings.Id.Value)) return;
        var partition = Find(topic.Id, index) ?? Open(topic, index);
        var change = partition.Core.Apply(state, topic.Settings);
        Applied?.Invoke(partition.Core);
        if (change == RoleChange.None) return;
        partition.WakeAll();
        LeadershipChanged.Set();
        RoleChanged?.Invoke(partition, change);
        if (change == RoleChange.BecameLeader) scope.Start(() => CountOwnLogAsync(partition.Core));
    }

    /// <summary>A new leader counts what it had not flushed only once it has, where flush.messages asks for that.</summary>
    private static async Task CountOwnLogAsync(Partition partition)
    {
        var (epoch, end) = (partition.LeaderEpoch, partition.Log.LogEndOffset);
        if (!partition.Log.NeedsFlush) return;
        await partition.FlushAsync();
        partition.Appended(epoch, end);
    }

    private HostedPartition Open(TopicState topic, int index)
    {
        var id = new TopicPartition(topic.Name, index);
        var directory = $"{settings.LogDirectory}/{topic.Name}-{index}.{topic.Id:N}";
        var log = PartitionLog.Open(host.Disk, directory, LogSettings.Of(topic.Settings), rules.Log, rules.Producers, rules.Cleaner, ComesFrom);
        host.Observe(new Observation(ObservationKind.LogRecovered, host.Id, id, log.LastEpoch, Offset: log.LogEndOffset, EndOffset: log.DroppedBytes));
        var partition = new HostedPartition(new Partition(settings.Id.Value, id, topic.Id, log, rules.Replication, seen => host.Observe(seen)));
        byId.Add((topic.Id, index), partition);
        byName[id] = partition;
        inOrder.Add(partition);
        return partition;
    }

    private void Remove(Guid topic)
    {
        foreach (var partition in inOrder.Where(partition => partition.Core.TopicId == topic).ToArray())
        {
            partition.Core.Log.Delete();
            inOrder.Remove(partition);
            byId.Remove((topic, partition.Core.Id.Partition));
            byName.Remove(partition.Core.Id);
            partition.WakeAll();
            RoleChanged?.Invoke(partition, RoleChange.None);
        }
        LeadershipChanged.Set();
    }
}
