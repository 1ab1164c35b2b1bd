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

    [Fact]
    public void A_connect_is_refused_where_nobody_listens_and_times_out_where_nothing_answers()
    {
        var outcomes = new List<(bool Connected, double Ms)>();
        var world = Echo.World(2, _ => Echo.ForEver(), async host =>
        {
            foreach (var at in new[] { Echo.ServerAt, new Endpoint("nowhere", 1) }) await Try(host, at);
            await host.Time.DelayAsync(Echo.Ms(10));
            await Try(host, Echo.ServerAt);
            await Echo.ForEver();
        });
        world.Unleash(new FaultSchedule([new Fault.Partition(Trigger.AtMs(8), Second, NodeGroup.Of(0), NodeGroup.None)])).Start();
        world.RunFor(500);
        Assert.All(outcomes, outcome => Assert.False(outcome.Connected));
        Assert.All(outcomes[..2], outcome => Assert.InRange(outcome.Ms, 0.4, 2));
        Assert.Equal(50, outcomes[2].Ms);

        async Task Try(IHost host, Endpoint at)
        {
            var start = host.Time.GetTimestamp();
            var connection = await host.Network.ConnectAsync(at, Echo.Ms(50));
            outcomes.Add((connection is not null, host.Time.GetElapsedTime(start).TotalMilliseconds));
        }
    }

    [Fact]
    public void A_connect_waits_out_a_short_cut()
    {
        var connectedAt = TimeSpan.Zero;
        var world = new SimWorld(3);
        world.AddNode(Echo.Server, "server", "server", Echo.Answering());
        world.AddNode(Echo.Client, "client", "client", async host =>
        {
            if (await host.Network.ConnectAsync(Echo.ServerAt, Second) is not null) connectedAt = world.Now;
            await Echo.ForEver();
        });
        world.Inject(0, new Fault.Partition(Trigger.AtMs(0), Second, NodeGroup.Of(0), NodeGroup.Of(1)));
        world.Run(async () =>
        {
            world.StartAll();
            await world.Time.DelayAsync(Echo.Ms(150));
            world.Heal(0);
            await world.Time.DelayAsync(Second);
        }, 2 * Second);
        Assert.InRange(connectedAt, Echo.Ms(150), Echo.Ms(400));
    }

    [Fact]
    public void A_cut_of_a_port_hits_connections_to_it_and_no_others()
    {
        var answers = 0;
        var world = Echo.World(4, Echo.Answering(), async host =>
        {
            var connection = await host.Network.ConnectAsync(Echo.ServerAt, Second);
            for (var i = 0; ; i++)
            {
                connection!.Send(Echo.Request(0, i));
                if (await connection.ReceiveAsync() is not null) answers++;
                await host.Time.DelayAsync(Echo.Ms(10));
            }
        });
        world.RunFor(50);
        Assert.Equal((true, false, true), (Answers(Echo.Port + 1), Answers(Echo.Port), Answers(Echo.Port + 1)));

        bool Answers(int port)
        {
            world.Inject(port, new Fault.Partition(Trigger.AtMs(0), Second, NodeGroup.Of(1), NodeGroup.Of(0), Port: port));
            var before = answers;
            world.RunFor(100);
            world.Heal(port);
            return answers > before + 1;                               // one may have been on its way
        }
    }

    [Fact]
    public void A_one_way_cut_stops_answers_but_not_requests_and_healing_delivers_them()
    {
        var got = 0;
        var answered = new List<TimeSpan>();
        SimWorld world = null!;
        world = Echo.World(4, Echo.Answering(_ => got++), async host =>
        {
            var connection = await host.Network.ConnectAsync(Echo.ServerAt, Second);
            await host.Time.DelayAsync(Echo.Ms(20));
            for (var i = 0; i < 5; i++) connection!.Send(Echo.Request(0, i));
            while (await connection!.ReceiveAsync() is not null) answered.Add(world.Now);
        });
        var nemesis = world.Unleash(new FaultSchedule([new Fault.Partition(Trigger.AtMs(10), Echo.Ms(90), NodeGroup.Of(0), NodeGroup.Of(1), CutWay.Out)]));
        nemesis.Start();
        world.Run(async () =>
        {
            world.StartAll();
            await world.Time.DelayAsync(Echo.Ms(99));
            Assert.Equal(5, got);
            Assert.Empty(answered);
            await world.Time.DelayAsync(Echo.Ms(100));
        }, Second);
        Assert.Equal(5, answered.Count);
        Assert.All(answered, at => Assert.InRange(at, Echo.Ms(100), Echo.Ms(152)));
        Assert.Equal(1, nemesis.Bitten["partition"]);
    }

    [Fact]
    public void When_a_connection_dies_a_prefix_of_its_frames_may_arrive_after_frames_of_a_newer_one()
    {
        var overtaken = 0;
        for (var seed = 1ul; seed <= 40; seed++)
        {
            var got = new List<int>();
            var world = Echo.World(seed, Echo.Answering(frame => got.Add(Echo.PayloadOf(frame))), async host =>
            {
                var old = await host.Network.ConnectAsync(Echo.ServerAt, Second);
                for (var i = 0; i < 10; i++) old!.Send(Echo.Request(0, i, i));
                old!.Close();
                var newer = await host.Network.ConnectAsync(Echo.ServerAt, Second);
                newer!.Send(Echo.Request(0, 100, 100));
                await Echo.ForEver();
            });
            world.RunFor(2000);
            var late = got.Where(payload => payload < 100).ToList();
            Assert.Equal(Enumerable.Range(0, late.Count), late);       // always a prefix, always in order
            Assert.Contains(100, got);
            if (late.Count > 0 && got[^1] != 100) overtaken++;
        }

        Assert.InRange(overtaken, 5, 39);
    }

    [Fact]
    public void The_peer_of_a_crashed_node_sees_the_end_but_the_peer_of_a_powerless_one_does_not_until_it_is_back()
    {
        Assert.InRange(EndSeenAfter(new Fault.Crash(Trigger.AtMs(20), Echo.Ms(200), NodeRef.Of(0))), Echo.Ms(20), Echo.Ms(22));
        Assert.InRange(EndSeenAfter(new Fault.Power(Trigger.AtMs(20), Echo.Ms(200), NodeRef.Of(0))), Echo.Ms(220), Echo.Ms(222));
    }

    [Fact]
    public void A_crash_behind_a_cut_is_seen_only_once_the_cut_heals()
    {
        var cut = new Fault.Partition(Trigger.AtMs(15), Echo.Ms(100), NodeGroup.Of(0), NodeGroup.None);
        Assert.InRange(EndSeenAfter(cut, new Fault.Crash(Trigger.AtMs(20), Echo.Ms(10), NodeRef.Of(0))), Echo.Ms(115), Echo.Ms(170));
    }

    [Fact]
    public void A_held_request_is_executed_after_its_connection_is_long_closed()
    {
        var got = new List<(int Payload, TimeSpan At)>();
        SimWorld world = null!;
        world = Echo.World(9, Echo.Answering(frame => got.Add((Echo.PayloadOf(frame), world.Now))), async host =>
        {
            for (var attempt = 1; ; attempt++)
            {
                var connection = await host.Network.ConnectAsync(Echo.ServerAt, Second);
                connection!.Send(Echo.Request(0, attempt, attempt));
                await host.Time.DelayAsync(Echo.Ms(50));
                connection.Close();
                if (attempt == 3) await Echo.ForEver();
            }
        });
        var nemesis = world.Unleash(new FaultSchedule([new Fault.Hold(Trigger.AtMs(0), Echo.Ms(400), null, NodeRef.Of(0), 0, false, 1)]));
        nemesis.Start();
        world.RunFor(1500);
        Assert.Equal([2, 3, 1], got.Select(g => g.Payload));
        Assert.True(got[2].At > Echo.Ms(400));
        Assert.Equal(1, nemesis.Bitten["hold"]);
    }

    private static TimeSpan EndSeenAfter(params Fault[] faults)
    {
        var seen = TimeSpan.Zero;
        SimWorld world = null!;
        world = Echo.World(5, Echo.Answering(), async host =>
        {
            var connection = await host.Network.ConnectAsync(Echo.ServerAt, Second);
            connection!.Send(Echo.Request(0, 1));
            while (await connection.ReceiveAsync() is not null)
            {
                // Waits for the end.
            }

            Assert.False(connection.Send(Echo.Request(0, 2)));
            seen = world.Now;
            await Echo.ForEver();
        });
        world.Unleash(new FaultSchedule(faults)).Start();
        world.RunFor(1000);
        return seen;
    }
}
