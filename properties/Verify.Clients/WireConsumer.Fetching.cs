using Broker.Protocol;
using Broker.Runtime;

namespace Verify.Clients;

/// <summary>This part: the requests, and what their answers mean.</summary>
public sealed partial class WireConsumer
{
    private void Start(BrokerLink link, List<FetchPosition> positions, TimeSpan deadline)
    {
        fetching.Add(link);
        var request = FetchFor(positions, ClusterMetadata.Shorter(settings.FetchMaxWait, deadline - Now));
        scope.Start(async () =>
        {
            var reply = await link.AskAsync<FetchRequest, FetchResponse>(request, settings.Connection.RequestTimeout);
            fetching.Remove(link);
            foreach (var asked in positions) Fetched(asked, reply);
            Wake();
        });
    }

    private FetchRequest FetchFor(List<FetchPosition> positions, TimeSpan maxWait)
    {
        var request = new FetchRequest
        {
            MaxWaitMs = (int)Math.Ceiling(Math.Max(0, maxWait.TotalMilliseconds)),
            MinBytes = settings.FetchMinBytes,
            MaxBytes = settings.FetchMaxBytes,
            IsolationLevel = Isolation,
            SessionEpoch = SessionlessEpoch,
        };
        foreach (var position in positions)
        {
            var name = position.Partition.Partition.Topic;
            var topic = request.Topics.Find(t => t.Topic == name);
            if (topic is null) request.Topics.Add(topic = new FetchTopic { Topic = name });
            topic.Partitions.Add(new FetchPartition
            {
                Partition = position.Partition.Partition.Partition,
                CurrentLeaderEpoch = rules.EpochToClaim(position.LeaderEpoch),
                FetchOffset = position.Offset,
                PartitionMaxBytes = settings.PartitionMaxBytes,
            });
        }
        return request;
    }

    private sbyte Isolation => settings.ReadCommitted ? (sbyte)1 : (sbyte)0;

    private void Fetched(in FetchPosition asked, in Reply<FetchResponse> reply)
    {
        var partition = asked.Partition;
        if (partition.Turn != asked.Turn || !rules.IsAnswerCurrent(asked.Offset, partition.Position)) return;
        if (reply.Message is not { } answer)
        {
            Unsuccessful(partition, reply.Error);
            return;
        }
        var wanted = partition.Partition;
        var data = answer.Responses.Find(t => t.Topic == wanted.Topic)?.Partitions.Find(p => p.PartitionIndex == wanted.Partition);
        var error = answer.ErrorCode is ErrorCode.None ? data?.ErrorCode ?? ErrorCode.UnknownServerError : answer.ErrorCode;
        if (data is not null) metadata.Learn(wanted, data.CurrentLeader, answer.NodeEndpoints);
        switch (rules.ReactToFetch(error))
        {
            case FetchReaction.Deliver:
                Deliver(asked, data!);
                break;
            case FetchReaction.ResetPosition:
                Reset(partition, PollIncidentKind.OffsetOutOfRange, error);
                break;
            case FetchReaction.FindLeader or FetchReaction.Wait or FetchReaction.Report:
                Unsuccessful(partition, error);
                break;
            default:
                throw new InvalidOperationException($"unknown reaction to {error}");
        }
    }

    private void Deliver(in FetchPosition asked, FetchResponse.PartitionData data)
    {
        var partition = asked.Partition;
        List<ConsumedRecord> records = [];
        var isSound = FetchedRecords.TryRead(data, asked.Offset, settings.ReadCommitted, rules, records, out var end);
        partition.Failures = 0;
        partition.ValidatedUnder = asked.LeaderEpoch;
        partition.AnsweredEmpty = isSound && rules.IsAnswerCurrent(asked.Offset, end);
        partition.Take(records, end, rules);
        if (isSound) return;
        incidents.Add(new PollIncident(PollIncidentKind.CorruptRecords, partition.Partition, ErrorCode.CorruptMessage, end, end));
        PutOff(partition);
    }

    private async Task FindPositionAsync(AssignedPartition partition, BrokerLink link, Leadership leadership, OffsetAt at)
    {
        var turn = partition.Turn;
        var (error, found) = await AskOffsetAsync(link, partition.Partition, leadership.Epoch, at, settings.Connection.RequestTimeout);
        if (partition.Turn != turn) return;
        if (error is not ErrorCode.None)
        {
            Unsuccessful(partition, error);
            return;
        }
        incidents.Add(partition.Cause!.Value with { NewOffset = found.Offset });
        partition.SeekTo(found.Offset, positionEpoch: -1, leadership.Epoch);
    }

