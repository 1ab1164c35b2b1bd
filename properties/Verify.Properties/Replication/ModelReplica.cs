using Broker.Core;
using Broker.Core.Log;
using Broker.Core.Metadata;
using Broker.Core.Replication;
using Broker.Protocol;
using Broker.Runtime;

namespace Verify.Properties.Replication;

/// <summary>The answer to a fetch, on its way to the follower that asked in this leader epoch.</summary>
internal sealed record FetchAnswer(int LeaderEpoch, EpochEnd? Diverging, ReadOnlyMemory<byte> Batches, long HighWatermark);

/// <summary>One broker of the model: the faithful or a planted <see cref="Broker.Core.Replication.Partition"/> over a log that survives the process but no power loss, and its own, trailing view of the metadata.</summary>
internal sealed class ModelReplica(int id, BrokerRules rules, TopicSettings defaults)
{
    private readonly MemoryDisk disk = new();

    public int Id => id;

    /// <summary>Under which it is registered; -1 before the first registration.</summary>
    public long BrokerEpoch { get; set; } = -1;

    /// <summary>Its log went with the power, and no new life has registered yet.</summary>
    public bool HasLostItsLog { get; private set; }

    /// <summary>What a new life tells of the one before: its epoch, as long as nothing that it wrote can be lost.</summary>
    public long PreviousBrokerEpoch => HasLostItsLog ? -1 : BrokerEpoch;

    public MetadataImage Image { get; private set; } = new(defaults);

    public bool IsUp { get; private set; }

    /// <summary>Null while the process is down, or does not know the topic.</summary>
    public Partition? Core { get; private set; }

    public FetchAnswer? Answer { get; set; }

    /// <summary>A new process: it knows nothing and serves nobody before its metadata has come to its own registration.</summary>
    public void Start(IReadOnlyList<MetadataRecord> log, TopicPartition id)
    {
        Image = new MetadataImage(defaults);
        (IsUp, HasLostItsLog) = (true, false);
        while (Image.Offset < BrokerEpoch) Image.Apply(log[(int)Image.Offset + 1], Image.Offset + 1);
        Open(id);
    }

    public void Kill() => (IsUp, Core, Answer) = (false, null, null);

    public void LosePower()
    {
        Kill();
        disk.LosePower();
        HasLostItsLog = true;
    }

    /// <summary>Reads the next entry of the metadata log; false when there is none, or nobody to read it.</summary>
    public bool Learn(IReadOnlyList<MetadataRecord> log, TopicPartition id)
    {
        if (!IsUp || Image.Offset + 1 >= log.Count) return false;
        Invariant.Holds(Image.Apply(log[(int)Image.Offset + 1], Image.Offset + 1));
        if (Core is null) Open(id);
        else Take(id);
        return true;
    }

    /// <summary>Registered and active in this broker's metadata, under the epoch with which it fetched.</summary>
    public bool IsAlive(int broker, long brokerEpoch) =>
        Image.Broker(broker) is { IsActive: true } registration && rules.Replication.IsSameRegistration(registration.BrokerEpoch, brokerEpoch);

    /// <summary>The leader epoch in which each offset was written, from the log itself: two records of one partition never share both.</summary>
    public Dictionary<long, int> Written() => Log().Batches().ToDictionary(static batch => batch.BaseOffset, static batch => batch.PartitionLeaderEpoch);

    private PartitionLog Log() => Core?.Log ?? PartitionLog.Open(disk, "log", new LogSettings(), rules.Log, rules.Producers);

    private void Open(TopicPartition id)
    {
        if (Image.Topic(id.Topic) is not { } topic || topic.Partition(id.Partition) is null) return;
        Core = new Partition(Id, id, topic.Id, Log(), rules.Replication, static (Observation _) => { });
        Take(id);
    }

    private void Take(TopicPartition id)
    {
        var topic = Image.Topic(id.Topic)!;
        if (Core!.Apply(topic.Partition(id.Partition)!, topic.Settings) != RoleChange.None) Answer = null;
    }
}
