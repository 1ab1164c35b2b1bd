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
