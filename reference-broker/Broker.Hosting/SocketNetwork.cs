using System.Net;
using System.Net.Sockets;
using Broker.Runtime;

namespace Broker.Hosting;

/// <summary>TCP, cut into frames by Kafka's four-byte length. Awaits resume on the loop that calls.</summary>
/// <remarks>Disposed, it closes whatever is still open, as the end of a process does; its loop must have ended before.</remarks>
public sealed class SocketNetwork : INetwork, IDisposable
{
    private readonly HashSet<Socket> open = [];

    public IListener Listen(Endpoint endpoint) => new SocketListener(endpoint, open);

    public async ValueTask<IConnection?> ConnectAsync(Endpoint endpoint, TimeSpan timeout)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        open.Add(socket);
        using var tooLate = new CancellationTokenSource(timeout);
        try
        {
            await socket.ConnectAsync(endpoint.Host, endpoint.Port, tooLate.Token);
            return new SocketConnection(socket, endpoint, open);
        }
        catch (Exception refusal) when (refusal is SocketException or OperationCanceledException)
        {
            open.Remove(socket);
            socket.Dispose();
            return null;
        }
    }

    public void Dispose()
    {
        foreach (var socket in open) socket.Dispose();
        open.Clear();
    }
}

/// <summary>A listening socket. Port 0 asks the system for a free one.</summary>
/// <exception cref="SocketException">The address is in use or not ours.</exception>
public sealed class SocketListener : IListener
{
    private const int Backlog = 128;

    private readonly HashSet<Socket> open;
    private readonly Socket socket;

    public SocketListener(Endpoint endpoint)
        : this(endpoint, [])
    {
    }

    /// <param name="open">The sockets of a network that are open: this one, and those it accepts.</param>
    internal SocketListener(Endpoint endpoint, HashSet<Socket> open)
    {
        this.open = open;
        socket = Bind(endpoint);
        socket.Listen(Backlog);
        open.Add(socket);
        Local = endpoint with { Port = ((IPEndPoint)socket.LocalEndPoint!).Port };
    }

    /// <summary>Where it listens, with the port that the system chose.</summary>
    public Endpoint Local { get; }

    public async ValueTask<IConnection?> AcceptAsync()
    {
        while (true)
        {
            try
            {
                var accepted = await socket.AcceptAsync();
                open.Add(accepted);
                accepted.NoDelay = true;
                var from = (IPEndPoint)accepted.RemoteEndPoint!;
                return new SocketConnection(accepted, new Endpoint(from.Address.ToString(), from.Port), open);
            }
            catch (SocketException gone) when (gone.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.NotConnected)
            {
                // this caller hung up before we looked; wait for the next
            }
            catch (Exception closed) when (closed is ObjectDisposedException or SocketException)
            {
                return null;
            }
        }
    }

    public void Dispose()
    {
        open.Remove(socket);
        socket.Dispose();
    }

    /// <remarks>
    /// Beside sockets that wait for late packets, but never beside one that listens: that is how .NET binds by itself. Its option ReuseAddress would also set SO_REUSEPORT, and two brokers would
    /// share the callers of one port.
    /// </remarks>
    internal static Socket Bind(Endpoint endpoint)
    {
        var address = IPAddress.TryParse(endpoint.Host, out var ip) ? ip : Dns.GetHostAddresses(endpoint.Host)[0];
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, endpoint.Port));
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            throw;
        }
    }
}
