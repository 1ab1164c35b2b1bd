using System.Collections.Immutable;
using static Verify.Promises.AnomalyWords;

namespace Verify.Promises;

/// <summary>One permission: in a run where <paramref name="Applies"/> is true, these anomalies may be excused by this reason.</summary>
public sealed record Permission(Excuse Excuse, ImmutableArray<string> Anomalies, string When, Func<Configuration, RunEvidence, bool> Applies);

/// <summary>An anomaly in one run: promised never to happen, or the excuses that could permit it there.</summary>
public sealed record AnomalyPromise(string Guarantee, string Anomaly, ImmutableArray<Excuse> PossibleExcuses)
{
    public bool Promised => PossibleExcuses.IsEmpty;
}

/// <summary>
/// The matrix of promises: what a configuration permits once certain things have really happened. What no permission names is promised in
/// every run: no invention, one history and one leader per epoch, a reader that skips nothing that is there.
/// </summary>
/// <remarks>Sources stand with each excuse; the trade-offs they belong to are in <see cref="TradeOffCatalogue"/>.</remarks>
public static class PromiseMatrix
{
    private static readonly ImmutableArray<string> Losses = [LostWrite, Unseen, CompactedNewest];

    private static readonly ImmutableArray<string> Orders = [NonmonotonicSend, IntNonmonotonicSend, RealtimeSendOrder, KeyOrder];

    /// <summary>What follows when records vanish that nobody could have read yet.</summary>
    private static readonly ImmutableArray<string> LossOfUncommitted = [.. Losses, InconsistentOffsets, .. Orders];

    /// <summary>
    /// What follows when records vanish that readers may have seen: they go back, skip, and may see a record again at a new place; and replicas come to hold
    /// another record where a high watermark had passed the one that is gone.
    /// </summary>
    private static readonly ImmutableArray<string> LossOfCommitted =
        [.. LossOfUncommitted, Duplicate, NonmonotonicPoll, IntNonmonotonicPoll, PollSkip, IntPollSkip, DivergentReplicas, GroupDoubleConsume];

    /// <summary>What follows when the topic vanishes in part in which groups keep their offsets: they stand where they stood before, and read again.</summary>
    private static readonly ImmutableArray<string> LossOfOffsets = [OffsetRegression, LostCommit, GroupDoubleConsume];

    public static ImmutableArray<Permission> Permissions { get; } =
    [
        new(Excuse.NeverDelivered, Losses, "acks=0 and a client's connection died",
            (c, run) => c.Acks == Acks.Zero && run.ConnectionsDied > 0),
        new(Excuse.RefusedUnseen, Losses, "acks=0 and a broker refused a produce request",
            (c, run) => c.Acks == Acks.Zero && run.Refusals > 0),
        new(Excuse.LeaderChangedBeforeReplication, LossOfUncommitted, "acks=0 or 1 and a leader changed",
            (c, run) => c.Acks != Acks.All && run.LeaderChanges > 0),
        new(Excuse.UncleanElection, LossOfCommitted, "unclean.leader.election.enable=true and an unclean election",
            (c, run) => c.UncleanLeaderElection && run.UncleanElections > 0),
        new(Excuse.PowerLossOfMinIsr, LossOfCommitted, "no flush per batch, and min.insync.replicas replicas lost unsynced data before the ISR was full again",
            (c, run) => !c.FlushesEveryBatch && run.PowerLossesBeforeFullIsr >= c.EffectiveMinInsyncReplicas),
        new(Excuse.LastReplicaStanding, LossOfCommitted, "min.insync.replicas=1 or no eligible leader replicas, and a replica lost data",
            (c, run) => (c.EffectiveMinInsyncReplicas == 1 || !c.EligibleLeaderReplicas) && LostData(c, run) > 0),
        new(Excuse.DiskLossOfMinIsr, LossOfCommitted, "min.insync.replicas replicas lost data, one at least on a failed disk",
            (c, run) => run.DiskLossesBeforeFullIsr > 0 && LostData(c, run) >= c.EffectiveMinInsyncReplicas),
        new(Excuse.RetryWithoutIdempotence, [Duplicate], "retries without idempotence, and a batch was sent again",
            (c, run) => !c.Idempotence && c.Acks != Acks.Zero && c.Retries > 0 && run.Retries > 0),
        new(Excuse.InFlightReorder, Orders, "retries without idempotence and more than one request in flight, and a batch was sent again",
            (c, run) => !c.Idempotence && c.Acks != Acks.Zero && c.Retries > 0 && c.MaxInFlight > 1 && run.Retries > 0),
        new(Excuse.InFlightToTwoLeaders, Orders, "no idempotence, more than one request in flight, and a leader changed",
            (c, run) => !c.Idempotence && c.Acks != Acks.Zero && c.MaxInFlight > 1 && run.LeaderChanges > 0),
        new(Excuse.LateDelivery, Orders, "acks=1 or all without idempotence, and a client's connection died",
            (c, run) => !c.Idempotence && c.Acks != Acks.Zero && run.ConnectionsDied > 0),
        new(Excuse.AnotherConnection, Orders, "acks=0, and a producer's connection died or a leader changed",
            (c, run) => c.Acks == Acks.Zero && run.ConnectionsDied + run.LeaderChanges > 0),
        new(Excuse.ProducerSessionChanged, [Duplicate, .. Orders], "idempotence, and a producer began a new session",
            (c, run) => c.Idempotence && run.ProducerSessions > 1),
        new(Excuse.CrashBeforeProcessing, [GroupLoss], "commit=before and a member crashed",
            (c, run) => c.Commit == Commit.Before && run.MemberCrashes > 0),
        new(Excuse.CommitUnconfirmed, [GroupLoss], "commit=before and a commit was not confirmed",
            (c, run) => c.Commit == Commit.Before && run.CommitsUnconfirmed > 0),
        new(Excuse.CrashBeforeCommit, [GroupDoubleConsume], "commit=after or auto and a member crashed",
            (c, run) => CommitsLater(c) && run.MemberCrashes > 0),
        new(Excuse.CommitUnconfirmed, [GroupDoubleConsume], "commit=after or auto and a commit was not confirmed",
            (c, run) => CommitsLater(c) && run.CommitsUnconfirmed > 0),
        new(Excuse.RebalanceBeforeCommit, [GroupDoubleConsume], "commit=after or auto and a partition went to another member",
            (c, run) => CommitsLater(c) && run.Rebalances > 0),
        new(Excuse.CommitOvertaken, [GroupDoubleConsume], "a commit was confirmed after one of unknown outcome in the same generation",
            (c, run) => c.HasGroups && run.CommitsOvertaken > 0),
        new(Excuse.StaleCoordinator, LossOfOffsets, "a member asked where its group stands while a deposed coordinator did not know it",
            (c, run) => c.HasGroups && run.StaleCoordinators > 0),
        new(Excuse.PowerLossOfMinIsr, LossOfOffsets, "no flush per batch, and two of the three replicas of the groups' offsets lost unsynced data before the ISR was full again",
            (c, run) => c.HasGroups && !c.FlushesEveryBatch && run.OffsetsPowerLossesBeforeFullIsr >= OffsetsMinIsr),
        new(Excuse.LastReplicaStanding, LossOfOffsets, "no eligible leader replicas, and a replica of the groups' offsets lost data",
            (c, run) => c.HasGroups && !c.EligibleLeaderReplicas && LostOffsets(c, run) > 0),
        new(Excuse.DiskLossOfMinIsr, LossOfOffsets, "two of the three replicas of the groups' offsets lost data, one at least on a failed disk",
            (c, run) => c.HasGroups && run.OffsetsDiskLossesBeforeFullIsr > 0 && LostOffsets(c, run) >= OffsetsMinIsr),
        new(Excuse.OffsetsExpired, LossOfOffsets, "offsets expired of a group without members",
            (c, run) => c.HasGroups && run.OffsetsExpired > 0),
        new(Excuse.TooFewReplicasLeft, [NoProgress], "fewer replicas left than min.insync.replicas",
            (c, run) => run.ReplicasGone > 0 && c.ReplicationFactor - run.ReplicasGone < c.EffectiveMinInsyncReplicas),
        new(Excuse.RecordCorrupt, [NoProgress], "a bit flipped on a disk",
            (_, run) => run.NodesRotten > 0),
        new(Excuse.QuorumLost, [NoProgress, LostTopic, ResurrectedTopic], "a majority of controllers is gone or lost its disk",
            (_, run) => run.ControllersGone * 2 > run.Controllers),
    ];

