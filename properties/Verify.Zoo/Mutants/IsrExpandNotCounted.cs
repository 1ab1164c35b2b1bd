using Broker.Core.Replication;
using Broker.Runtime;

namespace Verify.Zoo.Mutants;

/// <summary>While an expansion of the ISR is on its way the leader does not wait for the joiner, which the controller may already have made eligible.</summary>
public sealed class IsrExpandNotCounted : ReplicationRules, IMutant
{
    public static Mutant Planted { get; } = new(
        "isr-expand-not-counted",
        "KIP-497; TLA+ AsyncIsr; RocketMQ #5663",
        "While an expansion of the ISR is on its way the leader does not wait for the joiner, which the controller may already have made eligible.",
        Rarity.Extreme,
        ["lost-write"],
        "log")
    {
        Broker = static rules => rules with { Replication = new IsrExpandNotCounted() },
    };

    public override NodeSet MaximalIsr(NodeSet committed, NodeSet proposed) => committed;
}
