using Broker.Runtime;
using Chaos.Faults;
using Chaos.Simulation;

namespace Chaos.Tests.Simulation;

/// <summary>Faults that choose messages by API key, and what the two ends see of them.</summary>
public sealed class MessageFaultTests
{
    private const short Produce = 0;
    private const short Fetch = 1;
    private const short BrokerHeartbeat = 63;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_lost_answer_was_executed_and_nothing_more_comes_on_that_connection(bool connectionDies)
    {
        var (executed, answers) = (new List<int>(), new List<int>());
        var ended = false;
        var world = Echo.World(1, Echo.Answering(request => executed.Add(Echo.CorrelationOf(request))), async host =>
        {
            var connection = await host.Network.ConnectAsync(Echo.ServerAt, Echo.Ms(50));
            for (var i = 0; i < 6; i++) connection!.Send(Echo.Request(i == 3 ? Produce : Fetch, i));
            while (await connection!.ReceiveAsync() is { } answer) answers.Add(System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(answer));
            ended = true;
            await Echo.ForEver();
        }, new SimOptions { LatePrefixChance = 0 });
        world.Unleash(new FaultSchedule([new Fault.LoseAnswer(Trigger.AtMs(0), Echo.Ms(500), NodeRef.Of(0), null, Produce, 1, connectionDies)])).Start();
        world.RunFor(1000);
        Assert.Contains(3, executed);
        Assert.Equal([0, 1, 2], answers);
        Assert.Equal(connectionDies, ended);
    }

    [Fact]
    public void A_lagging_metadata_log_delays_fetch_answers_of_controllers_to_that_node_only()
    {
        Assert.InRange(RoundTrip(Fetch, isController: true), Echo.Ms(30), Echo.Ms(33));
        Assert.InRange(RoundTrip(Produce, isController: true), TimeSpan.Zero, Echo.Ms(3));
        Assert.InRange(RoundTrip(Fetch, isController: false), TimeSpan.Zero, Echo.Ms(3));

        static TimeSpan RoundTrip(short apiKey, bool isController) =>
            AnswerTime(apiKey, isController, new Fault.LagMetadata(Trigger.AtMs(0), Echo.Ms(500), NodeRef.Of(1), Echo.Ms(30)));
    }

    [Fact]
    public void A_fenced_node_heartbeats_in_vain_until_healed_while_other_connections_work()
    {
        var fence = new Fault.Fence(Trigger.AtMs(0), Echo.Ms(500), NodeRef.Of(1));
        Assert.InRange(AnswerTime(BrokerHeartbeat, true, fence), Echo.Ms(480), Echo.Ms(560));
        Assert.InRange(AnswerTime(Fetch, true, fence), TimeSpan.Zero, Echo.Ms(3));
    }

    [Fact]
    public void A_delay_is_added_each_way_and_only_on_its_link()
    {
        Assert.InRange(AnswerTime(Fetch, true, new Fault.Delay(Trigger.AtMs(0), Echo.Ms(500), NodeRef.Of(0), NodeRef.Of(1), Echo.Ms(20), TimeSpan.Zero)), Echo.Ms(40), Echo.Ms(43));
        Assert.InRange(AnswerTime(Fetch, true, new Fault.Delay(Trigger.AtMs(0), Echo.Ms(500), NodeRef.Of(0), NodeRef.Of(5), Echo.Ms(20), TimeSpan.Zero)), TimeSpan.Zero, Echo.Ms(3));
    }

    [Fact]
    public void A_wrong_clock_moves_the_time_of_day_and_never_the_timers()
    {
        Assert.Equal([100, 3_600_200, 300], ClockReadings(ClockError.Offset, TimeSpan.FromHours(1)));
        Assert.Equal([100, -3_599_800, -3_599_700], ClockReadings(ClockError.Jump, TimeSpan.FromHours(-1)));
        Assert.Equal([100, 205, 300], ClockReadings(ClockError.Drift, Echo.Ms(100)));

        static IEnumerable<double> ClockReadings(ClockError error, TimeSpan by)
        {
            var readings = new List<double>();
            var world = new SimWorld(1);
            world.AddNode(new NodeId(0), "n", "n", async host =>
            {
                for (var i = 0; i < 3; i++)
                {
                    await host.Time.DelayAsync(Echo.Ms(100));
                    readings.Add((host.Time.GetUtcNow() - SimOptions.Default.Epoch).TotalMilliseconds);
                }

                await Echo.ForEver();
            });
            world.Unleash(new FaultSchedule([new Fault.Clock(Trigger.AtMs(150), Echo.Ms(100), NodeRef.Of(0), error, by)])).Start();
            world.RunFor(350);
            return readings;
        }
    }

    [Fact]
    public void A_slow_disk_takes_longer_to_flush_and_a_full_one_stops_its_node_until_healed()
    {
        var took = new List<double>();
        var world = new SimWorld(1);
        world.AddNode(new NodeId(0), "n", "n", async host =>
        {
            var file = host.Disk.Open("d/f");
            while (true)
            {
                var start = host.Time.GetTimestamp();
                file.Write(file.Length, new byte[8]);
                await file.FlushAsync();
                took.Add(host.Time.GetElapsedTime(start).TotalMilliseconds);
                await host.Time.DelayAsync(Echo.Ms(20));
            }
        });
        var nemesis = world.Unleash(new FaultSchedule(
        [
            new Fault.Disk(Trigger.AtMs(50), Echo.Ms(100), NodeRef.Of(0), DiskTrouble.Slow, Echo.Ms(30)),
            new Fault.Disk(Trigger.AtMs(300), Echo.Ms(100), NodeRef.Of(0), DiskTrouble.Full),
        ]));
        nemesis.Start();
        world.RunFor(600);
        Assert.Equal(2, nemesis.Bitten["disk"]);
        Assert.Contains(took, ms => ms is > 30 and < 31);
        Assert.Equal(2, world[new NodeId(0)].Lives);
        var crashed = Assert.Single(world.Journal, entry => entry.What.Kind == ObservationKind.Crashed).At;
        Assert.InRange(crashed, Echo.Ms(300), Echo.Ms(325));
        Assert.Empty(world.Failures);
    }

    /// <summary>How long a client waits for the answer to one request while a fault is active.</summary>
    private static TimeSpan AnswerTime(short apiKey, bool isController, Fault fault)
    {
        var took = TimeSpan.MaxValue;
        var world = Echo.World(1, Echo.Answering(), async host =>
        {
            var connection = await host.Network.ConnectAsync(Echo.ServerAt, Echo.Ms(100));
            var start = host.Time.GetTimestamp();
            connection!.Send(Echo.Request(apiKey, 1));
            await connection.ReceiveAsync();
            took = host.Time.GetElapsedTime(start);
            await Echo.ForEver();
        });
        world.IsController = node => isController && node == Echo.Server;
        world.Unleash(new FaultSchedule([fault])).Start();
        world.RunFor(1000);
        return took;
    }
}
