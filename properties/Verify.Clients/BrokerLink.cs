using Broker.Protocol;
using Broker.Runtime;

namespace Verify.Clients;

/// <summary>What became of one request.</summary>
/// <param name="WasSent">False: it never left, so nothing can have come of it.</param>
/// <param name="Message">Null with <paramref name="Error"/>: <see cref="ErrorCode.RequestTimedOut"/>, <see cref="ErrorCode.NetworkException"/>,
/// <see cref="ErrorCode.UnsupportedVersion"/> where the broker speaks no version that we do, or <see cref="ErrorCode.CorruptMessage"/> for an answer that is none.</param>
public readonly record struct Reply<TResponse>(bool WasSent, ErrorCode Error, TResponse? Message) where TResponse : class;

/// <summary>
/// One client's way to one broker: a connection that opens on demand, with the versions that the broker speaks, and again after it broke, not before its backoff is over.
/// </summary>
public sealed class BrokerLink(IHost host, ConnectionSettings settings, ClientRules rules, Endpoint endpoint, Action changed)
{
    /// <summary>The newest versions used here: topics by name, and nothing that only brokers need.</summary>
    private static readonly Dictionary<ApiKey, short> Newest = new() { [ApiKey.Produce] = 12, [ApiKey.Fetch] = 12 };

    private RequestChannel? channel;
    private Task<bool>? opening;
    private List<ApiVersion> spoken = [];
    private TimeSpan notBefore;
    private int failures;
    private bool isClosed;

    public Endpoint Endpoint => endpoint;

    public bool IsOpen => channel is { IsOpen: true };

    /// <summary>Requests without an answer yet.</summary>
    public int InFlight { get; private set; }

    /// <summary>False while a new connection must not be tried yet.</summary>
    public bool MayTry => IsOpen || rules.IsDue(Now, notBefore);

    /// <summary>When <see cref="MayTry"/> becomes true.</summary>
    public TimeSpan NextTry => notBefore;

    private TimeSpan Now => host.Time.GetElapsedTime(0);

    /// <summary>True once there is a connection; false when it could not be had, or must not be tried yet.</summary>
    public Task<bool> OpenAsync()
    {
        if (IsOpen) return Task.FromResult(true);
        if (opening is { IsCompleted: false } underway) return underway;
        if (isClosed || !MayTry) return Task.FromResult(false);
        return opening = ConnectAsync();
    }

    /// <summary>One request and its answer, in the newest version that both sides speak, or in exactly the version given.</summary>
    /// <remarks>The request is queued before this returns: calls in one turn leave in their order.</remarks>
    public async Task<Reply<TResponse>> AskAsync<TRequest, TResponse>(TRequest request, TimeSpan timeout, short? version = null)
        where TRequest : IRequest<TResponse> where TResponse : class, IResponse, new()
    {
        if (channel is not { IsOpen: true } open) return new Reply<TResponse>(false, ErrorCode.NetworkException, null);
        var chosen = version ?? VersionOf<TRequest>();
        if (chosen < 0) return new Reply<TResponse>(false, ErrorCode.UnsupportedVersion, null);

        var asked = Now;
        var correlationId = open.NextCorrelationId();
        InFlight++;
        var frame = await open.ExchangeAsync(RequestFrame.Encode(request, chosen, correlationId, settings.ClientId), correlationId, timeout);
        InFlight--;
        if (frame is null)
        {
            Broke(open);
            return new Reply<TResponse>(true, rules.IsDue(Now, asked + timeout) ? ErrorCode.RequestTimedOut : ErrorCode.NetworkException, null);
        }
        return Read<TResponse>(open, frame, chosen);
    }

    /// <summary>A request without an answer (produce with acks=0). An error says that it did not leave.</summary>
    public ErrorCode Tell<TRequest>(TRequest request) where TRequest : IRequest
    {
        if (channel is not { IsOpen: true } open) return ErrorCode.NetworkException;
        var version = VersionOf<TRequest>();
        if (version < 0) return ErrorCode.UnsupportedVersion;
        if (open.Send(RequestFrame.Encode(request, version, open.NextCorrelationId(), settings.ClientId))) return ErrorCode.None;
        Broke(open);
        return ErrorCode.NetworkException;
    }

    public void Close()
    {
        isClosed = true;
        channel?.Close();
    }

    private Reply<TResponse> Read<TResponse>(RequestChannel open, byte[] frame, short version) where TResponse : class, IResponse, new()
    {
        try
        {
            return new Reply<TResponse>(true, ErrorCode.None, ResponseFrame.Decode<TResponse>(frame, version));
        }
        catch (MalformedFrameException)
        {
            open.Close();
            return new Reply<TResponse>(true, ErrorCode.CorruptMessage, null);
        }
    }

    private short VersionOf<TRequest>() where TRequest : IRequest
    {
        var ours = Newest.TryGetValue(TRequest.Key, out var newest) ? TRequest.Versions with { Max = newest } : TRequest.Versions;
        foreach (var api in spoken)
            if (api.ApiKey == TRequest.Key) return rules.ChooseVersion(ours, new VersionRange(api.MinVersion, api.MaxVersion));
        return -1;
    }

    private async Task<bool> ConnectAsync()
    {
        var opened = await RequestChannel.OpenAsync(host, endpoint, settings.ConnectTimeout);
        if (opened is not null && !isClosed && await NegotiateAsync(opened))
        {
            channel = opened;
            failures = 0;
        }
        else
        {
            opened?.Close();
            failures++;
            notBefore = Now + rules.Backoff(settings.ReconnectBackoff, settings.MaxReconnectBackoff, failures, host.Random.NextDouble());
        }
        changed();
        return IsOpen;
    }

    /// <summary>Asks what the broker speaks, in the newest version first; a broker that does not know that one says so in the oldest.</summary>
    private async Task<bool> NegotiateAsync(RequestChannel opened)
    {
        var request = new ApiVersionsRequest { ClientSoftwareName = "mqverify", ClientSoftwareVersion = "1" };
        foreach (var version in new[] { ApiVersionsRequest.Versions.Max, ApiVersionsRequest.Versions.Min })
        {
            var correlationId = opened.NextCorrelationId();
            var frame = await opened.ExchangeAsync(RequestFrame.Encode(request, version, correlationId, settings.ClientId), correlationId, settings.ConnectTimeout);
            if (frame is null || Read<ApiVersionsResponse>(opened, frame, version).Message is not { } answer) return false;
            if (answer.ErrorCode is ErrorCode.UnsupportedVersion) continue;
            spoken = answer.ApiKeys;
            return answer.ErrorCode is ErrorCode.None;
        }
        return false;
    }

    private void Broke(RequestChannel broken)
    {
        if (broken != channel) return;                                 // another request on it has noticed before
        channel = null;
        notBefore = Now + rules.Backoff(settings.ReconnectBackoff, settings.MaxReconnectBackoff, 1, host.Random.NextDouble());
        changed();
    }
}
