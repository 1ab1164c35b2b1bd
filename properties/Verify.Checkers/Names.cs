namespace Verify.Checkers;

/// <summary>What a user is told.</summary>
public static class Guarantee
{
    public const string NoLostWrites = "no-lost-writes";
    public const string NoPhantomWrites = "no-phantom-writes";
    public const string NoAbortedReads = "no-aborted-reads";
    public const string NoDuplicates = "no-duplicates";
    public const string StableOffsets = "stable-offsets";
    public const string Ordering = "ordering";
    public const string ConsistentPolls = "consistent-polls";
    public const string AtLeastOnce = "at-least-once";
    public const string AtMostOnce = "at-most-once";
    public const string FencedZombies = "fenced-zombies";
    public const string CommittedOffsets = "committed-offsets";
    public const string ReplicaAgreement = "replica-agreement";
    public const string TimelyDelivery = "timely-delivery";
    public const string MetadataAgreement = "metadata-agreement";
    public const string Recovery = "recovery";

    public static IReadOnlyList<string> All { get; } =
        [NoLostWrites, NoPhantomWrites, NoAbortedReads, NoDuplicates, StableOffsets, Ordering, ConsistentPolls, AtLeastOnce, AtMostOnce, FencedZombies, CommittedOffsets, ReplicaAgreement, TimelyDelivery, MetadataAgreement, Recovery];
}

/// <summary>The field's names for the ways guarantees break.</summary>
public static class AnomalyName
{
    /// <summary>Acknowledged, and missing from a complete read of its partition, or passed over by every successful read.</summary>
    public const string LostWrite = "lost-write";

    /// <summary>Acknowledged, and no successful poll returned it until the end.</summary>
    public const string Unseen = "unseen";

    /// <summary>Read, though nobody sent it, or not to this partition.</summary>
    public const string PhantomRecord = "phantom-record";

    /// <summary>Read, though its send certainly failed.</summary>
    public const string G1a = "G1a";

    /// <summary>One value at two or more offsets.</summary>
    public const string Duplicate = "duplicate";

    /// <summary>Two or more values at one offset.</summary>
    public const string InconsistentOffsets = "inconsistent-offsets";

    public const string NonmonotonicSend = "nonmonotonic-send";
    public const string InternalNonmonotonicSend = "int-nonmonotonic-send";
    public const string InternalSendSkip = "int-send-skip";
    public const string RealtimeSendOrder = "realtime-send-order";
    public const string KeyOrder = "key-order";
    public const string NonmonotonicPoll = "nonmonotonic-poll";
    public const string InternalNonmonotonicPoll = "int-nonmonotonic-poll";
    public const string PollSkip = "poll-skip";
    public const string InternalPollSkip = "int-poll-skip";

    /// <summary>Read before its send was invoked.</summary>
    public const string FutureRead = "future-read";

    /// <summary>Acknowledged, and passed by a group's committed offset, or left behind at its end, without having been processed.</summary>
    public const string GroupLoss = "group-loss";

    /// <summary>Processed more than once in a group, by whomever.</summary>
    public const string GroupDoubleConsume = "group-double-consume";

    /// <summary>A commit by a member whose generation was over, and it was accepted.</summary>
    public const string ZombieCommit = "zombie-commit";

    /// <summary>A member was told that its group stands below what had been committed, and nobody who may had set it back.</summary>
    public const string OffsetRegression = "offset-regression";

    /// <summary>A member was told that its group stands nowhere, though a commit had been acknowledged.</summary>
    public const string LostCommit = "lost-commit";
    public const string DivergentReplicas = "divergent-replicas";
    public const string TwoLeaders = "two-leaders";
    public const string WatermarkRegression = "watermark-regression";

    /// <summary>Of a key of a compacted topic neither the newest acknowledged record is there, nor a later one; or the key was deleted, and an older value of it is there.</summary>
    public const string CompactedNewest = "compacted-newest";

    public const string LostTopic = "lost-topic";
    public const string ResurrectedTopic = "resurrected-topic";
    public const string NoProgress = "no-progress";
}
