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

/// <summary>What producers and consumers of a history agreed on with the broker; each rule states which part of it it needs.</summary>
public sealed record CheckContract
{
    public static CheckContract Default { get; } = new();

    public Acks Acks { get; init; } = Acks.All;

    /// <summary>Producers are idempotent: one copy per send and order within a session (KIP-98).</summary>
    public bool Idempotence { get; init; } = true;

    public Isolation Isolation { get; init; } = Isolation.ReadCommitted;

    /// <summary>How consumers whose history tells neither <c>assign</c> nor <c>subscribe</c> got their partitions.</summary>
    public Subscription Subscription { get; init; } = Subscription.Assign;

    /// <summary>After the last fault healed, every partition in use must accept a write within this time.</summary>
    public TimeSpan RecoveryBound { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Cases kept per anomaly, worst first; all are counted.</summary>
    public int CaseLimit { get; init; } = 8;

    /// <summary>Whether a bare history under this contract is owed the guarantee. Sources: Kafka's producer documentation (acks, enable.idempotence), KIP-98.</summary>
    public bool Promises(string guarantee) => guarantee switch
    {
        Guarantee.NoLostWrites or Guarantee.StableOffsets => Acks == Acks.All,      // a deposed leader's tail is cut, and its offsets are used again
        Guarantee.NoDuplicates or Guarantee.Ordering => Idempotence,
        _ => true,
    };
}
