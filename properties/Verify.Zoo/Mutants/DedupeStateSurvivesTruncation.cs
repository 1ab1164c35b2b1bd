using Broker.Core.Log;

namespace Verify.Zoo.Mutants;

/// <summary>A log is cut, what is remembered of producers is not: the retry of a batch that was cut is answered as a duplicate, and is nowhere.</summary>
public sealed class DedupeStateSurvivesTruncation : LogRules, IMutant
{
    public static Mutant Planted { get; } = new(
        "dedupe-state-survives-truncation",
        "class of KAFKA-12153",
        "A log is cut, what is remembered of producers is not: the retry of a batch that was cut is answered as a duplicate, and is nowhere.",
        Rarity.Extreme,
        ["lost-write"],
        "log")
    {
        Broker = static rules => rules with { Log = new DedupeStateSurvivesTruncation() },
    };

    public override IReadOnlyList<TruncationStep> TruncationSteps() => [TruncationStep.CutSegments, TruncationStep.CutEpochs];
}
