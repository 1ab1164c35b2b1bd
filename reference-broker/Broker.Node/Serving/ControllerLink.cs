using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Node.Serving;

/// <summary>A broker's way to the active controller: asks whoever answered last, and the next one when told it is not the controller or not told at all.</summary>
public sealed class ControllerLink(IHost host, IReadOnlyList<Endpoint> controllers, TimeSpan timeout)
{
    private RequestChannel? channel;
    private Task<bool>? opening;
    private int current;

    /// <summary>One try. Null when nobody answered or the one asked is not the controller; the request may have been executed in the first case.</summary>
    /// <param name="isNotController">Whether the answer says NOT_CONTROLLER.</param>
    public async Task<TResponse?> AskAsync<TRequest, TResponse>(TRequest request, short version, Func<TResponse, bool> isNotController)
        where TRequest : class, IRequest<TResponse>, new()
        where TResponse : class, IResponse, new()
    {
        var asked = await OpenAsync();
        if (asked is null) return null;
        var id = asked.NextCorrelationId();
        var frame = await asked.ExchangeAsync(RequestFrame.Encode(request, version, id, $"broker-{host.Id}"), id, timeout);
        if (frame is null)
        {
            TryNext(asked);
            return null;
        }
        var answer = ResponseFrame.Decode<TResponse>(frame, version);
        if (!isNotController(answer)) return answer;
        TryNext(asked);
        return null;
    }

    private async Task<RequestChannel?> OpenAsync()
    {
        if (channel is { IsOpen: true }) return channel;
        opening ??= ConnectAsync();
        await opening;
        opening = null;
        return channel;
    }

    private async Task<bool> ConnectAsync()
    {
        channel = await RequestChannel.OpenAsync(host, controllers[current], timeout);
        if (channel is null) current = (current + 1) % controllers.Count;
        return channel is not null;
    }

    private void TryNext(RequestChannel asked)
    {
        if (asked != channel) return;                                  // somebody else has moved on already
        channel.Close();
        channel = null;
        current = (current + 1) % controllers.Count;
    }
}
