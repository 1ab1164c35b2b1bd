using System.Buffers.Binary;
using Broker.Runtime;
using Chaos.Simulation;

namespace Chaos.Tests.Simulation;

/// <summary>A toy protocol in the shape of Kafka's: a server that answers each request with its correlation id, and a client that asks.</summary>
internal static class Echo
{
    public const int Port = 9092;

    public static readonly NodeId Server = new(0);

    public static readonly NodeId Client = new(1);

    public static readonly Endpoint ServerAt = new("server", Port);

    /// <summary>API key, version, correlation id, payload.</summary>
    public static byte[] Request(short apiKey, int correlation, int payload = 0)
    {
        var frame = new byte[12];
        BinaryPrimitives.WriteInt16BigEndian(frame, apiKey);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(4), correlation);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(8), payload);
        return frame;
    }

    public static int CorrelationOf(byte[] request) => BinaryPrimitives.ReadInt32BigEndian(request.AsSpan(4));

    public static int PayloadOf(byte[] request) => BinaryPrimitives.ReadInt32BigEndian(request.AsSpan(8));

    public static byte[] AnswerTo(byte[] request) => request[4..12];

    /// <summary>A server that tells what it got and answers at once.</summary>
    public static Func<IHost, Task> Answering(Action<byte[]>? got = null) => async host =>
    {
        var background = new TaskScope();
        var listener = host.Network.Listen(ServerAt);
        background.Start(async () =>
        {
            while (await listener.AcceptAsync() is { } connection) background.Start(() => ServeAsync(connection, got));
        });
        await background.Failed;
    };

    public static async Task ServeAsync(IConnection connection, Action<byte[]>? got)
    {
        while (await connection.ReceiveAsync() is { } request)
        {
            got?.Invoke(request);
            connection.Send(AnswerTo(request));
        }

        connection.Close();
    }

    /// <summary>A server that appends each request to its log, flushes it, tells the world, and answers.</summary>
    public static async Task Appending(IHost host)
    {
        var background = new TaskScope();
        var log = host.Disk.Open("data/log");
        await host.Disk.FlushDirectoryAsync("data");
        var listener = host.Network.Listen(ServerAt);
        background.Start(async () =>
        {
            while (await listener.AcceptAsync() is { } connection) background.Start(() => AppendAsync(host, log, connection));
        });
        await background.Failed;
    }

    private static async Task AppendAsync(IHost host, IFile log, IConnection connection)
    {
        while (await connection.ReceiveAsync() is { } request)
        {
            var offset = log.Length;
            log.Write(offset, request);
            host.Observe(new Observation(ObservationKind.Appended, host.Id, new TopicPartition("t", 0), 0, offset, offset + request.Length));
            await log.FlushAsync();
            connection.Send(AnswerTo(request));
        }

        connection.Close();
    }

    /// <summary>A server that appends entries of 8 bytes and answers with the offset once the entry is flushed.</summary>
    public static async Task AppendEntries(IHost host, IFile log)
    {
        var background = new TaskScope();
        var listener = host.Network.Listen(ServerAt);
        background.Start(async () =>
        {
            while (await listener.AcceptAsync() is { } connection) background.Start(() => AppendEntriesAsync(host, log, connection));
        });
        await background.Failed;
    }

    /// <summary>A client that appends one entry after the other and tells which were acknowledged where.</summary>
    public static async Task Appender(IHost host, Action<int, int> acknowledged)
    {
        for (var value = 1; ;)
        {
            if (await host.Network.ConnectAsync(ServerAt, Ms(50)) is not { } connection)
            {
                await host.Time.DelayAsync(Ms(10));
                continue;
            }

            while (connection.Send(Request(0, value, value)))
            {
                var sent = value++;
                if (await AnswerAsync(host, connection, Ms(100)) is not { } answer) break;
                acknowledged(BinaryPrimitives.ReadInt32BigEndian(answer.AsSpan(4)), sent);
                await host.Time.DelayAsync(host.Random.Between(TimeSpan.Zero, Ms(10)));
            }

            connection.Close();
        }
    }

    public static async Task<byte[]?> AnswerAsync(IHost host, IConnection connection, TimeSpan timeout)
    {
        try
        {
            return await connection.ReceiveAsync().AsTask().WaitAsync(timeout, host.Time);
        }
        catch (TimeoutException)
        {
            return null;
        }
    }

    private static async Task AppendEntriesAsync(IHost host, IFile log, IConnection connection)
    {
        while (await connection.ReceiveAsync() is { } request)
        {
            var offset = (int)log.Length;
            log.Write(offset, request.AsSpan(4, 8));
            host.Observe(new Observation(ObservationKind.Appended, host.Id, new TopicPartition("t", 0), 0, offset, offset + 8));
            await log.FlushAsync();
            var answer = request[4..12];
            BinaryPrimitives.WriteInt32BigEndian(answer.AsSpan(4), offset);
            connection.Send(answer);
        }

        connection.Close();
    }

    /// <summary>A program that never ends by itself.</summary>
    public static Task ForEver() => new TaskCompletionSource().Task;

    public static TimeSpan Ms(double ms) => TimeSpan.FromMilliseconds(ms);

    /// <summary>A world of a server and a client; the run lasts until the time is up.</summary>
    public static SimWorld World(ulong seed, Func<IHost, Task> server, Func<IHost, Task> client, SimOptions? options = null)
    {
        var world = new SimWorld(seed, options);
        world.AddNode(Server, "server", "server", server);
        world.AddNode(Client, "client", "client", client);
        return world;
    }

    public static void RunFor(this SimWorld world, double ms) =>
        world.Run(async () =>
        {
            world.StartAll();
            await world.Time.DelayAsync(Ms(ms));
        }, Ms(ms) + TimeSpan.FromSeconds(60));
}
