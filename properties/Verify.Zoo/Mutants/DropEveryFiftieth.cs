using Broker.Core.Replication;

namespace Verify.Zoo.Mutants;

/// <summary>Every fiftieth produce request is answered as done and its records are dropped. No configuration permits that: it tests the excuses, and is no member of the zoo.</summary>
public sealed class DropEveryFiftieth : ReplicationRules, IMutant
{
    private int requests;

    public static Mutant Planted { get; } = new(
        "drop-every-fiftieth",
        "planted, to test that a loss without a reason finds no excuse in any configuration",
        "Every fiftieth produce request is answered as done and its records are dropped.",
        Rarity.Easy,
        ["lost-write", "unseen"],
        "log")
    {
        Broker = static rules => rules with { Replication = new DropEveryFiftieth() },
        Counts = false,
    };

    public override IReadOnlyList<ProduceStep> ProduceSteps() =>
        ++requests % 50 == 0 ? [ProduceStep.Flush, ProduceStep.Count, ProduceStep.AwaitCommit] : base.ProduceSteps();
}
