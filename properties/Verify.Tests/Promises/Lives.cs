using System.Collections.Immutable;
using Verify.Promises;

namespace Verify.Tests.Promises;

/// <summary>Short lives of records on brokers 1, 2, 3, of which 1 leads epoch 1 and stores the record at offset 7. Journal indices are as in the story told.</summary>
internal static class Lives
{
    public static readonly ImmutableArray<int> Full = [1, 2, 3];

    public static Configuration With(params string[] words) => Configuration.OfWords(words);

    /// <summary>A run in which a bit of everything happened, so that only the record's own life decides.</summary>
    public static RunEvidence Anything(Configuration c) => new()
    {
        ConnectionsDied = 9, Refusals = 9, Retries = 9, LeaderChanges = 9, ProducerSessions = 2, UncleanElections = 2, LastKnownLeaderElections = 2,
        PowerLossesBeforeFullIsr = c.ReplicationFactor, DiskLossesBeforeFullIsr = 1, ReplicasGone = 1,
    };

    public static Transmission Received(int node = 1) => new(node, Delivery.Received, Connection: 1);

    public static Placement Placed(bool committed, params ImmutableArray<Copy> copies) => new(1, 7, true, committed, -1, copies);

    public static Copy Kept(int node, long storedAt = 10) => new(node, storedAt, false, CopyEnd.Kept);

    public static Copy Cut(int node, int epoch, long at = 200, long storedAt = 10) => new(node, storedAt, false, CopyEnd.Truncated, at, epoch);

    public static Copy Burnt(int node, long at = 50, long storedAt = 10, bool flushed = false) => new(node, storedAt, flushed, CopyEnd.LostToPower, at);

    public static TermOfOffice First => new(1, 1, ElectedFrom.InSyncReplicas, 1, Full, 3, 3);

    public static TermOfOffice Elected(int epoch, int leader, ElectedFrom from, long at, int eligibleBefore = 1, int eligibleUp = 0, ImmutableArray<int> isr = default) =>
        new(epoch, leader, from, at, isr.IsDefault ? [leader] : isr, eligibleBefore, eligibleUp);

    public static RecordEvidence Life(Placement placement, params ImmutableArray<TermOfOffice> later) => new()
    {
        Value = "r", Acknowledged = true, Transmissions = [Received()], Placements = [placement], Terms = [First, .. later], FullIsrAt = [0],
    };

    public static RecordEvidence Power(this RecordEvidence life, params ImmutableArray<(int Node, long At)> losses) =>
        life with { PowerLosses = [.. losses.Select(l => new PowerLoss(l.Node, l.At))] };

    public static string? Excuse(string anomaly, Configuration c, RecordEvidence life, RunEvidence? run = null) =>
        Excuses.For(anomaly, c, run ?? Anything(c), life)?.Name;

    public static string? ExcuseOfLoss(Configuration c, RecordEvidence life, RunEvidence? run = null) => Excuse(AnomalyWords.LostWrite, c, life, run);
}
