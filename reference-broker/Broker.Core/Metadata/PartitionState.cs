using System.Collections.Immutable;
using Broker.Runtime;

namespace Broker.Core.Metadata;

/// <summary>What the metadata log says of one partition (KIP-500, KIP-966).</summary>
/// <param name="Replicas">Broker ids; the first is the preferred leader.</param>
/// <param name="Isr">In-sync replicas; empty only with eligible leader replicas.</param>
/// <param name="Elr">Eligible leader replicas: outside the ISR, yet holding everything below the high watermark.</param>
/// <param name="LastKnownLeader">Who led when the ISR became empty; -1 while there is a leader.</param>
/// <param name="Leader">-1: nobody, the partition is offline.</param>
/// <param name="LeaderEpoch">Grows with every change of leader, also to nobody.</param>
/// <param name="PartitionEpoch">Grows with every change.</param>
public sealed record PartitionState(
    ImmutableArray<int> Replicas,
    NodeSet Isr,
    NodeSet Elr,
    int LastKnownLeader,
    int Leader,
    int LeaderEpoch,
    int PartitionEpoch)
{
    public const int NoLeader = -1;

    public bool HasLeader => Leader is not NoLeader;

    public bool Equals(PartitionState? other) =>
        other is not null
        && (LastKnownLeader, Leader, LeaderEpoch, PartitionEpoch, Isr, Elr)
            .Equals((other.LastKnownLeader, other.Leader, other.LeaderEpoch, other.PartitionEpoch, other.Isr, other.Elr))
        && Replicas.AsSpan().SequenceEqual(other.Replicas.AsSpan());

    public override int GetHashCode() => PartitionEpoch * 31 + Leader;

    public override string ToString() =>
        $"leader={Leader}@{LeaderEpoch} isr={Isr} elr={Elr} last={LastKnownLeader} replicas=[{string.Join(',', Replicas)}] epoch={PartitionEpoch}";
}
