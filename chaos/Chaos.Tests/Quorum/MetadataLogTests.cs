using Broker.Core.Quorum;
using Broker.Node.Quorum;
using Broker.Protocol;
using Broker.Runtime;
using Broker.Tests;
using Chaos.Simulation;

namespace Chaos.Tests.Quorum;

/// <summary>What one voter finds on its disk when it starts.</summary>
public sealed class MetadataLogTests
{
    private const string LogFile = "metadata/00000000000000000000.log", StateFile = "metadata/quorum-state";

    private static readonly QuorumVoter[] Alone = [new(new NodeId(0), new Endpoint("controller-0", 9093))];

    private static readonly QuorumNodeSettings Settings = new() { Id = new NodeId(0), Voters = Alone };

    /// <summary>Offsets after each batch that the first life stored: the opening entry, then three proposals.</summary>
    private static readonly long[] Ends = [1, 2, 3, 4];

    /// <summary>Runs two lives of a lone voter: the first stores three batches, the second starts from a disk that was tampered with in between.</summary>
    private static void Live(Action<IDisk> between, Func<QuorumNode, Task> second, Action<Exception>? failed = null)
    {
        var world = new SimWorld(1);
        var lives = 0;
        world.AddNode(new NodeId(0), "controller", "controller-0", async host =>
        {
            if (++lives == 2) between(host.Disk);
            var scope = new TaskScope();
            var node = new QuorumNode(host, Settings, UnderTest.Rules.Quorum, scope);
            var leads = new Signal(host.Time);
            node.BecameLeader += _ => leads.Set();
            await node.StartAsync();
            Assert.True(await leads.WaitAsync(TimeSpan.FromSeconds(10)));
            if (lives == 2) await second(node);
            else for (var value = 0; value < 3; value++) Assert.Equal(Ends[value], await node.ProposeAsync(QuorumCluster.Batch(value)));
        });
        world.Run(async () =>
        {
            for (var life = 0; life < 2; life++)
            {
                world.Start(new NodeId(0));
                while (world[new NodeId(0)].IsUp) await world.Time.DelayAsync(TimeSpan.FromMilliseconds(50));
            }
        }, TimeSpan.FromMinutes(1));
        foreach (var failure in world.Failures) (failed ?? (e => Assert.Fail(e.ToString())))(failure.Exception);
    }

    [Fact]
    public void A_log_torn_at_any_byte_keeps_its_whole_batches_and_goes_on()
    {
        long length = 0;
        Live(disk => length = disk.Open(LogFile).Length, _ => Task.CompletedTask);
        for (var cut = 0L; cut <= length; cut += cut % 3 + 1)
        {
            Live(disk => disk.Open(LogFile).Truncate(cut), async node =>
            {
                var batches = 0;
                long next = 0;
                foreach (var batch in new RecordBatches(node.ReadCommitted(0)))
                {
                    Assert.Equal(next, batch.BaseOffset);
                    next = batch.NextOffset;
                    batches++;
                }
                Assert.Equal(cut == length, node.DroppedBytes == 0 && batches == Ends.Length + 1);
                Assert.Equal(next, await node.ProposeAsync(QuorumCluster.Batch(9)));
            });
        }
    }

    [Fact]
    public void A_damaged_batch_ends_the_log()
    {
        Live(disk =>
        {
            var file = disk.Open(LogFile);
            file.Write(file.Length - 1, [0x5A]);
        }, node =>
        {
            Assert.True(node.DroppedBytes > 0);
            Assert.Equal(Ends[^1], node.HighWatermark);                    // three batches kept, and the new opening entry
            return Task.CompletedTask;
        });
    }

    [Fact]
    public void A_voter_remembers_its_epoch_over_a_restart() =>
        Live(_ => { }, node =>
        {
            Assert.Equal(2, node.Epoch);
            return Task.CompletedTask;
        });

    [Fact]
    public void A_damaged_vote_stops_the_voter()
    {
        Exception? failure = null;
        Live(disk => disk.Open(StateFile).Write(0, "7"u8), _ => Task.CompletedTask, e => failure = e);
        Assert.IsType<InvariantBrokenException>(failure);
    }
}
