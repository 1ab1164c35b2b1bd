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
        Assert.True(closed > frames / 20, $"only {closed} connections were closed");       // one of 16 frames is of an impossible length, and is waited for
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

    [Fact]
    public async Task Half_requests_of_fifty_megabytes_over_two_hundred_connections_take_no_more_memory_than_is_set_aside_for_them()
    {
        await using var cluster = await EmbeddedCluster.StartAsync();
        await using var honest = await HonestClient.StartAsync(cluster);
        var node = cluster.Bootstrap[0];
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var half = new byte[4 + (25 << 20)];
        BinaryPrimitives.WriteInt32BigEndian(half, 50 << 20);
        var hostile = Enumerable.Range(0, 200).Select(_ => Connect(node)).ToList();
        foreach (var socket in hostile) _ = SendAsync(socket, half);
        var most = 0L;
        for (var i = 0; i < 15; i++)                                   // longer than the node's patience: the first are cut off, and others take their place
        {
            await cluster.WhileUpAsync(Task.Delay(TimeSpan.FromSeconds(1)));
            most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true) - before);
        }
        Assert.True(await EndsAsync(() => hostile.Exists(IsClosed)), "nobody was cut off");
        await HonestClient.WriteLargeAsync(cluster, 900_000);
        var (served, slowest) = await honest.StopAsync();
        output.WriteLine($"at most {most >> 20} MB more; others: {served:N0} records, the slowest in {slowest.TotalMilliseconds:0} ms");
        Assert.InRange(most, 50L << 20, MostMemory);                   // of 5,000 MB sent; 256 MB are set aside
        foreach (var socket in hostile) socket.Dispose();
    }

    [Fact]
    public async Task Answers_that_nobody_reads_take_no_more_memory_than_is_set_aside_for_them()
    {
        await using var cluster = await EmbeddedCluster.StartAsync(options: new EmbeddedClusterOptions { Settings = new Dictionary<string, string> { ["queued.max.request.bytes"] = $"{64 << 20}" } });
        await using var honest = await HonestClient.StartAsync(cluster);
        for (var i = 0; i < 40; i++) await HonestClient.WriteLargeAsync(cluster, 900_000);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var wanted = new FetchRequest { MaxWaitMs = 0, MinBytes = 1, MaxBytes = int.MaxValue, ReplicaId = -1, SessionEpoch = -1 };
        wanted.Topics.Add(new FetchTopic { Topic = HonestClient.LargeTopic, Partitions = { new FetchPartition { CurrentLeaderEpoch = -1, PartitionMaxBytes = int.MaxValue, LastFetchedEpoch = -1, LogStartOffset = -1 } } });
        var asked = Frame(RequestFrame.Encode(wanted, ApiKey.Fetch, 12, 1, "deaf"));
        var deaf = Enumerable.Range(0, 60).Select(_ => Connect(cluster.Bootstrap[0])).ToList();
        foreach (var socket in deaf)
        {
            socket.ReceiveBufferSize = 4096;
            await SendAsync(socket, asked);
        }
        await cluster.WhileUpAsync(Task.Delay(TimeSpan.FromSeconds(5)));
        var more = GC.GetTotalMemory(forceFullCollection: true) - before;
        output.WriteLine($"{more >> 20} MB more");
        Assert.InRange(more, 32L << 20, MostMemory);                   // of 60 answers of 36 MB: those that fit, and one batch of each other
        Assert.True(await EndsAsync(() => deaf.Exists(IsGone)), "nobody was cut off");
        await honest.StopAsync();
        foreach (var socket in deaf) socket.Dispose();
    }

    [Fact]
    public async Task Where_all_places_are_taken_the_silent_make_room_and_those_of_one_address_are_limited()
    {
        await using var cluster = await EmbeddedCluster.StartAsync(options: new EmbeddedClusterOptions { Settings = new Dictionary<string, string> { ["max.connections"] = "40", ["max.connections.per.ip"] = "38" } });
        await using var honest = await HonestClient.StartAsync(cluster);
        Assert.True(await EndsAsync(() => honest.Served > 1));         // its connections are there
        var hostile = Enumerable.Range(0, 60).Select(_ => Connect(cluster.Bootstrap[0])).ToList();
        Assert.True(await EndsAsync(() => hostile.Count(IsClosed) > 22), "more connections than are allowed from one address");
        Assert.True(hostile.Count(IsClosed) < 60);
        Assert.True(await EndsAsync(() => honest.Served > 10));
        await honest.StopAsync();
        foreach (var socket in hostile) socket.Dispose();

        await using var crowded = await EmbeddedCluster.StartAsync(options: new EmbeddedClusterOptions { Settings = new Dictionary<string, string> { ["max.connections"] = "40" } });
        var silent = Enumerable.Range(0, 60).Select(_ => Connect(crowded.Bootstrap[0])).ToList();
        await Task.Delay(TimeSpan.FromSeconds(11));                    // the node's patience
        await using var late = await HonestClient.StartAsync(crowded);
        Assert.True(await EndsAsync(() => late.Served > 10));
        await late.StopAsync();
        foreach (var socket in silent) socket.Dispose();
    }

    [Fact]
    public async Task Requests_that_name_the_same_thing_or_many_things_any_number_of_times_make_nobody_wait()
    {
        await using var cluster = await EmbeddedCluster.StartAsync();
        await using var honest = await HonestClient.StartAsync(cluster);
        for (var i = 0; i < 20; i++) await HonestClient.WriteLargeAsync(cluster, 900_000);
        using var hostile = Connect(cluster.Bootstrap[0]);
        foreach (var (key, version, request) in Multiplied())
        {
            var frame = Frame(RequestFrame.Encode(request, key, version, 1, "many"));
            Assert.InRange(frame.Length, 100_000, 8 << 20);
            var began = Stopwatch.GetTimestamp();
            await SendAsync(hostile, frame);
            var bytes = await cluster.WhileUpAsync(AnswerAsync(hostile));
            output.WriteLine($"{key}: {frame.Length:N0} bytes asked, {bytes:N0} answered in {Stopwatch.GetElapsedTime(began).TotalMilliseconds:0} ms");
        }
        var (served, slowest) = await honest.StopAsync();
        output.WriteLine($"others: {served:N0} records, the slowest in {slowest.TotalMilliseconds:0} ms");
    }

    private static IEnumerable<(ApiKey Key, short Version, IMessage Request)> Multiplied()
    {
        const int Many = 100_000;
        const string Large = HonestClient.LargeTopic;
        var times = Enumerable.Range(0, Many);
        yield return (ApiKey.ListOffsets, 7, new ListOffsetsRequest { ReplicaId = -1, Topics = { new ListOffsetsTopic { Name = Large, Partitions = [.. times.Select(static i => new ListOffsetsPartition { CurrentLeaderEpoch = -1, Timestamp = i % 2 == 0 ? -3 : 1 })] } } });
        yield return (ApiKey.ListOffsets, 7, new ListOffsetsRequest { ReplicaId = -1, Topics = [.. times.Select(static i => new ListOffsetsTopic { Name = Large, Partitions = { new ListOffsetsPartition { PartitionIndex = i, CurrentLeaderEpoch = -1, Timestamp = -3 } } })] });
        yield return (ApiKey.Fetch, 12, new FetchRequest { MaxBytes = 1, ReplicaId = -1, SessionEpoch = 0, Topics = { new FetchTopic { Topic = Large, Partitions = [.. times.Select(static i => new FetchPartition { Partition = i / 2, CurrentLeaderEpoch = -1, FetchOffset = 1, LastFetchedEpoch = -1, LogStartOffset = -1, PartitionMaxBytes = 1 })] } } });
        yield return (ApiKey.OffsetForLeaderEpoch, 3, new OffsetForLeaderEpochRequest { ReplicaId = -1, Topics = { new OffsetForLeaderTopic { Topic = Large, Partitions = [.. times.Select(static _ => new OffsetForLeaderPartition { CurrentLeaderEpoch = -1 })] } } });
        yield return (ApiKey.Metadata, 9, new MetadataRequest { Topics = [.. times.Select(static i => new MetadataRequestTopic { Name = i % 2 == 0 ? Large : $"none{i}" })], AllowAutoTopicCreation = false });
        yield return (ApiKey.DeleteRecords, 2, new DeleteRecordsRequest { TimeoutMs = 1000, Topics = { new DeleteRecordsRequest.DeleteRecordsTopic { Name = Large, Partitions = [.. times.Select(static _ => new DeleteRecordsRequest.DeleteRecordsPartition { Offset = 1 })] } } });
        yield return (ApiKey.OffsetFetch, 8, new OffsetFetchRequest { Groups = [.. times.Select(static _ => new OffsetFetchRequestGroup { GroupId = "group", Topics = null })] });
        yield return (ApiKey.OffsetCommit, 8, new OffsetCommitRequest { GroupId = "group", Topics = { new OffsetCommitRequestTopic { Name = Large, Partitions = [.. times.Select(static i => new OffsetCommitRequestPartition { PartitionIndex = i })] } } });
        yield return (ApiKey.DescribeGroups, 5, new DescribeGroupsRequest { Groups = [.. times.Select(static _ => "group")] });
        yield return (ApiKey.DescribeConfigs, 4, new DescribeConfigsRequest { Resources = [.. times.Select(static _ => new DescribeConfigsRequest.DescribeConfigsResource { ResourceType = 2, ResourceName = Large })] });
        yield return (ApiKey.CreateTopics, 7, new CreateTopicsRequest { TimeoutMs = 1000, ValidateOnly = true, Topics = [.. times.Select(static i => new CreatableTopic { Name = $"many{i}", NumPartitions = 1, ReplicationFactor = 1 })] });
    }

    private static async Task<int> AnswerAsync(Socket socket)
    {
        var size = new byte[4];
        await FillAsync(socket, size);
        var answer = new byte[BinaryPrimitives.ReadInt32BigEndian(size)];
        await FillAsync(socket, answer);
        return answer.Length;
    }

    private static async Task FillAsync(Socket socket, Memory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var read = await socket.ReceiveAsync(bytes).AsTask().WaitAsync(Patience);
            Assert.True(read > 0, "the node hung up");
            bytes = bytes[read..];
        }
    }

    /// <summary>Sends all of it, or as much as the node takes before it hangs up.</summary>
    private static async Task SendAsync(Socket socket, byte[] bytes)
    {
        try
        {
            for (var sent = 0; sent < bytes.Length;) sent += await socket.SendAsync(bytes.AsMemory(sent, Math.Min(1 << 16, bytes.Length - sent)));
        }
        catch (Exception over) when (over is SocketException or ObjectDisposedException)
        {
            // closed by the node, or by the end of the test
        }
    }

    private static async Task<bool> EndsAsync(Func<bool> isSo)
    {
        for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < Patience; await Task.Delay(100))
            if (isSo()) return true;
        return false;
    }

    /// <summary>Whether the other end is gone, also where what it sent was not read.</summary>
    private static bool IsGone(Socket socket)
    {
        try
        {
            return socket.Send([0]) == 0 || IsClosed(socket);
        }
        catch (SocketException)
        {
            return true;
        }
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

    private static bool IsClosed(Socket socket)
    {
        try
        {
            return socket.Poll(0, SelectMode.SelectRead) && socket.Available == 0;
        }
        catch (SocketException)
        {
            return true;
        }
    }

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
            Leave();
            return closed;
        }

        private bool Try((byte[] Bytes, bool IsImpossible) frame)
        {
            var mayStay = chance.Chance(0.8);
            try
            {
                if (frame.IsImpossible) Leave();                       // where the one before said too much, its length would be read as content
                socket ??= Connect(node);
                socket.Send(frame.Bytes);
                while (socket.Available > 0) socket.Receive(ignored);
                if (!frame.IsImpossible && mayStay && !IsClosed(socket)) return true;
                var closed = socket.Poll(frame.IsImpossible ? Patience : TimeSpan.FromMilliseconds(2), SelectMode.SelectRead) && socket.Available == 0;
                Leave();                                               // the rest of a frame that never comes is waited for by the node alone
                Assert.True(closed || !frame.IsImpossible, "the node kept a connection that announced a frame of no possible length");
                return !closed;
            }
            catch (SocketException)
            {
                Leave();
                return false;
            }
        }

        private void Leave()
        {
            socket?.Dispose();
            socket = null;
        }

        private (byte[] Bytes, bool IsImpossible) Next()
        {
            var api = chance.Pick(apis);
            var version = (short)chance.Between(api.Versions.Min, api.Versions.Max);
            var request = RequestFrame.Encode(RandomFiller.Fill(api, request: true, version, chance.NextUInt64()), api.Key, version, chance.Below(1 << 20), "hostile");
            switch (chance.Below(8))
            {
                case 0: return (Frame(request), false);
                case 1 or 2: Flip(request, 1 + chance.Below(3)); return (Frame(request), false);
                case 3: Flip(request, 1 + request.Length / 4); return (Frame(request), false);
                case 4: return (Frame(request.AsSpan(0, chance.Below(request.Length + 1))), false);
                case 5: return (Frame([.. request, .. Garbage(1 + chance.Below(200))]), false);
                case 6: return (Frame(Garbage(chance.Below(300))), false);
                default:
                    var lying = Frame(request);
                    var length = chance.Pick([-1, int.MinValue, int.MaxValue, request.Length - 1, request.Length + 7, 1 << 26]);
                    BinaryPrimitives.WriteInt32BigEndian(lying, length);
                    return (lying, length is < 0 or int.MaxValue);
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
        public const string LargeTopic = "large";

        private readonly RealHost host = new(new NodeId(50), new MemoryDisk(), new Prng(5));
        private Task working = Task.CompletedTask;
        private int served;
        private TimeSpan slowest;
        private bool mayStop;

        public int Served => Volatile.Read(ref served);

        public static async Task<HonestClient> StartAsync(EmbeddedCluster cluster)
        {
            var client = new HonestClient();
            var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            client.working = client.host.Loop.RunAsync(() => client.WorkAsync(new ConnectionSettings(cluster.Bootstrap) { RequestTimeout = TimeSpan.FromSeconds(10) }, ready));
            await Task.WhenAny(ready.Task, client.working).WaitAsync(Patience);
            return client;
        }

        /// <summary>A request that is no short one.</summary>
        public static async Task WriteLargeAsync(EmbeddedCluster cluster, int bytes)
        {
            using var host = new RealHost(new NodeId(51), new MemoryDisk(), new Prng(6));
            var connection = new ConnectionSettings(cluster.Bootstrap) { RequestTimeout = Patience };
            var outcome = await host.Loop.RunAsync(async () =>
            {
                var scope = new TaskScope();
                await new WireAdmin(host, scope, connection).CreateTopicAsync(new NewTopic(LargeTopic, 1, 1), Patience);
                return await new WireProducer(host, scope, new ProducerSettings(connection) { DeliveryTimeout = Patience }).SendAsync(new TopicPartition(LargeTopic, 0), null, new byte[bytes]);
            });
            Assert.Equal(OutcomeKind.Ok, outcome.Kind);
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
