using Broker.Runtime;
using Chaos.Faults;
using Verify.Campaign.Running;
using Verify.Promises;

namespace Verify.Campaign.Judging;

/// <summary>The lives of all records of a run, partition by partition. Costs a pass over the journal with everything parsed: made only where something is to be judged.</summary>
internal sealed class RecordLives
{
    private readonly SortedDictionary<int, PartitionLives> partitions = [];
    private readonly List<(Observation Read, TimeSpan At)> unjudged = [];   // batches that a broker read and has not spoken of since
    private readonly RunRecord run;
    private readonly PowerLimit power;

    public RecordLives(RunRecord run)
    {
        this.run = run;
        var configuration = run.Scenario.Configuration;
        power = new PowerLimit(null, ClusterNodes.Brokers(configuration.Brokers), partition => OffsetsPlan.ReplicasOf(configuration, partition));
        for (var i = 0; i < run.Journal.Count; i++) Observe(run.Journal[i].What, i);
    }

    /// <summary>The most replicas of one partition whose disks lost a record between two moments of full ISR.</summary>
    public int MostDiskLosses => partitions.Values.Select(partition => RunEvidence.MostBeforeFullIsr(partition.DiskLosses, partition.FullIsrAt)).DefaultIfEmpty(0).Max();

    public RecordEvidence Of(TopicPartition partition, long value) => PartitionOf(partition).Evidence(value);

    public RecordEvidence OfPair(TopicPartition partition, long earlier, long later) =>
        Of(partition, earlier) with { Other = Of(partition, later), OtherInSameBatch = PartitionOf(partition).SharedBatch(earlier, later) };

    /// <summary>Whether some replica has a record at an offset to the end, or cleaned it there.</summary>
    public bool IsKeptAt(TopicPartition partition, long value, long offset) => PartitionOf(partition).IsKeptAt(value, offset);

    /// <summary>Since when readers could have a record that is there to the end: its commit or, while there is none, its first copy; null when it is not there.</summary>
    public TimeSpan? ThereSince(TopicPartition partition, long value) =>
        PartitionOf(partition).ThereSince(value) is { } index ? run.Journal[(int)index].At : null;

    private void Observe(in Observation seen, int at)
    {
        var isFull = power.Observe(seen);
        switch (seen.Kind)
        {
            case ObservationKind.NodeStarted: foreach (var partition in partitions.Values) partition.Restarted(seen.Node); break;
            case ObservationKind.Crashed: Died(seen.Node, at); foreach (var partition in partitions.Values) partition.Restarted(seen.Node); break;
            case ObservationKind.PowerLost: Died(seen.Node, at); foreach (var partition in partitions.Values) partition.LostPower(seen.Node, at); break;
            case ObservationKind.FaultBit when DamagesDisk(run, seen.Other): foreach (var partition in partitions.Values) partition.DiskDamaged(seen.Node); break;
            case ObservationKind.FrameLost: foreach (var (partition, batch) in BatchValues.OfRequest(seen.Bytes)) PartitionOf(partition).LostOnTheWay(seen, batch); break;
            default:
                if (seen.Partition.Topic != ClusterNodes.Topic || seen.Partition.Partition < 0) return;
                Read(seen, at);
                PartitionOf(seen.Partition).Observe(seen, at);
                if (isFull) PartitionOf(seen.Partition).HadFullIsr(at);
                break;
        }
    }

    private void Read(Observation seen, int at)
    {
        if (seen.Kind == ObservationKind.ProduceRead) unjudged.Add((seen, run.Journal[at].At));
        else if (seen.Kind == ObservationKind.ProduceReceived)
            unjudged.RemoveAll(one => one.Read.Node == seen.Node && one.Read.Connection == seen.Connection && one.Read.Partition == seen.Partition);
    }

    /// <summary>A turn takes no time: only a broker that dies at the very instant of reading can have died before it appended or refused. One that lives on swallowed the batch.</summary>
    private void Died(NodeId node, int at)
    {
        foreach (var (read, when) in unjudged)
            if (read.Node == node && when == run.Journal[at].At) PartitionOf(read.Partition).DiedReading(read);
        unjudged.RemoveAll(one => one.Read.Node == node);
    }

    /// <summary>Whether a fault of the run can lose what was synced.</summary>
    public static bool DamagesDisk(RunRecord run, int fault) => (uint)fault < (uint)run.Faults.Count && run.Faults[fault].Fault is Fault.Disk { Trouble: DiskTrouble.FsyncFails } or Fault.DiskLies or Fault.BitRot;

    private PartitionLives PartitionOf(TopicPartition partition)
    {
        if (!partitions.TryGetValue(partition.Partition, out var lives)) partitions.Add(partition.Partition, lives = new PartitionLives(static (batches, into) => BatchValues.Read(batches, into)));
        return lives;
    }
}
