using System.Collections.Immutable;

namespace Verify.Promises;

/// <summary>A documented trade-off: what a setting permits, and what it still promises. Failing the latter is a bug.</summary>
public sealed record TradeOff(
    string Id, string Name, string Permitted, string StillPromised, string Source, Func<Configuration, bool> Applies, ImmutableArray<Excuse> Excuses);

/// <summary>The trade-offs that reach the log workload.</summary>
public static class TradeOffCatalogue
{
    public static ImmutableArray<TradeOff> All { get; } =
    [
        new("T1", "acks=0", "any loss on the way to the leader's disk; the producer learns no offset",
            "what arrives over one connection keeps its order; nothing is invented; what a live leader took is kept",
            "producer documentation", c => c.Acks == Acks.Zero, [Excuse.NeverDelivered, Excuse.RefusedUnseen, Excuse.LeaderChangedBeforeReplication, Excuse.AnotherConnection]),
        new("T2", "acks=1", "records acknowledged by a leader that is deposed or dies before the in-sync replicas have them",
            "no loss below the high watermark while an in-sync replica keeps its data; no loss under a stable leader",
            "producer documentation", c => c.Acks == Acks.One, [Excuse.LeaderChangedBeforeReplication]),
        new("T3", "unclean election on", "all that the elected replica lacks; offsets given out again; readers out of range or going back",
            "no unclean election while an eligible replica is up; replicas converge to the new leader; one history per epoch",
            "KIP-106", c => c.UncleanLeaderElection, [Excuse.UncleanElection]),
        new("T4", "min.insync.replicas=1", "loss when the ISR had shrunk to one and that one loses its data",
            "no loss while an in-sync replica keeps its data",
            "topic documentation", c => c.EffectiveMinInsyncReplicas == 1, [Excuse.LastReplicaStanding, Excuse.PowerLossOfMinIsr]),
        new("T5", "page cache", "loss when at least min.insync.replicas replicas lose unsynced data together, or the last one in the ISR does without KIP-966",
            "no loss from killed processes alone; what was flushed stays",
            "KIP-966; flush.messages", c => !c.FlushesEveryBatch, [Excuse.PowerLossOfMinIsr, Excuse.LastReplicaStanding]),
        new("T6", "retries without idempotence", "a batch stored twice when its answer was lost",
            "no duplicate without a retry",
            "KIP-98, KIP-679", c => !c.Idempotence && c.Retries > 0 && c.Acks != Acks.Zero, [Excuse.RetryWithoutIdempotence]),
        new("T7", "several requests in flight without idempotence", "a batch sent again, or in flight to a leader that was replaced, lands behind its successors",
            "order inside a batch; order when nothing was sent again and the leader stayed",
            "producer documentation", c => !c.Idempotence && c.MaxInFlight > 1 && c.Acks != Acks.Zero, [Excuse.InFlightReorder, Excuse.InFlightToTwoLeaders, Excuse.LateDelivery]),
        new("T8", "commit=before", "records that their member committed and did not process: it crashed, or its commit took effect and it never learnt so",
            "no record is processed twice; no record is skipped that no member had committed past",
            "consumer documentation: at most once", c => c.Commit == Commit.Before, [Excuse.CrashBeforeProcessing, Excuse.CommitUnconfirmed]),
        new("T9", "commit=after or auto", "records processed again that were not yet committed: after a crash, a rebalance, or a commit that was not confirmed",
            "every record is processed; what was committed before a member asked is not processed again",
            "consumer documentation: at least once", c => c.Commit is Commit.After or Commit.Auto, [Excuse.CrashBeforeCommit, Excuse.RebalanceBeforeCommit, Excuse.CommitUnconfirmed]),
        new("T11", "idempotence reaches over one session", "duplicates and reorder across producer restarts, what the application sends again, expired producer state",
            "exactly one copy, in order, within a session",
            "KIP-98, KIP-360", c => c.Idempotence, [Excuse.ProducerSessionChanged]),
    ];

    public static IReadOnlyList<TradeOff> Of(Configuration configuration) => [.. All.Where(t => t.Applies(configuration))];
}
