using Broker.Runtime;
using Chaos.Faults;
using Chaos.Simulation;

namespace Chaos.Tests.Simulation;

public sealed class LostFrameTests
{
    private const short Produce = 0, Other = 1;

    [Fact]
    public void Every_produce_request_is_read_once_or_told_once_to_be_lost_whatever_happens()
    {
        var ways = new HashSet<int>();
        for (var seed = 1ul; seed <= 60; seed++)
        {
            var (sent, got) = (new List<int>(), new List<int>());
            var world = Echo.World(seed, Echo.Answering(frame => got.Add(Echo.PayloadOf(frame))), host => SendAsync(host, Produce, sent));
            world.Unleash(Trouble(seed)).Start();
            world.RunFor(600);

            var lost = world.Journal.Where(entry => entry.What.Kind == ObservationKind.FrameLost).ToList();
            ways.UnionWith(lost.Select(entry => entry.What.Other));
            Assert.All(lost, entry => Assert.Equal(Echo.Server, entry.What.Node));
            Assert.Equal(sent, got.Concat(lost.Select(entry => Echo.PayloadOf(entry.What.Bytes.ToArray()))).Order());
        }

        Assert.Equal([(int)FrameLoss.ConnectionDied, (int)FrameLoss.NodeDied, (int)FrameLoss.WorldEnded], ways.Order());
    }

    [Fact]
    public void Answers_and_requests_of_other_APIs_are_lost_without_a_word()
    {
        for (var seed = 1ul; seed <= 10; seed++)
        {
            var (sent, got) = (new List<int>(), new List<int>());
            var world = Echo.World(seed, Echo.Answering(frame => got.Add(Echo.PayloadOf(frame))), host => SendAsync(host, Other, sent));
            world.Unleash(Trouble(seed)).Start();
            world.RunFor(600);
            Assert.True(got.Count < sent.Count);
            Assert.DoesNotContain(world.Journal, entry => entry.What.Kind == ObservationKind.FrameLost);
        }
    }

    private static FaultSchedule Trouble(ulong seed)
    {
        var chance = new Prng(seed);
        TimeSpan At() => Echo.Ms(20 + chance.Below(500));
        Trigger When() => new Trigger.At(At());
        return new FaultSchedule(
        [
            new Fault.Crash(When(), Echo.Ms(30), NodeRef.Of(0)),
            new Fault.Power(When(), Echo.Ms(40), NodeRef.Of(0)),
            new Fault.Reset(When(), NodeRef.Of(0)),
            new Fault.Reset(When(), NodeRef.Of(1)),
            new Fault.Pause(When(), Echo.Ms(50), NodeRef.Of(0)),
            new Fault.Partition(When(), Echo.Ms(60), NodeGroup.Of(0), NodeGroup.None),
            new Fault.Hold(When(), Echo.Ms(60), null, NodeRef.Of(0), null, false, 2),
            new Fault.LoseAnswer(When(), Echo.Ms(60), NodeRef.Of(0), null, null, 1, chance.Chance(0.5)),
        ]);
    }

    /// <summary>Sends without waiting for answers, and leaves a connection every so often.</summary>
    private static async Task SendAsync(IHost host, short apiKey, List<int> sent)
    {
        var next = 0;
        while (true)
        {
            if (await host.Network.ConnectAsync(Echo.ServerAt, Echo.Ms(50)) is not { } connection) continue;
            for (var left = host.Random.Between(1, 40); left > 0 && connection.Send(Echo.Request(apiKey, next, next)); left--)
            {
                sent.Add(next++);
                if (host.Random.Chance(0.7)) await host.Time.DelayAsync(Echo.Ms(host.Random.Between(1, 5)));
            }

            connection.Close();
        }
    }
}
