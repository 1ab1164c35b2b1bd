using Broker.Runtime;
using Chaos.Faults;
using Chaos.Simulation;

namespace Chaos.Tests.Simulation;

public sealed class SimNetworkTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void Frames_of_one_connection_arrive_in_order_and_once()
    {
        var got = new List<int>();
        var world = Echo.World(1, Echo.Answering(frame => got.Add(Echo.PayloadOf(frame))), async host =>
        {
            var connection = await host.Network.ConnectAsync(Echo.ServerAt, Second);
            for (var i = 0; i < 200; i++)
            {
                connection!.Send(Echo.Request(0, i, i));
                if (i % 3 == 0) await host.Time.DelayAsync(Echo.Ms(0.1));
            }

            await Echo.ForEver();
        });
        world.RunFor(200);
        Assert.Equal(Enumerable.Range(0, 200), got);
    }
}
