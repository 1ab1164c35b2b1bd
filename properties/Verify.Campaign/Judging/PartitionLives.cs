using System.Collections.Immutable;
using Broker.Runtime;
using Chaos.Faults;
using Verify.Promises;

namespace Verify.Campaign.Judging;

/// <summary>
/// The lives of one partition's records, written down observation by observation: who got them, where they were placed, on which replicas they lay and how each copy ended.
/// </summary>
/// <remarks>A copy is known by leader epoch and offset, both stamped into its batch: no two records of one history share them.</remarks>
/// <param name="read">Adds the values of all records of some batches: what a record is known by.</param>
internal sealed class PartitionLives(Action<ReadOnlyMemory<byte>, List<long>> read)
{
    private readonly SortedDictionary<int, Replica> replicas = [];
    private readonly Dictionary<(int Epoch, long Offset), PlacementDraft> placements = [];
    private readonly Dictionary<long, Life> lives = [];
    private readonly ElectionLog elections = new();
    private readonly List<(int Epoch, int Leader, long At)> terms = [];
    private readonly List<long> fullIsrAt = [];
    private readonly List<(int Node, long At)> powerLosses = [];
    private readonly List<long> values = [];

    /// <summary>Nodes on which a record of this partition was lost by the disk, and when.</summary>
    public IEnumerable<PowerLoss> DiskLosses =>
        from placement in placements.Values from copy in placement.Copies where copy.End == CopyEnd.LostToDisk select new PowerLoss(copy.Node, copy.EndedAt);

    public IReadOnlyList<long> FullIsrAt => fullIsrAt;

    // Observations about this partition

    public void Observe(in Observation seen, long at)
    {
        switch (seen.Kind)
        {
            case ObservationKind.ProduceReceived: Received(seen, at); break;
            case ObservationKind.Appended: Appended(seen, at); break;
            case ObservationKind.ProduceAnswered when seen.Other == 0: Vouched(seen); break;
            case ObservationKind.Replicated: Replicated(seen, at); break;
            case ObservationKind.Flushed: Flushed(seen); break;
            case ObservationKind.HighWatermark: Watermark(seen, at); break;
            case ObservationKind.Truncated: Cut(ReplicaOf(seen.Node), seen.Offset, CopyEnd.Truncated, at, seen.Epoch); break;
            case ObservationKind.LogRecovered: Recovered(ReplicaOf(seen.Node), seen, at); break;
            case ObservationKind.BecameLeader: TookOffice(seen, at); break;
            case ObservationKind.BecameFollower: (ReplicaOf(seen.Node).Leads, ReplicaOf(seen.Node).Epoch) = (false, seen.Epoch); break;
            case ObservationKind.ClientAnswered when seen.EndOffset >= 0: Answered(LifeOf(seen.EndOffset), seen); break;
        }
        elections.Observe(seen);
    }

    public void HadFullIsr(long at) => fullIsrAt.Add(at);

    /// <summary>A request with a batch of this partition reached nobody.</summary>
    public void LostOnTheWay(in Observation lost, ReadOnlyMemory<byte> batch)
    {
        var delivery = lost.Other == (int)FrameLoss.NodeDied ? Delivery.NodeDied : Delivery.ConnectionDied;
        foreach (var value in ValuesOf(batch)) LifeOf(value).Transmissions.Add(new Transmission(lost.Node.Value, delivery, Connection: lost.Connection));
    }

    /// <summary>The node died over a batch that it had read and neither appended nor refused.</summary>
    public void DiedReading(in Observation read)
    {
        foreach (var value in ValuesOf(read.Bytes)) LifeOf(value).Transmissions.Add(new Transmission(read.Node.Value, Delivery.NodeDied, Connection: read.Connection));
    }

    /// <summary>The node's process ended, or a new one began.</summary>
    public void Restarted(NodeId node)
    {
        if (replicas.TryGetValue(node.Value, out var replica)) replica.Leads = false;
    }

    public void LostPower(NodeId node, long at)
    {
        Restarted(node);
        powerLosses.Add((node.Value, at));
        if (replicas.TryGetValue(node.Value, out var replica) && replica.LostPowerAt < 0) replica.LostPowerAt = at;
    }

