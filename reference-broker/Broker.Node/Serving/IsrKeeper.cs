using Broker.Core.Metadata;
using Broker.Core.Replication;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Node.Serving;

/// <summary>Asks the controller for the ISRs that this broker's leaders want (KIP-497 AlterPartition, KIP-903 broker epochs).</summary>
public sealed class IsrKeeper(IHost host, BrokerSettings settings, PartitionTable partitions, ControllerLink controller, BrokerIdentity identity, TaskScope scope)
{
    /// <summary>Looks for laggards in every partition, for ever: followers that stop fetching cause no event of their own. By this clock alone, as in Kafka, an ISR shrinks by laggards.</summary>
    public async Task KeepAsync()
    {
        while (true)
        {
            await host.Time.DelayAsync(settings.ReplicaLagTimeMax / 2);
            foreach (var partition in partitions.All) Propose(partition.Core, partition.Core.IsrWithoutLaggards(host.Time.Monotonic(), settings.ReplicaLagTimeMax));
        }
    }

    /// <summary>A follower has fetched: perhaps it may join.</summary>
    public void Fetched(HostedPartition partition, int follower) => Propose(partition.Core, partition.Core.IsrWith(follower, IsAlive));

    private void Propose(Partition partition, NodeSet? wanted)
    {
        if (wanted is not { } isr) return;
        var proposal = partition.ProposeIsr(isr);
        scope.Start(() => AskAsync(partition, proposal));
    }

    private bool IsAlive(int broker, long brokerEpoch) =>
        identity.Image.Broker(broker) is { IsActive: true } registration && identity.IsSameRegistration(registration, brokerEpoch);

    /// <summary>Repeats the question until it is answered or the metadata has overtaken it. Until then the proposal counts (maximal ISR).</summary>
    private async Task AskAsync(Partition partition, IsrProposal proposal)
    {
        while (ReferenceEquals(partition.Proposal, proposal))
        {
            var answer = await controller.AskAsync<AlterPartitionRequest, AlterPartitionResponse>(
                Question(partition, proposal), 3, answer => answer.ErrorCode == ErrorCode.NotController);
            var data = answer?.Topics.FirstOrDefault()?.Partitions.FirstOrDefault();
            switch (data?.ErrorCode ?? answer?.ErrorCode)
            {
                case ErrorCode.None when data is not null:
                    partition.IsrAnswered(proposal, NodeSet.Of(data.Isr), data.PartitionEpoch);
                    return;
                case ErrorCode.IneligibleReplica or ErrorCode.OperationNotAttempted:
                    partition.IsrAnswered(proposal, null, -1);
                    return;
                case ErrorCode.InvalidUpdateVersion or ErrorCode.FencedLeaderEpoch or ErrorCode.NewLeaderElected or ErrorCode.UnknownTopicOrPartition or ErrorCode.UnknownTopicId:
                    return;                                            // newer metadata is on its way and will decide; until then the proposal counts
                default:
                    await host.Time.DelayAsync(settings.Backoff);
                    break;
            }
        }
    }

    private AlterPartitionRequest Question(Partition core, IsrProposal proposal)
    {
        var data = new AlterPartitionRequest.PartitionData
        {
            PartitionIndex = core.Id.Partition,
            LeaderEpoch = proposal.LeaderEpoch,
            PartitionEpoch = proposal.PartitionEpoch,
            NewIsrWithEpochs = [.. proposal.Isr.Ids().Select(id => new AlterPartitionRequest.BrokerState
            {
                BrokerId = id,
                BrokerEpoch = id == settings.Id.Value ? identity.BrokerEpoch : core.BrokerEpochOf(id),
            })],
        };
        return new AlterPartitionRequest
        {
            BrokerId = settings.Id.Value,
            BrokerEpoch = identity.BrokerEpoch,
            Topics = [new AlterPartitionRequest.TopicData { TopicId = core.TopicId, Partitions = [data] }],
        };
    }
}
