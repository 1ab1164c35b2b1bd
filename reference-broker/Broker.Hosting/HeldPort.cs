using System.Net;
using System.Net.Sockets;
using Broker.Runtime;

namespace Broker.Hosting;

/// <summary>A port that stays ours while nobody listens on it: before a node's start, and while it is down.</summary>
/// <remarks>
/// The holder is bound and does not listen, so callers are refused. On Unix a listener may be bound beside it, and the system gives the port to nobody else.
/// Windows allows no second binding: there the port is only found free, and let go.
/// </remarks>
public sealed class HeldPort : IDisposable
{
    private readonly Socket? holder;

    private HeldPort(Socket bound, Endpoint endpoint)
    {
        Endpoint = endpoint with { Port = ((IPEndPoint)bound.LocalEndPoint!).Port };
        if (!OperatingSystem.IsWindows()) holder = bound;
        else bound.Dispose();
    }

    public Endpoint Endpoint { get; }

    /// <param name="endpoint">Port 0: any free one.</param>
    /// <exception cref="SocketException">Somebody listens there, the address is not ours, or the name is not known.</exception>
    public static HeldPort Take(Endpoint endpoint)
    {
        var socket = SocketListener.Bind(endpoint);
        return new HeldPort(socket, endpoint);
    }

    public void Dispose() => holder?.Dispose();
}