    /// <summary>A fault that can lose what was synced hit the node's disk.</summary>
    public void DiskDamaged(NodeId node) => ReplicaOf(node).DiskIsDamaged = true;

    private void Received(in Observation seen, long at)
    {
        var isLeader = ReplicaOf(seen.Node) is { Leads: true } replica && elections.Last is { } last && last.Leader == seen.Node.Value && last.Epoch == replica.Epoch;
        foreach (var value in ValuesOf(seen.Bytes))
        {
            var life = LifeOf(value);
            life.Transmissions.Add(new Transmission(seen.Node.Value, Delivery.Received, seen.Other, seen.Other != 0 && isLeader, life.Concluded, seen.Connection));
            life.Batches.Add(at);
        }
    }

    private void Appended(in Observation seen, long at)
    {
        BatchValues.First(seen.Bytes, out var producerId);
        var replica = ReplicaOf(seen.Node);
        Cut(replica, seen.Offset, CopyEnd.Vanished, at);
        var offset = seen.Offset;
        foreach (var value in ValuesOf(seen.Bytes)) Store(replica, PlacementAt(seen.Epoch, offset++, value, producerId), at);
    }

    /// <summary>A broker answers for what is in its own log.</summary>
    private void Vouched(in Observation seen)
    {
        foreach (var copy in ReplicaOf(seen.Node).Live)
            if (copy.Offset >= seen.Offset && copy.Offset < seen.EndOffset) copy.Placement.IsVouchedFor = true;
    }

    private void Replicated(in Observation seen, long at)
    {
        var replica = ReplicaOf(seen.Node);
        Cut(replica, seen.Offset, CopyEnd.Vanished, at);
        foreach (var batch in new Broker.Protocol.RecordBatches(seen.Bytes))
        {
            if (batch.BaseOffset >= seen.EndOffset) return;            // not taken: unsound, or not the next one
            foreach (var (offset, value) in BatchValues.Placed(batch.Bytes, seen.EndOffset)) Store(replica, PlacementAt(batch.PartitionLeaderEpoch, offset, value, batch.ProducerId), at);
        }
    }

    private static void Store(Replica replica, PlacementDraft placement, long at)
    {
        var copy = new CopyDraft(replica.Node, placement.Offset, placement) { StoredAt = at };
        placement.Copies.Add(copy);
        replica.Live.Add(copy);
    }

    private void Flushed(in Observation seen)
    {
        foreach (var copy in ReplicaOf(seen.Node).Live)
            if (copy.Offset < seen.EndOffset) copy.Flushed = true;
    }

    private void Watermark(in Observation seen, long at)
    {
        foreach (var copy in ReplicaOf(seen.Node).Live)
        {
            if (copy.Offset >= seen.Offset) continue;
            copy.Placement.CommittedIn = Math.Min(copy.Placement.CommittedIn, seen.Epoch);
            copy.Placement.CommittedAt = Math.Min(copy.Placement.CommittedAt, at);
        }
    }

    /// <summary>
    /// What a log lacks after a restart went with the power, or with the disk; else nobody knows. Epochs never fall along a log: what was stored under a later one than its last batch has is
    /// not there. The power took the cut before it too, and what had been cut is back.
    /// </summary>
    private void Recovered(Replica replica, in Observation log, long at)
    {
        var end = log.Offset;
        while (replica.Live is [.., var copy] && (copy.Offset >= log.Offset || copy.Placement.Epoch > log.Epoch))
        {
            end = Math.Min(end, copy.Offset);
            var (how, when) = replica.LostPowerAt >= copy.StoredAt && !(copy.Flushed && replica.DiskIsDamaged) ? (CopyEnd.LostToPower, replica.LostPowerAt)
                : replica.DiskIsDamaged ? (CopyEnd.LostToDisk, at)
                : (CopyEnd.Vanished, at);
            (copy.End, copy.EndedAt) = (how, when);
            replica.Live.RemoveAt(replica.Live.Count - 1);
        }
        for (; end < log.Offset; end++)
            if (CutBefore(replica.Node, end, log.Epoch) is { } back) Store(replica, back, at);
        replica.LostPowerAt = -1;
    }

