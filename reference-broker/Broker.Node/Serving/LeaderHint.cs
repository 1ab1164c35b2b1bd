using Broker.Core.Metadata;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Node.Serving;

/// <summary>Who leads, told to those who asked somebody else: they need not ask for metadata. Produce from version 10, fetch from 16. Source: KIP-951.</summary>
internal static class LeaderHint
{
    public static bool MayHelp(ErrorCode error) => error is ErrorCode.NotLeaderOrFollower or ErrorCode.FencedLeaderEpoch;

    /// <param name="endpoints">Where the leader is to be found is added, once.</param>
    public static LeaderIdAndEpoch For(MetadataImage image, TopicPartition partition, List<NodeEndpoint> endpoints)
    {
        if (image.Partition(partition) is not { HasLeader: true } state || image.Broker(state.Leader) is not { } leader) return new LeaderIdAndEpoch();
        if (!endpoints.Exists(endpoint => endpoint.NodeId == leader.Broker)) endpoints.Add(new NodeEndpoint { NodeId = leader.Broker, Host = leader.Endpoint.Host, Port = leader.Endpoint.Port });
        return new LeaderIdAndEpoch { LeaderId = state.Leader, LeaderEpoch = state.LeaderEpoch };
    }
}
