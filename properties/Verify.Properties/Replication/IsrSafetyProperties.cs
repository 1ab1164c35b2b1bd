using Broker.Core;
using Broker.Core.Controller;
using Broker.Tests;
using FsCheck;
using FsCheck.Fluent;
using Verify.Zoo;

namespace Verify.Properties.Replication;

/// <summary>ISR safety over the broker's own state machines: whoever is elected from the ISR, or from the eligible replicas, holds all that any high watermark passed and all that was acknowledged.</summary>
public sealed class IsrSafetyProperties
{
    private const int Moves = 150;

    private sealed record Life(int MinInSyncReplicas, bool EligibleLeaderReplicas, Step[] Steps)
    {
        public override string ToString() => $"min.insync.replicas={MinInSyncReplicas} elr={EligibleLeaderReplicas}: {string.Join(' ', Steps.Select(static step => step.ToString()))}";
    }

    private static readonly Gen<Step> Steps =
        from move in Gen.Frequency(
            (12, Gen.Constant(Move.Fetch)),
            (6, Gen.Constant(Move.Learn)),
            (4, Gen.Constant(Move.Produce)),
            (3, Gen.Constant(Move.Heartbeat)),
            (3, Gen.Elements(Move.Decide, Move.Answer)),
            (3, Gen.Elements(Move.PassTime, Move.Silence, Move.Restart)),
            (1, Gen.Elements(Move.LookAtIsr, Move.LoseAnswer, Move.ElectPreferred, Move.Kill, Move.LosePower)))
        from draw in Gen.Choose(0, 5)
        select new Step(move, draw);

    private static readonly Arbitrary<Life> Lives = Arb.From(
        from minimum in Gen.Elements(1, 2, 2)
        from eligible in Gen.Elements(true, true, false)
        from steps in Steps.ArrayOf(Moves)
        select new Life(minimum, eligible, steps),
        Shrink);

    /// <summary>Fewer steps: halves and quarters first, then single ones.</summary>
    private static IEnumerable<Life> Shrink(Life life)
    {
        for (var size = life.Steps.Length / 2; size >= 1; size /= 2)
            for (var end = life.Steps.Length; end > 0; end -= size)
                yield return life with { Steps = [.. life.Steps[..Math.Max(0, end - size)], .. life.Steps[end..]] };
    }

    private static readonly SortedDictionary<string, ControllerRuleBook> OfControllers = new(StringComparer.Ordinal)
    {
        ["stale proposals are taken"] = new() { Isr = new StaleProposalsAreTaken() },
        ["anybody leads"] = new() { Election = new AnybodyLeads() },
        ["every restart counts as clean"] = new() { Registration = new EveryRestartWasClean() },
    };

    /// <summary>Members of the zoo by their slugs, and defects of the controller.</summary>
    public static TheoryData<string> PlantedBugs =>
    [
        "isr-shrink-before-commit", "isr-expand-not-counted", "isr-join-before-epoch-start", "ack-at-local-append", "last-replica-reelected", "truncate-to-high-watermark", "epoch-lookup-single-step",
        .. OfControllers.Keys,
    ];

    private static BrokerRules Planted(string bug) =>
        OfControllers.TryGetValue(bug, out var controller) ? new BrokerRules { Controller = controller } : MutantCatalogue.Own.First(mutant => mutant.Slug == bug).Broker(new BrokerRules());

    [Fact]
    public void Whoever_leads_holds_all_that_was_committed_or_acknowledged() =>
        Prop.ForAll(Lives, static life => Holds(life, UnderTest.Rules)).Check(Config.QuickThrowOnFailure.WithMaxTest(3000));

    /// <summary>The rarest of them shows in one of some thousand lives.</summary>
    [Theory]
    [MemberData(nameof(PlantedBugs))]
    public void With_a_planted_bug_a_leader_lacks_what_was_promised(string bug)
    {
        var rules = Planted(bug);
        var falsified = Assert.ThrowsAny<Exception>(() => Prop.ForAll(Lives, life => Holds(life, rules)).Check(Config.QuickThrowOnFailure.WithMaxTest(40_000)));
        Assert.Contains("Falsifiable", falsified.Message, StringComparison.Ordinal);
    }

    /// <summary>Nothing holds by standing still: the lives that are drawn elect, commit and change the ISR.</summary>
    [Fact]
    public void The_lives_are_eventful()
    {
        var lives = Lives.Generator.Sample(300).Select(static life =>
        {
            var model = Begin(life, new BrokerRules());
            foreach (var step in life.Steps) model.Play(step);
            return model.Exercised;
        }).ToList();
        Assert.Equal(300, lives.Count);
        Assert.True(lives.Average(static life => life.Elections) > 1.5, "too few elections");
        Assert.True(lives.Average(static life => life.Promised) > 3, "too few records committed");
        Assert.True(lives.Average(static life => life.IsrChanges) > 0.5, "too few changes of the ISR");
        Assert.True(lives.Average(static life => life.PowerLosses) > 0.1, "too few power losses");
    }

    private static Property Holds(Life life, BrokerRules rules)
    {
        var model = Begin(life, rules);
        for (var i = 0; i < life.Steps.Length; i++)
            if (model.Play(life.Steps[i]) is { } problem) return false.Label($"step {i + 1}, {life.Steps[i]}: {problem}");
        return true.ToProperty();
    }

    private static ReplicationModel Begin(Life life, BrokerRules rules) => new(rules, life.MinInSyncReplicas, life.EligibleLeaderReplicas);

    private sealed class StaleProposalsAreTaken : IsrRules
    {
        public override bool PartitionEpochIsStale(int known, int given) => false;
    }

    private sealed class AnybodyLeads : ElectionRules
    {
        public override bool MayLeadCleanly(bool inIsr, bool isrIsEmpty, bool inElr) => true;
    }

    private sealed class EveryRestartWasClean : RegistrationRules
    {
        public override bool ShutdownWasClean(long cleanSince, long registeredEpoch, long previousBrokerEpoch) => true;
    }
}
