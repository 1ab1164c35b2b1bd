using Broker.Protocol;
using Broker.Runtime;

namespace Verify.Clients;

/// <summary>
/// A Kafka producer on the wire: batches, pipelining, retries and idempotence as Kafka's own, deterministic and on one loop. Everything that it decides is in <see cref="ClientRules"/>.
/// </summary>
/// <remarks>
/// How outcomes are told. ok: the broker answered without error, or (acks=0) the request left. fail: no attempt can have been appended: every one was refused by an answer that comes before the append
/// (<see cref="ClientRules.SurelyNotAppended"/>), or none ever left. info: all else: a time-out or broken connection after a request left, leadership errors, errors after the append, and definite refusals
/// after an earlier attempt of that kind. Idempotent or not, a record is given at most one outcome, and never waits longer than <see cref="ProducerSettings.DeliveryTimeout"/>.
/// </remarks>
public sealed class WireProducer : IProducer
{
    private static readonly TimeSpan IdleLook = TimeSpan.FromHours(1);

    private readonly IHost host;
    private readonly TaskScope scope;
    private readonly ProducerSettings settings;
    private readonly ClientRules rules;
    private readonly ClusterMetadata metadata;
    private readonly ProducerIdentity identity;
    private readonly Signal wake;
    private readonly RecordBatchBuilder builder = new();
    private readonly List<PartitionQueue> queues = [];
    private readonly Dictionary<TopicPartition, PartitionQueue> queueOf = [];
    private long bufferedBytes;
    private int waiting;
    private bool isRunning, isDirty, isFlushing, isClosed;

    /// <param name="scope">Whoever owns it sees the failures of the producer's background work.</param>
    public WireProducer(IHost host, TaskScope scope, ProducerSettings settings, ClientRules? rules = null)
    {
        settings.Validate();
        this.host = host;
        this.scope = scope;
        this.settings = settings;
        this.rules = rules ?? ClientRules.Faithful;
        wake = new Signal(host.Time);
        metadata = new ClusterMetadata(host, scope, settings.Connection, this.rules, Wake);
        identity = new ProducerIdentity(host, scope, metadata, settings.Connection, this.rules, Wake);
    }

    private TimeSpan Now => host.Time.GetElapsedTime(0);

    public Task<SendOutcome> SendAsync(TopicPartition partition, byte[]? key, byte[]? value, params RecordHeader[] headers)
    {
        var bytes = ProducerBatch.SizeOf(key, value, headers);
        if (RecordBatch.HeaderSize + bytes > settings.MaxRequestBytes) return Refused(ErrorCode.MessageTooLarge);
        if (isClosed || bufferedBytes + bytes > settings.BufferBytes) return Refused(ErrorCode.ThrottlingQuotaExceeded);
        bufferedBytes += bytes;
        var queue = QueueOf(partition);
        var batches = queue.Count;
        var outcome = queue.BatchFor(bytes, Now).Add(key, value, headers, host.Time.GetUtcNow().ToUnixTimeMilliseconds());
        waiting += queue.Count - batches;
        Wake();
        return outcome;
    }

    public async Task CloseAsync()
    {
        isFlushing = true;
        Wake();
        while (waiting > 0) await wake.WaitAsync(IdleLook);
        isClosed = true;
        metadata.Close();
    }

    private static Task<SendOutcome> Refused(ErrorCode error) => Task.FromResult(new SendOutcome(OutcomeKind.Fail, error, -1, 0));

    private PartitionQueue QueueOf(TopicPartition partition)
    {
        if (queueOf.TryGetValue(partition, out var queue)) return queue;
        queue = new PartitionQueue(partition, settings, rules);
        queueOf.Add(partition, queue);
        queues.Add(queue);
        return queue;
    }

    private void Wake()
    {
        isDirty = true;
        wake.Set();
        if (isRunning || waiting == 0) return;
        isRunning = true;
        scope.Start(RunAsync);
    }

