using System.Collections.Concurrent;
using Broker.Embedded;
using Broker.Hosting;
using Broker.Runtime;
using Verify.Clients;

namespace Verify.Tests.Clients;

/// <summary>What a broker does to its logs by the clock, on a cluster over sockets: it deletes what is too old or too much, and flushes what has waited for flush.ms.</summary>
public sealed class LogClockTests
{
    private const int Sent = 40;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TopicPartition Partition = new("t", 0);

    [Theory]
    [InlineData("retention.ms", "300")]
    [InlineData("retention.bytes", "1000")]
    public Task Old_segments_go_on_every_replica_and_the_newest_stays(string setting, string value) =>
        WithTopicAsync(_ => { }, [new(setting, value), new("segment.ms", "50")], async (host, admin, consumer) =>
        {
            await UntilAsync(OffsetAt.Earliest, static offset => offset > 0);
            foreach (var leader in new[] { 2, 3 })
            {
                Assert.Equal(OutcomeKind.Ok, (await admin.MoveLeaderAsync(Partition, new NodeId(leader), Patience)).Kind);
                await UntilAsync(OffsetAt.Earliest, static offset => offset > 0);      // a new leader may have heard of an older start, and finds the rest by its own clock
                await UntilAsync(OffsetAt.Latest, static offset => offset == Sent);
            }

            async Task UntilAsync(OffsetAt at, Func<long, bool> isSo)
            {
                var deadline = host.Time.Monotonic() + Patience;
                while (!isSo((await consumer.ListOffsetAsync(Partition, at, Patience)).Value.Offset))
                {
                    Assert.True(host.Time.Monotonic() < deadline);
                    await host.Time.DelayAsync(TimeSpan.FromMilliseconds(50));
                }
            }
        });

    [Fact]
    public Task Without_a_limit_nothing_goes() =>
        WithTopicAsync(_ => { }, [new("segment.ms", "50")], async (host, _, consumer) =>
        {
            await host.Time.DelayAsync(TimeSpan.FromSeconds(1));
            Assert.Equal(0, (await consumer.ListOffsetAsync(Partition, OffsetAt.Earliest, Patience)).Value.Offset);
        });

    [Theory]
    [InlineData("100", true)]
    [InlineData("9223372036854775807", false)]
    public async Task What_has_waited_for_flush_ms_is_flushed(string flushMs, bool isFlushed)
    {
        var flushed = new ConcurrentDictionary<int, long>();
        await WithTopicAsync(
            seen =>
            {
                if (seen.Kind == ObservationKind.Flushed && seen.Partition == Partition) flushed[seen.Node.Value] = seen.EndOffset;
            },
            [new("flush.ms", flushMs)],
            async (host, _, _) =>
            {
                var deadline = host.Time.Monotonic() + (isFlushed ? Patience : TimeSpan.FromSeconds(1));
                while (host.Time.Monotonic() < deadline && !(flushed.Count == 3 && flushed.Values.All(static end => end == Sent))) await host.Time.DelayAsync(TimeSpan.FromMilliseconds(20));
            });
        Assert.Equal(isFlushed ? [1, 2, 3] : Array.Empty<int>(), flushed.Where(static one => one.Value == Sent).Select(static one => one.Key).Order());
    }

    private static async Task WithTopicAsync(Action<Observation> observe, KeyValuePair<string, string>[] settings, Func<RealHost, WireAdmin, WireConsumer, Task> test)
    {
        var options = new EmbeddedClusterOptions { Observe = observe, Settings = new Dictionary<string, string> { ["log.retention.check.interval.ms"] = "100" } };
        await using var cluster = await EmbeddedCluster.StartAsync(brokers: 3, options);
        using var host = new RealHost(new NodeId(51), new MemoryDisk(), new Prng(4));
        await cluster.WhileUpAsync(host.Loop.RunAsync(async () =>
        {
            var scope = new TaskScope();
            var connection = new ConnectionSettings(cluster.Bootstrap);
            var (admin, producer, consumer) = (new WireAdmin(host, scope, connection), new WireProducer(host, scope, new ProducerSettings(connection)), new WireConsumer(host, scope, new ConsumerSettings(connection)));
            Assert.Equal(OutcomeKind.Ok, (await admin.CreateTopicAsync(new NewTopic(Partition.Topic, -1, -1, [[new NodeId(1), new NodeId(2), new NodeId(3)]], settings), Patience)).Kind);
            for (var i = 0; i < Sent; i++)
            {
                await host.Time.DelayAsync(TimeSpan.FromMilliseconds(10));      // so that segments are rolled by segment.ms
                Assert.Equal(OutcomeKind.Ok, (await producer.SendAsync(Partition, null, ScriptedCluster.Bytes($"record {i}"))).Kind);
            }
            while ((await admin.DescribeTopicAsync(Partition.Topic, Patience)).Value?.Partitions[0].InSyncReplicas.Count != 3) await host.Time.DelayAsync(TimeSpan.FromMilliseconds(20));
            await test(host, admin, consumer);
            await producer.CloseAsync();
            consumer.Close();
            admin.Close();
            return true;
        }));
    }
}
