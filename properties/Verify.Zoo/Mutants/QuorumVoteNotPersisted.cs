using Broker.Core.Quorum;

namespace Verify.Zoo.Mutants;

/// <summary>A voter of the metadata quorum gives its vote without writing it down; after a restart it votes again in the same epoch, which then has two leaders.</summary>
public sealed class QuorumVoteNotPersisted : QuorumRules, IMutant
{
    public static Mutant Planted { get; } = new(
        "vote-not-persisted",
        "Raft figure 2 (votedFor); KAFKA-10661",
        "A voter of the metadata quorum gives its vote without writing it down; after a restart it votes again in the same epoch, which then has two leaders.",
        Rarity.Medium,
        ["lost-topic", "resurrected-topic"],
        "metadata")
    {
        Broker = static rules => rules with { Quorum = new QuorumVoteNotPersisted() },
    };

    public override IReadOnlyList<VoteStep> VoteSteps() => [VoteStep.Answer];
}