    private PlacementDraft? CutBefore(int node, long offset, int lastEpoch) =>
        placements.Values.Where(placement => placement.Offset == offset && placement.Epoch <= lastEpoch && placement.Copies.Exists(copy => copy.Node == node && copy.End == CopyEnd.Truncated)).MaxBy(placement => placement.Epoch);

    private static void Cut(Replica replica, long end, CopyEnd how, long at, int epoch = -1)
    {
        while (replica.Live is [.., var copy] && copy.Offset >= end)
        {
            (copy.End, copy.EndedAt, copy.EndEpoch) = (how, at, epoch);
            replica.Live.RemoveAt(replica.Live.Count - 1);
        }
    }

    private void TookOffice(in Observation seen, long at)
    {
        var replica = ReplicaOf(seen.Node);
        (replica.Leads, replica.Epoch) = (true, seen.Epoch);
        var term = (seen.Epoch, seen.Node.Value, at);
        if (!terms.Exists(known => known.Epoch == term.Epoch && known.Leader == term.Value)) terms.Add(term);
    }

    private static void Answered(Life life, in Observation seen)
    {
        life.Concluded = true;
        if (seen.Other != 0 || seen.Offset < 0) return;
        life.Acknowledged = true;
        var offset = seen.Offset;
        // Two leaders may have stored it at one offset, and one of them not have answered.
        var there = life.Placements.FindAll(placement => placement.Offset == offset);
        if ((there.FindLast(static placement => placement.IsVouchedFor) ?? there.LastOrDefault()) is { } told) told.Acknowledged = true;
    }

    // Evidence

    public RecordEvidence Evidence(long value)
    {
        var evidence = new RecordEvidence
        {
            Value = value.ToString(System.Globalization.CultureInfo.InvariantCulture),
            Terms = [.. terms.Select(TermOf)],
            FullIsrAt = [.. fullIsrAt],
            PowerLosses = [.. powerLosses.Where(loss => replicas.ContainsKey(loss.Node)).Select(loss => new PowerLoss(loss.Node, loss.At))],
        };
        if (!lives.TryGetValue(value, out var life)) return evidence;
        return evidence with { Acknowledged = life.Acknowledged, Transmissions = [.. life.Transmissions], Placements = [.. life.Placements.Select(Final)] };
    }

    /// <summary>
    /// Elected uncleanly, a node is the whole ISR from then on. If it dies before it knows, and is elected again from that ISR or as the last known leader, it
    /// owes its office to the unclean election still.
    /// </summary>
    private TermOfOffice TermOf((int Epoch, int Leader, long At) office)
    {
        var election = elections.Of(office.Epoch, office.Leader);
        var before = terms.Where(other => other.Epoch < office.Epoch).Select(other => other.Epoch).DefaultIfEmpty(-1).Max();
        var unclean = elections.All.LastOrDefault(known => known.Kind == ElectionKind.Unclean && known.Leader == office.Leader && known.Epoch > before && known.Epoch < office.Epoch);
        var (kind, eligible) = unclean is null ? (election.Kind, election.Eligible) : (unclean.Kind, unclean.Eligible);
        return new TermOfOffice(office.Epoch, office.Leader, FromOf(kind), office.At, [.. election.Isr.Ids()], eligible.Count, eligible.Alive);
    }

    private static ElectedFrom FromOf(ElectionKind kind) => kind switch
    {
        ElectionKind.Clean => ElectedFrom.InSyncReplicas,
        ElectionKind.Eligible => ElectedFrom.EligibleLeaderReplicas,
        ElectionKind.LastKnownLeader => ElectedFrom.LastKnownLeader,
        ElectionKind.Unclean => ElectedFrom.OutOfSyncReplicas,
        _ => throw new InvalidOperationException($"nobody leads by {kind}"),
    };

    /// <summary>Some copy of it at this offset was neither cut nor lost. One that a cleaner removed counts as kept.</summary>
    public bool IsKeptAt(long value, long offset) => lives.TryGetValue(value, out var life) && life.Placements.Exists(placement => placement.Offset == offset && placement.IsKept);

    /// <summary>Both travelled in one request.</summary>
    public bool SharedBatch(long one, long other) =>
        lives.TryGetValue(one, out var life) && lives.TryGetValue(other, out var second) && life.Batches.Intersect(second.Batches).Any();

