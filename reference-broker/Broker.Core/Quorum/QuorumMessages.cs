using System.Collections.Immutable;
using Broker.Core.Log;
using Broker.Runtime;

namespace Broker.Core.Quorum;

/// <summary>What voters (and observers, for fetches) ask of one another. Source: KIP-595.</summary>
public abstract record QuorumRequest(int Epoch)
{
    /// <summary>A candidate asks for a vote in its epoch.</summary>
    /// <param name="LastEpoch">Epoch of the last entry in the candidate's log; 0 when empty.</param>
    /// <param name="EndOffset">End of the candidate's log (exclusive).</param>
    public sealed record Vote(int Epoch, NodeId Candidate, int LastEpoch, long EndOffset) : QuorumRequest(Epoch);

    /// <summary>A new leader makes itself known.</summary>
    public sealed record BeginEpoch(int Epoch, NodeId Leader) : QuorumRequest(Epoch);

    /// <summary>A leader steps down; the first of the preferred successors need not wait for a time-out.</summary>
    public sealed record EndEpoch(int Epoch, NodeId Leader, ImmutableArray<NodeId> PreferredSuccessors) : QuorumRequest(Epoch);

    /// <summary>A voter or observer asks for entries. From a voter it says also: my log is durable up to <paramref name="FetchOffset"/>.</summary>
    /// <param name="LastFetchedEpoch">Epoch of the entry just below the fetch offset; 0 at offset 0.</param>
    /// <param name="MaxWait">How long the leader may hold the fetch while there is no news.</param>
    public sealed record Fetch(int Epoch, NodeId Replica, long FetchOffset, int LastFetchedEpoch, TimeSpan MaxWait) : QuorumRequest(Epoch);
}

/// <summary>Why a request was refused. The shell maps these to Kafka's codes.</summary>
public enum QuorumError
{
    None,

    /// <summary>The request's epoch is over (FENCED_LEADER_EPOCH).</summary>
    FencedEpoch,

    /// <summary>The request's epoch is ahead of this voter (UNKNOWN_LEADER_EPOCH).</summary>
    UnknownEpoch,

    /// <summary>This voter does not lead (NOT_LEADER_OR_FOLLOWER).</summary>
    NotLeader,

    /// <summary>Another leader of the same epoch is known, or the asker is no voter (INCONSISTENT_VOTER_SET).</summary>
    Inconsistent,
}

/// <summary>Every answer names the answerer's epoch and the leader it knows, so that anybody who asks the wrong node learns the right one.</summary>
public abstract record QuorumAnswer(QuorumError Error, int Epoch, NodeId Leader)
{
    public sealed record Vote(QuorumError Error, int Epoch, NodeId Leader, bool Granted) : QuorumAnswer(Error, Epoch, Leader);

    public sealed record BeginEpoch(QuorumError Error, int Epoch, NodeId Leader) : QuorumAnswer(Error, Epoch, Leader);

    public sealed record EndEpoch(QuorumError Error, int Epoch, NodeId Leader) : QuorumAnswer(Error, Epoch, Leader);

    /// <summary>Entries, or where the asker's log leaves the leader's.</summary>
    /// <param name="HighWatermark">What the leader knows to be committed (exclusive).</param>
    /// <param name="FromOffset">First offset to read from the leader's log. Leaving the machine, this and <paramref name="ToOffset"/> tell the shell what to read.</param>
    /// <param name="ToOffset">End (exclusive) of what may be read; equal to <paramref name="FromOffset"/> when there is nothing.</param>
    /// <param name="Diverging">Set when the asker's log must be cut: the leader's largest epoch not above the asker's last, and its end.</param>
    /// <param name="Batches">Entering a machine: what was read, in offset order. Empty when leaving one.</param>
    public sealed record Fetch(
        QuorumError Error, int Epoch, NodeId Leader, long HighWatermark, long FromOffset, long ToOffset, EpochEnd? Diverging,
        ImmutableArray<QuorumBatch> Batches) : QuorumAnswer(Error, Epoch, Leader);
}

/// <summary>What happens to a voter.</summary>
public abstract record QuorumInput
{
    /// <summary>Time passed. Due at <see cref="QuorumMachine.NextWake"/>; harmless earlier.</summary>
    public sealed record Tick : QuorumInput
    {
        public static readonly Tick Now = new();
    }

    /// <summary>A request arrived.</summary>
    /// <param name="ReplyTo">The shell's number for it, given back in <see cref="QuorumEffect.Answer"/>.</param>
    public sealed record Asked(long ReplyTo, QuorumRequest Request) : QuorumInput;

    /// <summary>An answer to an own request arrived, possibly late or twice.</summary>
    public sealed record Answered(NodeId From, long RequestId, QuorumAnswer Answer) : QuorumInput;

    /// <summary>An own request failed: no connection, or it died. Optional: the machine also retries by time.</summary>
    public sealed record Unanswered(NodeId To, long RequestId) : QuorumInput;

    /// <summary>The controller wants a batch committed; leader only.</summary>
    /// <param name="ReplyTo">The shell's number for it, given back when it is committed or lost.</param>
    /// <param name="Records">How many offsets the batch takes; above zero.</param>
    public sealed record Propose(long ReplyTo, int Records, ReadOnlyMemory<byte> Bytes) : QuorumInput;

    /// <summary>Step down gracefully, as before a shutdown. Nothing to do unless leading.</summary>
    public sealed record Resign : QuorumInput;
}

/// <summary>
/// What the shell must do. Effects are carried out strictly in order, each to its end, before the next step: the machine counts on
/// everything it has asked for. If one fails, the node stops; it starts again from what its disk holds.
/// </summary>
public abstract record QuorumEffect
{
    /// <summary>Make the state durable before anything that follows.</summary>
    public sealed record Persist(QuorumState State) : QuorumEffect;

    /// <summary>Write batches at the end of the log; not yet durable.</summary>
    public sealed record Append(ImmutableArray<QuorumBatch> Batches) : QuorumEffect;

    /// <summary>Make the whole log durable.</summary>
    public sealed record Flush(long EndOffset) : QuorumEffect;

    /// <summary>Cut the log at an offset that is a batch border.</summary>
    public sealed record Truncate(long Offset) : QuorumEffect;

    public sealed record Send(NodeId To, long RequestId, QuorumRequest Request) : QuorumEffect;

    public sealed record Answer(long ReplyTo, QuorumAnswer Message) : QuorumEffect;

    /// <summary>Entries below are committed; they may be applied.</summary>
    public sealed record CommitAdvanced(long HighWatermark) : QuorumEffect;

    /// <summary>This voter leads; its opening entry is in its log.</summary>
    /// <param name="EpochStartOffset">Offset of that entry. All earlier entries are known to be committed once the high watermark passes it.</param>
    public sealed record BecameLeader(int Epoch, long EpochStartOffset) : QuorumEffect;

    /// <summary>This voter leads <paramref name="Epoch"/> no more.</summary>
    public sealed record Resigned(int Epoch) : QuorumEffect;

    /// <summary>This voter follows a leader.</summary>
    public sealed record Following(int Epoch, NodeId Leader) : QuorumEffect;

    /// <summary>A proposal is committed.</summary>
    /// <param name="Offset">Offset of its first record.</param>
    public sealed record ProposalCommitted(long ReplyTo, long Offset) : QuorumEffect;

    /// <summary>A proposal was not taken, or leadership was lost before it was committed. In the latter case it may still be committed by a later leader.</summary>
    public sealed record ProposalLost(long ReplyTo) : QuorumEffect;
}
