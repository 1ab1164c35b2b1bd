using Broker.Core.Replication;
using Broker.Runtime;

namespace Verify.Zoo.Mutants;

/// <summary>A leader stops waiting for a slow replica before the controller has removed it from the ISR; the controller, not yet told, makes that replica leader.</summary>
public sealed class IsrShrinkBeforeCommit : ReplicationRules, IMutant
{
    public static Mutant Planted { get; } = new(
        "isr-shrink-before-commit",
        "KIP-497, KAFKA-12686; the same hole at ISR 1 in Jepsen's Kafka report of 2013",
        "A leader stops waiting for a slow replica before the controller has removed it from the ISR; the controller, not yet told, makes that replica leader.",
        Rarity.Easy,
        ["lost-write"],
        "log")
    {
        Broker = static rules => rules with { Replication = new IsrShrinkBeforeCommit() },
    };

    public override NodeSet MaximalIsr(NodeSet committed, NodeSet proposed) => proposed;
}
