using Broker.Core.Quorum;

namespace Verify.Zoo.Mutants;

/// <summary>A voter of the metadata quorum acknowledges entries from its page cache and leaves the flush to the system; one power loss takes a majority's word back.</summary>
public sealed class QuorumAckBeforeFsync : QuorumRules, IMutant
{
    public static Mutant Planted { get; } = new(
        "quorum-ack-before-fsync",
        "KAFKA-10533, KAFKA-13884, KAFKA-17332; etcd #12589, #14370",
        "A voter of the metadata quorum acknowledges entries from its page cache and leaves the flush to the system; one power loss takes a majority's word back.",
        Rarity.Medium,
        ["lost-topic", "resurrected-topic"],
        "metadata")
    {
        Broker = static rules => rules with { Quorum = new QuorumAckBeforeFsync() },
    };

    public override IReadOnlyList<FollowerAppendStep> FollowerAppendSteps() => [FollowerAppendStep.Append, FollowerAppendStep.Fetch];
}
