using System.Collections.Immutable;
using static Verify.Promises.AnomalyWords;

namespace Verify.Promises;

/// <summary>
/// Whether one violation is permitted: by the configuration, by what happened in the run, and by the life of the very record. "Permitted"
/// never swallows a bug: where any step of that life is one a right broker and client do not take, there is no excuse.
/// </summary>
public static class Excuses
{
    /// <summary>The excuse for one violation, or null: then a promise is broken, whatever the configuration.</summary>
    /// <param name="anomaly">One of <see cref="AnomalyWords"/>; others are never excused.</param>
    /// <param name="record">See <see cref="RecordEvidence"/> for which record tells of which anomaly; null where the anomaly has none (no-progress, topics).</param>
    public static Excuse? For(string anomaly, Configuration configuration, RunEvidence run, RecordEvidence? record)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(run);
        var excuse = anomaly switch
        {
            NoProgress or LostTopic or ResurrectedTopic => PromiseMatrix.PossibleExcuses(configuration, run, anomaly) is [var first, ..] ? first : null,
            _ when record is null => null,
            LostWrite or Unseen or CompactedNewest => ForLoss(configuration, record),
            Duplicate => ForDuplicate(configuration, record),
            InconsistentOffsets or DivergentReplicas or GroupDoubleConsume => ForReusedOffset(configuration, record),
            NonmonotonicSend or IntNonmonotonicSend or RealtimeSendOrder or KeyOrder => ForOrder(configuration, record, ofOneProducer: anomaly != RealtimeSendOrder),
            NonmonotonicPoll or IntNonmonotonicPoll or PollSkip or IntPollSkip => ForReader(configuration, record),
            _ => null,
        };
        return excuse is not null && PromiseMatrix.Permits(configuration, run, anomaly, excuse) ? excuse : null;
    }

    /// <summary>The excuse for a committed offset that is gone from the topic in which groups keep them, told as <paramref name="anomaly"/>, or null. Coordinators write with acks=all.</summary>
    /// <param name="commit">The life of the record that held it.</param>
    public static Excuse? ForCommit(string anomaly, Configuration configuration, RunEvidence run, RecordEvidence commit)
    {
        ArgumentNullException.ThrowIfNull(commit);
        var offsets = Configuration.Of([
            new(SettingCatalogue.MinInsyncReplicas, $"{PromiseMatrix.OffsetsMinIsr}"), new(SettingCatalogue.FlushMessages, configuration.Value(SettingCatalogue.FlushMessages)),
            new(SettingCatalogue.EligibleLeaderReplicas, configuration.Value(SettingCatalogue.EligibleLeaderReplicas)),
        ]);
        return ForLoss(offsets, commit) is { } excuse && PromiseMatrix.Permits(configuration, run, anomaly, excuse) ? excuse : null;
    }

    /// <summary>Every sending that left no trace and every placement that is gone must have its reason.</summary>
    private static Excuse? ForLoss(Configuration configuration, RecordEvidence record)
    {
        if (record.Placements.IsEmpty) return ForUndelivered(configuration, record);
        if (configuration.Acks == Acks.Zero && record.Transmissions.Count(WasTaken) > record.Placements.Length) return null;

        var causes = record.Placements.Select(p => (p.Acknowledged, Excuse: LossOfPlacement.Cause(configuration, record, p))).ToList();
        if (causes.Exists(c => c.Excuse is null)) return null;
        if (configuration.Acks == Acks.Zero) return causes[^1].Excuse;

        // Acknowledged, but at no place where it was ever stored: swallowed.
        return causes.FindLast(c => c.Acknowledged).Excuse;
    }

    /// <summary>Only acks=0 permits a record that no leader ever stored, and only for sendings that verifiably failed unseen.</summary>
    private static Excuse? ForUndelivered(Configuration configuration, RecordEvidence record)
    {
        if (configuration.Acks != Acks.Zero || record.Transmissions.IsEmpty) return null;
        if (record.Transmissions.Any(WasTaken)) return null;
        return record.Transmissions.All(t => t.Refusal == 0)
            ? Excuse.NeverDelivered
            : record.Transmissions.All(t => t.Refusal == 0 || IsDueRefusal(t)) ? Excuse.RefusedUnseen : null;
    }

    private static bool WasTaken(Transmission transmission) => transmission is { Delivery: Delivery.Received, Refusal: 0 };

    /// <summary>A right broker refuses a well-formed batch only where it does not lead, or does not know the topic (yet).</summary>
    private static bool IsDueRefusal(Transmission transmission) =>
        !transmission.RefusedWhileLeading && transmission.Refusal is UnknownTopicOrPartition or LeaderNotAvailable or NotLeaderOrFollower or FencedLeaderEpoch or UnknownLeaderEpoch or UnknownTopicId;

    private const int UnknownTopicOrPartition = 3;
    private const int LeaderNotAvailable = 5;
    private const int NotLeaderOrFollower = 6;
    private const int FencedLeaderEpoch = 74;
    private const int UnknownLeaderEpoch = 75;
    private const int UnknownTopicId = 100;

    /// <summary>
    /// At most one of the places that readers or the producer could know may be there for no special reason; each other one was lost by right after
    /// readers could have seen it, or is owed to a sending of its own: a retry without idempotence, or another producer session.
    /// </summary>
    private static Excuse? ForDuplicate(Configuration configuration, RecordEvidence record)
    {
        var known = record.Placements.Where(p => p.ReachedHighWatermark || p.Acknowledged).ToList();
        if (known.Count < 2) return null;
        var causes = known.ConvertAll(p => p.ReachedHighWatermark ? LossOfPlacement.Cause(configuration, record, p) : null);
        var there = known.Where((_, i) => causes[i] is null).ToList();
        if (there.Count <= 1) return causes.Find(c => c is not null);

        if (record.Placements.Length > record.Transmissions.Count(WasTaken)) return null;
        if (!configuration.Idempotence) return Excuse.RetryWithoutIdempotence;
        return there.Select(p => p.ProducerId).Distinct().Count() == there.Count && there.TrueForAll(p => p.ProducerId >= 0) ? Excuse.ProducerSessionChanged : null;
    }

    /// <summary>
    /// The record that no longer stands at the offset must have been lost from there by right, each time that it stood there. What counts is the
    /// loss of what somebody knew; a copy that came late to a deposed leader and went unseen breaks nothing.
    /// </summary>
    private static Excuse? ForReusedOffset(Configuration configuration, RecordEvidence record)
    {
        var causes = record.Placements.Where(p => p.Offset == record.Offset)
            .Select(p => (Known: p.Acknowledged || p.ReachedHighWatermark, Excuse: LossOfPlacement.Cause(configuration, record, p))).ToList();
        if (causes.Exists(c => c.Excuse is null)) return null;
        return causes.FindLast(c => c.Known).Excuse ?? causes.LastOrDefault().Excuse;
    }

    /// <summary>A reader goes back or skips when what it had read was lost by right.</summary>
    private static Excuse? ForReader(Configuration configuration, RecordEvidence record)
    {
        var causes = record.Placements.Where(p => p.ReachedHighWatermark).Select(p => LossOfPlacement.Cause(configuration, record, p)).ToList();
        return causes.Find(c => c is not null);
    }

    private static Excuse? ForOrder(Configuration configuration, RecordEvidence earlier, bool ofOneProducer)
    {
        if (earlier.Other is not { } later) return null;

        // One of the two stood in a history that is gone: its offset compares with nothing.
        var ofLostHistory = LostHistory(configuration, earlier) ?? LostHistory(configuration, later);
        if (ofLostHistory is not null || !ofOneProducer || earlier.OtherInSameBatch) return ofLostHistory;

        if (configuration.Idempotence) return InTwoSessions(earlier, later) ? Excuse.ProducerSessionChanged : null;
        if (earlier.Placements.Length > earlier.Transmissions.Count(WasTaken)) return null;
        if (configuration.Acks == Acks.Zero) return OverTwoConnections(earlier, later) ? Excuse.AnotherConnection : null;
        if (configuration.MaxInFlight > 1 && earlier.Transmissions.Length > 1) return Excuse.InFlightReorder;
        if (ArrivedLate(earlier, later)) return Excuse.LateDelivery;
        return configuration.MaxInFlight > 1 && ToTwoLeaders(earlier, later) ? Excuse.InFlightToTwoLeaders : null;
    }

    private static Excuse? LostHistory(Configuration configuration, RecordEvidence record) =>
        record.Placements.Where(p => p.Acknowledged || p.ReachedHighWatermark).Select(p => LossOfPlacement.Cause(configuration, record, p)).FirstOrDefault(c => c is not null);

    /// <summary>
    /// Bytes of a given-up connection were stored after what was sent later. What was acknowledged is in order nonetheless: its first copy comes first.
    /// </summary>
    private static bool ArrivedLate(RecordEvidence earlier, RecordEvidence later)
    {
        if (!earlier.Transmissions.Any(t => t.Late && WasTaken(t))) return false;
        return !earlier.Acknowledged
            || (later.Placements.Length > 0 && earlier.Placements.Min(p => p.Offset) < later.Placements.Min(p => p.Offset));
    }

    /// <summary>
    /// Sent once, received while its client still waited for the answer, and by another broker than what was sent later: both were on their way at once, over two
    /// connections. Kafka's producer keeps a partition to one request in flight only with max.in.flight.requests.per.connection=1.
    /// </summary>
    private static bool ToTwoLeaders(RecordEvidence earlier, RecordEvidence later) =>
        earlier.Transmissions is [{ Late: false } only] && WasTaken(only)
        && later.Transmissions.Any(WasTaken) && later.Transmissions.Where(WasTaken).All(l => l.Node != only.Node);

    /// <summary>Order within one connection is all that acks=0 keeps.</summary>
    private static bool OverTwoConnections(RecordEvidence earlier, RecordEvidence later) =>
        earlier.Transmissions.Length > 0
        && later.Transmissions.Length > 0
        && earlier.Transmissions.All(e => e.Connection >= 0 && later.Transmissions.All(l => l.Connection >= 0 && l.Connection != e.Connection));

    private static bool InTwoSessions(RecordEvidence earlier, RecordEvidence later) =>
        !earlier.Acknowledged && !earlier.Placements.Any(e => later.Placements.Any(l => l.ProducerId == e.ProducerId));
}