    /// <summary>Runs while any batch is without its fate. Each round looks at everything, so a change in the middle of it only asks for another round.</summary>
    private async Task RunAsync()
    {
        await Task.Yield();                                            // records handed over in one turn travel together
        while (waiting > 0)
        {
            isDirty = false;
            var next = Round();
            if (isDirty) await Task.Yield();
            else await wake.WaitAsync(next - Now);
        }
        isRunning = false;
        wake.Set();
    }

    /// <summary>Sends all that may leave; returns when to look again if nothing happens until then.</summary>
    private TimeSpan Round()
    {
        var now = Now;
        var next = now + IdleLook;
        foreach (var queue in queues)
        {
            if (queue.Count == 0) continue;
            foreach (var batch in queue.Overdue(now)) Expire(queue, batch);
            foreach (var batch in queue.Settle()) Conclude(batch, batch.LastError);
            if (queue.NextDeadline is { } deadline) next = ClusterMetadata.Shorter(next, deadline);
            if (queue.Count > 0 && queue.NeedsIdentity && identity.Take(queue.ExhaustedId) is { } taken) queue.Identify(taken.ProducerId, taken.ProducerEpoch);
        }
        while (SendOneRequestPerBroker(now, ref next)) { }
        return next;
    }

    /// <summary>False when nothing could leave.</summary>
    private bool SendOneRequestPerBroker(TimeSpan now, ref TimeSpan next)
    {
        List<(BrokerLink Link, List<Departure> Batches)> requests = [];
        foreach (var queue in queues)
        {
            if (queue.Count == 0 || queue.NeedsIdentity || metadata.LeaderOf(queue.Partition) is not { } leader) continue;
            if (queue.NextToLeave(now, leader.Leadership.Epoch, isFlushing, ref next) is not { } batch) continue;
            if (!leader.Link.IsOpen)
            {
                Open(leader.Link, ref next);
                continue;
            }
            if (!rules.MayPipeline(leader.Link.InFlight, settings.MaxInFlight)) continue;
            var request = requests.Find(r => r.Link == leader.Link).Batches;
            if (request is null) requests.Add((leader.Link, request = []));
            request.Add(new Departure(queue, batch));
            queue.Leaves(batch, leader.Leadership.Epoch);
        }
        foreach (var (link, departures) in requests) Send(link, departures);
        return requests.Count > 0;
    }

    private void Open(BrokerLink link, ref TimeSpan next)
    {
        if (link.MayTry) scope.Start(link.OpenAsync);
        else
        {
            metadata.RequestUpdate();                                  // perhaps another broker leads by now
            next = ClusterMetadata.Shorter(next, link.NextTry);
        }
    }

    private void Send(BrokerLink link, List<Departure> departures)
    {
        var request = new ProduceRequest { Acks = settings.Acks, TimeoutMs = (int)settings.Connection.RequestTimeout.TotalMilliseconds };
        foreach (var (queue, batch) in departures)
        {
            var topic = request.TopicData.Find(t => t.Name == queue.Partition.Topic);
            if (topic is null) request.TopicData.Add(topic = new TopicProduceData { Name = queue.Partition.Topic });
            topic.PartitionData.Add(new PartitionProduceData { Index = queue.Partition.Partition, Records = batch.Encode(builder) });
        }
        if (settings.Acks != 0)
        {
            scope.Start(() => ExchangeAsync(link, request, departures));
            return;
        }
        var trouble = link.Tell(request);
        foreach (var (queue, batch) in departures)
        {
            if (trouble is ErrorCode.None) Acknowledge(queue, batch, -1);
            else NeverLeft(queue, batch, trouble);
        }
    }

    private async Task ExchangeAsync(BrokerLink link, ProduceRequest request, List<Departure> departures)
    {
        var reply = await link.AskAsync<ProduceRequest, ProduceResponse>(request, settings.Connection.RequestTimeout);
        foreach (var (queue, batch) in departures)
        {
            if (reply.Message is { } answer && AnswerFor(answer, queue.Partition) is { } own) Answered(queue, batch, own, answer.NodeEndpoints);
            else if (reply.WasSent) Unanswered(queue, batch, reply.Message is null ? reply.Error : ErrorCode.CorruptMessage);
            else NeverLeft(queue, batch, reply.Error);
        }
        Wake();
    }

