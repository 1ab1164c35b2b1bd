using System.Net;
using System.Net.Sockets;
using Broker.Runtime;

namespace Broker.Hosting;

/// <summary>TCP, cut into frames by Kafka's four-byte length. Awaits resume on the loop that calls.</summary>
public sealed class SocketNetwork : INetwork
{
    public IListener Listen(Endpoint endpoint) => new SocketListener(endpoint);

    public async ValueTask<IConnection?> ConnectAsync(Endpoint endpoint, TimeSpan timeout)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using var tooLate = new CancellationTokenSource(timeout);
        try
        {
            await socket.ConnectAsync(endpoint.Host, endpoint.Port, tooLate.Token);
            return new SocketConnection(socket, endpoint);
        }
        catch (Exception refusal) when (refusal is SocketException or OperationCanceledException)
        {
            socket.Dispose();
            return null;
        }
    }
}

/// <summary>A listening socket. Port 0 asks the system for a free one.</summary>
/// <exception cref="SocketException">The address is in use or not ours.</exception>
public sealed class SocketListener : IListener
{
    private const int Backlog = 128;

    private readonly Socket socket;

    public SocketListener(Endpoint endpoint)
    {
        var address = IPAddress.TryParse(endpoint.Host, out var ip) ? ip : Dns.GetHostAddresses(endpoint.Host)[0];
        socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, !OperatingSystem.IsWindows());
        socket.Bind(new IPEndPoint(address, endpoint.Port));
        socket.Listen(Backlog);
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
                accepted.NoDelay = true;
                var from = (IPEndPoint)accepted.RemoteEndPoint!;
                return new SocketConnection(accepted, new Endpoint(from.Address.ToString(), from.Port));
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

    public void Dispose() => socket.Dispose();
}
