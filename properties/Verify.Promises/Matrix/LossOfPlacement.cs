using System.Collections.Immutable;

namespace Verify.Promises;

/// <summary>Why one placement of a record is gone from the log, when a right broker could have lost it so.</summary>
/// <remarks>
/// Soundness: every copy must have an end that was observed; a truncation must follow a leader that lacked the record; and that leader's
/// election must have been lawful. A copy that merely vanished, or a leader that lacks a committed record without having lost it, excuses nothing.
/// </remarks>
internal static class LossOfPlacement
{
    /// <summary>The excuse, or null: the placement is still there, or a right broker would not have lost it.</summary>
    public static Excuse? Cause(Configuration configuration, RecordEvidence record, Placement placement)
    {
        if (placement.Copies.IsEmpty || !placement.Copies.All(EndIsExplained)) return null;

        // acks=all answers after the high watermark passed the record. An answer without that is no acknowledgement a right broker gives.
        if (configuration.Acks == Acks.All && placement.Acknowledged && !placement.ReachedHighWatermark) return null;

        var lacking = FirstLeaderWithout(record.Terms, placement);
        if (LastCopies(placement).Any(c => c.End == CopyEnd.Truncated && !MayCut(record.Terms, placement, lacking, c.EndEpoch))) return null;
        if (lacking is { From: ElectedFrom.OutOfSyncReplicas }) return IsLawfulUnclean(configuration, lacking) ? Excuse.UncleanElection : null;
        return placement.ReachedHighWatermark ? CauseOfCommitted(configuration, record, placement, lacking) : Excuse.LeaderChangedBeforeReplication;
    }

    /// <summary>Of each node; a copy that was cut and fetched again is judged by how it ended at last.</summary>
    private static IEnumerable<Copy> LastCopies(Placement placement) => placement.Copies.GroupBy(c => c.Node).Select(copies => copies.MaxBy(c => c.StoredAt)!);

    private static bool EndIsExplained(Copy copy) => copy.End switch
    {
        CopyEnd.Kept or CopyEnd.Vanished => false,
        CopyEnd.LostToPower => !copy.Flushed,
        CopyEnd.Truncated or CopyEnd.LostToDisk => true,
        _ => throw new InvalidOperationException($"no such end: {copy.End}"),
    };

    /// <summary>
    /// The first leader after the one that appended, in the order of epochs, that did not hold the record when it took office. A record that was committed
    /// only under a later leader had outlived those in between.
    /// </summary>
    private static TermOfOffice? FirstLeaderWithout(ImmutableArray<TermOfOffice> terms, Placement placement) =>
        terms.Where(t => t.Epoch > Math.Max(placement.Epoch, placement.CommittedIn)).OrderBy(t => t.Epoch).FirstOrDefault(t => !Held(placement, t.Leader, t.At));

    /// <summary>A replica cuts to agree with a leader that lacks the record: the one that lost it, one after it, or one of the same epoch.</summary>
    private static bool MayCut(ImmutableArray<TermOfOffice> terms, Placement placement, TermOfOffice? lacking, int epoch) =>
        (lacking is not null && epoch >= lacking.Epoch) || terms.Any(t => t.Epoch == epoch && t.Epoch > placement.Epoch && !Held(placement, t.Leader, t.At));

    private static bool Held(Placement placement, int node, long at) =>
        placement.Copies.Any(c => c.Node == node && c.StoredAt <= at && c.EndedAt > at);

    /// <summary>Unclean elections are for partitions none of whose eligible replicas is up (T3: still promised).</summary>
    private static bool IsLawfulUnclean(Configuration configuration, TermOfOffice term) => configuration.UncleanLeaderElection && term.EligibleUp == 0;

    /// <summary>A committed record is on every in-sync replica, so its next leader can only lack it by having lost its own copy.</summary>
    private static Excuse? CauseOfCommitted(Configuration configuration, RecordEvidence record, Placement placement, TermOfOffice? lacking)
    {
        var end = lacking?.At ?? long.MaxValue;
        var lost = lacking is null ? placement.Copies[0] : LastCopyBefore(placement, lacking.Leader, end);
        if (lost is null || !WasDestroyed(configuration, lost)) return null;

        var minimum = configuration.EffectiveMinInsyncReplicas;
        var toDisk = placement.Copies.Where(c => c.End == CopyEnd.LostToDisk && c.EndedAt <= end).Select(c => c.Node).ToImmutableArray();
        var losers = PowerLosersAround(record, lost.EndedAt, end).Union(toDisk).Count();
        if (!toDisk.IsEmpty && losers >= minimum) return Excuse.DiskLossOfMinIsr;
        if (lacking is null) return losers >= minimum ? Excuse.PowerLossOfMinIsr : null;
        return lacking.From switch
        {
            // Before KIP-966 the last member stays in the ISR whatever it lost. With it, an unclean restart leaves the ISR and is not elected from it.
            ElectedFrom.InSyncReplicas when !configuration.EligibleLeaderReplicas && lacking.InSyncReplicas is [var only] && only == lacking.Leader =>
                ByCount(losers, minimum) ?? Excuse.LastReplicaStanding,
            ElectedFrom.LastKnownLeader when configuration.EligibleLeaderReplicas && lacking.EligibleBefore == 0 =>
                ByCount(losers, minimum) ?? (minimum == 1 ? Excuse.LastReplicaStanding : AfterUnclean(configuration, record, placement, lacking, lost)),
            _ => null,
        };
    }

    /// <summary>
    /// A leader elected out of sync was alone in its ISR, below min.insync.replicas: what was lost by a power loss after that, and before the ISR was full again, the
    /// unclean election had put at risk.
    /// </summary>
    private static Excuse? AfterUnclean(Configuration configuration, RecordEvidence record, Placement placement, TermOfOffice lacking, Copy lost)
    {
        var full = LastFullIsr(record, lost.EndedAt);
        return record.Terms.Any(term => term.Epoch > placement.Epoch && term.Epoch < lacking.Epoch && term.At > full && term.At < lost.EndedAt
            && term.From == ElectedFrom.OutOfSyncReplicas && IsLawfulUnclean(configuration, term)) ? Excuse.UncleanElection : null;
    }

    private static Excuse? ByCount(int losers, int minimum) => minimum > 1 && losers >= minimum ? Excuse.PowerLossOfMinIsr : null;

    private static Copy? LastCopyBefore(Placement placement, int node, long at) =>
        placement.Copies.Where(c => c.Node == node && c.StoredAt <= at).MaxBy(c => c.StoredAt);

    /// <summary>
    /// With a flush per batch a committed record is synced on every in-sync replica, so a copy that was not synced never counted, and its
    /// loss to power excuses nothing.
    /// </summary>
    private static bool WasDestroyed(Configuration configuration, Copy copy) =>
        copy.End == CopyEnd.LostToDisk || (copy.End == CopyEnd.LostToPower && !configuration.FlushesEveryBatch);

    /// <summary>Replicas that lost power since the ISR was last full before this loss, up to the moment when the record was given up.</summary>
    /// <remarks>Whatever else they lost: each replica loses another tail, and one that kept this record is as unfit to lead by its restart.</remarks>
    private static IEnumerable<int> PowerLosersAround(RecordEvidence record, long loss, long end)
    {
        var start = LastFullIsr(record, loss);
        return record.PowerLosses.Where(p => p.At > start && p.At <= end).Select(p => p.Node).Distinct();
    }

    private static long LastFullIsr(RecordEvidence record, long before) => record.FullIsrAt.Where(at => at < before).DefaultIfEmpty(long.MinValue).Max();
}
