using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Broker.Embedded;
using Broker.Hosting;
using Broker.Protocol;
using Broker.Runtime;
using Broker.Tests.Protocol;
using Verify.Clients;
using Xunit.Abstractions;

namespace Verify.Tests.Clients;

/// <summary>Whatever comes over a socket, a node goes on and serves everybody else, in time and within its memory.</summary>
/// <remarks>20,000 frames of each run; MQVERIFY_FRAMES=1000000 sends more.</remarks>
public sealed class HostilePeerTests(ITestOutputHelper output)
{
    private const string Topic = "honest";
    private const long MostMemory = 600L << 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Mutated_frames_leave_a_node_serving_others()
    {
        var frames = int.Parse(Environment.GetEnvironmentVariable("MQVERIFY_FRAMES") ?? "20000", CultureInfo.InvariantCulture);
        await using var cluster = await EmbeddedCluster.StartAsync();
        await using var honest = await HonestClient.StartAsync(cluster);
        var hostile = Enumerable.Range(1, 2).Select(seed => Task.Factory.StartNew(() => new Hostile(cluster.Bootstrap[0], (ulong)seed).Send(frames / 2), TaskCreationOptions.LongRunning)).ToArray();
        var closed = (await cluster.WhileUpAsync(Task.WhenAll(hostile))).Sum();
        var (served, slowest) = await honest.StopAsync();
        output.WriteLine($"{frames:N0} frames, {closed:N0} connections closed by the node; others: {served:N0} records written and read, the slowest in {slowest.TotalMilliseconds:0} ms; {GC.GetTotalMemory(forceFullCollection: true) >> 20} MB");
        Assert.True(closed > frames / 10, $"only {closed} connections were closed");
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true), 0, MostMemory);
    }

    [Fact]
    public async Task Peers_that_do_not_read_or_write_or_leave_cost_little_and_stop_nobody()
    {
        await using var cluster = await EmbeddedCluster.StartAsync(options: new EmbeddedClusterOptions { Settings = new Dictionary<string, string> { ["connections.max.idle.ms"] = "3000" } });
        await using var honest = await HonestClient.StartAsync(cluster);
        var node = cluster.Bootstrap[0];
        var silent = Enumerable.Range(0, 300).Select(_ => Connect(node)).ToList();                           // half-open: they say nothing, ever
        var slow = Connect(node);
        slow.Send([0x06, 0, 0, 0, 1]);                                                                       // claims a frame of 100 MB, and sends a byte
        var deaf = Connect(node);
        deaf.ReceiveBufferSize = 4096;
        var asked = Frame(RequestFrame.Encode(new MetadataRequest { Topics = null }, ApiKey.Metadata, 12, 1, new string('d', 500)));
        var before = GC.GetTotalMemory(forceFullCollection: true);
        _ = Task.Factory.StartNew(() => Flood(deaf, asked, 50_000), TaskCreationOptions.LongRunning);        // asks on and on, and reads no answer
        await Task.Delay(TimeSpan.FromSeconds(2));
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 64 << 20);
        await Task.WhenAny(cluster.Failed, Task.Delay(TimeSpan.FromSeconds(3)));
        Assert.False(cluster.Failed.IsCompleted, "a node stopped");
        Assert.All(silent, socket => Assert.True(IsClosed(socket), "a silent connection was kept"));
        Assert.True(IsClosed(slow), "a connection with half a frame was kept");
        var (served, slowest) = await honest.StopAsync();
        output.WriteLine($"others: {served:N0} records, the slowest in {slowest.TotalMilliseconds:0} ms");
        foreach (var socket in silent.Append(slow).Append(deaf)) socket.Dispose();
    }

    private static void Flood(Socket socket, byte[] frame, int times)
    {
        try
        {
            for (var i = 0; i < times; i++) socket.Send(frame);
        }
        catch (Exception over) when (over is SocketException or ObjectDisposedException)
        {
            // closed by the node, or by the end of the test
        }
    }

    private static Socket Connect(Endpoint node)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(node.Host, node.Port);
        return socket;
    }

    private static bool IsClosed(Socket socket) => socket.Poll(0, SelectMode.SelectRead) && socket.Available == 0;

    private static byte[] Frame(ReadOnlySpan<byte> content)
    {
        var framed = new byte[4 + content.Length];
        BinaryPrimitives.WriteInt32BigEndian(framed, content.Length);
        content.CopyTo(framed.AsSpan(4));
        return framed;
    }

    /// <summary>Sends drawn requests of every API and version, most of them damaged, and garbage.</summary>
    private sealed class Hostile(Endpoint node, ulong seed)
    {
        private readonly Prng chance = new(seed);
        private readonly byte[] ignored = new byte[1 << 16];
        private readonly Api[] apis = [.. Apis.All.Where(api => api.Key is not ApiKey.DeleteTopics)];          // a name that it guesses is a legal wish
        private Socket? socket;

        /// <summary>How often the node hung up.</summary>
        public int Send(int frames)
        {
            var closed = 0;
            for (var i = 0; i < frames; i++)
                if (!Try(Next())) closed++;
            socket?.Dispose();
            return closed;
        }

        private bool Try(byte[] bytes)
        {
            try
            {
                socket ??= Connect(node);
                socket.Send(bytes);
                while (socket.Available > 0) socket.Receive(ignored);
                if (chance.Chance(0.8) && !IsClosed(socket)) return true;
                var closed = socket.Poll(2000, SelectMode.SelectRead) && socket.Available == 0;
                socket.Dispose();                                      // the rest of a frame that never comes is waited for by the node alone
                socket = null;
                return !closed;
            }
            catch (SocketException)
            {
                socket?.Dispose();
                socket = null;
                return false;
            }
        }

        private byte[] Next()
        {
            var api = chance.Pick(apis);
            var version = (short)chance.Between(api.Versions.Min, api.Versions.Max);
            var request = RequestFrame.Encode(RandomFiller.Fill(api, request: true, version, chance.NextUInt64()), api.Key, version, chance.Below(1 << 20), "hostile");
            switch (chance.Below(8))
            {
                case 0: return Frame(request);
                case 1 or 2: Flip(request, 1 + chance.Below(3)); return Frame(request);
                case 3: Flip(request, 1 + request.Length / 4); return Frame(request);
                case 4: return Frame(request.AsSpan(0, chance.Below(request.Length + 1)));
                case 5: return Frame([.. request, .. Garbage(1 + chance.Below(200))]);
                case 6: return Frame(Garbage(chance.Below(300)));
                default:
                    var lying = Frame(request);
                    BinaryPrimitives.WriteInt32BigEndian(lying, chance.Pick([-1, int.MinValue, int.MaxValue, request.Length - 1, request.Length + 7, 1 << 26]));
                    return lying;
            }
        }

        private void Flip(byte[] bytes, int times)
        {
            for (; times > 0; times--) bytes[chance.Below(bytes.Length)] = (byte)chance.Below(256);
        }

        private byte[] Garbage(int length) => [.. Enumerable.Range(0, length).Select(_ => (byte)chance.Below(256))];
    }

    /// <summary>Writes a record and reads it again, over and over, and knows how long that took at most.</summary>
    private sealed class HonestClient : IAsyncDisposable
    {
        private readonly RealHost host = new(new NodeId(50), new MemoryDisk(), new Prng(5));
        private Task working = Task.CompletedTask;
        private int served;
        private TimeSpan slowest;
        private bool mayStop;

        public static async Task<HonestClient> StartAsync(EmbeddedCluster cluster)
        {
            var client = new HonestClient();
            var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            client.working = client.host.Loop.RunAsync(() => client.WorkAsync(new ConnectionSettings(cluster.Bootstrap) { RequestTimeout = TimeSpan.FromSeconds(10) }, ready));
            await Task.WhenAny(ready.Task, client.working).WaitAsync(Patience);
            return client;
        }

        public async Task<(int Served, TimeSpan Slowest)> StopAsync()
        {
            mayStop = true;
            await working.WaitAsync(Patience);
            Assert.True(served > 10, $"only {served} records were served");
            Assert.InRange(slowest, TimeSpan.Zero, TimeSpan.FromSeconds(10));
            return (served, slowest);
        }

        public ValueTask DisposeAsync()
        {
            host.Dispose();
            return ValueTask.CompletedTask;
        }

        private async Task WorkAsync(ConnectionSettings connection, TaskCompletionSource ready)
        {
            var scope = new TaskScope();
            var admin = new WireAdmin(host, scope, connection);
            Assert.Equal(OutcomeKind.Ok, (await admin.CreateTopicAsync(new NewTopic(Topic, 1, 1), Patience)).Kind);
            var producer = new WireProducer(host, scope, new ProducerSettings(connection) { DeliveryTimeout = Patience });
            var consumer = new WireConsumer(host, scope, new ConsumerSettings(connection) { OffsetReset = OffsetReset.Earliest });
            consumer.Assign([new TopicPartition(Topic, 0)]);
            ready.SetResult();
            while (!mayStop)
            {
                var began = Stopwatch.GetTimestamp();
                var text = $"record {served}";
                Assert.Equal(OutcomeKind.Ok, (await producer.SendAsync(new TopicPartition(Topic, 0), null, Encoding.ASCII.GetBytes(text))).Kind);
                var read = "";
                while (read.Length == 0)
                    foreach (var batch in (await consumer.PollAsync(TimeSpan.FromSeconds(1))).Batches) read += string.Concat(batch.Records.Select(record => Encoding.ASCII.GetString(record.Value!)));
                Assert.Equal(text, read);
                served++;
                slowest = TimeSpan.FromTicks(Math.Max(slowest.Ticks, Stopwatch.GetElapsedTime(began).Ticks));
                await host.Time.DelayAsync(TimeSpan.FromMilliseconds(5));
            }
        }
    }
}
