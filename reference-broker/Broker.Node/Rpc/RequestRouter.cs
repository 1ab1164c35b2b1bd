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

/// <summary>What becomes of a request.</summary>
/// <param name="Answer">The answer's frame; null: none.</param>
/// <param name="Close">The connection must be closed.</param>
/// <param name="Fault">What is wrong with the request itself; null: nothing.</param>
public readonly record struct Reply(byte[]? Answer, bool Close, string? Fault = null);

/// <summary>Which handler serves which API, and in which versions; answers ApiVersions itself.</summary>
public sealed class RequestRouter
{
    /// <summary>Of a request without records: what it names is looked at in one turn, and nobody else is served meanwhile. Kafka has no such limit.</summary>
    public const int MostBytes = 8 << 20;

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

    public ValueTask<Reply> AnswerAsync(byte[] frame, Endpoint remote)
    {
        try
        {
            var header = RequestFrame.ReadHeader(frame);
            if (frame.Length > MostBytes && header.Key != ApiKey.Produce) return Refused($"{header.Key} of {frame.Length} bytes, where at most {MostBytes} are taken");
            if (!routes.TryGetValue(header.Key, out var route)) return Refused($"API key {(short)header.Key} is not served");
            if (route.Versions.Contains(header.Version)) return route.Serve(frame, header, remote);
            return header.Key == ApiKey.ApiVersions ? ValueTask.FromResult(new Reply(VersionTooNew(header), Close: false)) : Refused($"{header.Key} is not served in version {header.Version}");
        }
        catch (MalformedFrameException malformed)
        {
            return Refused(malformed.Message);                         // decoding refused it: nothing was executed
        }
    }

    private static ValueTask<Reply> Refused(string fault) => ValueTask.FromResult(new Reply(null, Close: true, fault));

    private static async ValueTask<Reply> CloseLaterAsync<TResponse>(ValueTask<TResponse?> answering, RequestContext context) where TResponse : class, IResponse =>
        Close(await answering, context);

    private static Reply Close<TResponse>(TResponse? answer, RequestContext context) where TResponse : class, IResponse =>
        new(answer is null ? null : ResponseFrame.Encode(answer, context.Header.Version, context.Header.CorrelationId), context.CloseConnection);

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

    private sealed record Route(VersionRange Versions, Func<byte[], RequestHeader, Endpoint, ValueTask<Reply>> Serve);
}
