using Broker.Runtime;
using Chaos.Live;
using Verify.Campaign.Running;
using Verify.Clients;

namespace Verify.Campaign.Live;

/// <summary>
/// Looks at a live cluster from outside, again and again: which processes ended by themselves, who leads each partition, and who is in sync, as the brokers tell it. What changed goes to the journal.
/// </summary>
/// <remarks>
/// Changes between two looks are seen as one. Whether an election was clean is concluded: the new leader was in the ISR seen last, or not.
/// </remarks>
internal sealed class LiveWatch(IHost host, LiveCluster cluster, IAdmin admin)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200), Patience = TimeSpan.FromSeconds(1);

    private readonly SortedDictionary<int, PartitionDescription> known = [];

    public bool MayStop { get; set; }

    public async Task WatchAsync()
    {
        while (!MayStop)
        {
            cluster.Watch();
            if ((await admin.DescribeTopicAsync(ClusterNodes.Topic, Patience)).Value is { } topic)
                foreach (var partition in topic.Partitions) Compare(partition);
            await host.Time.DelayAsync(Pause);
        }
    }

    private void Compare(PartitionDescription seen)
    {
        var before = known.GetValueOrDefault(seen.Partition);
        if (before is not null && seen.LeaderEpoch < before.LeaderEpoch) return;                     // an old broker's view
        known[seen.Partition] = seen;
        var id = new TopicPartition(ClusterNodes.Topic, seen.Partition);
        var isr = NodeSet.Of(seen.InSyncReplicas.Select(static node => node.Value));
        if (before is null || seen.LeaderEpoch > before.LeaderEpoch)
        {
            var kind = seen.Leader == NodeId.None ? ElectionKind.None : before is null || before.InSyncReplicas.Contains(seen.Leader) ? ElectionKind.Clean : ElectionKind.Unclean;
            var elected = new Observation(ObservationKind.Elected, NodeId.None, id, seen.LeaderEpoch, (long)kind, default(EligibleReplicas).Packed, seen.Leader.Value, isr);
            host.Observe(elected with { Kind = ObservationKind.ElectionDecided, Connection = seen.LeaderEpoch });
            host.Observe(elected);
            if (seen.Leader != NodeId.None) host.Observe(new Observation(ObservationKind.BecameLeader, seen.Leader, id, seen.LeaderEpoch, Nodes: isr));
            foreach (var follower in seen.Replicas.Where(replica => replica != seen.Leader)) host.Observe(new Observation(ObservationKind.BecameFollower, follower, id, seen.LeaderEpoch, Other: seen.Leader.Value));
        }
        if (before is null || !isr.Equals(NodeSet.Of(before.InSyncReplicas.Select(static node => node.Value)))) host.Observe(new Observation(ObservationKind.IsrCommitted, NodeId.None, id, seen.LeaderEpoch, Nodes: isr));
    }
}
