using Broker.Protocol;
using Broker.Runtime;

namespace Verify.Clients;

/// <summary>Where a consumer stands in one partition, and what it has fetched but not returned yet.</summary>
internal sealed class AssignedPartition(TopicPartition partition)
{
    private readonly List<ConsumedRecord> buffer = [];
    private int returned;
    private long bufferEnd;

    public TopicPartition Partition => partition;

    /// <summary>The position is known.</summary>
    public bool HasPosition { get; private set; }

    /// <summary>The offset of the next record to return; -1 while it is not known.</summary>
    public long Position { get; private set; } = -1;

    /// <summary>The leader epoch of the last record returned, -1 after a seek; and the first offset at which this reader saw it.</summary>
    public int PositionEpoch { get; private set; } = -1;

    public long PositionEpochStart { get; private set; } = -1;

    /// <summary>The leadership under which the position is known to be right.</summary>
    public int ValidatedUnder { get; set; } = -1;

    /// <summary>The offset to ask for, when the position is yet to be found.</summary>
    public OffsetAt? Wanted { get; private set; }

    /// <summary>Why the position is being looked for, and where it was before.</summary>
    public PollIncident? Cause { get; private set; }

    /// <summary>Counts what makes answers on their way worthless: seeks, resets, losing the assignment.</summary>
    public int Turn { get; private set; }

    /// <summary>A request about this partition is on its way.</summary>
    public bool IsBusy { get; set; }

    public int Failures { get; set; }

    public TimeSpan NotBefore { get; set; }

    public bool AnsweredEmpty { get; set; }

    public bool HasBuffered => returned < buffer.Count;

    /// <summary>The position lies nowhere and nobody looks for it: the caller has to seek.</summary>
    public bool IsStuck => !HasPosition && Wanted is null;

    public void SeekTo(long offset, int positionEpoch, int validatedUnder)
    {
        Forget();
        (HasPosition, Position) = (true, offset);
        (PositionEpoch, PositionEpochStart, ValidatedUnder) = (positionEpoch, offset, validatedUnder);
    }

    public void LookFor(OffsetAt at, PollIncident cause)
    {
        Forget();
        (Wanted, Cause) = (at, cause);
    }

    /// <summary>No position, and none to look for; also the end of an assignment.</summary>
    public void GiveUp() => Forget();

    /// <summary>Takes what was fetched from the position on. Without records the position moves at once.</summary>
    /// <param name="end">The offset after the last batch.</param>
    public void Take(List<ConsumedRecord> records, long end, ClientRules rules)
    {
        buffer.Clear();
        buffer.AddRange(records);
        (returned, bufferEnd) = (0, end);
        if (buffer.Count == 0 && rules.IsWanted(end, Position)) Position = end;
    }

    /// <summary>Returns up to so many records; the position is behind the last of them.</summary>
    public IReadOnlyList<ConsumedRecord> Return(int most, ClientRules rules)
    {
        var part = buffer.GetRange(returned, Math.Min(most, buffer.Count - returned));
        returned += part.Count;
        foreach (var record in part)
        {
            if (rules.IsOtherEpoch(PositionEpoch, record.LeaderEpoch)) PositionEpochStart = record.Offset;
            PositionEpoch = record.LeaderEpoch;
        }
        Position = HasBuffered ? rules.PositionAfter(part[^1].Offset) : bufferEnd;
        if (!HasBuffered) buffer.Clear();
        if (buffer.Count == 0) returned = 0;
        return part;
    }

    private void Forget()
    {
        Turn++;
        buffer.Clear();
        returned = 0;
        (HasPosition, Position, PositionEpoch, PositionEpochStart, ValidatedUnder) = (false, -1, -1, -1, -1);
        (Wanted, Cause, Failures, NotBefore, AnsweredEmpty) = (null, null, 0, TimeSpan.Zero, false);
    }
}
