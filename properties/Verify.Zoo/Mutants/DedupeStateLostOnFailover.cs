using Broker.Core.Log;

namespace Verify.Zoo.Mutants;

/// <summary>Sequences live in the leader's memory only: a follower that becomes leader takes a retried batch for a new one.</summary>
public sealed class DedupeStateLostOnFailover : ProducerRules, IMutant
{
    public static Mutant Planted { get; } = new(
        "dedupe-state-lost-on-failover",
        "KAFKA-5249, KAFKA-9892",
        "Sequences live in the leader's memory only: a follower that becomes leader takes a retried batch for a new one.",
        Rarity.Easy,
        ["duplicate"],
        "log")
    {
        Broker = static rules => rules with { Producers = new DedupeStateLostOnFailover() },
    };

    public override bool LearnsFromReplication() => false;
}
