using Broker.Core.Groups;
using Broker.Protocol;
using Broker.Runtime;
using Chaos.Faults;
using Verify.Campaign.Running;
using Verify.Promises;

namespace Verify.Campaign.Judging;

/// <summary>The lives of all committed offsets of a run in the topic that keeps them, as <see cref="RecordLives"/> tells those of records.</summary>
internal sealed class OffsetLives
{
    private readonly SortedDictionary<int, PartitionLives> partitions = [];
    private readonly Dictionary<(string Group, string Topic, int Partition, long Offset), long> names = [];
    private readonly Dictionary<string, bool> hasMembers = new(StringComparer.Ordinal);   // by group, as its log says
    private readonly List<(string Group, string Topic, int Partition, TimeSpan At)> expired = [];
    private readonly RunRecord run;
    private readonly PowerLimit power;

    public OffsetLives(RunRecord run)
    {
        this.run = run;
        power = new PowerLimit(null, ClusterNodes.Brokers(run.Scenario.Configuration.Brokers), partition => OffsetsPlan.ReplicasOf(run.Scenario.Configuration, partition));
        for (var i = 0; i < run.Journal.Count; i++) Observe(run.Journal[i].What, i);
    }

    /// <summary>The most replicas of one partition whose disks lost a committed offset between two moments of full ISR.</summary>
    public int MostDiskLosses => partitions.Values.Select(partition => RunEvidence.MostBeforeFullIsr(partition.DiskLosses, partition.FullIsrAt)).DefaultIfEmpty(0).Max();

    /// <summary>What became of an offset that a group was told by then to have committed; what was committed later is another story.</summary>
    public RecordEvidence Of(string group, TopicPartition partition, long offset, TimeSpan confirmed)
    {
        if (!names.TryGetValue((group, partition.Topic, partition.Partition, offset), out var name)) return new RecordEvidence();
        var evidence = PartitionOf(OffsetsPlan.PartitionOf(group)).Evidence(name);
        var placements = evidence.Placements.Where(placement => placement.Copies.Any(copy => run.Journal[(int)copy.StoredAt].At <= confirmed)).Select(static placement => placement with { Acknowledged = placement.ReachedHighWatermark });
        return evidence with { Acknowledged = true, Placements = [.. placements] };
    }

    /// <summary>Offsets that were deleted while their group had no members.</summary>
    public int Expired => expired.Count;

    /// <summary>Whether the group's offset there was deleted between these moments, while it had no members and could have outlived its retention: in time, or by a clock that was set wrong.</summary>
    public bool HasExpired(string group, TopicPartition partition, TimeSpan from, TimeSpan to) =>
        expired.Exists(one => (one.Group, one.Topic, one.Partition) == (group, partition.Topic, partition.Partition) && one.At >= from && one.At <= to
            && (run.Bitten.ContainsKey(FaultWord.Clock) || one.At - from >= run.Scenario.Configuration.OffsetsRetention));

    /// <summary>What a coordinator wrote, in its order: who has members, and which offsets it deleted of those who have none.</summary>
    private void Written(in Observation seen, TimeSpan at)
    {
        foreach (var batch in new RecordBatches(seen.Bytes))
            foreach (var record in batch.Records)
                switch (record.Key is { } key ? GroupRecordCodec.Decode(key, record.Value) : null)
                {
                    case GroupRecord.Metadata group: hasMembers[group.Group] = group.Value is { Members.Count: > 0 }; break;
                    case GroupRecord.Offset { Value: null } gone when !hasMembers.GetValueOrDefault(gone.Group): expired.Add((gone.Group, gone.Topic, gone.Partition, at)); break;
                }
    }

    private void Observe(in Observation seen, int at)
    {
        var isFull = power.Observe(seen);
        switch (seen.Kind)
        {
            case ObservationKind.NodeStarted or ObservationKind.Crashed: foreach (var partition in partitions.Values) partition.Restarted(seen.Node); break;
            case ObservationKind.PowerLost: foreach (var partition in partitions.Values) partition.LostPower(seen.Node, at); break;
            case ObservationKind.FaultBit when RecordLives.DamagesDisk(run, seen.Other): foreach (var partition in partitions.Values) partition.DiskDamaged(seen.Node); break;
            default:
                if (seen.Partition.Topic != OffsetsTopic.Name || seen.Partition.Partition < 0) return;
                if (seen.Kind == ObservationKind.Appended) Written(seen, run.Journal[at].At);
                PartitionOf(seen.Partition).Observe(seen, at);
                if (isFull) PartitionOf(seen.Partition).HadFullIsr(at);
                break;
        }
    }

    private PartitionLives PartitionOf(TopicPartition partition)
    {
        if (!partitions.TryGetValue(partition.Partition, out var lives)) partitions.Add(partition.Partition, lives = new PartitionLives(Read));
        return lives;
    }

    /// <summary>A record is known by the offset that it commits; what commits none has a negative number.</summary>
    private void Read(ReadOnlyMemory<byte> batches, List<long> into)
    {
        foreach (var batch in new RecordBatches(batches))
            foreach (var record in batch.Records)
                into.Add(record.Key is { } key && GroupRecordCodec.Decode(key, record.Value) is GroupRecord.Offset { Value: { } value } commit ? NameOf((commit.Group, commit.Topic, commit.Partition, value.Offset)) : -1);
    }

    private long NameOf((string Group, string Topic, int Partition, long Offset) commit)
    {
        if (!names.TryGetValue(commit, out var name)) names.Add(commit, name = names.Count);
        return name;
    }
}
