using System.Net;
using System.Net.Sockets;
using Broker.Runtime;

namespace Broker.Hosting;

/// <summary>What a node takes from those that connect to it, under Kafka's names and defaults.</summary>
/// <param name="MaxFrameBytes">socket.request.max.bytes, of requests: a longer (or negative) length closes the connection.</param>
/// <param name="MaxIdle">connections.max.idle.ms: a connection over which nothing came or went for so long is closed: its other end may be long gone, and nobody have said so.</param>
/// <param name="MaxConnections">max.connections: above it a new caller takes the place of the one that has been silent longest, or is refused where all are busy. Kafka's default is 2,147,483,647.</param>
/// <param name="MaxConnectionsPerIp">max.connections.per.ip: above it a new caller from there is refused.</param>
/// <param name="MaxRequestBytes">queued.max.request.bytes: of all long requests that are read or served at a time, and of all answers that wait to be sent; -1, Kafka's default: no limit.</param>
public sealed record NetworkLimits(int MaxFrameBytes, TimeSpan MaxIdle, int MaxConnections, int MaxConnectionsPerIp, long MaxRequestBytes)
{
    public static readonly NetworkLimits Default = new(100 * 1024 * 1024, TimeSpan.FromMinutes(10), 4096, int.MaxValue, 256 << 20);
}

/// <summary>TCP, cut into frames by Kafka's four-byte length. Awaits resume on the loop that calls.</summary>
/// <remarks>Disposed, it closes whatever is still open, as the end of a process does; its loop must have ended before.</remarks>
/// <param name="limits">Null: the defaults.</param>
/// <param name="time">Fires on the loop; null: idle connections are kept.</param>
/// <param name="refused">Told of each connection that is closed for what its other end did, with the reason; null: nobody is.</param>
public sealed class SocketNetwork(NetworkLimits? limits = null, TimeProvider? time = null, Action<Endpoint, string>? refused = null) : INetwork, IDisposable
{
    /// <summary>Of an answer: what was asked for is limited by who asks.</summary>
    private const int MaxAnswerBytes = 1 << 30;

    /// <summary>Silence after which a connection makes place for another, and time for a long request or answer while others wait for the memory that it takes.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Sweep = TimeSpan.FromSeconds(1);

    private readonly HashSet<Socket> open = [];
    private readonly HashSet<SocketConnection> accepted = [];
    private readonly CallerMemory memory = new((limits ?? NetworkLimits.Default).MaxRequestBytes);
    private ITimer? sweeping;
    private long turnedAwayAt = long.MinValue / 2;
    private int turnedAway;

    public NetworkLimits Limits { get; } = limits ?? NetworkLimits.Default;

    public long AnswerRoom => memory.AnswerRoom;

    public IListener Listen(Endpoint endpoint)
    {
        sweeping ??= time?.CreateTimer(_ => CloseIdle(), null, Sweep, Sweep);
        return new SocketListener(endpoint, this);
    }

    public async ValueTask<IConnection?> ConnectAsync(Endpoint endpoint, TimeSpan timeout)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        open.Add(socket);
        using var tooLate = new CancellationTokenSource(timeout);
        try
        {
            await socket.ConnectAsync(endpoint.Host, endpoint.Port, tooLate.Token);
            return new SocketConnection(socket, endpoint, this, MaxAnswerBytes, memory: null);
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
        sweeping?.Dispose();
        foreach (var socket in open) socket.Dispose();
        open.Clear();
    }

    internal void Opened(Socket socket) => open.Add(socket);

    internal void Closed(Socket socket) => open.Remove(socket);

    /// <summary>Null: there are too many already.</summary>
    internal SocketConnection? Accepted(Socket socket, Endpoint from)
    {
        if (Objection(from) is { } why)
        {
            socket.Dispose();
            TurnAway(from, why);
            return null;
        }
        open.Add(socket);
        var connection = new SocketConnection(socket, from, this, Limits.MaxFrameBytes, memory);
        accepted.Add(connection);
        return connection;
    }

