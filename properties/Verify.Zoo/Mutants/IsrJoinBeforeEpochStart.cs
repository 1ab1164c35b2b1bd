using Broker.Core.Replication;

namespace Verify.Zoo.Mutants;

/// <summary>A fresh leader, whose high watermark still trails, admits a replica by that watermark alone: the replica lacks committed records and may lead next.</summary>
public sealed class IsrJoinBeforeEpochStart : ReplicationRules, IMutant
{
    public static Mutant Planted { get; } = new(
        "isr-join-before-epoch-start",
        "KAFKA-7128; rule 4 of TLA+ Kip320",
        "A fresh leader, whose high watermark still trails, admits a replica by that watermark alone: the replica lacks committed records and may lead next.",
        Rarity.Extreme,
        ["lost-write"],
        "log")
    {
        Broker = static rules => rules with { Replication = new IsrJoinBeforeEpochStart() },
    };

    public override bool MayJoinIsr(long followerEnd, long highWatermark, long epochStartOffset) => followerEnd >= highWatermark;
}
