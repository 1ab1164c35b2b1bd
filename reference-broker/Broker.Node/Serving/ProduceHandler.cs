using Broker.Core.Groups;
using Broker.Core.Log;
using Broker.Core.Replication;
using Broker.Node.Rpc;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Node.Serving;

/// <summary>Appends batches and answers as acks demands (KIP-98 idempotence, KIP-101 leader epochs).</summary>
public sealed class ProduceHandler(IHost host, PartitionTable partitions, BrokerIdentity identity, ReplicationRules rules)
{
    /// <summary>Null for acks=0; then an error can only be told by closing the connection, as Kafka does.</summary>
    public async ValueTask<ProduceResponse?> HandleAsync(ProduceRequest request, RequestContext context)
    {
        var appends = new List<Append>();
        var isTransactional = request.TopicData.Exists(topic => topic.PartitionData.Exists(IsTransactional));
        foreach (var topic in request.TopicData)
            foreach (var data in topic.PartitionData) appends.Add(Admit(topic.Name, data, request, isTransactional, context.Header.ClientId));
        foreach (var step in rules.ProduceSteps()) await DoAsync(step, appends, request, context);

        foreach (var append in appends)
            host.Observe(new Observation(ObservationKind.ProduceAnswered, host.Id, append.Id, append.LeaderEpoch, append.Outcome.BaseOffset, append.Outcome.NextOffset, (int)append.Error));
        if (request.Acks != 0) return Answer(request, appends, context.Header.Version);
        context.CloseConnection = appends.Exists(append => append.Error != ErrorCode.None);
        return null;
    }

    /// <summary>Transactions are not served. Kafka answers so where the request names no transactional id, and to whoever may not use the one it names.</summary>
    private static bool IsTransactional(PartitionProduceData data) => data.Records is { } records && RecordBatch.TryRead(records, out var first, out _) && first.IsTransactional;

    private Append Admit(string topic, PartitionProduceData data, ProduceRequest request, bool isTransactional, string? clientId)
    {
        var append = new Append(new TopicPartition(topic, data.Index), partitions.Find(topic, data.Index), data.Records ?? ReadOnlyMemory<byte>.Empty);
        append.LeaderEpoch = append.Partition?.Core.LeaderEpoch ?? -1;
        append.Outcome = Refused(request.Acks is < -1 or > 1 ? ErrorCode.InvalidRequiredAcks : isTransactional ? ErrorCode.TransactionalIdAuthorizationFailed : append.Partition is null ? ErrorCode.UnknownTopicOrPartition : OffsetsTopic.IsInternal(topic) && clientId != OffsetsTopic.AdminClient ? ErrorCode.InvalidTopicException : ErrorCode.None);
        return append;
    }

    private async ValueTask DoAsync(ProduceStep step, List<Append> appends, ProduceRequest request, RequestContext context)
    {
        switch (step)
        {
            case ProduceStep.Append:
                foreach (var append in appends) AppendTo(append, request.Acks, context);
                break;
            case ProduceStep.Flush:
                foreach (var append in appends)
                    if (append.Error == ErrorCode.None && append.Partition!.Core.Log.NeedsFlush) await append.Partition.Core.FlushAsync();
                break;
            case ProduceStep.Count:
                foreach (var append in appends)
                    if (append.Error == ErrorCode.None) append.Partition!.Core.Appended(append.LeaderEpoch, append.Outcome.NextOffset);
                break;
            case ProduceStep.AwaitCommit:
                if (request.Acks == -1) await CommitAllAsync(appends, TimeSpan.FromMilliseconds(request.TimeoutMs));
                break;
            default: throw new InvalidOperationException($"unknown produce step {step}");
        }
    }

    private void AppendTo(Append append, short acks, RequestContext context)
    {
        var connection = context.Remote.Port;
        host.Observe(new Observation(ObservationKind.ProduceRead, host.Id, append.Id, append.LeaderEpoch, Bytes: append.Records, Connection: connection));
        if (append.Error == ErrorCode.None) Store(append, acks, context.Header.Version);
        host.Observe(new Observation(ObservationKind.ProduceReceived, host.Id, append.Id, append.LeaderEpoch, append.Outcome.BaseOffset, append.Outcome.NextOffset, (int)append.Error, Bytes: append.Records, Connection: connection));
    }

    private void Store(Append append, short acks, short version)
    {
        var partition = append.Partition!.Core;
        var error = Problem(append, version, out var batch);
        if (error == ErrorCode.None && partition.StampsTime)
        {
            append.LogAppendTimeMs = host.Time.GetUtcNow().ToUnixTimeMilliseconds();
            batch = batch.WithAppendTime(append.LogAppendTimeMs);
        }
        append.Outcome = error != ErrorCode.None ? Refused(error) : partition.Append(batch, acks);
    }

