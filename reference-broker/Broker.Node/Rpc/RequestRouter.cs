using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Node.Rpc;

/// <summary>One request being served. A handler that must not answer at all sets <see cref="CloseConnection"/> or returns null.</summary>
public sealed class RequestContext(RequestHeader header, Endpoint remote)
{
    public RequestHeader Header { get; } = header;

    /// <summary>The client's end of the connection.</summary>
    public Endpoint Remote { get; } = remote;

    public bool CloseConnection { get; set; }
}

/// <summary>Which handler serves which API, and in which versions; answers ApiVersions itself.</summary>
public sealed class RequestRouter
{
    private readonly SortedDictionary<ApiKey, Route> routes = [];

    public RequestRouter() => On<ApiVersionsRequest, ApiVersionsResponse>((_, _) => ValueTask.FromResult<ApiVersionsResponse?>(OfferedVersions()));

    /// <summary>Serves an API. The handler returns null when the request gets no answer (acks=0).</summary>
    public void On<TRequest, TResponse>(Func<TRequest, RequestContext, ValueTask<TResponse?>> handler)
        where TRequest : class, IRequest<TResponse>, new()
        where TResponse : class, IResponse, new() =>
        routes[TRequest.Key] = new Route(TRequest.Versions, (frame, header, remote) =>
        {
            var context = new RequestContext(header, remote);
            var answering = handler(RequestFrame.Decode<TRequest>(frame, header), context);
            return answering.IsCompletedSuccessfully ? ValueTask.FromResult(Close(answering.Result, context)) : CloseLaterAsync(answering, context);
        });

    /// <summary>The answer's frame (null: none), and whether the connection must be closed.</summary>
    public ValueTask<(byte[]? Answer, bool Close)> AnswerAsync(byte[] frame, Endpoint remote)
    {
        try
        {
            var header = RequestFrame.ReadHeader(frame);
            if (!routes.TryGetValue(header.Key, out var route)) return ValueTask.FromResult<(byte[]?, bool)>((null, true));
            if (route.Versions.Contains(header.Version)) return route.Serve(frame, header, remote);
            return ValueTask.FromResult(header.Key == ApiKey.ApiVersions ? (VersionTooNew(header), false) : ((byte[]?)null, true));
        }
        catch (MalformedFrameException)
        {
            return ValueTask.FromResult<(byte[]?, bool)>((null, true));    // decoding refused it: nothing was executed
        }
    }

    private static async ValueTask<(byte[]?, bool)> CloseLaterAsync<TResponse>(ValueTask<TResponse?> answering, RequestContext context) where TResponse : class, IResponse =>
        Close(await answering, context);

    private static (byte[]?, bool) Close<TResponse>(TResponse? answer, RequestContext context) where TResponse : class, IResponse =>
        (answer is null ? null : ResponseFrame.Encode(answer, context.Header.Version, context.Header.CorrelationId), context.CloseConnection);

    private ApiVersionsResponse OfferedVersions() => new()
    {
        ApiKeys = [.. routes.Select(route => new ApiVersion { ApiKey = route.Key, MinVersion = OfferedFrom(route.Key, route.Value.Versions), MaxVersion = route.Value.Versions.Max })],
    };

    /// <summary>Produce is offered from 0, though nothing below 3 is served: librdkafka before 2.11 takes a broker that does not offer 0 for one that knows no compression. Kafka does the same (KAFKA-18659).</summary>
    private static short OfferedFrom(ApiKey key, VersionRange served) => key == ApiKey.Produce ? (short)0 : served.Min;

    private static byte[] VersionTooNew(RequestHeader header)
    {
        var answer = new ApiVersionsResponse { ErrorCode = ErrorCode.UnsupportedVersion };
        answer.ApiKeys.Add(new ApiVersion { ApiKey = ApiKey.ApiVersions, MinVersion = ApiVersionsRequest.Versions.Min, MaxVersion = ApiVersionsRequest.Versions.Max });
        return ResponseFrame.Encode(answer, 0, header.CorrelationId);
    }

    private sealed record Route(VersionRange Versions, Func<byte[], RequestHeader, Endpoint, ValueTask<(byte[]?, bool)>> Serve);
}
