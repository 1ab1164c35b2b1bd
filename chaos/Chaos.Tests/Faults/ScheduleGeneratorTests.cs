using Broker.Runtime;
using Chaos.Faults;
using FsCheck;
using FsCheck.Fluent;

namespace Chaos.Tests.Faults;

public sealed class ScheduleGeneratorTests
{
    private static readonly ScheduleScope Scope = FaultDataTests.Scope;

    [Fact]
    public void One_seed_gives_one_schedule() =>
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed =>
            ScheduleGenerator.Swarm(new Prng((ulong)seed), Scope).Equals(ScheduleGenerator.Swarm(new Prng((ulong)seed), Scope))).QuickCheckThrowOnFailure();

    [Fact]
    public void A_schedule_stays_within_its_scope() =>
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed =>
        {
            var prng = new Prng((ulong)seed);
            var scope = Scope with { Words = FaultWord.Default };
            var schedule = prng.Chance(0.5) ? ScheduleGenerator.Swarm(prng, scope) : ScheduleGenerator.Uniform(prng, scope);
            Assert.All(schedule, fault =>
            {
                Assert.Contains(fault.Word, FaultWord.Default);
                Assert.InRange(fault.HowLong, TimeSpan.Zero, scope.Longest);
                if (fault.When is Trigger.At(var at)) Assert.InRange(at, TimeSpan.Zero, scope.Span + TimeSpan.FromSeconds(5));     // a chain (2 s) of a toss (2.1 s)
                if (fault is Fault.Crash or Fault.Power or Fault.Restart) Assert.False(fault.Subject is NodeRef.Fixed { Id.Value: >= 6 });
            });
            Assert.InRange(schedule.Count(fault => fault is Fault.Power), 0, scope.PowerBudget);
            Assert.InRange(schedule.Count, 0, scope.MostFaults + 2 * 4 + 4);      // the last draw may be two tosses; then the trap and the upset
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Every_word_is_drawn_and_so_is_every_event_that_rare_bugs_need()
    {
        var faults = Enumerable.Range(0, 300).SelectMany(seed => ScheduleGenerator.Swarm(new Prng((ulong)seed), Scope)).ToList();
        Assert.Equal(FaultWord.All.Order(StringComparer.Ordinal), faults.Select(fault => fault.Word).Distinct().Order(StringComparer.Ordinal));
        var kinds = faults.Select(fault => fault.When).OfType<Trigger.After>().Select(after => after.What.Kind).ToHashSet();
        Assert.Superset(
            new HashSet<ObservationKind>
            {
                ObservationKind.IsrProposed, ObservationKind.IsrCommitted, ObservationKind.BecameLeader, ObservationKind.BecameFollower,
                ObservationKind.Elected, ObservationKind.Replicated, ObservationKind.Truncated, ObservationKind.QuorumLeader, ObservationKind.CommittedAtRisk,
            },
            kinds);
    }

    [Fact]
    public void Most_schedules_take_a_leader_away()
    {
        int Upsets(ScheduleScope scope) => Enumerable.Range(0, 200).Count(seed => ScheduleGenerator.Uniform(new Prng((ulong)seed), scope) is [.., var last] && last.When is Trigger.At && last is Fault.Crash { Node: NodeRef.LeaderOf } or Fault.MoveLeader);
        var alone = Scope with { Words = [FaultWord.Crash, FaultWord.MoveLeader], FewestFaults = 0, MostFaults = 0 };
        Assert.InRange(Upsets(alone), 130, 190);
        Assert.Equal(0, Upsets(alone with { UpsetChance = 0 }));
    }

    [Fact]
    public void A_swarm_leaves_most_words_out_of_most_runs()
    {
        var scope = Scope with { FewestFaults = 12, MostFaults = 12 };         // as many as are drawn by the same weights
        var swarm = Enumerable.Range(0, 100).Average(seed => TopShare(ScheduleGenerator.Swarm(new Prng((ulong)seed), scope)));
        var uniform = Enumerable.Range(0, 100).Average(seed => TopShare(ScheduleGenerator.Uniform(new Prng((ulong)seed), scope)));
        Assert.True(swarm > 1.5 * uniform, $"{swarm:0.00} against {uniform:0.00}");
    }

    [Fact]
    public void An_empty_scope_gives_an_empty_schedule() =>
        Assert.Empty(ScheduleGenerator.Uniform(new Prng(1), new ScheduleScope()));

    /// <summary>Of the most frequent word. Traps are the same in all schedules and left out.</summary>
    private static double TopShare(FaultSchedule schedule)
    {
        var drawn = schedule.Where(fault => fault.When is not Trigger.After { What.Kind: ObservationKind.CommittedAtRisk }).ToList();
        return drawn.GroupBy(fault => fault.Word).Max(word => (double)word.Count()) / drawn.Count;
    }
}
