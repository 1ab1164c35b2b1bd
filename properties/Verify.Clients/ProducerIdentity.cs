using Broker.Protocol;
using Broker.Runtime;

namespace Verify.Clients;

/// <summary>Gets the producer id of an idempotent producer (InitProducerId), from any broker, when it is first needed.</summary>
internal sealed class ProducerIdentity(IHost host, TaskScope scope, ClusterMetadata metadata, ConnectionSettings settings, ClientRules rules, Action changed)
{
    private readonly Signal pause = new(host.Time);
    private InitProducerIdResponse? current;
    private bool isAsking;

    /// <summary>The producer's id and first epoch; null while it is being asked for.</summary>
    /// <param name="exhausted">An id whose epochs are used up; -1 for none.</param>
    public (long ProducerId, short ProducerEpoch)? Take(long exhausted)
    {
        if (current is { } known && !rules.IsSameProducer(known.ProducerId, exhausted)) return (known.ProducerId, known.ProducerEpoch);
        current = null;
        if (!isAsking) scope.Start(AskAsync);
        return null;
    }

    private async Task AskAsync()
    {
        isAsking = true;
        var deadline = host.Time.GetElapsedTime(0) + settings.RequestTimeout;
        for (var attempt = 1; current is null && !rules.IsDue(host.Time.GetElapsedTime(0), deadline); attempt++)
        {
            if (await metadata.AnyLinkAsync(deadline) is not { } link) break;
            var request = new InitProducerIdRequest { TransactionalId = null, TransactionTimeoutMs = int.MaxValue };
            var reply = await link.AskAsync<InitProducerIdRequest, InitProducerIdResponse>(request, settings.RequestTimeout);
            if (reply.Message is { ErrorCode: ErrorCode.None } answer) current = answer;
            else await pause.WaitAsync(rules.Backoff(settings.RetryBackoff, settings.MaxRetryBackoff, attempt, host.Random.NextDouble()));
        }
        isAsking = false;
        changed();
    }
}
