namespace Broker.Runtime;

/// <summary>What a node can be seen doing. Fault triggers, white-box checks, excuses and the life of a record all read these.</summary>
public enum ObservationKind : byte
{
    /// <summary>Node is up and its log directories are recovered. Epoch: incarnation.</summary>
    NodeStarted,

    /// <summary>A log was recovered at start. Offset: log end offset found, Epoch: leader epoch of its last batch, EndOffset: bytes dropped from a torn tail.</summary>
    LogRecovered,

    /// <summary>Leader got a produce batch. Bytes: the batch as sent; Other: error code given at once, 0 if none; Connection: over which it came.</summary>
    ProduceReceived,

    /// <summary>Leader appended. Epoch, Offset..EndOffset (exclusive); Bytes: the stored batches.</summary>
    Appended,

    /// <summary>Leader answered a produce. Offset: base offset; Other: error code.</summary>
    ProduceAnswered,

    /// <summary>Follower appended what it fetched. Epoch: leader epoch of the fetch, Offset..EndOffset; Bytes: the stored batches; Other: leader.</summary>
    Replicated,

    /// <summary>A log is durable up to EndOffset.</summary>
    Flushed,

    /// <summary>A log was cut. Offset: new end, EndOffset: old end; Epoch: leader epoch under which; Other: leader that caused it.</summary>
    Truncated,

    /// <summary>The local high watermark moved. Offset: new value; Epoch: leader epoch.</summary>
    HighWatermark,

    /// <summary>Epoch: leader epoch; Offset: log end offset at that moment; EndOffset: local high watermark; Nodes: ISR.</summary>
    BecameLeader,

    /// <summary>Epoch: leader epoch; Other: leader; Offset: log end offset at that moment.</summary>
    BecameFollower,

    /// <summary>Leader asks the controller for this ISR. Nodes: proposed; Epoch: leader epoch; Offset: partition epoch.</summary>
    IsrProposed,

    /// <summary>Controller committed an ISR. Nodes: ISR; Epoch: leader epoch; Offset: partition epoch.</summary>
    IsrCommitted,

    /// <summary>
    /// Controller chose a leader. Other: leader or -1; Epoch: leader epoch; Nodes: ISR; Offset: an <see cref="ElectionKind"/>; EndOffset: who was
    /// eligible before, see <see cref="EligibleReplicas"/>.
    /// </summary>
    Elected,

    /// <summary>Controller fenced or let in a broker. Other: broker.</summary>
    BrokerFenced,
    BrokerUnfenced,

    /// <summary>A broker registered without a clean shutdown. Other: broker.</summary>
    UncleanRegistration,

    /// <summary>A voter won an election of the metadata quorum. Epoch: quorum epoch; Offset: its log end offset.</summary>
    QuorumLeader,

    /// <summary>A voter of the metadata quorum gave its vote away; the answer is on its way. Epoch: quorum epoch; Other: candidate.</summary>
    QuorumVote,

    /// <summary>Metadata log committed up to Offset, seen by the quorum's leader.</summary>
    MetadataCommitted,

    /// <summary>This node's metadata image reached Offset.</summary>
    MetadataApplied,

    /// <summary>A topic was created or deleted in this node's image. Partition: the topic; Other: 1 created, 0 deleted.</summary>
    TopicChanged,

    /// <summary>World: a fault hit. Other: index in the schedule; Bytes: none.</summary>
    FaultBit,

    /// <summary>World: a fault was healed. Other: index in the schedule.</summary>
    FaultHealed,

    /// <summary>World: a node lost power. Offset: bytes lost from its page cache over all files.</summary>
    PowerLost,

    /// <summary>World: a node's process died, its page cache kept.</summary>
    Crashed,

    /// <summary>A client got an answer to a send. Other: error code (0 acknowledged, -1 unknown); Offset: base offset or -1.</summary>
    ClientAnswered,

