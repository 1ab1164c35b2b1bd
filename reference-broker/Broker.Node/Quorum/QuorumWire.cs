using System.Collections.Immutable;
using Broker.Core.Log;
using Broker.Core.Quorum;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Node.Quorum;

/// <summary>The quorum's messages as Kafka's: Vote v0, BeginQuorumEpoch v0, EndQuorumEpoch v0, Fetch v12, all on <c>__cluster_metadata-0</c>. Source: KIP-595.</summary>
/// <remarks>Reading returns null for a message about anything else than that one partition.</remarks>
internal static class QuorumWire
{
    public const string Topic = "__cluster_metadata";
    public const short VoteVersion = 0, BeginVersion = 0, EndVersion = 0, FetchVersion = 12;

    public static VoteRequest Write(QuorumRequest.Vote vote)
    {
        var partition = new VoteRequest.PartitionData { CandidateEpoch = vote.Epoch, CandidateId = vote.Candidate.Value, LastOffsetEpoch = vote.LastEpoch, LastOffset = vote.EndOffset };
        return new VoteRequest { Topics = On(partition) };
    }

    public static QuorumRequest.Vote? Read(VoteRequest request) =>
        request.Topics is [{ TopicName: Topic, Partitions: [{ PartitionIndex: 0 } vote] }]
            ? new QuorumRequest.Vote(vote.CandidateEpoch, new NodeId(vote.CandidateId), vote.LastOffsetEpoch, vote.LastOffset)
            : null;

    public static VoteResponse Write(QuorumAnswer.Vote? answer)
    {
        if (answer is null) return new VoteResponse { ErrorCode = ErrorCode.InvalidRequest };
        var partition = new VoteResponse.PartitionData { ErrorCode = Code(answer), LeaderId = answer.Leader.Value, LeaderEpoch = answer.Epoch, VoteGranted = answer.Granted };
        return new VoteResponse { Topics = On(partition) };
    }

    public static QuorumAnswer? Read(VoteResponse? response) =>
        response?.Topics is [{ TopicName: Topic, Partitions: [{ PartitionIndex: 0 } vote] }]
            ? new QuorumAnswer.Vote(Error(vote.ErrorCode), vote.LeaderEpoch, new NodeId(vote.LeaderId), vote.VoteGranted)
            : null;

    public static BeginQuorumEpochRequest Write(QuorumRequest.BeginEpoch begin)
    {
        var partition = new BeginQuorumEpochRequest.PartitionData { LeaderId = begin.Leader.Value, LeaderEpoch = begin.Epoch };
        return new BeginQuorumEpochRequest { Topics = On(partition) };
    }

    public static QuorumRequest.BeginEpoch? Read(BeginQuorumEpochRequest request) =>
        request.Topics is [{ TopicName: Topic, Partitions: [{ PartitionIndex: 0 } begin] }]
            ? new QuorumRequest.BeginEpoch(begin.LeaderEpoch, new NodeId(begin.LeaderId))
            : null;

    public static BeginQuorumEpochResponse Write(QuorumAnswer.BeginEpoch? answer)
    {
        if (answer is null) return new BeginQuorumEpochResponse { ErrorCode = ErrorCode.InvalidRequest };
        var partition = new QuorumLeader { ErrorCode = Code(answer), LeaderId = answer.Leader.Value, LeaderEpoch = answer.Epoch };
        return new BeginQuorumEpochResponse { Topics = On(partition) };
    }

    public static QuorumAnswer? Read(BeginQuorumEpochResponse? response) =>
        response?.Topics is [{ TopicName: Topic, Partitions: [{ PartitionIndex: 0 } begin] }]
            ? new QuorumAnswer.BeginEpoch(Error(begin.ErrorCode), begin.LeaderEpoch, new NodeId(begin.LeaderId))
            : null;

    public static EndQuorumEpochRequest Write(QuorumRequest.EndEpoch end)
    {
        var partition = new EndQuorumEpochRequest.PartitionData { LeaderId = end.Leader.Value, LeaderEpoch = end.Epoch, PreferredSuccessors = [.. end.PreferredSuccessors.Select(s => s.Value)] };
        return new EndQuorumEpochRequest { Topics = On(partition) };
    }

    public static QuorumRequest.EndEpoch? Read(EndQuorumEpochRequest request) =>
        request.Topics is [{ TopicName: Topic, Partitions: [{ PartitionIndex: 0 } end] }]
            ? new QuorumRequest.EndEpoch(end.LeaderEpoch, new NodeId(end.LeaderId), [.. end.PreferredSuccessors.Select(s => new NodeId(s))])
            : null;

    public static EndQuorumEpochResponse Write(QuorumAnswer.EndEpoch? answer)
    {
        if (answer is null) return new EndQuorumEpochResponse { ErrorCode = ErrorCode.InvalidRequest };
        var partition = new QuorumLeader { ErrorCode = Code(answer), LeaderId = answer.Leader.Value, LeaderEpoch = answer.Epoch };
        return new EndQuorumEpochResponse { Topics = On(partition) };
    }

