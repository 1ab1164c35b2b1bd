using Broker.Node.Quorum;
using Broker.Runtime;

namespace Chaos.Simulation;

/// <summary>
/// Knows all nodes at once, and says when something committed depends on luck: a node that lacks it could be elected now. In a faithful cluster that takes a permitted loss.
/// Nothing is judged by it; schedules wait for it (<see cref="ObservationKind.CommittedAtRisk"/>), so that a bug is tried out at the moment it opens a hole.
/// </summary>
internal sealed class SafetyWatch(SimCluster cluster, SimWorld world, NodeSet voters)
{
    private readonly Dictionary<TopicPartition, Watched> partitions = [];
    private NodeSet votersAtRisk = NodeSet.Empty;
    private long committedMetadata;

    private sealed class Watched
    {
        public long Committed { get; set; }

        public NodeSet Isr { get; set; } = NodeSet.Empty;

        public NodeSet AtRisk { get; set; } = NodeSet.Empty;
    }

    public void Observe(in Observation seen, TimeSpan now)
    {
        switch (seen.Kind)
        {
            case ObservationKind.HighWatermark when Of(seen.Partition) is { } partition && seen.Offset > partition.Committed:
                partition.Committed = seen.Offset;
                Check(seen.Partition, partition);
                break;
            case ObservationKind.IsrCommitted or ObservationKind.Elected:
                var changed = Of(seen.Partition);
                changed.Isr = seen.Nodes;
                if (seen.Kind == ObservationKind.Elected && (ElectionKind)seen.Offset is ElectionKind.Unclean or ElectionKind.LastKnownLeader) changed.Committed = 0;
                Check(seen.Partition, changed);
                break;
            case ObservationKind.Truncated:
                Check(seen.Partition, Of(seen.Partition));
                break;
            case ObservationKind.MetadataCommitted when seen.Offset > committedMetadata:
                committedMetadata = seen.Offset;
                CheckQuorum(seen.Node);
                break;
        }
    }

    private Watched Of(TopicPartition id)
    {
        if (!partitions.TryGetValue(id, out var partition)) partitions.Add(id, partition = new Watched());
        return partition;
    }

    private void Check(TopicPartition id, Watched partition)
    {
        var atRisk = NodeSet.Of(partition.Isr.Ids().Where(member => LogEnd(member, id) < partition.Committed));
        var news = new NodeSet(atRisk.Bits & ~partition.AtRisk.Bits);
        partition.AtRisk = atRisk;
        foreach (var member in news.Ids()) world.Observe(new Observation(ObservationKind.CommittedAtRisk, new NodeId(member), id, Offset: partition.Committed));
    }

    /// <summary>Without bound for a broker that is down: nobody can say what it will come back with.</summary>
    private long LogEnd(int broker, TopicPartition id) =>
        cluster[new NodeId(broker)]?.Broker?.Partitions.FirstOrDefault(hosted => hosted.Core.Id == id)?.Core.Log.LogEndOffset ?? long.MaxValue;

    private void CheckQuorum(NodeId leader)
    {
        if (cluster.LastVoter(leader.Value) is not { } leading) return;
        var known = voters.Ids().Select(id => (Id: id, Voter: cluster.LastVoter(id))).Where(pair => pair.Voter is not null).Select(pair => (pair.Id, Voter: pair.Voter!)).ToArray();
        var epoch = leading.EpochAt(committedMetadata - 1);
        var atRisk = NodeSet.Of(known.Where(other => Lacks(other.Voter, epoch) && IsElectable(other.Voter, known.Select(pair => pair.Voter))).Select(other => other.Id));
        var news = new NodeSet(atRisk.Bits & ~votersAtRisk.Bits);
        votersAtRisk = atRisk;
        foreach (var voter in news.Ids()) world.Observe(new Observation(ObservationKind.CommittedAtRisk, new NodeId(voter), Offset: committedMetadata));
    }

    private bool Lacks(QuorumNode voter, int epoch) => voter.EndOffset < committedMetadata || voter.EpochAt(committedMetadata - 1) != epoch;

    /// <summary>A majority, itself included, has no log that is more up to date (Raft, section 5.4.1).</summary>
    private bool IsElectable(QuorumNode candidate, IEnumerable<QuorumNode> known) =>
        known.Count(voter => (candidate.LastEpoch, candidate.EndOffset).CompareTo((voter.LastEpoch, voter.EndOffset)) >= 0) > voters.Count / 2;
}
