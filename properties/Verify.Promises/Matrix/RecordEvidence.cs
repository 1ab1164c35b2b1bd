using System.Collections.Immutable;

namespace Verify.Promises;

/// <summary>How far a produce request came. The default is the one that excuses nothing.</summary>
public enum Delivery
{
    /// <summary>The broker took it and lived on; or nothing shows that it did not.</summary>
    Received,

    /// <summary>The network vouches that it never reached the broker's hands: its connection died with it, in flight or unread.</summary>
    ConnectionDied,

    /// <summary>It reached a node that was down, or that died before it appended or refused it.</summary>
    NodeDied,
}

/// <summary>One sending of the record's batch.</summary>
/// <param name="Node">The broker it was sent to.</param>
/// <param name="Refusal">Kafka's error code when the broker refused it, told or not, and stored nothing; 0 otherwise, also after an error that came when it was stored.</param>
/// <param name="RefusedWhileLeading">The broker that refused led the partition then, by its own knowledge, and was still leader by the controller's.</param>
/// <param name="Late">It was received after the client had given up on its connection or on the record.</param>
/// <param name="Connection">Which connection carried it, unique in the run; -1 when not known.</param>
public sealed record Transmission(int Node, Delivery Delivery, int Refusal = 0, bool RefusedWhileLeading = false, bool Late = false, long Connection = -1);

/// <summary>What became of one copy of the record. The default is the one that excuses nothing.</summary>
public enum CopyEnd
{
    /// <summary>It is gone and no observation says why.</summary>
    Vanished,

    /// <summary>It is there at the end.</summary>
    Kept,

    /// <summary>The replica cut its log to agree with a leader.</summary>
    Truncated,

    /// <summary>The node lost power and with it what was not synced.</summary>
    LostToPower,

    /// <summary>The disk lost it although it had been synced: a lying fsync, bit rot, a dead disk. Only where such a fault bit on this node.</summary>
    LostToDisk,
}

/// <summary>A copy of the record in one replica's log. One node may hold several, one after the other.</summary>
/// <param name="StoredAt">Index in the journal of the observation that stored it.</param>
/// <param name="Flushed">It was durable: the log had been flushed past it before it ended.</param>
/// <param name="EndedAt">Index in the journal of the observation that ended it; <see cref="long.MaxValue"/> when kept.</param>
/// <param name="EndEpoch">The leader epoch under which it was truncated; -1 for other ends.</param>
public sealed record Copy(int Node, long StoredAt, bool Flushed, CopyEnd End, long EndedAt = long.MaxValue, int EndEpoch = -1);

/// <summary>One place in the log that a leader gave the record. A record sent twice without idempotence has two.</summary>
/// <param name="Epoch">Leader epoch under which it was appended.</param>
/// <param name="Acknowledged">The client was told of this place.</param>
/// <param name="ReachedHighWatermark">A node's high watermark was past it while that node held this copy.</param>
/// <param name="ProducerId">From the batch; -1 without idempotence.</param>
/// <param name="Copies">All copies ever, the leader's own included.</param>
/// <param name="CommittedIn">Leader epoch in which a high watermark first passed it: leaders of earlier epochs may have lacked it. -1: in that of its append, or never.</param>
public sealed record Placement(int Epoch, long Offset, bool Acknowledged, bool ReachedHighWatermark, long ProducerId, ImmutableArray<Copy> Copies, int CommittedIn = -1);

/// <summary>From among whom a leader was taken.</summary>
public enum ElectedFrom
{
    InSyncReplicas,
    EligibleLeaderReplicas,
    LastKnownLeader,

    /// <summary>An unclean election.</summary>
    OutOfSyncReplicas,
}

/// <summary>A leader that really took office: it observed its own epoch. Elections of nodes that never did are left out.</summary>
/// <param name="From">Where the same node had been elected uncleanly just before and had not taken that office, it is the unclean one that made it the whole ISR.</param>
/// <param name="At">Index in the journal of the moment it took office.</param>
/// <param name="InSyncReplicas">The ISR as committed with this election.</param>
/// <param name="EligibleBefore">How many replicas were in the ISR or ELR just before the controller chose; not one that had just come back from an unclean end.</param>
/// <param name="EligibleUp">How many of these the controller held for alive (not fenced, not the leader being replaced because it left).</param>
public sealed record TermOfOffice(int Epoch, int Leader, ElectedFrom From, long At, ImmutableArray<int> InSyncReplicas, int EligibleBefore, int EligibleUp);

/// <summary>A replica of the partition lost power, whatever it lost with it. At: index in the journal.</summary>
public sealed record PowerLoss(int Node, long At);

/// <summary>The life of one record as the white-box journal knows it, from the client's hands to its last copy.</summary>
/// <remarks>
/// Which record to tell of, by anomaly: lost-write, unseen, duplicate: the record itself. inconsistent-offsets: each record that was at
/// <see cref="Offset"/> and is not the one found there at the end; divergent-replicas: the same of what the replicas held there. Order: the record sent earlier, with the one sent later as
/// <see cref="Other"/>. Polls: the record the reader had returned last before it went back or skipped.
/// </remarks>
public sealed record RecordEvidence
{
    /// <summary>The record's value, for people.</summary>
    public string Value { get; init; } = "";

    /// <summary>The client was told that the record is written. With acks=0 nobody ever is.</summary>
    public bool Acknowledged { get; init; }

    public ImmutableArray<Transmission> Transmissions { get; init; } = [];

    public ImmutableArray<Placement> Placements { get; init; } = [];

    /// <summary>All terms of office of the partition in this run.</summary>
    public ImmutableArray<TermOfOffice> Terms { get; init; } = [];

    /// <summary>All power losses of the partition's replicas in this run.</summary>
    public ImmutableArray<PowerLoss> PowerLosses { get; init; } = [];

    /// <summary>Indices in the journal at which the controller committed a full ISR of the partition.</summary>
    public ImmutableArray<long> FullIsrAt { get; init; } = [];

    /// <summary>The offset in question, for inconsistent-offsets and divergent-replicas.</summary>
    public long? Offset { get; init; }

    /// <summary>The second record of a pair.</summary>
    public RecordEvidence? Other { get; init; }

    /// <summary>Both records of a pair travelled in one batch.</summary>
    public bool OtherInSameBatch { get; init; }
}
