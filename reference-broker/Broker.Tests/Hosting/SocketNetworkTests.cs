using System.Buffers.Binary;
using System.Net.Sockets;
using Broker.Hosting;
using Broker.Runtime;

namespace Broker.Tests.Hosting;

public sealed class SocketNetworkTests
{
    private const int MaxFrameBytes = 100 * 1024 * 1024;             // as Kafka has it
    private static readonly Endpoint AnyPort = new("127.0.0.1", 0);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static async Task Connected(Func<IConnection, IConnection, Task> test)
    {
        using var loop = new NodeLoop("test");
        await loop.RunAsync(async () =>
        {
            var network = new SocketNetwork();
            using var listener = new SocketListener(AnyPort);
            var accepting = listener.AcceptAsync();
            var near = await network.ConnectAsync(listener.Local, Patience);
            var far = await accepting;
            await test(near!, far!);
            near!.Close();
            far!.Close();
        }).WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public Task Frames_arrive_whole_and_in_order_whatever_their_size() => Connected(async (near, far) =>
    {
        int[] sizes = [0, 1, 3, 65_531, 65_532, 65_533, 65_536, 200_000, 5, 3_000_000, 17];
        for (var i = 0; i < sizes.Length; i++) Assert.True(near.Send(Filled(sizes[i], i)));
        for (var i = 0; i < sizes.Length; i++) Assert.Equal(Filled(sizes[i], i), await far.ReceiveAsync());
    });

    [Fact]
    public Task Both_ends_may_send_at_once() => Connected(async (near, far) =>
    {
        for (var i = 0; i < 500; i++)
        {
            near.Send(Filled(i * 37, i));
            far.Send(Filled(i * 53, i));
        }
        for (var i = 0; i < 500; i++)
        {
            Assert.Equal(i * 37, (await far.ReceiveAsync())!.Length);
            Assert.Equal(i * 53, (await near.ReceiveAsync())!.Length);
        }
    });

    [Fact]
    public Task A_closed_end_ends_the_other() => Connected(async (near, far) =>
    {
        near.Send([1]);
        Assert.Single((await far.ReceiveAsync())!);
        near.Close();
        Assert.Null(await far.ReceiveAsync());
        Assert.Null(await near.ReceiveAsync());
        Assert.False(near.Send([2]));
        Assert.False(far.Send([2]));
    });

    [Theory]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    [InlineData(MaxFrameBytes + 1)]
    [InlineData(int.MaxValue)]
    public async Task A_length_that_no_frame_has_closes_the_connection(int length)
    {
        var (received, _) = await ReceiveRaw(length, []);
        Assert.Null(received);
    }

    [Fact]
    public async Task A_claimed_length_costs_no_memory_before_the_bytes_come()
    {
        var (received, allocated) = await ReceiveRaw(MaxFrameBytes, new byte[100_000]);
        Assert.Null(received);
        Assert.InRange(allocated, 0, 8_000_000);
    }

    [Fact]
    public async Task Nobody_there_is_null_and_a_closed_listener_accepts_null()
    {
        using var loop = new NodeLoop("test");
        await loop.RunAsync(async () =>
        {
            var listener = new SocketListener(AnyPort);
            var accepting = listener.AcceptAsync();
            listener.Dispose();
            Assert.Null(await accepting);
            Assert.Null(await new SocketNetwork().ConnectAsync(listener.Local, TimeSpan.FromSeconds(2)));
        }).WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Channels_find_their_answers_over_real_sockets()
    {
        using var host = new RealHost(new NodeId(9), Path.GetTempPath(), new Prng(1));
        var answers = await host.Loop.RunAsync(async () =>
        {
            using var listener = new SocketListener(AnyPort);
            _ = AnswerBackwardsAsync(listener);
            var channel = (await RequestChannel.OpenAsync(host, listener.Local, Patience))!;
            var exchanges = Enumerable.Range(1, 3).Select(id => channel.ExchangeAsync(Request(id), id, Patience)).ToArray();
            var all = await Task.WhenAll(exchanges);
            channel.Close();
            return all;
        }).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal([10, 20, 30], answers.Select(answer => (int)answer![4]));
    }

    private static byte[] Request(int correlationId)
    {
        var frame = new byte[8];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(4), correlationId);
        return frame;
    }

    private static async Task AnswerBackwardsAsync(SocketListener listener)
    {
        var connection = (await listener.AcceptAsync())!;
        List<int> ids = [];
        while (ids.Count < 3 && await connection.ReceiveAsync() is { } frame) ids.Add(BinaryPrimitives.ReadInt32BigEndian(frame.AsSpan(4)));
        foreach (var id in ids.AsEnumerable().Reverse())
        {
            var answer = new byte[5];
            BinaryPrimitives.WriteInt32BigEndian(answer, id);
            answer[4] = (byte)(id * 10);
            connection.Send(answer);
        }
    }

    /// <summary>What a connection makes of a length and some bytes, after which the peer closes; and the memory that it took.</summary>
    private static async Task<(byte[]? Frame, long Allocated)> ReceiveRaw(int length, byte[] bytes)
    {
        using var loop = new NodeLoop("test");
        return await loop.RunAsync(async () =>
        {
            using var listener = new SocketListener(AnyPort);
            var accepting = listener.AcceptAsync();
            using var raw = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await raw.ConnectAsync(listener.Local.Host, listener.Local.Port);
            var connection = (await accepting)!;
            var prefix = new byte[4];
            BinaryPrimitives.WriteInt32BigEndian(prefix, length);
            await raw.SendAsync(prefix.Concat(bytes).ToArray());
            raw.Shutdown(SocketShutdown.Send);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var frame = await connection.ReceiveAsync();
            return (frame, GC.GetAllocatedBytesForCurrentThread() - before);
        }).WaitAsync(TimeSpan.FromSeconds(30));
    }

    private static byte[] Filled(int size, int seed)
    {
        var bytes = new byte[size];
        for (var i = 0; i < size; i++) bytes[i] = (byte)(i * 31 + seed);
        return bytes;
    }
}