    /// <summary>The listener cannot take another caller until somebody hangs up.</summary>
    internal void Exhausted(Endpoint local, string why) => refused?.Invoke(local, why);

    internal void Refuse(SocketConnection connection, string why)
    {
        connection.Close();
        refused?.Invoke(connection.Remote, why);
    }

    internal void Closed(SocketConnection connection, Socket socket)
    {
        accepted.Remove(connection);
        open.Remove(socket);
    }

    private string? Objection(Endpoint from)
    {
        if (Limits.MaxConnectionsPerIp < int.MaxValue && accepted.Count(other => other.Remote.Host == from.Host) >= Limits.MaxConnectionsPerIp)
            return $"there are {Limits.MaxConnectionsPerIp} connections from there already";
        if (accepted.Count < Limits.MaxConnections) return null;
        // Brokers among themselves are never silent for long: a node that comes back finds a place, whoever took them all.
        if (accepted.MinBy(static other => other.ActiveAt) is not { } silent || silent.ActiveAt > Ago(Patience)) return $"there are {Limits.MaxConnections} connections already, all of them busy";
        silent.Close();
        TurnAway(silent.Remote, $"silent for {Patience.TotalSeconds:0} s, it makes place for another: there are {Limits.MaxConnections} connections already");
        return null;
    }

    /// <summary>Told once in a while: it may happen very often.</summary>
    private void TurnAway(Endpoint from, string why)
    {
        turnedAway++;
        if (turnedAwayAt > Ago(Sweep)) return;
        refused?.Invoke(from, turnedAway == 1 ? why : $"{why} ({turnedAway} such since this was last told)");
        (turnedAway, turnedAwayAt) = (0, Environment.TickCount64);
    }

    private void CloseIdle()
    {
        foreach (var idle in accepted.Where(connection => connection.ActiveAt < Ago(Limits.MaxIdle)).ToArray()) Refuse(idle, $"nothing came or went for {Limits.MaxIdle.TotalSeconds:0} s");
        foreach (var slow in memory.Dawdlers(Patience)) Refuse(slow, $"its request is not here after {Patience.TotalSeconds:0} s, and others wait for the memory that it takes");
        if (memory.AnswerRoom > 0) return;
        foreach (var deaf in accepted.Where(connection => connection.UnsentSince < Ago(Patience)).ToArray()) Refuse(deaf, $"its answer is not read after {Patience.TotalSeconds:0} s, and memory is short");
    }

    private static long Ago(TimeSpan time) => Environment.TickCount64 - (long)time.TotalMilliseconds;
}

/// <summary>A listening socket. Port 0 asks the system for a free one.</summary>
/// <exception cref="SocketException">The address is in use or not ours.</exception>
public sealed class SocketListener : IListener
{
    private const int Backlog = 128;

    /// <summary>Time for somebody to hang up.</summary>
    private static readonly TimeSpan ExhaustedFor = TimeSpan.FromMilliseconds(100);

    private readonly SocketNetwork network;
    private readonly Socket socket;

    public SocketListener(Endpoint endpoint)
        : this(endpoint, new SocketNetwork())
    {
    }

    /// <param name="network">Whose it is, and whose are the connections it accepts.</param>
    internal SocketListener(Endpoint endpoint, SocketNetwork network)
    {
        this.network = network;
        socket = Bind(endpoint);
        socket.Listen(Backlog);
        network.Opened(socket);
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
                if (network.Accepted(accepted, new Endpoint(from.Address.ToString(), from.Port)) is { } connection) return connection;
            }
            catch (SocketException full) when (full.SocketErrorCode is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable)
            {
                network.Exhausted(Local, $"no more callers are taken: {full.Message}");
                await Task.Delay(ExhaustedFor);
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
        network.Closed(socket);
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
