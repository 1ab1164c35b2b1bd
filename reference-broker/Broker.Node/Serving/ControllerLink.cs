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
        where TResponse : class, IResponse, new() => (await TryAsync(request, version, isNotController)).Answer;

    /// <summary>
    /// Asks one after another, as long as nothing was done: who cannot be reached or says NOT_CONTROLLER did nothing. Null: there was no controller in the time of a request, or it did
    /// not answer; in the second case the request may have been executed.
    /// </summary>
    /// <param name="backoff">Between two rounds of all controllers.</param>
    public async Task<TResponse?> AskActiveAsync<TRequest, TResponse>(TRequest request, short version, Func<TResponse, bool> isNotController, TimeSpan backoff)
        where TRequest : class, IRequest<TResponse>, new()
        where TResponse : class, IResponse, new()
    {
        var started = host.Time.GetTimestamp();
        for (var tries = 1; ; tries++)
        {
            var (answer, mayBeDone) = await TryAsync(request, version, isNotController);
            if (answer is not null || mayBeDone || (host.Time.GetElapsedTime(started) - timeout).Ticks > 0) return answer;
            if (tries % controllers.Count == 0) await host.Time.DelayAsync(backoff);
        }
    }

    /// <summary>The controller's answer, or null and whether somebody may have read the request who is the controller.</summary>
    private async Task<(TResponse? Answer, bool MayBeDone)> TryAsync<TRequest, TResponse>(TRequest request, short version, Func<TResponse, bool> isNotController)
        where TRequest : class, IRequest<TResponse>, new()
        where TResponse : class, IResponse, new()
    {
        var asked = await OpenAsync();
        if (asked is null) return (null, false);
        var id = asked.NextCorrelationId();
        var frame = await asked.ExchangeAsync(RequestFrame.Encode(request, version, id, $"broker-{host.Id}"), id, timeout);
        if (frame is null)
        {
            TryNext(asked);
            return (null, true);
        }
        var answer = ResponseFrame.Decode<TResponse>(frame, version);
        if (!isNotController(answer)) return (answer, false);
        TryNext(asked);
        return (null, false);
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
        channel = null;
        current = (current + 1) % controllers.Count;
        asked.Close();                                                 // last: others who wait on it run on inside this call, and must see that the next one's turn has come
    }
}
