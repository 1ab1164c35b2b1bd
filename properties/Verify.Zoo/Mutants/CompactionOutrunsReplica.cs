using Broker.Core.Log;

namespace Verify.Zoo.Mutants;

/// <summary>A tombstone goes when its time has come, whoever lacks it; a replica that was away keeps the value that it deleted, and shows it once it leads.</summary>
public sealed class CompactionOutrunsReplica : CleanerRules, IMutant
{
    public static Mutant Planted { get; } = new(
        "compaction-outruns-replica",
        "KAFKA-4545, KAFKA-8522; KIP-534",
        "A tombstone goes when its time has come, whoever lacks it; a replica that was away keeps the value that it deleted, and shows it once it leads.",
        Rarity.Medium,
        ["compacted-newest"],
        "compaction")
    {
        Broker = static rules => rules with { Cleaner = new CompactionOutrunsReplica() },
    };

    public override bool EveryReplicaHasIt(long tombstoneOffset, long lowestDurableEnd) => true;
}
