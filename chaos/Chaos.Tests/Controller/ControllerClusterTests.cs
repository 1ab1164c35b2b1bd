using Broker.Core.Controller;
using Broker.Runtime;
using Chaos.Faults;
using FsCheck;
using FsCheck.Fluent;

namespace Chaos.Tests.Controller;

/// <summary>The controller over the quorum, with real frames, files and crashes, in simulation.</summary>
public sealed class ControllerClusterTests
{
    private static readonly Arbitrary<Scenario> Scenarios = Arb.From(
        from seed in Gen.Choose(0, int.MaxValue - 1)
        from faults in Gen.Choose(0, 8)
        select new Scenario(seed, faults),
        scenario => scenario.Faults > 0 ? [scenario with { Faults = scenario.Faults - 1 }] : []);

    /// <summary>Everything follows from it; fewer faults are the first ones of the same schedule.</summary>
    private sealed record Scenario(int Seed, int Faults)
    {
        public FaultSchedule Schedule()
        {
            var prng = new Prng((ulong)Seed);
            return new FaultSchedule(Enumerable.Range(0, Faults).Select(_ => Draw(prng)));
        }

        private static Fault Draw(Prng prng)
        {
            var when = new Trigger.At(prng.Between(TimeSpan.Zero, TimeSpan.FromSeconds(3)));
            var length = prng.Between(TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(1500));
            var node = prng.Below(3) switch
            {
                0 => new NodeRef.ActiveController(),
                1 => NodeRef.Of(prng.Below(3)),
                _ => NodeRef.Of(10 + prng.Below(3)),
            };
            return prng.Below(4) switch
            {
                0 => new Fault.Crash(when, length, node),
                1 => new Fault.Power(when, length, node),
                2 => new Fault.Pause(when, length, node),
                _ => new Fault.Partition(when, length, new NodeGroup([node]), NodeGroup.None),
            };
        }
    }

    [Fact]
    public void Brokers_are_let_in_and_topics_come_and_go()
    {
        var cluster = new ControllerCluster(1);
        cluster.Run(FaultSchedule.Empty, TimeSpan.FromSeconds(1));

        Assert.Empty(cluster.Violations);
        Assert.True(cluster.Answered > 50, $"{cluster.Answered} answers");
        Assert.Single(cluster.Controllers, controller => controller!.IsActive);
        Assert.Contains(cluster.World.Journal, entry => entry.What.Kind is ObservationKind.Elected && entry.What.Node.Value < 3);
    }

    [Fact]
    public void What_the_controller_answered_stays_so_under_crashes_power_losses_pauses_and_partitions() =>
        Prop.ForAll(Scenarios, scenario =>
        {
            var cluster = new ControllerCluster((ulong)scenario.Seed);
            cluster.Run(scenario.Schedule(), TimeSpan.FromSeconds(4));
            return (cluster.Violations.Count == 0).Label(string.Join("; ", cluster.Violations.Take(3)));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(20));

    [Fact]
    public void A_controller_that_lost_its_office_in_the_middle_of_a_change_does_not_say_that_it_did_nothing()
    {
        for (ulong seed = 1; seed <= 10; seed++)
        {
            var cluster = new ControllerCluster(seed);
            var cuts = Enumerable.Range(1, 8).Select(i => new Fault.Partition(
                new Trigger.At(TimeSpan.FromMilliseconds(500 * i)), TimeSpan.FromMilliseconds(300), new NodeGroup([new NodeRef.ActiveController()]), NodeGroup.Of(0, 1, 2), CutWay.In));   // the others store the change, and their word of it does not come back
            cluster.Run(new FaultSchedule(cuts), TimeSpan.FromSeconds(5));

            Assert.Empty(cluster.Violations);
        }
    }

    [Fact]
    public void A_silent_broker_is_fenced_and_let_in_again()
    {
        var cluster = new ControllerCluster(2);
        var pause = new Fault.Pause(new Trigger.At(TimeSpan.FromSeconds(2)), TimeSpan.FromSeconds(1.5), new NodeRef.Fixed(new NodeId(11)));
        cluster.Run(new FaultSchedule([pause]), TimeSpan.FromSeconds(4));

        Assert.Empty(cluster.Violations);
        var said = cluster.World.Journal.Select(entry => entry.What)
            .Where(it => it.Kind is ObservationKind.BrokerFenced or ObservationKind.BrokerUnfenced && it.Other == 11).Select(it => it.Kind).ToList();
        Assert.Equal([ObservationKind.BrokerUnfenced, ObservationKind.BrokerFenced, ObservationKind.BrokerUnfenced], said);
    }

    public static TheoryData<string, ControllerRules> PlantedDefects => new()
    {
        { "answers before the commit", new AnswersAtOnce() },
        { "serves before it knows what was committed", new ServesAtOnce() },
    };

    [Theory]
    [MemberData(nameof(PlantedDefects))]
    public void A_controller_that_does_not_wait_is_found_out(string defect, ControllerRules rules)
    {
        for (var seed = 0; seed < 100; seed++)
        {
            var cluster = new ControllerCluster((ulong)seed, new ControllerRuleBook { Controller = rules });
            cluster.Run(new Scenario(seed, 8).Schedule(), TimeSpan.FromSeconds(4));
            if (cluster.Violations.Count > 0) return;
        }
        Assert.Fail($"nobody noticed: {defect}");
    }

    [Fact]
    public void The_same_scenario_has_the_same_trace()
    {
        ulong Trace()
        {
            var cluster = new ControllerCluster(5);
            cluster.Run(new Scenario(5, 8).Schedule(), TimeSpan.FromSeconds(4));
            return cluster.World.TraceHash;
        }
        Assert.Equal(Trace(), Trace());
    }

    private sealed class AnswersAtOnce : ControllerRules
    {
        public override bool AnswerAwaitsCommit() => false;
    }

    private sealed class ServesAtOnce : ControllerRules
    {
        public override bool MayServe(long highWatermark, long epochStartOffset) => true;
    }
}