    private static PartitionProduceResponse? AnswerFor(ProduceResponse answer, TopicPartition partition) =>
        answer.Responses.Find(t => t.Name == partition.Topic)?.PartitionResponses.Find(p => p.Index == partition.Partition);

    private void Answered(PartitionQueue queue, ProducerBatch batch, PartitionProduceResponse answer, List<NodeEndpoint> endpoints)
    {
        metadata.Learn(queue.Partition, answer.CurrentLeader, endpoints);
        if (rules.LeaderMayHaveMoved(answer.ErrorCode)) metadata.RequestUpdate();
        if (answer.ErrorCode is ErrorCode.None) Acknowledge(queue, batch, answer.BaseOffset);
        else if (rules.IsForgottenDuplicate(answer.ErrorCode)) AcknowledgeForgotten(queue, batch);
        else Unsuccessful(queue, batch, answer.ErrorCode, !rules.SurelyNotAppended(answer.ErrorCode));
    }

    private void Unanswered(PartitionQueue queue, ProducerBatch batch, ErrorCode error)
    {
        metadata.RequestUpdate();
        Unsuccessful(queue, batch, error, rules.UnansweredMayHaveHappened());
    }

    private void Unsuccessful(PartitionQueue queue, ProducerBatch batch, ErrorCode error, bool mayHaveBeenAppended)
    {
        var again = queue.Unsuccessful(batch, error, mayHaveBeenAppended, rules.IsRetriable(error), Now, host.Random.NextDouble());
        if (!again) Conclude(batch, error);
    }

    private void Acknowledge(PartitionQueue queue, ProducerBatch batch, long baseOffset)
    {
        queue.Acknowledged(batch);
        Conclude(batch, new SendOutcome(OutcomeKind.Ok, ErrorCode.None, baseOffset, batch.Attempts));
    }

    /// <summary>In the log, but the broker no longer knows where, nor did it wait for the replicas.</summary>
    private void AcknowledgeForgotten(PartitionQueue queue, ProducerBatch batch)
    {
        queue.Acknowledged(batch);
        Conclude(batch, new SendOutcome(OutcomeKind.Info, ErrorCode.DuplicateSequenceNumber, -1, batch.Attempts));
    }

    private void NeverLeft(PartitionQueue queue, ProducerBatch batch, ErrorCode trouble)
    {
        if (trouble is ErrorCode.UnsupportedVersion) Unsuccessful(queue, batch, trouble, mayHaveBeenAppended: false);
        else queue.CameBack(batch);
    }

    /// <summary>Its time is over. What is on its way stays in the queue, without its records, until the answer has told about its number.</summary>
    private void Expire(PartitionQueue queue, ProducerBatch batch)
    {
        if (batch.IsInFlight)
        {
            queue.Abandon(batch);
            batch.Conclude(new SendOutcome(rules.UnsuccessfulOutcome(rules.UnansweredMayHaveHappened()), ErrorCode.RequestTimedOut, -1, batch.Attempts), rules);
            return;
        }
        queue.Drop(batch);
        Conclude(batch, batch.LastError);
    }

    private void Conclude(ProducerBatch batch, ErrorCode error) =>
        Conclude(batch, new SendOutcome(rules.UnsuccessfulOutcome(batch.MayHaveBeenAppended), error, -1, batch.Attempts));

    /// <summary>The end of a batch that has left its queue.</summary>
    private void Conclude(ProducerBatch batch, SendOutcome outcome)
    {
        waiting--;
        bufferedBytes -= batch.Bytes - RecordBatch.HeaderSize;
        var code = outcome.Kind is OutcomeKind.Info ? -1 : (int)outcome.Error;
        host.Observe(new Observation(ObservationKind.ClientAnswered, host.Id, batch.Partition, Offset: outcome.Offset, Other: code));
        batch.Conclude(outcome, rules);
    }

    private readonly record struct Departure(PartitionQueue Queue, ProducerBatch Batch);
}
