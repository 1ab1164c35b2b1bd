using System.Collections.Immutable;
using Broker.Core.Metadata;
using Broker.Runtime;

namespace Broker.Core.Controller;

/// <summary>What a change wants of a partition. By default: its replicas and ISR as they are, and a leader if one may lead.</summary>
/// <param name="Isr">The wanted ISR; null: as it is.</param>
/// <param name="Replicas">The wanted order of replicas; default: as it is.</param>
/// <param name="PreferredWanted">Prefer the first replica even over a leader that may stay.</param>
/// <param name="UncleanAllowed">A replica that may lag may lead if nobody else may.</param>
/// <param name="Alive">Brokers that may lead.</param>
/// <param name="ShutDownUncleanly">Brokers that came back after an unclean shutdown and are neither in sync nor eligible.</param>
public readonly record struct PartitionWish(
    NodeSet Alive,
    NodeSet? Isr = null,
    ImmutableArray<int> Replicas = default,
    bool PreferredWanted = false,
    bool UncleanAllowed = false,
    NodeSet ShutDownUncleanly = default);

/// <summary>A partition after a change, and how its leader was found; <see cref="Kind"/> is null when the leader did not change.</summary>
public readonly record struct PartitionOutcome(PartitionState State, ElectionKind? Kind);

/// <summary>Makes one partition's next state: its ISR, eligible replicas, leader and epochs. Sources: KIP-966, Kafka's partition change builder.</summary>
/// <param name="eligibleLeaderReplicas">The feature is on.</param>
public sealed class PartitionElection(ElectionRules rules, bool eligibleLeaderReplicas)
{
    /// <summary>Null when nothing changes.</summary>
    /// <param name="minInSyncReplicas">Of the partition's topic.</param>
    public PartitionOutcome? Change(PartitionState before, in PartitionWish wish, int minInSyncReplicas)
    {
        var tracksEligible = rules.TracksEligibleReplicas(eligibleLeaderReplicas);
        var replicas = wish.Replicas.IsDefault ? before.Replicas : wish.Replicas;
        var isr = wish.Isr ?? before.Isr;
        var elr = tracksEligible ? EligibleReplicas(before, isr, wish.ShutDownUncleanly, replicas.Length, minInSyncReplicas) : before.Elr;

        var (leader, kind) = Elect(before, wish, replicas, isr, elr, tracksEligible);
        switch (kind)
        {
            case ElectionKind.Eligible:
                isr = NodeSet.Empty.With(leader);
                elr = elr.Without(leader);
                break;
            case ElectionKind.LastKnownLeader or ElectionKind.Unclean when rules.LeaderChanges(before.Leader, leader):
                isr = NodeSet.Of(isr.With(leader).Ids().Where(replica => !rules.LeavesIsrOnUncleanElection(replica, leader)));
                elr = NodeSet.Of(elr.Ids().Where(rules.StaysEligibleAfterUncleanElection));
                break;
        }
        if (isr.Count == 0 && !rules.IsrMayBecomeEmpty(tracksEligible)) isr = before.Isr;

        var changes = rules.LeaderChanges(before.Leader, leader);
        var after = before with
        {
            Replicas = replicas,
            Isr = isr,
            Elr = elr,
            Leader = leader,
            LastKnownLeader = LastKnownLeader(before, leader, isr, tracksEligible),
        };
        if (after.Equals(before)) return null;
        after = after with
        {
            LeaderEpoch = changes ? rules.NextLeaderEpoch(before.LeaderEpoch) : before.LeaderEpoch,
            PartitionEpoch = rules.NextPartitionEpoch(before.PartitionEpoch),
        };
        return new PartitionOutcome(after, changes ? kind : null);
    }

    private NodeSet EligibleReplicas(PartitionState before, NodeSet isr, NodeSet shutDownUncleanly, int replicas, int minInSyncReplicas) =>
        rules.IsrIsSufficient(isr.Count, minInSyncReplicas, replicas)
            ? NodeSet.Empty
            : NodeSet.Of(before.Replicas.Where(replica =>
                rules.IsEligible(before.Isr.Contains(replica), before.Elr.Contains(replica), isr.Contains(replica), shutDownUncleanly.Contains(replica))));

    private (int Leader, ElectionKind Kind) Elect(PartitionState before, PartitionWish wish, ImmutableArray<int> replicas, NodeSet isr, NodeSet elr, bool tracksEligible)
    {
        var alive = replicas.Where(wish.Alive.Contains).ToList();
        var clean = alive.Where(replica => rules.MayLeadCleanly(isr.Contains(replica), isr.Count == 0, elr.Contains(replica))).ToList();
        if (clean.Count > 0)
        {
            var chosen = rules.ChooseClean(clean, before.Leader, wish.PreferredWanted ? replicas[0] : PartitionState.NoLeader);
            return (chosen, isr.Contains(chosen) ? ElectionKind.Clean : elr.Contains(chosen) ? ElectionKind.Eligible : ElectionKind.Unclean);
        }
        if (alive.Contains(before.LastKnownLeader) && rules.LastKnownLeaderMayLead(tracksEligible, isr.Count == 0, elr.Count == 0))
            return (before.LastKnownLeader, ElectionKind.LastKnownLeader);
        if (alive.Count > 0 && rules.OutsiderMayLead(wish.UncleanAllowed))
            return (rules.ChooseUnclean(alive), ElectionKind.Unclean);
        return (PartitionState.NoLeader, ElectionKind.None);
    }

    private int LastKnownLeader(PartitionState before, int leader, NodeSet isr, bool tracksEligible)
    {
        if (rules.ForgetsLastKnownLeader(leader is not PartitionState.NoLeader)) return PartitionState.NoLeader;
        return rules.RemembersLeader(tracksEligible, isr.Count == 0, before.HasLeader) ? before.Leader : before.LastKnownLeader;
    }
}
