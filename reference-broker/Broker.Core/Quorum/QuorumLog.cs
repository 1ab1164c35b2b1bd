using Broker.Core.Log;
using Broker.Runtime;

namespace Broker.Core.Quorum;

/// <summary>Whole record batches of one leader, as stored.</summary>
/// <param name="BaseOffset">Offset of the first record.</param>
/// <param name="NextOffset">Offset after the last record.</param>
/// <param name="Epoch">Epoch of the leader that appended it first.</param>
/// <param name="Bytes">Opaque here. Empty for a leader-change entry about to be appended: the shell writes that control record itself.</param>
/// <param name="IsLeaderChange">The entry with which a leader opens its epoch (KIP-595, LeaderChangeMessage).</param>
public sealed record QuorumBatch(long BaseOffset, long NextOffset, int Epoch, ReadOnlyMemory<byte> Bytes, bool IsLeaderChange = false);

/// <summary>What the machine knows of its log: where it ends, how far it is durable, and where each epoch starts. Never the bytes.</summary>
/// <remarks>A plain sorted list; which epoch or offset is to be used for what is decided by <see cref="QuorumRules"/>.</remarks>
public sealed class QuorumLog
{
    private readonly List<(int Epoch, long Start)> epochs = [];

    /// <summary>Offset after the last entry.</summary>
    public long EndOffset { get; private set; }

    /// <summary>Entries below are durable.</summary>
    public long FlushedOffset { get; private set; }

    /// <summary>Epoch of the last entry; 0 for an empty log.</summary>
    public int LastEpoch => epochs.Count == 0 ? 0 : epochs[^1].Epoch;

    /// <summary>Offset of the first entry of the last epoch; 0 for an empty log.</summary>
    public long LastEpochStart => epochs.Count == 0 ? 0 : epochs[^1].Start;

    public void Append(int epoch, long nextOffset)
    {
        Invariant.Holds(epoch >= LastEpoch);
        Invariant.Holds(nextOffset > EndOffset);
        if (epochs.Count == 0 || epochs[^1].Epoch != epoch) epochs.Add((epoch, EndOffset));
        EndOffset = nextOffset;
    }

    public void Truncate(long offset)
    {
        Invariant.Holds(offset <= EndOffset);
        epochs.RemoveAll(e => e.Start >= offset);
        EndOffset = offset;
        FlushedOffset = Math.Min(FlushedOffset, offset);
    }

    /// <summary>Everything appended so far is durable.</summary>
    public void Flush() => FlushedOffset = EndOffset;

    /// <summary>Epoch of the entry at an offset below the end.</summary>
    public int EpochAt(long offset) => epochs.FindLast(e => e.Start <= offset).Epoch;

    /// <summary>The largest epoch of this log not above the one asked for, and where it ends; (0, 0) when the log has none.</summary>
    public EpochEnd EndOf(int epoch)
    {
        var end = EndOffset;
        for (var i = epochs.Count - 1; i >= 0; i--)
        {
            if (epochs[i].Epoch <= epoch) return new EpochEnd(epochs[i].Epoch, end);
            end = epochs[i].Start;
        }
        return new EpochEnd(0, 0);
    }

    public void AssertInvariants()
    {
        Invariant.Holds(FlushedOffset <= EndOffset);
        Invariant.Holds(epochs.Count == 0 || epochs[^1].Start < EndOffset);
    }
}