    /// <summary>
    /// World: a produce request is lost for good before anybody read it. Node: to whom it was sent; Other: a <see cref="FrameLoss"/>; Bytes: its frame;
    /// Connection: over which.
    /// </summary>
    FrameLost,

    /// <summary>World: somebody who could be elected lacks what is committed: a replica in the ISR or, without a partition, a voter. Offset: committed up to here.</summary>
    CommittedAtRisk,

    /// <summary>Leader read a produce batch and is about to judge it: <see cref="ProduceReceived"/> follows in the same turn, or the end of the node. Bytes: the batch as sent; Connection: over which it came.</summary>
    ProduceRead,

    /// <summary>Controller decided an election and has yet to write it: it stands once it is committed, told or not. As <see cref="Elected"/>; Connection: epoch of the metadata quorum.</summary>
    ElectionDecided,

    /// <summary>
    /// A member of a consumer group came so far. Other: a <see cref="MemberMoment"/>; Epoch: its generation; Partition, Offset..EndOffset (exclusive): what it is about, where it is about one partition.
    /// </summary>
    MemberStep,

    /// <summary>A node closed a connection for what came over it, or for nothing coming over it. Bytes: from where, and why, as UTF-8.</summary>
    ConnectionClosed,

    /// <summary>A log was compacted. Offset..EndOffset: what has been cleaned by now; Other: records left out this time.</summary>
    Cleaned,

    /// <summary>Told of live runs alone, where no broker shows what it received: a client sent a record more than once.</summary>
    SentAgain,
}

/// <summary>What the members of consumer groups do, as far as faults and stories point to it.</summary>
public enum MemberMoment
{
    /// <summary>It knows its share and where to begin.</summary>
    Assigned,

    /// <summary>Records were handed to whoever processes them.</summary>
    Polled,

    /// <summary>One record was processed.</summary>
    Processed,

    /// <summary>A commit goes out. Offset: the next record to process.</summary>
    Commits,

    /// <summary>A commit was confirmed.</summary>
    Committed,

    /// <summary>A commit was refused, or nobody knows.</summary>
    NotCommitted,

    /// <summary>Its share is no longer its own.</summary>
    GaveUp,
}

/// <summary>Why a request reached nobody.</summary>
public enum FrameLoss
{
    /// <summary>Its connection died with it in flight, or unread.</summary>
    ConnectionDied = 1,

    /// <summary>The node it was sent to was down, or died before it read it.</summary>
    NodeDied = 2,

    /// <summary>It was still on its way when the world ended.</summary>
    WorldEnded = 3,
}

/// <summary>
/// How many replicas were in the ISR or eligible just before an election, one left out whose unclean return brought the election about, and how many of those
/// the controller held for alive. In one number, as observations carry it.
/// </summary>
public readonly record struct EligibleReplicas(int Count, int Alive)
{
    public static EligibleReplicas Of(long packed) => packed < 0 ? default : new((int)(packed & 0xff), (int)(packed >> 8));

    public long Packed => (long)Alive << 8 | (uint)Count;
}

/// <summary>How a leader was found (KIP-966).</summary>
public enum ElectionKind
{
    /// <summary>From the ISR.</summary>
    Clean,

    /// <summary>From the eligible leader replicas.</summary>
    Eligible,

    /// <summary>Nobody eligible is left: the last known leader, which may have lost its tail.</summary>
    LastKnownLeader,

    /// <summary>unclean.leader.election.enable allowed a replica that may lag.</summary>
    Unclean,

    /// <summary>Nobody: the partition is offline.</summary>
    None,
}

/// <summary>One thing one node did; the meaning of the fields depends on the kind (see <see cref="ObservationKind"/>).</summary>
public readonly record struct Observation(
    ObservationKind Kind,
    NodeId Node,
    TopicPartition Partition = default,
    int Epoch = -1,
    long Offset = -1,
    long EndOffset = -1,
    int Other = -1,
    NodeSet Nodes = default,
    ReadOnlyMemory<byte> Bytes = default,
    int Connection = -1);
