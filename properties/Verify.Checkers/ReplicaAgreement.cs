using Verify.History;

namespace Verify.Checkers;

/// <summary>Below their high watermarks replicas hold the same, an epoch has one leader, and a watermark does not go back within it.</summary>
/// <remarks>
/// From what nodes showed. divergent-replicas: when a replica's watermark passes an offset, the value it stores there (appended or replicated, and not cut since) is the one that the last replica stored whose watermark passed that
/// offset. Counted per offset and change of value, so an unclean election counts once per record that it replaced. two-leaders: became-leader, or an append by another node, in an epoch that already has a leader.
/// watermark-regression: of one replica within one leader epoch, since the node last started. Memory is one value per offset and replica: meant for simulated runs.
/// </remarks>
internal sealed class ReplicaAgreement(CheckContract contract) : IChecker
{
    private sealed class Replica
    {
        public StoredValues Stored { get; } = new();

        public long HighWatermark { get; set; } = -1;

        /// <summary>Up to where it was compared.</summary>
        public long Compared { get; set; }

        public int Epoch { get; set; } = -1;
    }

    private sealed class Partition
    {
        public SortedDictionary<int, Replica> Replicas { get; } = [];

        /// <summary>Values that some watermark has passed, and who stored them so.</summary>
        public StoredValues Committed { get; } = new();

        public StoredValues CommittedBy { get; } = new();

        /// <summary>First leader of each epoch, and the event that told.</summary>
        public Dictionary<int, (int Node, int Event)> Leaders { get; } = [];

        /// <summary>Further leaders of an epoch: told once, not at each append.</summary>
        public HashSet<(int Epoch, int Node)> Usurpers { get; } = [];
    }

    private readonly SortedDictionary<int, Partition> partitions = [];
    private readonly CaseList divergent = new(AnomalyName.DivergentReplicas, contract.CaseLimit);
    private readonly CaseList twoLeaders = new(AnomalyName.TwoLeaders, contract.CaseLimit);
    private readonly CaseList regression = new(AnomalyName.WatermarkRegression, contract.CaseLimit);
    private long compared;

    public void Observe(in LedgerEvent e)
    {
        if (e.Event.Function != EventFunction.Observe) return;
        var detail = e.Event.Detail;
        if (detail.Kind is ObserveKind.NodeStarted or ObserveKind.Crashed or ObserveKind.PowerLost)
        {
            Restart(detail.Node);
            return;
        }
        if (detail.Key < 0 || detail.Node < 0) return;
        if (!partitions.TryGetValue(detail.Key, out var partition)) partitions.Add(detail.Key, partition = new Partition());
        if (!partition.Replicas.TryGetValue(detail.Node, out var replica)) partition.Replicas.Add(detail.Node, replica = new Replica());
        switch (detail.Kind)
        {
            case ObserveKind.Appended: Lead(partition, detail, e); Store(replica, detail, e.Event.Values); break;
            case ObserveKind.Replicated: Store(replica, detail, e.Event.Values); break;
            case ObserveKind.LogRecovered or ObserveKind.Truncated when detail.Offset >= 0: Cut(replica, detail.Offset); break;
            case ObserveKind.BecameLeader: Lead(partition, detail, e); break;
            case ObserveKind.HighWatermark: Watermark(partition, replica, detail, e); break;
        }
    }

    /// <summary>A node that starts reads its watermark from a checkpoint, which may be old; its log it may have lost in part, and says so.</summary>
    private void Restart(int node)
    {
        foreach (var partition in partitions.Values)
            if (partition.Replicas.TryGetValue(node, out var replica)) (replica.HighWatermark, replica.Epoch) = (-1, -1);
    }

    private static void Store(Replica replica, in EventDetail detail, ReadOnlySpan<long> values)
    {
        if (detail.Offset < 0) return;
        replica.Stored.Cut(detail.Offset);
        for (var i = 0; i < values.Length; i++) replica.Stored.Set(detail.Offset + i, values[i]);
        replica.Compared = Math.Min(replica.Compared, detail.Offset);
    }

    private static void Cut(Replica replica, long end)
    {
        replica.Stored.Cut(end);
        replica.Compared = Math.Min(replica.Compared, end);
    }

    private void Lead(Partition partition, in EventDetail detail, in LedgerEvent e)
    {
        if (detail.Epoch < 0) return;
        if (partition.Leaders.TryAdd(detail.Epoch, (detail.Node, e.Position))) return;
        var (other, position) = partition.Leaders[detail.Epoch];
        if (other == detail.Node || !partition.Usurpers.Add((detail.Epoch, detail.Node))) return;
        if (twoLeaders.Count1())
            twoLeaders.Keep(new AnomalyCase(e.Event.KeyNames[detail.Key], [], [], [other, detail.Node], [position, e.Position], $"nodes {other} and {detail.Node} both led in epoch {detail.Epoch}"));
    }

    private void Watermark(Partition partition, Replica replica, in EventDetail detail, in LedgerEvent e)
    {
        var before = replica.HighWatermark;
        if (replica.Epoch == detail.Epoch && detail.Offset < before && regression.Count1(before - detail.Offset))
            regression.Keep(before - detail.Offset, new AnomalyCase(
                e.Event.KeyNames[detail.Key], [before, detail.Offset], [], [detail.Node], [e.Position], $"the high watermark of node {detail.Node} went back from {before} to {detail.Offset} in epoch {detail.Epoch}"));
        (replica.HighWatermark, replica.Epoch) = (detail.Offset, detail.Epoch);
        for (var offset = replica.Stored.From(replica.Compared); offset < detail.Offset && offset >= 0; offset = replica.Stored.From(offset + 1)) Compare(partition, replica, detail, e, offset);
        replica.Compared = Math.Max(replica.Compared, detail.Offset);
    }

    private void Compare(Partition partition, Replica replica, in EventDetail detail, in LedgerEvent e, long offset)
    {
        replica.Stored.TryGet(offset, out var value);
        var known = partition.Committed.TryGet(offset, out var committed);
        if (known) compared++;
        if (known && committed != value && divergent.Count1())
        {
            partition.CommittedBy.TryGet(offset, out var by);
            divergent.Keep(new AnomalyCase(
                e.Event.KeyNames[detail.Key], [offset], [TextValue.Show(committed, e.Event.Names), TextValue.Show(value, e.Event.Names)], [(int)by, detail.Node], [e.Position],
                $"below its high watermark at offset {offset}, node {detail.Node} holds {TextValue.Show(value, e.Event.Names)}, node {by} held {TextValue.Show(committed, e.Event.Names)}"));
        }
        partition.Committed.Set(offset, value);
        partition.CommittedBy.Set(offset, detail.Node);
    }

    public Finding Conclude() =>
        Finding.From(Guarantee.ReplicaAgreement, compared, compared == 0 && partitions.Values.All(static p => p.Leaders.Count == 0) ? "no replica showed what it stores" : null, divergent, twoLeaders, regression);
}
