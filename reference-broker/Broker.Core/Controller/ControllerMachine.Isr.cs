using Broker.Core.Metadata;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Core.Controller;

/// <summary>Leaders alter their ISRs (KIP-497, KIP-841, KIP-903), and brokers take blocks of producer ids (KIP-730).</summary>
public sealed partial class ControllerMachine
{
    /// <summary>
    /// Errors: STALE_BROKER_EPOCH for the whole request; for each partition UNKNOWN_TOPIC_ID, UNKNOWN_TOPIC_OR_PARTITION, NOT_CONTROLLER,
    /// FENCED_LEADER_EPOCH, INVALID_REQUEST, INVALID_UPDATE_VERSION, INELIGIBLE_REPLICA.
    /// </summary>
    public Decision<AlterPartitionResponse> AlterPartition(AlterPartitionRequest request)
    {
        if (!IsCurrent(request.BrokerId, request.BrokerEpoch)) return Decide(new AlterPartitionResponse { ErrorCode = ErrorCode.StaleBrokerEpoch });
        var response = new AlterPartitionResponse();
        foreach (var asked in request.Topics)
        {
            var answered = new AlterPartitionResponse.TopicData { TopicId = asked.TopicId };
            foreach (var partition in asked.Partitions) answered.Partitions.Add(Alter(request.BrokerId, asked.TopicId, partition));
            response.Topics.Add(answered);
        }
        return Decide(response);
    }

    /// <summary>Errors: STALE_BROKER_EPOCH, BROKER_ID_NOT_REGISTERED.</summary>
    public Decision<AllocateProducerIdsResponse> AllocateProducerIds(AllocateProducerIdsRequest request)
    {
        if (image.Broker(request.BrokerId) is null) return Decide(new AllocateProducerIdsResponse { ErrorCode = ErrorCode.BrokerIdNotRegistered });
        if (!IsCurrent(request.BrokerId, request.BrokerEpoch)) return Decide(new AllocateProducerIdsResponse { ErrorCode = ErrorCode.StaleBrokerEpoch });
        var first = rules.Placement.FirstProducerId(image.NextProducerId);
        var count = rules.Placement.ProducerIdBlock();
        Append(new MetadataRecord.ProducerIds(request.BrokerId, request.BrokerEpoch, first + count));
        return Decide(new AllocateProducerIdsResponse { ProducerIdStart = first, ProducerIdLen = count });
    }

    private AlterPartitionResponse.PartitionData Alter(int leader, Guid topicId, AlterPartitionRequest.PartitionData wanted)
    {
        if (image.Topic(topicId) is not { } topic) return Refused(ErrorCode.UnknownTopicId);
        if (topic.Partition(wanted.PartitionIndex) is not { } partition) return Refused(ErrorCode.UnknownTopicOrPartition);
        var error = Validate(leader, partition, wanted);
        if (error is not ErrorCode.None) return Refused(error);

        Change(topic, wanted.PartitionIndex, new PartitionWish(Alive(), Isr: NodeSet.Of(Members(wanted).Select(member => member.BrokerId)),
            UncleanAllowed: topic.Settings.UncleanLeaderElection));
        var state = topic.Partitions[wanted.PartitionIndex];
        if (!rules.Isr.IsLeader(state.Leader, leader)) return Refused(ErrorCode.FencedLeaderEpoch);
        return new AlterPartitionResponse.PartitionData
        {
            PartitionIndex = wanted.PartitionIndex,
            LeaderId = state.Leader,
            LeaderEpoch = state.LeaderEpoch,
            Isr = [.. state.Isr.Ids()],
            PartitionEpoch = state.PartitionEpoch,
        };

        AlterPartitionResponse.PartitionData Refused(ErrorCode error) => new() { PartitionIndex = wanted.PartitionIndex, ErrorCode = error };
    }

    private ErrorCode Validate(int leader, PartitionState partition, AlterPartitionRequest.PartitionData wanted)
    {
        var checks = rules.Isr;
        if (checks.LeaderEpochIsAhead(partition.LeaderEpoch, wanted.LeaderEpoch)) return ErrorCode.NotController;
        if (checks.PartitionEpochIsAhead(partition.PartitionEpoch, wanted.PartitionEpoch)) return ErrorCode.NotController;
        if (checks.LeaderEpochIsStale(partition.LeaderEpoch, wanted.LeaderEpoch)) return ErrorCode.FencedLeaderEpoch;
        if (!checks.IsLeader(partition.Leader, leader)) return ErrorCode.InvalidRequest;
        if (checks.PartitionEpochIsStale(partition.PartitionEpoch, wanted.PartitionEpoch)) return ErrorCode.InvalidUpdateVersion;

        var members = NodeSet.Empty;
        foreach (var (broker, _) in Members(wanted))
        {
            if ((uint)broker >= MetadataImage.BrokerLimit || members.Contains(broker)) return ErrorCode.InvalidRequest;
            if (!checks.MemberIsReplica(partition.Replicas.Contains(broker))) return ErrorCode.InvalidRequest;
            members = members.With(broker);
        }
        if (!checks.LeaderIsMember(members.Contains(partition.Leader))) return ErrorCode.InvalidRequest;

        foreach (var (broker, brokerEpoch) in Members(wanted))
        {
            if (image.Broker(broker) is not { } member) return ErrorCode.IneligibleReplica;
            if (!checks.MemberMayBeInSync(member.Fenced, member.InControlledShutdown)) return ErrorCode.IneligibleReplica;
            if (!checks.MemberEpochMatches(member.BrokerEpoch, brokerEpoch)) return ErrorCode.IneligibleReplica;
        }
        return ErrorCode.None;
    }

    /// <summary>Before version 3 members come without epochs: -1.</summary>
    private static IEnumerable<(int BrokerId, long BrokerEpoch)> Members(AlterPartitionRequest.PartitionData wanted) =>
        wanted.NewIsr.Select(broker => (broker, -1L)).Concat(wanted.NewIsrWithEpochs.Select(member => (member.BrokerId, member.BrokerEpoch)));

    private bool IsCurrent(int broker, long brokerEpoch) =>
        image.Broker(broker) is { } known && rules.Registration.BrokerEpochIsCurrent(known.BrokerEpoch, brokerEpoch);
}
