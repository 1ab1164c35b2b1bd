using System.Collections.Immutable;

namespace Verify.Promises;

/// <summary>The field's names for the ways a guarantee breaks, as far as checkers reach.</summary>
public static class AnomalyWords
{
    public const string LostWrite = "lost-write";
    public const string Unseen = "unseen";
    public const string PhantomRecord = "phantom-record";
    public const string G1a = "G1a";
    public const string Duplicate = "duplicate";
    public const string InconsistentOffsets = "inconsistent-offsets";
    public const string NonmonotonicSend = "nonmonotonic-send";
    public const string IntNonmonotonicSend = "int-nonmonotonic-send";
    public const string RealtimeSendOrder = "realtime-send-order";
    public const string KeyOrder = "key-order";
    public const string NonmonotonicPoll = "nonmonotonic-poll";
    public const string IntNonmonotonicPoll = "int-nonmonotonic-poll";
    public const string PollSkip = "poll-skip";
    public const string IntPollSkip = "int-poll-skip";
    public const string FutureRead = "future-read";
    public const string GroupLoss = "group-loss";
    public const string GroupDoubleConsume = "group-double-consume";
    public const string ZombieCommit = "zombie-commit";
    public const string OffsetRegression = "offset-regression";
    public const string LostCommit = "lost-commit";
    public const string DivergentReplicas = "divergent-replicas";
    public const string TwoLeaders = "two-leaders";
    public const string WatermarkRegression = "watermark-regression";
    public const string CompactedNewest = "compacted-newest";
    public const string LostTopic = "lost-topic";
    public const string ResurrectedTopic = "resurrected-topic";
    public const string NoProgress = "no-progress";
}

/// <summary>What a user is told, and the anomalies that break it.</summary>
public sealed record GuaranteeDescription(string Name, string Says, ImmutableArray<string> Anomalies);

/// <summary>The guarantees that checkers know, in the order in which they are printed.</summary>
public static class GuaranteeCatalogue
{
    public static ImmutableArray<GuaranteeDescription> All { get; } =
    [
        new("no-lost-writes", "every acknowledged record can be read (acks=0: every record sent)", [AnomalyWords.LostWrite, AnomalyWords.Unseen]),
        new("no-phantom-writes", "nothing is read that nobody sent to that partition", [AnomalyWords.PhantomRecord]),
        new("no-aborted-reads", "nothing is read whose send certainly failed", [AnomalyWords.G1a]),
        new("no-duplicates", "each record is read at one offset only", [AnomalyWords.Duplicate]),
        new("stable-offsets", "an offset means one record, for ever", [AnomalyWords.InconsistentOffsets]),
        new("ordering", "records of one producer keep their order in a partition",
            [AnomalyWords.NonmonotonicSend, AnomalyWords.IntNonmonotonicSend, AnomalyWords.RealtimeSendOrder, AnomalyWords.KeyOrder]),
        new("consistent-polls", "a reader moves forward and skips nothing",
            [AnomalyWords.NonmonotonicPoll, AnomalyWords.IntNonmonotonicPoll, AnomalyWords.PollSkip, AnomalyWords.IntPollSkip, AnomalyWords.FutureRead]),
        new("at-least-once", "a group commits past no acknowledged record that it did not process, and leaves none behind", [AnomalyWords.GroupLoss]),
        new("at-most-once", "a group processes no record twice", [AnomalyWords.GroupDoubleConsume]),
        new("fenced-zombies", "who was fenced takes no effect any more", [AnomalyWords.ZombieCommit]),
        new("committed-offsets", "what a group has committed, its members find again", [AnomalyWords.OffsetRegression, AnomalyWords.LostCommit]),
        new("replica-agreement", "replicas agree below their high watermarks",
            [AnomalyWords.DivergentReplicas, AnomalyWords.TwoLeaders, AnomalyWords.WatermarkRegression]),
        new("timely-delivery", "of each key of a compacted topic the newest record stays, and a deleted key stays deleted", [AnomalyWords.CompactedNewest]),
        new("metadata-agreement", "an acknowledged change of metadata is never undone", [AnomalyWords.LostTopic, AnomalyWords.ResurrectedTopic]),
        new("recovery", "progress resumes within a bound after the last fault is healed", [AnomalyWords.NoProgress]),
    ];

    /// <summary>Guarantees to consumer groups: nothing where there are none.</summary>
    public static bool IsOfGroups(string guarantee) => guarantee is "at-least-once" or "at-most-once" or "fenced-zombies" or "committed-offsets";

    /// <summary>The guarantee that an anomaly breaks, or null when it breaks none of these.</summary>
    public static GuaranteeDescription? Of(string anomaly) => All.FirstOrDefault(g => g.Anomalies.Contains(anomaly));
}
