using Chaos.Faults;
using FsCheck;
using FsCheck.Fluent;
using Verify.Campaign.Running;
using Verify.Campaign.Stories;
using Verify.Promises;
using Verify.Workloads;

namespace Verify.Tests.Stories;

/// <summary>Scenarios to shrink and to store.</summary>
internal static class Scenarios
{
    private static readonly string[][] Settings =
        [[], ["acks=1"], ["acks=0", "unclean.leader.election.enable=true"], ["min.insync.replicas=1", "flush.messages=1"], ["enable.idempotence=false", "max.in.flight.requests.per.connection=9"]];

    public static TimeSpan Ms(double ms) => TimeSpan.FromMilliseconds(ms);

    /// <summary>As a campaign would draw it.</summary>
    public static Scenario Drawn(int seed)
    {
        var drawn = ScenarioGenerator.Draw(
            (ulong)seed, Configuration.OfWords(Settings[Math.Abs(seed % Settings.Length)]), seed % 3 == 0 ? WorkloadNames.Metadata : WorkloadNames.Log,
            seed % 7 == 0 ? new FaultChoice([], false) : FaultChoice.Default, Ms(5000), seed % 2 == 0 ? "a-mutant" : null);
        return drawn with { Plan = drawn.Plan with { SeeksBack = seed % 5 == 0 } };
    }

    public static Scenario WithSends(int count, params Fault[] faults) => new(
        7, Configuration.Default,
        new WorkloadPlan(WorkloadNames.Log, 2, 3, 2, [.. Enumerable.Range(1, count).Select(value => new Command.Send(Ms(value * 10.25), value % 3, value % 2, value))]),
        new FaultSchedule(faults), WorldShape.Plain, Ms(20_000), 1);

    public static Fault Crash(double atMs, int node) => new Fault.Crash(Trigger.AtMs(atMs), Ms(800), NodeRef.Of(node));

    public static StoryFile Story(Scenario scenario) => new(
        "0.1.0", StoryFile.ReferenceSystem, StoryFile.Simulation, "A leader acknowledged value 7 alone; another took over.", new StoryPoint("no-lost-writes", "lost-write", "unclean-election"), scenario,
        0x00ab_cdef_0123_4567, new StoryOrigin(scenario.Seed, "mqverify compare --seeds 200"));

    /// <summary>Seeds of drawn scenarios.</summary>
    public static Arbitrary<Scenario> Any { get; } = Gen.Choose(0, 1_000_000).Select(Drawn).ToArbitrary();
}
