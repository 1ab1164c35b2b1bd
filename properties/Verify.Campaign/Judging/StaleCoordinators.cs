using Broker.Core.Groups;
using Broker.Runtime;
using Verify.Campaign.Running;
using Verify.History;

namespace Verify.Campaign.Judging;

/// <summary>
/// When brokers went on as coordinators that were none any more: another had taken office in a later leader epoch of the partition that keeps the group, and they had yet to learn it. What they say of committed
/// offsets is what they knew.
/// </summary>
internal sealed class StaleCoordinators
{
    private readonly Dictionary<(int Partition, int Node), (int Epoch, TimeSpan? Since)> offices = [];
    private readonly List<(int Partition, int Node, TimeSpan From, TimeSpan To)> stale = [];

    public StaleCoordinators(RunRecord run)
    {
        for (var i = 0; i < run.Journal.Count; i++) Observe(run.Journal[i].What, run.Journal[i].At);
        foreach (var ((partition, node), office) in offices.OrderBy(static one => one.Key)) Ended(partition, node, office.Since, TimeSpan.MaxValue);
        if (stale.Count > 0) Asked = AskedIn(run.History);
    }

    /// <summary>How often a member may have been told by such a broker where its group stands.</summary>
    public int Asked { get; }

    /// <summary>The brokers that took themselves for the group's coordinator at some moment between these two, and were not.</summary>
    public IEnumerable<int> Between(string group, TimeSpan from, TimeSpan to) =>
        stale.Where(one => one.Partition == OffsetsPlan.PartitionOf(group).Partition && one.From <= to && one.To >= from).Select(static one => one.Node);

    private int AskedIn(HistoryLog history)
    {
        var (count, asking) = (0, new Dictionary<int, TimeSpan>());
        foreach (var e in history)
        {
            var at = TimeSpan.FromTicks(e.Time / TimeSpan.NanosecondsPerTick);
            if (e is { Function: EventFunction.Assigned, Type: EventType.Invoke }) asking[e.Process] = at;
            else if (e.Function == EventFunction.Assigned && asking.Remove(e.Process, out var asked) && e.Type == EventType.Ok && Between(history.Names[e.Detail.Group], asked, at).Any()) count++;
        }
        return count;
    }

    private void Observe(in Observation seen, TimeSpan at)
    {
        if (seen.Kind is ObservationKind.Crashed or ObservationKind.PowerLost or ObservationKind.NodeStarted)
        {
            for (var i = 0; i < OffsetsPlan.Partitions; i++) Leaves(i, seen.Node.Value, at);
            return;
        }
        if (seen.Partition.Topic != OffsetsTopic.Name) return;
        if (seen.Kind is ObservationKind.BecameFollower or ObservationKind.BecameLeader) Leaves(seen.Partition.Partition, seen.Node.Value, at);
        if (seen.Kind is not ObservationKind.BecameLeader) return;
        var partition = seen.Partition.Partition;
        var rivals = offices.Where(other => other.Key.Partition == partition).ToList();
        foreach (var (rival, office) in rivals)
            if (office.Epoch < seen.Epoch) offices[rival] = office with { Since = office.Since ?? at };
        offices[(partition, seen.Node.Value)] = (seen.Epoch, rivals.Select(static other => other.Value.Epoch).DefaultIfEmpty(-1).Max() > seen.Epoch ? at : null);
    }

    private void Leaves(int partition, int node, TimeSpan at)
    {
        if (offices.Remove((partition, node), out var office)) Ended(partition, node, office.Since, at);
    }

    private void Ended(int partition, int node, TimeSpan? since, TimeSpan at)
    {
        if (since is { } from) stale.Add((partition, node, from, at));
    }
}
