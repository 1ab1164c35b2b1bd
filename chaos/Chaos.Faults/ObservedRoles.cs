using Broker.Runtime;

namespace Chaos.Faults;

/// <summary>Who plays which role, as far as the observations tell: the newest leader epoch per partition wins, and the newest quorum epoch.</summary>
public sealed class ObservedRoles
{
    private readonly Dictionary<TopicPartition, Roles> partitions = [];
    private NodeId activeController = NodeId.None;
    private int quorumEpoch = -1;

    public void Observe(in Observation seen)
    {
        switch (seen.Kind)
        {
            case ObservationKind.BecameLeader:
                Of(seen.Partition).Lead(seen.Epoch, seen.Node);
                break;
            case ObservationKind.BecameFollower:
                Of(seen.Partition).Follow(seen.Epoch, new NodeId(seen.Other), seen.Node);
                break;
            case ObservationKind.QuorumLeader when seen.Epoch >= quorumEpoch:
                (quorumEpoch, activeController) = (seen.Epoch, seen.Node);
                break;
            default:
                break;
        }
    }

    public NodeId? Find(NodeRef role) => role switch
    {
        NodeRef.Fixed(var id) => id,
        NodeRef.ActiveController => Known(activeController),
        NodeRef.LeaderOf(var partition) => partitions.TryGetValue(partition, out var roles) ? Known(roles.Leader) : null,
        NodeRef.FollowerOf(var partition, var k) => partitions.TryGetValue(partition, out var roles) ? roles.Follower(k) : null,
        _ => null,
    };

    private static NodeId? Known(NodeId node) => node.Value < 0 ? null : node;

    private Roles Of(TopicPartition partition)
    {
        if (!partitions.TryGetValue(partition, out var roles)) partitions[partition] = roles = new Roles();
        return roles;
    }

    private sealed class Roles
    {
        private int epoch = -1;
        private NodeSet replicas;

        public NodeId Leader { get; private set; } = NodeId.None;

        public void Lead(int leaderEpoch, NodeId node)
        {
            replicas = replicas.With(node.Value);
            if (leaderEpoch >= epoch) (epoch, Leader) = (leaderEpoch, node);
        }

        public void Follow(int leaderEpoch, NodeId leader, NodeId node)
        {
            replicas = replicas.With(node.Value);
            if (leaderEpoch > epoch) (epoch, Leader) = (leaderEpoch, leader);
        }

        public NodeId? Follower(int k)
        {
            foreach (var id in replicas.Without(Leader.Value).Ids())
            {
                if (k-- == 0) return new NodeId(id);
            }

            return null;
        }
    }
}
