using Broker.Core.Log;
using Broker.Core.Replication;

namespace Verify.Zoo.Mutants;

/// <summary>A follower asks once where its last epoch ends and accepts the answer even when the leader never had that epoch: its log and the leader's differ below both ends.</summary>
public sealed class EpochLookupSingleStep : ReplicationRules, IMutant
{
    public static Mutant Planted { get; } = new(
        "epoch-lookup-single-step",
        "KIP-279, KAFKA-6361; TLA+ Kip101",
        "A follower asks once where its last epoch ends and accepts the answer even when the leader never had that epoch: its log and the leader's differ below both ends.",
        Rarity.Hard,
        ["divergent-replicas", "inconsistent-offsets"],
        "log")
    {
        Broker = static rules => rules with { Replication = new EpochLookupSingleStep() },
    };

    public override Reconciliation Reconcile(EpochEnd leaders, EpochEnd own, long logEndOffset) => new(Math.Min(leaders.EndOffset, logEndOffset), IsSettled: true);
}
