using Broker.Core.Quorum;

namespace Verify.Zoo.Mutants;

/// <summary>A leader of the metadata quorum takes an older epoch's entry for committed once a majority holds it; a candidate without it can still win and overwrite it.</summary>
public sealed class QuorumCommitPriorTerm : QuorumRules, IMutant
{
    public static Mutant Planted { get; } = new(
        "commit-prior-term",
        "Raft figure 8; LogCabin #44, KAFKA-12619, DLedger #4",
        "A leader of the metadata quorum takes an older epoch's entry for committed once a majority holds it; a candidate without it can still win and overwrite it.",
        Rarity.Hard,
        ["lost-topic", "resurrected-topic"],
        "metadata")
    {
        Broker = static rules => rules with { Quorum = new QuorumCommitPriorTerm() },
    };

    public override bool MayCommit(long majorityOffset, long epochStartOffset) => true;
}