    /// <summary>The promises of one run, every anomaly of <see cref="GuaranteeCatalogue"/> in its order.</summary>
    public static IReadOnlyList<AnomalyPromise> Decide(Configuration configuration, RunEvidence run) =>
        [.. from g in GuaranteeCatalogue.All from a in g.Anomalies select new AnomalyPromise(g.Name, a, PossibleExcuses(configuration, run, a))];

    /// <summary>True when nothing that happened in this run permits the anomaly. Anomalies unknown here are promised.</summary>
    public static bool IsPromised(Configuration configuration, RunEvidence run, string anomaly) => PossibleExcuses(configuration, run, anomaly).IsEmpty;

    /// <summary>True when every anomaly that breaks the guarantee is promised not to happen in this run.</summary>
    public static bool IsGuaranteePromised(Configuration configuration, RunEvidence run, string guarantee) =>
        GuaranteeCatalogue.All.Where(g => g.Name == guarantee).SelectMany(g => g.Anomalies).All(a => IsPromised(configuration, run, a));

    public static ImmutableArray<Excuse> PossibleExcuses(Configuration configuration, RunEvidence run, string anomaly) =>
        [.. Permissions.Where(p => p.Anomalies.Contains(anomaly) && p.Applies(configuration, run)).Select(p => p.Excuse)];

    internal static bool Permits(Configuration configuration, RunEvidence run, string anomaly, Excuse excuse) =>
        Permissions.Any(p => p.Excuse == excuse && p.Anomalies.Contains(anomaly) && p.Applies(configuration, run));

    /// <summary>min.insync.replicas of the topic in which groups keep their offsets, whatever the topic under test has.</summary>
    public const int OffsetsMinIsr = 2;

    private static bool CommitsLater(Configuration configuration) => configuration.Commit is Commit.After or Commit.Auto;

    private static int LostOffsets(Configuration configuration, RunEvidence run) =>
        run.OffsetsDiskLossesBeforeFullIsr + (configuration.FlushesEveryBatch ? 0 : run.OffsetsPowerLossesBeforeFullIsr);

    /// <summary>Replicas that lost data that mattered: with a flush per batch nothing that counts is ever unsynced.</summary>
    private static int LostData(Configuration configuration, RunEvidence run) =>
        run.DiskLossesBeforeFullIsr + (configuration.FlushesEveryBatch ? 0 : run.PowerLossesBeforeFullIsr);
}
