using Broker.Runtime;
using Chaos.Faults;
using FsCheck;
using FsCheck.Fluent;
using Verify.Campaign.Running;
using Verify.Campaign.Stories;
using Verify.Promises;
using Verify.Workloads;

namespace Verify.Tests.Stories;

public sealed class ShrinkerTests
{
    [Fact]
    public void Shrinking_reaches_the_one_crash_and_the_one_command_that_matter()
    {
        var scenario = Scenarios.WithSends(150, [.. Enumerable.Range(0, 12).Select(i => Scenarios.Crash(200 * i + 33.75, i % 3 + 1))]);
        var shrunk = Shrinker.Shrink(scenario, Fails(CrashOf2, Sends7))!;
        Assert.True(shrunk.Finished);
        var fault = Assert.IsType<Fault.Crash>(Assert.Single(shrunk.Scenario.Faults));
        Assert.Equal(NodeRef.Of(2), fault.Node);
        Assert.True(fault.HowLong < Scenarios.Ms(100));
        Assert.Equal(7, Assert.IsType<Command.Send>(Assert.Single(shrunk.Scenario.Plan.Commands)).Value);
        Assert.Equal((1, 1, 0), (shrunk.Scenario.Plan.Partitions, shrunk.Scenario.Plan.Clients, shrunk.Scenario.Plan.Readers));
        Assert.True(shrunk.Scenario.Length < scenario.Length);
        Assert.Equal(scenario.Seed, shrunk.Scenario.Seed);
    }

    [Fact]
    public void Pairs_that_only_fail_together_are_kept_together()
    {
        var scenario = Scenarios.WithSends(64, [.. Enumerable.Range(0, 8).Select(i => Scenarios.Crash(100 * i, i + 1))]);
        bool Both(Scenario s) => s.Faults.OfType<Fault.Crash>().Count(crash => crash.Node == NodeRef.Of(2) || crash.Node == NodeRef.Of(7)) == 2;
        bool Ends(Scenario s) => s.Plan.Commands.OfType<Command.Send>().Count(send => send.Value is 1 or 33 or 64) == 3;
        var shrunk = Shrinker.Shrink(scenario, Fails(Both, Ends))!;
        Assert.Equal(2, shrunk.Scenario.Faults.Count);
        Assert.Equal([1L, 33, 64], shrunk.Scenario.Plan.Commands.OfType<Command.Send>().Select(send => send.Value));
    }

    [Fact]
    public void Any_pair_of_needed_items_is_found() =>
        Prop.ForAll(Gen.Choose(1, 60).Two().ToArbitrary(), needed =>
        {
            var scenario = Scenarios.WithSends(60, Scenarios.Crash(100, 1), Scenarios.Crash(200, 2));
            long[] wanted = [needed.Item1, needed.Item2];
            var shrunk = Shrinker.Shrink(scenario, Fails(s => wanted.All(value => s.Plan.Commands.OfType<Command.Send>().Any(send => send.Value == value))), new ShrinkBudget(2000))!;
            return shrunk.Scenario.Faults.Count == 0 && shrunk.Scenario.Plan.Commands.OfType<Command.Send>().Select(send => send.Value).SequenceEqual(wanted.Distinct().Order());
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(25));

    [Fact]
    public void A_scenario_that_does_not_fail_is_not_shrunk() => Assert.Null(Shrinker.Shrink(Scenarios.WithSends(3), _ => null));

    [Fact]
    public void Shrinking_keeps_its_budget_and_gives_the_best_so_far()
    {
        var tries = 0;
        var scenario = Scenarios.WithSends(150, [.. Enumerable.Range(0, 12).Select(i => Scenarios.Crash(200 * i, i % 3 + 1))]);
        var fails = Fails(CrashOf2, Sends7);
        var shrunk = Shrinker.Shrink(scenario, s =>
        {
            tries++;
            return fails(s);
        }, new ShrinkBudget(12))!;
        Assert.Equal((12, 12), (tries, shrunk.Tries));
        Assert.False(shrunk.Finished);
        Assert.NotNull(fails(shrunk.Scenario));
        Assert.NotEqual(scenario, shrunk.Scenario);
    }

    [Fact]
    public void Shrinking_is_deterministic_and_never_grows() =>
        Prop.ForAll(Scenarios.Any, scenario =>
        {
            bool Odd(Scenario s) => s.Plan.Commands.Length % 2 == scenario.Plan.Commands.Length % 2 && s.Faults.Count >= Math.Min(2, scenario.Faults.Count);
            var (once, again) = (Shrinker.Shrink(scenario, Fails(Odd))!, Shrinker.Shrink(scenario, Fails(Odd))!);
            return once.Scenario == again.Scenario && once.Tries == again.Tries && Odd(once.Scenario)
                && once.Scenario.Faults.Count <= scenario.Faults.Count && once.Scenario.Plan.Commands.Length <= scenario.Plan.Commands.Length && once.Scenario.Length <= scenario.Length;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(25));

    [Fact]
    public void Settings_equal_to_their_defaults_are_no_longer_named()
    {
        var scenario = Scenarios.WithSends(1) with { Configuration = Configuration.OfWords(["acks=all", "min.insync.replicas=1", "replication.factor=3"]) };
        var shrunk = Shrinker.Shrink(scenario, _ => Sighting.Bare)!;
        Assert.Equal(["min.insync.replicas"], shrunk.Scenario.Configuration.Given.Keys);
        Assert.Equal(scenario.Configuration, shrunk.Scenario.Configuration);
    }

    [Fact]
    public void A_role_becomes_the_node_that_played_it()
    {
        var fault = new Fault.Crash(Trigger.AtMs(10), Scenarios.Ms(10), new NodeRef.LeaderOf(new TopicPartition("t", 0)));
        var scenario = Scenarios.WithSends(1, fault);
        var shrunk = Shrinker.Shrink(scenario, s => s.Faults.Count == 0 ? null : Sighting.Bare with
        {
            Faults = [new FaultOutcome(0, s.Faults[0], (Fault.Crash)s.Faults[0] with { Node = NodeRef.Of(3) }, Scenarios.Ms(10), Vetoed: false, Bit: true)],
        })!;
        Assert.Equal(NodeRef.Of(3), Assert.Single(shrunk.Scenario.Faults).Subject);
    }

    private static bool CrashOf2(Scenario s) => s.Faults.OfType<Fault.Crash>().Any(crash => crash.Node == NodeRef.Of(2));

    private static bool Sends7(Scenario s) => s.Plan.Commands.OfType<Command.Send>().Any(send => send.Value == 7);

    private static Func<Scenario, Sighting?> Fails(params Func<Scenario, bool>[] when) => scenario => when.All(one => one(scenario)) ? Sighting.Bare : null;
}