    private async Task<(ErrorCode Error, ListedOffset Found)> AskOffsetAsync(BrokerLink link, TopicPartition partition, int leaderEpoch, OffsetAt at, TimeSpan timeout)
    {
        var asked = new ListOffsetsPartition { PartitionIndex = partition.Partition, CurrentLeaderEpoch = rules.EpochToClaim(leaderEpoch), Timestamp = at.Timestamp };
        var request = new ListOffsetsRequest
        {
            ReplicaId = ConsumerReplicaId,
            IsolationLevel = Isolation,
            Topics = [new ListOffsetsTopic { Name = partition.Topic, Partitions = [asked] }],
        };
        var reply = await link.AskAsync<ListOffsetsRequest, ListOffsetsResponse>(request, timeout);
        if (reply.Message is not { } answer) return (reply.Error, default);
        if (answer.Topics is not [{ Partitions: [var found] }]) return (ErrorCode.UnknownServerError, default);
        return (found.ErrorCode, new ListedOffset(found.Offset, found.Timestamp, found.LeaderEpoch));
    }

    /// <summary>Holds the position against the new leader's log. Source: KIP-320.</summary>
    private async Task ValidateAsync(AssignedPartition partition, BrokerLink link, Leadership leadership)
    {
        var (turn, position) = (partition.Turn, partition.Position);
        var asked = new OffsetForLeaderPartition
        {
            Partition = partition.Partition.Partition,
            CurrentLeaderEpoch = rules.EpochToClaim(leadership.Epoch),
            LeaderEpoch = partition.PositionEpoch,
        };
        var request = new OffsetForLeaderEpochRequest { ReplicaId = ConsumerReplicaId, Topics = [new OffsetForLeaderTopic { Topic = partition.Partition.Topic, Partitions = [asked] }] };
        var reply = await link.AskAsync<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>(request, settings.Connection.RequestTimeout);
        if (partition.Turn != turn || !rules.IsAnswerCurrent(position, partition.Position)) return;   // a fetch on its way besides may have brought more of another epoch
        if (reply.Message is not { } answer) Unsuccessful(partition, reply.Error);
        else if (answer.Topics is not [{ Partitions: [var end] }]) Unsuccessful(partition, ErrorCode.UnknownServerError);
        else if (end.ErrorCode is not ErrorCode.None) Unsuccessful(partition, end.ErrorCode);
        else if (!rules.IsTruncated(partition.Position, partition.PositionEpoch, end.LeaderEpoch, end.EndOffset)) partition.ValidatedUnder = leadership.Epoch;
        else Truncated(partition, end.LeaderEpoch, end.EndOffset, leadership.Epoch);
    }

    private void Truncated(AssignedPartition partition, int answeredEpoch, long endOffset, int leaderEpoch)
    {
        var divergence = rules.DivergenceOffset(partition.Position, partition.PositionEpoch, partition.PositionEpochStart, answeredEpoch, endOffset);
        if (divergence is not { } parts || settings.OffsetReset is OffsetReset.None)
        {
            Reset(partition, PollIncidentKind.TruncationDetected, ErrorCode.None);
            return;
        }
        incidents.Add(new PollIncident(PollIncidentKind.TruncationDetected, partition.Partition, ErrorCode.None, partition.Position, parts));
        partition.SeekTo(parts, answeredEpoch, leaderEpoch);
    }

    /// <summary>Puts the position where the reset policy says, and tells; with no policy, tells and waits for the caller's seek.</summary>
    private void Reset(AssignedPartition partition, PollIncidentKind kind, ErrorCode error)
    {
        var incident = new PollIncident(kind, partition.Partition, error, partition.Position, -1);
        if (ResetTarget() is { } at)
        {
            partition.LookFor(at, incident);
            return;
        }
        incidents.Add(incident);
        partition.GiveUp();
    }

    private void Unsuccessful(AssignedPartition partition, ErrorCode error)
    {
        if (rules.LeaderMayHaveMoved(error)) metadata.RequestUpdate();
        if (rules.ReactToFetch(error) is FetchReaction.Report) incidents.Add(new PollIncident(PollIncidentKind.Refused, partition.Partition, error, partition.Position, partition.Position));
        PutOff(partition);
    }

    private void PutOff(AssignedPartition partition) => partition.NotBefore = Now + Backoff(++partition.Failures);
}