    public static QuorumAnswer? Read(EndQuorumEpochResponse? response) =>
        response?.Topics is [{ TopicName: Topic, Partitions: [{ PartitionIndex: 0 } end] }]
            ? new QuorumAnswer.EndEpoch(Error(end.ErrorCode), end.LeaderEpoch, new NodeId(end.LeaderId))
            : null;

    public static FetchRequest Write(QuorumRequest.Fetch fetch, int maxBytes)
    {
        var partition = new FetchPartition { CurrentLeaderEpoch = fetch.Epoch, FetchOffset = fetch.FetchOffset, LastFetchedEpoch = fetch.LastFetchedEpoch, PartitionMaxBytes = maxBytes };
        return new FetchRequest
        {
            ReplicaId = fetch.Replica.Value,
            MaxWaitMs = (int)fetch.MaxWait.TotalMilliseconds,
            MaxBytes = maxBytes,
            Topics = [new FetchTopic { Topic = Topic, Partitions = [partition] }],
        };
    }

    public static QuorumRequest.Fetch? Read(FetchRequest request) =>
        request.Topics is [{ Topic: Topic, Partitions: [{ Partition: 0, FetchOffset: >= 0 } fetch] }] && request.MaxWaitMs >= 0
            ? new QuorumRequest.Fetch(fetch.CurrentLeaderEpoch, new NodeId(request.ReplicaId), fetch.FetchOffset, fetch.LastFetchedEpoch, TimeSpan.FromMilliseconds(request.MaxWaitMs))
            : null;

    public static FetchResponse Write(QuorumAnswer.Fetch? answer, ReadOnlyMemory<byte> records)
    {
        if (answer is null) return new FetchResponse { ErrorCode = ErrorCode.InvalidRequest };
        var partition = new FetchResponse.PartitionData
        {
            ErrorCode = Code(answer),
            HighWatermark = answer.HighWatermark,
            CurrentLeader = new LeaderIdAndEpoch { LeaderId = answer.Leader.Value, LeaderEpoch = answer.Epoch },
            Records = records,
        };
        if (answer.Diverging is { } diverging) partition.DivergingEpoch = new FetchResponse.EpochEndOffset { Epoch = diverging.Epoch, EndOffset = diverging.EndOffset };
        return new FetchResponse { Responses = [new FetchableTopicResponse { Topic = Topic, Partitions = [partition] }] };
    }

    /// <summary>Null also when a batch is damaged.</summary>
    public static QuorumAnswer.Fetch? Read(FetchResponse? response)
    {
        if (response?.Responses is not [{ Topic: Topic, Partitions: [{ PartitionIndex: 0 } fetch] }]) return null;
        var batches = ImmutableArray.CreateBuilder<QuorumBatch>();
        foreach (var batch in new RecordBatches(fetch.Records ?? default))
        {
            if (!batch.HasValidCrc) return null;
            batches.Add(new QuorumBatch(batch.BaseOffset, batch.NextOffset, batch.PartitionLeaderEpoch, batch.Bytes, batch.IsControl));
        }
        EpochEnd? diverging = fetch.DivergingEpoch.Epoch < 0 ? null : new EpochEnd(fetch.DivergingEpoch.Epoch, fetch.DivergingEpoch.EndOffset);
        return new QuorumAnswer.Fetch(
            Error(fetch.ErrorCode), fetch.CurrentLeader.LeaderEpoch, new NodeId(fetch.CurrentLeader.LeaderId), fetch.HighWatermark, 0, 0, diverging, batches.ToImmutable());
    }

    private static List<QuorumTopic<TPartition>> On<TPartition>(TPartition partition) where TPartition : IMessage, new() => [new QuorumTopic<TPartition> { TopicName = Topic, Partitions = [partition] }];

    private static ErrorCode Code(QuorumAnswer answer) => answer.Error switch
    {
        QuorumError.None => ErrorCode.None,
        QuorumError.FencedEpoch => ErrorCode.FencedLeaderEpoch,
        QuorumError.UnknownEpoch => ErrorCode.UnknownLeaderEpoch,
        QuorumError.NotLeader => ErrorCode.NotLeaderOrFollower,
        QuorumError.Inconsistent => ErrorCode.InconsistentVoterSet,
        _ => throw new InvalidOperationException($"no such error: {answer.Error}"),
    };

    /// <summary>Codes that this quorum does not send mean no more than that the request was refused.</summary>
    private static QuorumError Error(ErrorCode code) => code switch
    {
        ErrorCode.None => QuorumError.None,
        ErrorCode.FencedLeaderEpoch => QuorumError.FencedEpoch,
        ErrorCode.UnknownLeaderEpoch => QuorumError.UnknownEpoch,
        ErrorCode.InconsistentVoterSet => QuorumError.Inconsistent,
        _ => QuorumError.NotLeader,
    };
}
