using Broker.Core.Controller;

namespace Verify.Zoo.Mutants;

/// <summary>The last member of the ISR comes back without its tail, is still in the ISR by rule, leads, and the others cut their logs to agree with it.</summary>
/// <remarks>Kafka before KIP-966 is like this: a known limit there, a bug where eligible leader replicas are promised.</remarks>
public sealed class LastReplicaReelected : ElectionRules, IMutant
{
    public static Mutant Planted { get; } = new(
        "last-replica-reelected",
        "KIP-966",
        "The last member of the ISR comes back without its tail, is still in the ISR by rule, leads, and the others cut their logs to agree with it.",
        Rarity.Hard,
        ["lost-write"],
        "log")
    {
        Broker = static rules => rules with { Controller = rules.Controller with { Election = new LastReplicaReelected() } },
    };

    public override bool TracksEligibleReplicas(bool featureIsOn) => false;
}
