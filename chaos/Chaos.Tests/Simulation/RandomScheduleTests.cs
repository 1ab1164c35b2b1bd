using Broker.Runtime;
using Chaos.Faults;
using Chaos.Simulation;
using FsCheck;
using FsCheck.Fluent;

namespace Chaos.Tests.Simulation;

/// <summary>Whatever the schedule: one trace per seed, an end, progress afterwards, and nothing flushed and acknowledged is lost by an honest disk.</summary>
public sealed class RandomScheduleTests
{
    private static readonly ScheduleScope Scope = new()
    {
        Brokers = NodeSet.Of([Echo.Server.Value]),
        Clients = NodeSet.Of([Echo.Client.Value]),
        Partitions = [new TopicPartition("t", 0)],
        Words = [.. FaultWord.Default, FaultWord.Disk],
        Span = TimeSpan.FromSeconds(2),
        Longest = TimeSpan.FromMilliseconds(500),
        PowerBudget = 4,
    };

    [Fact]
    public void Any_schedule_gives_one_trace_per_seed_and_comes_to_an_end() =>
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed =>
        {
            var (first, second) = (Run((ulong)seed), Run((ulong)seed));
            Assert.Equal(first, second);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void What_was_flushed_and_acknowledged_survives_any_schedule_and_the_world_recovers()
    {
        var bitten = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (var seed = 1ul; seed <= 150; seed++)
        {
            var acknowledged = new SortedDictionary<long, int>();
            var recovered = 0;
            IFile? file = null;
            SimWorld world = null!;
            world = Echo.World(seed, async host =>
            {
                file = host.Disk.Open("data/log");
                file.Truncate(file.Length / 8 * 8);
                await host.Disk.FlushDirectoryAsync("data");
                await Echo.AppendEntries(host, file);
            }, host => Echo.Appender(host, (offset, value) =>
            {
                acknowledged.Add(offset, value);
                if (world.Now > TimeSpan.FromSeconds(4)) recovered++;
            }));
            var nemesis = world.Unleash(ScheduleGenerator.Swarm(new Prng(seed), Scope));
            world.Run(async () =>
            {
                world.StartAll();
                nemesis.Start();
                await world.Time.DelayAsync(Echo.Ms(3000));
                nemesis.HealAll();
                await world.Time.DelayAsync(Echo.Ms(2000));
                world.Inject(1000, new Fault.Power(Trigger.AtMs(0), TimeSpan.Zero, NodeRef.Of(0)));
                world.Heal(1000);
                await world.Time.DelayAsync(Echo.Ms(10));
            }, TimeSpan.FromSeconds(20));
            Assert.Empty(world.Failures);
            Assert.InRange(recovered, 20, int.MaxValue);
            var log = new byte[file!.Length];
            file.Read(0, log);
            foreach (var (offset, value) in acknowledged)
            {
                Assert.True(offset + 8 <= log.Length, $"seed {seed}: entry at {offset} acknowledged, log ends at {log.Length}");
                Assert.Equal(value, System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(log.AsSpan((int)offset + 4)));
            }

            foreach (var (word, count) in nemesis.Bitten) bitten[word] = bitten.GetValueOrDefault(word) + count;
        }

        // Fence and lag-metadata need a controller, move-leader somebody to ask: this world has neither.
        Assert.Equal(Scope.Words.Except([FaultWord.Fence, FaultWord.LagMetadata, FaultWord.MoveLeader]).Order(StringComparer.Ordinal), bitten.Keys);
    }

    private static (ulong Hash, long Steps, int Observations) Run(ulong seed)
    {
        var world = EveryFaultTests.BusyWorld(seed);
        world.Unleash(ScheduleGenerator.Swarm(new Prng(seed ^ 77), Scope with { Words = FaultWord.All })).Start();
        world.RunFor(2500);
        Assert.Empty(world.Failures);
        return (world.TraceHash, world.Steps, world.Journal.Count);
    }
}
