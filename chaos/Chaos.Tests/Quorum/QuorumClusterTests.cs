using Broker.Core.Quorum;
using Broker.Runtime;
using Chaos.Faults;
using Chaos.Simulation;
using FsCheck;
using FsCheck.Fluent;

namespace Chaos.Tests.Quorum;

/// <summary>The metadata quorum with real frames, files and crashes, in simulation.</summary>
public sealed class QuorumClusterTests
{
    private static readonly Arbitrary<QuorumScenario> Scenarios = Arb.From(
        from seed in Gen.Choose(0, int.MaxValue - 1)
        from faults in Gen.Choose(0, 8)
        select new QuorumScenario(seed, faults),
        scenario => scenario.Faults > 0 ? [scenario with { Faults = scenario.Faults - 1 }] : []);

    /// <summary>Everything follows from it; fewer faults are the first ones of the same schedule.</summary>
    private sealed record QuorumScenario(int Seed, int Faults)
    {
        private static readonly ScheduleScope Scope = new()
        {
            Words = [FaultWord.Crash, FaultWord.Power, FaultWord.Pause, FaultWord.Partition, FaultWord.Delay, FaultWord.Reset, FaultWord.Hold, FaultWord.LoseAnswer],
            Controllers = NodeSet.Of([0, 1, 2]),
            Span = TimeSpan.FromSeconds(2),
            FewestFaults = 8,
            MostFaults = 8,
            Shortest = TimeSpan.FromMilliseconds(10),
            Longest = TimeSpan.FromSeconds(1),
            PowerBudget = 8,
            ApiKeys = [1, 52, 53],
        };

        /// <summary>Every third one has a disk that is slow to flush: more happens between a write and its being durable.</summary>
        public SimOptions Disk => Seed % 3 == 0
            ? SimOptions.Default with { FlushMin = TimeSpan.FromMilliseconds(1), FlushMax = TimeSpan.FromMilliseconds(10) }
            : SimOptions.Default;

        public FaultSchedule Schedule() => new(ScheduleGenerator.Swarm(new Prng((ulong)Seed), Scope).Take(Faults));
    }

    [Fact]
    public void Voters_elect_a_leader_and_the_observer_sees_what_it_commits()
    {
        var cluster = new QuorumCluster(1);
        cluster.Run(FaultSchedule.Empty, TimeSpan.FromSeconds(1));
        Assert.Empty(cluster.Violations);
        Assert.True(cluster.Acknowledged.Count > 20);
        Assert.Single(cluster.Nodes, node => node!.IsLeader);
        var said = cluster.World.Journal.Select(entry => entry.What.Kind).ToList();
        Assert.Contains(ObservationKind.QuorumLeader, said);
        Assert.Contains(ObservationKind.MetadataCommitted, said);
    }

    [Fact]
    public void What_was_acknowledged_survives_crashes_power_losses_pauses_and_partitions() =>
        Prop.ForAll(Scenarios, scenario =>
        {
            var cluster = new QuorumCluster((ulong)scenario.Seed, options: scenario.Disk);
            cluster.Run(scenario.Schedule(), TimeSpan.FromSeconds(3));
            return (cluster.Violations.Count == 0).Label(string.Join("; ", cluster.Violations.Take(3)));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(30));

    [Fact]
    public void A_voter_that_does_not_flush_is_found_out_by_power_losses()
    {
        for (var seed = 0; seed < 100; seed++)
        {
            var cluster = new QuorumCluster((ulong)seed, new FetchesWithoutFlush());
            cluster.Run(PowerLosses(new Prng((ulong)seed)), TimeSpan.FromSeconds(3));
            if (cluster.Violations.Count > 0) return;
        }
        Assert.Fail("100 scenarios found nothing");
    }

    private static FaultSchedule PowerLosses(Prng prng) => new(Enumerable.Range(0, 8).Select(_ => new Fault.Power(
        new Trigger.At(prng.Between(TimeSpan.Zero, TimeSpan.FromSeconds(2))),
        prng.Between(TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(500)),
        new NodeRef.Fixed(new NodeId(prng.Below(3))))));

    [Fact]
    public void The_same_scenario_has_the_same_trace()
    {
        ulong Trace()
        {
            var cluster = new QuorumCluster(5);
            cluster.Run(new QuorumScenario(5, 8).Schedule(), TimeSpan.FromSeconds(3));
            return cluster.World.TraceHash;
        }
        Assert.Equal(Trace(), Trace());
    }

    private sealed class FetchesWithoutFlush : QuorumRules
    {
        public override IReadOnlyList<FollowerAppendStep> FollowerAppendSteps() => [FollowerAppendStep.Append, FollowerAppendStep.Fetch];
    }
}