    /// <summary>Journal index since when readers could have a record that is there to the end: when a high watermark passed it, or, if none did, when it was stored. Null when it is not there.</summary>
    public long? ThereSince(long value) => lives.TryGetValue(value, out var life)
        ? life.Placements.Where(placement => placement.IsKept).Min(placement => (long?)(placement.ReachedHighWatermark ? placement.CommittedAt : placement.KeptSince))
        : null;

    private static Placement Final(PlacementDraft draft) => new(
        draft.Epoch, draft.Offset, draft.Acknowledged, draft.ReachedHighWatermark, draft.ProducerId,
        [.. draft.Copies.Select(copy => new Copy(copy.Node, copy.StoredAt, copy.Flushed, copy.End, copy.EndedAt, copy.EndEpoch))],
        draft.ReachedHighWatermark ? draft.CommittedIn : -1);

    private List<long> ValuesOf(ReadOnlyMemory<byte> batch)
    {
        values.Clear();
        read(batch, values);
        return values;
    }

    private Life LifeOf(long value)
    {
        if (!lives.TryGetValue(value, out var life)) lives.Add(value, life = new Life());
        return life;
    }

    private Replica ReplicaOf(NodeId node)
    {
        if (!replicas.TryGetValue(node.Value, out var replica)) replicas.Add(node.Value, replica = new Replica(node.Value));
        return replica;
    }

    private PlacementDraft PlacementAt(int epoch, long offset, long value, long producerId)
    {
        if (placements.TryGetValue((epoch, offset), out var placement)) return placement;
        placement = new PlacementDraft(epoch, offset, producerId);
        placements.Add((epoch, offset), placement);
        LifeOf(value).Placements.Add(placement);
        return placement;
    }

    private sealed class Life
    {
        public List<Transmission> Transmissions { get; } = [];

        /// <summary>In the order of appending.</summary>
        public List<PlacementDraft> Placements { get; } = [];

        /// <summary>Journal indices of the receptions of its batch.</summary>
        public List<long> Batches { get; } = [];

        /// <summary>The client has its outcome, whatever it was.</summary>
        public bool Concluded { get; set; }

        public bool Acknowledged { get; set; }
    }

    private sealed class PlacementDraft(int epoch, long offset, long producerId)
    {
        public int Epoch { get; } = epoch;

        public long Offset { get; } = offset;

        public long ProducerId { get; } = producerId;

        public List<CopyDraft> Copies { get; } = [];

        /// <summary>A broker that had it answered so.</summary>
        public bool IsVouchedFor { get; set; }

        public bool Acknowledged { get; set; }

        /// <summary>Lowest leader epoch in which a high watermark was past it; <see cref="int.MaxValue"/>: none was.</summary>
        public int CommittedIn { get; set; } = int.MaxValue;

        /// <summary>Journal index at which a high watermark first was past it.</summary>
        public long CommittedAt { get; set; } = long.MaxValue;

        public bool ReachedHighWatermark => CommittedIn < int.MaxValue;

        public bool IsKept => Copies.Exists(copy => copy.End == CopyEnd.Kept);

        /// <summary>Journal index at which a copy that is there to the end was first stored.</summary>
        public long KeptSince => Copies.Where(copy => copy.End == CopyEnd.Kept).Min(copy => copy.StoredAt);
    }

    private sealed class CopyDraft(int node, long offset, PlacementDraft placement)
    {
        public int Node { get; } = node;

        public long Offset { get; } = offset;

        public PlacementDraft Placement { get; } = placement;

        public long StoredAt { get; init; }

        public bool Flushed { get; set; }

        public CopyEnd End { get; set; } = CopyEnd.Kept;

        public long EndedAt { get; set; } = long.MaxValue;

        public int EndEpoch { get; set; } = -1;
    }

    private sealed class Replica(int node)
    {
        public int Node { get; } = node;

        /// <summary>Copies in its log, by offset.</summary>
        public List<CopyDraft> Live { get; } = [];

        public bool Leads { get; set; }

        public int Epoch { get; set; } = -1;

        /// <summary>First power loss since the log was last recovered; -1 for none.</summary>
        public long LostPowerAt { get; set; } = -1;

        public bool DiskIsDamaged { get; set; }
    }
}
