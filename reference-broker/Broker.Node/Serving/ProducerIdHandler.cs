using Broker.Node.Rpc;
using Broker.Protocol;

namespace Broker.Node.Serving;

/// <summary>Gives idempotent producers their ids, out of blocks from the controller (KIP-98, KIP-730). Transactional ids are not served.</summary>
public sealed class ProducerIdHandler(BrokerSettings settings, BrokerIdentity identity, ControllerLink controller)
{
    private long next;
    private int left;

    public async ValueTask<InitProducerIdResponse?> HandleAsync(InitProducerIdRequest request, RequestContext context)
    {
        if (request.TransactionalId is not null) return new InitProducerIdResponse { ErrorCode = ErrorCode.InvalidRequest };
        if (left == 0 && !await RefillAsync()) return new InitProducerIdResponse { ErrorCode = ErrorCode.CoordinatorLoadInProgress };
        left--;
        return new InitProducerIdResponse { ProducerId = next++, ProducerEpoch = 0 };
    }

    private async Task<bool> RefillAsync()
    {
        var answer = await controller.AskActiveAsync<AllocateProducerIdsRequest, AllocateProducerIdsResponse>(
            new AllocateProducerIdsRequest { BrokerId = settings.Id.Value, BrokerEpoch = identity.BrokerEpoch }, 0, answer => answer.ErrorCode == ErrorCode.NotController, settings.Backoff);
        if (answer is not { ErrorCode: ErrorCode.None, ProducerIdLen: > 0 }) return false;
        (next, left) = (answer.ProducerIdStart, answer.ProducerIdLen);
        return true;
    }
}
