using Broker.Runtime;
using Chaos.Faults;
using Chaos.Simulation;

namespace Chaos.Tests.Simulation;

/// <summary>Each fault word, injected into a small busy world, bites and heals.</summary>
public sealed class EveryFaultTests
{
    private const short BrokerHeartbeat = 63;

    public static TheoryData<string> Words => [.. FaultWord.All];

    [Theory]
    [MemberData(nameof(Words))]
    public void A_fault_bites_heals_and_lets_the_world_go_on(string word)
    {
        var answeredAfter = 0;
        SimWorld world = null!;
        world = BusyWorld(1, () =>
        {
            if (world.Now > Echo.Ms(1500)) answeredAfter++;
        });
        var nemesis = world.Unleash(new FaultSchedule([Example(word)]));
        nemesis.Start();
        world.RunFor(2000);
        Assert.Equal(new Dictionary<string, int> { [word] = 1 }, nemesis.Bitten);
        Assert.Single(world.Journal, entry => entry.What is { Kind: ObservationKind.FaultBit, Other: 0 });
        Assert.Single(world.Journal, entry => entry.What is { Kind: ObservationKind.FaultHealed, Other: 0 });
        Assert.Empty(world.Failures);
        Assert.True(world[Echo.Server].IsUp);
        Assert.InRange(answeredAfter, 50, int.MaxValue);
    }

    [Theory]
    [MemberData(nameof(Words))]
    public void A_fault_that_touches_nobody_is_not_counted(string word)
    {
        var world = Echo.World(1, static _ => Task.CompletedTask, static _ => Task.CompletedTask);
        var nemesis = world.Unleash(new FaultSchedule([Example(word)]));
        nemesis.Start();
        world.RunFor(2000);
        // A machine whose program has ended can still lose power.
        Assert.Equal(word == FaultWord.Power ? [word] : [], nemesis.Bitten.Keys);
    }

    internal static Fault Example(string word)
    {
        var (when, howLong, server) = (Trigger.AtMs(200), Echo.Ms(300), NodeRef.Of(0));
        return word switch
        {
            FaultWord.Crash => new Fault.Crash(when, howLong, server),
            FaultWord.Power => new Fault.Power(when, howLong, server),
            FaultWord.Pause => new Fault.Pause(when, howLong, server),
            FaultWord.Partition => new Fault.Partition(when, howLong, NodeGroup.Of(0), NodeGroup.None),
            FaultWord.Delay => new Fault.Delay(when, howLong, server, NodeRef.Of(1), Echo.Ms(20), Echo.Ms(10)),
            FaultWord.Reset => new Fault.Reset(when, server),
            FaultWord.Clock => new Fault.Clock(when, howLong, server, ClockError.Drift, Echo.Ms(100)),
            FaultWord.Hold => new Fault.Hold(when, howLong, NodeRef.Of(1), server, null, false, 2),
            FaultWord.LoseAnswer => new Fault.LoseAnswer(when, howLong, server, NodeRef.Of(1), 0, 1, true),
            FaultWord.LagMetadata => new Fault.LagMetadata(when, howLong, NodeRef.Of(1), Echo.Ms(50)),
            FaultWord.MoveLeader => new Fault.MoveLeader(when, new TopicPartition("t", 0), server),
            FaultWord.Fence => new Fault.Fence(when, howLong, NodeRef.Of(1)),
            FaultWord.Restart => new Fault.Restart(when, howLong, server),
            FaultWord.Disk => new Fault.Disk(when, howLong, server, DiskTrouble.FsyncFails),
            FaultWord.DiskLies => new Fault.DiskLies(when, howLong, server),
            FaultWord.BitRot => new Fault.BitRot(when, server),
            _ => throw new InvalidOperationException(word),
        };
    }

    /// <summary>A server that appends each request to a file, flushes and answers; a client that asks again and again, with time-outs.</summary>
    internal static SimWorld BusyWorld(ulong seed, Action? answered = null)
    {
        var world = Echo.World(seed, Echo.Appending, host => AskingAsync(host, answered));
        world.IsController = static node => node == Echo.Server;
        world.MoveLeadership = (_, to) => world[to].IsUp;
        return world;
    }

    private static async Task AskingAsync(IHost host, Action? answered)
    {
        for (var correlation = 0; ;)
        {
            if (await host.Network.ConnectAsync(Echo.ServerAt, Echo.Ms(50)) is not { } connection)
            {
                await host.Time.DelayAsync(Echo.Ms(10));
                continue;
            }

            while (connection.Send(Echo.Request(ApiKey(correlation), correlation++)))
            {
                if (await Echo.AnswerAsync(host, connection, Echo.Ms(100)) is null) break;
                answered?.Invoke();
                await host.Time.DelayAsync(host.Random.Between(TimeSpan.Zero, Echo.Ms(3)));
            }

            connection.Close();
        }
    }

    private static short ApiKey(int correlation) => (correlation % 3) switch { 0 => 0, 1 => 1, _ => BrokerHeartbeat };
}
