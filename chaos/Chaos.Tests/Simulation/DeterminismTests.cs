using Broker.Runtime;
using Chaos.Faults;
using Chaos.Simulation;

namespace Chaos.Tests.Simulation;

public sealed class DeterminismTests
{
    [Fact]
    public void The_same_seed_gives_the_same_trace_hash_and_another_seed_another()
    {
        Assert.Equal(Run(1), Run(1));
        Assert.Equal(Run(7), Run(7));
        Assert.Equal(20, Enumerable.Range(1, 20).Select(seed => Run((ulong)seed)).Distinct().Count());
    }

    private static ulong Run(ulong seed)
    {
        var world = Echo.World(seed, Echo.Answering(), ChattyClient);
        world.RunFor(300);
        Assert.Empty(world.Failures);
        return world.TraceHash;
    }

    internal static async Task ChattyClient(IHost host)
    {
        for (var correlation = 0; ;)
        {
            if (await host.Network.ConnectAsync(Echo.ServerAt, Echo.Ms(100)) is not { } connection) continue;
            while (connection.Send(Echo.Request((short)host.Random.Below(3), correlation++)))
            {
                if (await connection.ReceiveAsync() is null) break;
                await host.Time.DelayAsync(host.Random.Between(TimeSpan.Zero, Echo.Ms(3)));
            }

            connection.Close();
        }
    }
}