    private static ErrorCode Problem(Append append, short version, out RecordBatch batch)
    {
        batch = default;
        var partition = append.Partition!.Core;
        if (!partition.IsLeader) return ErrorCode.NotLeaderOrFollower;
        if (append.Records.Length > partition.MaxMessageBytes) return ErrorCode.MessageTooLarge;
        if (RecordBatch.ValidateProduced(append.Records, out batch) is var error and not ErrorCode.None) return error;
        if (batch.Compression == Compression.Zstd && version < 7) return ErrorCode.UnsupportedCompressionType;
        if (partition.Compacts) append.Keyless.AddRange(Keyless(batch));       // nothing would say what supersedes them
        return append.Keyless.Count > 0 ? ErrorCode.InvalidRecord : ErrorCode.None;
    }

    /// <summary>Which records of the batch have no key, where it can be read.</summary>
    private static List<int> Keyless(in RecordBatch batch)
    {
        var found = new List<int>();
        if (!BatchFilter.TryOpen(batch, out var opened)) return found;
        var index = 0;
        foreach (var record in opened.Records)
        {
            if (record.Key is null) found.Add(index);
            index++;
        }
        return found;
    }

    private static AppendOutcome Refused(ErrorCode error) => new(error, -1, -1);

    private async Task CommitAllAsync(List<Append> appends, TimeSpan timeout)
    {
        var deadline = host.Time.Monotonic() + timeout;
        foreach (var append in appends)
            if (append.Error == ErrorCode.None) append.Error = await CommitAsync(append, deadline);
    }

    private async Task<ErrorCode> CommitAsync(Append append, TimeSpan deadline)
    {
        var partition = append.Partition!.Core;
        var next = append.Outcome.NextOffset;
        while (rules.StillLeads(append.LeaderEpoch, partition.LeaderEpoch))    // look again after every wait, before believing the watermark
        {
            if (partition.IsCommitted(next)) return partition.HasEnoughReplicas ? ErrorCode.None : ErrorCode.NotEnoughReplicasAfterAppend;
            if (!await HostedPartition.WaitAsync(host.Time, [append.Partition], () => partition.IsCommitted(next), deadline - host.Time.Monotonic())) return ErrorCode.RequestTimedOut;
        }
        return ErrorCode.NotLeaderOrFollower;
    }

    private ProduceResponse Answer(ProduceRequest request, List<Append> appends, short version)
    {
        var answer = new ProduceResponse();
        var next = 0;
        foreach (var topic in request.TopicData)
        {
            var answered = new TopicProduceResponse { Name = topic.Name };
            foreach (var data in topic.PartitionData)
            {
                var append = appends[next++];
                answered.PartitionResponses.Add(new PartitionProduceResponse
                {
                    Index = data.Index,
                    ErrorCode = append.Error,
                    BaseOffset = append.Error == ErrorCode.None ? append.Outcome.BaseOffset : -1,
                    LogAppendTimeMs = append.Error == ErrorCode.None ? append.LogAppendTimeMs : -1,
                    LogStartOffset = append.Partition?.Core.Log.LogStartOffset ?? -1,
                    RecordErrors = append.Keyless.ConvertAll(static index => new BatchIndexAndErrorMessage { BatchIndex = index, BatchIndexErrorMessage = "Compacted topic cannot accept message without key" }),
                    CurrentLeader = version >= 10 && LeaderHint.MayHelp(append.Error) ? LeaderHint.For(identity.Image, append.Id, answer.NodeEndpoints) : new LeaderIdAndEpoch(),
                });
            }
            answer.Responses.Add(answered);
        }
        return answer;
    }

    /// <summary>One partition's share of a request.</summary>
    private sealed class Append(TopicPartition id, HostedPartition? partition, ReadOnlyMemory<byte> records)
    {
        private AppendOutcome outcome;

        public TopicPartition Id { get; } = id;

        public HostedPartition? Partition { get; } = partition;

        public ReadOnlyMemory<byte> Records { get; } = records;

        /// <summary>In which the request was admitted; the answer holds for this epoch only.</summary>
        public int LeaderEpoch { get; set; } = -1;

        public AppendOutcome Outcome
        {
            get => outcome;
            set => (outcome, Error) = (value, value.Error);
        }

        public ErrorCode Error { get; set; }

        /// <summary>Given by the broker, where the topic says so; -1: the records keep their own times.</summary>
        public long LogAppendTimeMs { get; set; } = -1;

        /// <summary>Records that a compacted topic cannot take, by their place in the batch.</summary>
        public List<int> Keyless { get; } = [];
    }
}
