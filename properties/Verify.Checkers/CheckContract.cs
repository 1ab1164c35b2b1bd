namespace Verify.Checkers;

public enum Acks
{
    None,
    Leader,
    All,
}

public enum Isolation
{
    ReadCommitted,
    ReadUncommitted,
}

public enum Subscription
{
    Assign,
    Subscribe,
}

/// <summary>When the members of a group commit what they read. Source: Kafka's consumer documentation.</summary>
public enum CommitMode
{
    /// <summary>After its processing: each record at least once.</summary>
    AfterProcessing,

    /// <summary>Before its processing: each record at most once.</summary>
    BeforeProcessing,

    /// <summary>While it is processed elsewhere (automatic commits, asynchronous processing): neither.</summary>
    Apart,
}

/// <summary>Where a group begins that has committed nothing (Kafka's <c>auto.offset.reset</c>).</summary>
public enum GroupStart
{
    Earliest,

    /// <summary>What lies before the first record that a group processed, it does not owe.</summary>
    Latest,
}

/// <summary>What producers and consumers of a history agreed on with the broker; each rule states which part of it it needs.</summary>
public sealed record CheckContract
{
    public static CheckContract Default { get; } = new();

    public Acks Acks { get; init; } = Acks.All;

    /// <summary>Producers are idempotent: one copy per send and order within a session (KIP-98).</summary>
    public bool Idempotence { get; init; } = true;

    /// <summary>The topics are compacted (cleanup.policy=compact): of each record key only the newest record must stay, and a tombstone may go after a while.</summary>
    public bool Compacted { get; init; }

    /// <summary>Of a partition a record may go that has so many others behind it (cleanup.policy=delete, retention.bytes); null: none may.</summary>
    public int? MustKeep { get; init; }

    public Isolation Isolation { get; init; } = Isolation.ReadCommitted;

    /// <summary>How consumers whose history tells neither <c>assign</c> nor <c>subscribe</c> got their partitions.</summary>
    public Subscription Subscription { get; init; } = Subscription.Assign;

    public CommitMode Commit { get; init; } = CommitMode.AfterProcessing;

    public GroupStart GroupStart { get; init; } = GroupStart.Earliest;

    /// <summary>After the last fault healed, every partition in use must accept a write within this time.</summary>
    public TimeSpan RecoveryBound { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Cases kept per anomaly, worst first; all are counted.</summary>
    public int CaseLimit { get; init; } = 8;

    /// <summary>Whether a bare history under this contract is owed the guarantee. Sources: Kafka's producer documentation (acks, enable.idempotence), KIP-98; its consumer documentation (commit before or after processing).</summary>
    public bool Promises(string guarantee) => guarantee switch
    {
        Guarantee.NoLostWrites or Guarantee.StableOffsets or Guarantee.TimelyDelivery => Acks == Acks.All,      // a deposed leader's tail is cut, and its offsets are used again
        Guarantee.NoDuplicates or Guarantee.Ordering => Idempotence,
        Guarantee.AtLeastOnce => Commit == CommitMode.AfterProcessing,
        Guarantee.AtMostOnce => Commit == CommitMode.BeforeProcessing,
        _ => true,
    };
}
