using Broker.Core.Quorum;

namespace Verify.Zoo.Mutants;

/// <summary>A candidate of the metadata quorum reports the epoch it stands for as that of its last entry, so a short log beats a complete one.</summary>
public sealed class QuorumLastTermFromCurrentTerm : QuorumRules, IMutant
{
    public static Mutant Planted { get; } = new(
        "last-term-from-current-term",
        "DLedger #52",
        "A candidate of the metadata quorum reports the epoch it stands for as that of its last entry, so a short log beats a complete one.",
        Rarity.Easy,
        ["lost-topic", "resurrected-topic"],
        "metadata")
    {
        Broker = static rules => rules with { Quorum = new QuorumLastTermFromCurrentTerm() },
    };

    public override int LastEpochInVoteRequest(int lastEpoch, int currentEpoch) => currentEpoch;
}
