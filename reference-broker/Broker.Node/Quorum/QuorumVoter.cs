using Broker.Core.Quorum;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Node.Quorum;

/// <summary>A voter of the metadata quorum and where it is reached.</summary>
public readonly record struct QuorumVoter(NodeId Id, Endpoint Endpoint);

/// <summary>Settings of one voter. The set of voters is static.</summary>
public sealed record QuorumNodeSettings
{
    /// <summary>This voter; one of <see cref="Voters"/>.</summary>
    public required NodeId Id { get; init; }

    /// <summary>All voters, this one included (controller.quorum.voters).</summary>
    public required IReadOnlyList<QuorumVoter> Voters { get; init; }

    public QuorumSettings Times { get; init; } = QuorumSettings.Kafka;

    /// <summary>metadata.log.dir: a folder of the node's disk.</summary>
    public string LogDirectory { get; init; } = "metadata";

    /// <summary>Largest answer to a fetch, unless its first batch alone is larger.</summary>
    public int FetchMaxBytes { get; init; } = 1 << 20;
}

/// <summary>One connection to a peer, opened when needed and again after it broke.</summary>
/// <remarks>A server answers one request at a time per connection, so whoever must not wait behind a waiting fetch takes a connection of its own.</remarks>
internal sealed class PeerConnection(IHost host, Endpoint endpoint, TimeSpan connectTimeout)
{
    private RequestChannel? channel;
    private Task<RequestChannel?>? opening;

    /// <summary>The answer, or null: not reached, not answered in time, or not understood. In all but the first case the request may have been executed.</summary>
    public async Task<TResponse?> AskAsync<TRequest, TResponse>(TRequest request, short version, TimeSpan timeout)
        where TRequest : class, IRequest<TResponse>, new()
        where TResponse : class, IResponse, new()
    {
        if (await OpenAsync() is not { } open) return null;
        var id = open.NextCorrelationId();
        var frame = await open.ExchangeAsync(RequestFrame.Encode(request, version, id, $"quorum-{host.Id}"), id, timeout);
        if (frame is null) return null;
        try
        {
            return ResponseFrame.Decode<TResponse>(frame, version);
        }
        catch (MalformedFrameException)
        {
            open.Close();                                              // what else it says is not to be trusted either
            return null;
        }
    }

    public void Close() => channel?.Close();

    private async Task<RequestChannel?> OpenAsync()
    {
        if (channel is { IsOpen: true }) return channel;
        opening ??= RequestChannel.OpenAsync(host, endpoint, connectTimeout).AsTask();
        var opened = await opening;
        opening = null;
        if (opened is not null) channel = opened;
        return opened;
    }
}
