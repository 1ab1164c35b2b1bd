using System.Runtime.InteropServices;

namespace Verify.History;

public enum OperationKind : byte
{
    Send,
    Poll,
}

/// <summary>One micro-operation: a send of one value, or a poll with what it returned.</summary>
/// <param name="Kind">Send or poll.</param>
/// <param name="Key">Partition (number in <see cref="HistoryLog.Keys"/>); -1 for a poll.</param>
/// <param name="Value">Unique per key.</param>
/// <param name="Offset">-1 when not known.</param>
/// <param name="RecordKey">The message's own key (number in <see cref="HistoryLog.Names"/>), -1 when it has none.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct MicroOperation(OperationKind Kind, int Key, long Value, long Offset = -1, int RecordKey = -1)
{
    /// <summary>A send without a value of its own: it deletes its record key. <see cref="Value"/> only tells it from others.</summary>
    public bool IsTombstone { get; init; }

    internal int FirstRecord { get; init; }

    internal int FirstEmptyKey { get; init; }

    public int RecordCount { get; init; }

    public int EmptyKeyCount { get; init; }

    public static MicroOperation Send(int key, long value, long offset = -1, int recordKey = -1) => new(OperationKind.Send, key, value, offset, recordKey);

    public static MicroOperation Poll { get; } = new(OperationKind.Poll, -1, 0);
}

/// <summary>A record as a poll returned it.</summary>
public readonly record struct PolledRecord(int Key, long Offset, long Value, int RecordKey = -1);

/// <summary>A partition and a position in it.</summary>
public readonly record struct KeyOffset(int Key, long Offset);

/// <summary>What only some events carry; -1 where absent. Names are numbers in <see cref="HistoryLog.Names"/>.</summary>
public readonly record struct EventDetail()
{
    public int Group { get; init; } = -1;

    public int Member { get; init; } = -1;

    public int Generation { get; init; } = -1;

    /// <summary>Observe: what was seen.</summary>
    public ObserveKind Kind { get; init; }

    /// <summary>Observe: the node that showed it.</summary>
    public int Node { get; init; } = -1;

    /// <summary>Observe and process: the partition.</summary>
    public int Key { get; init; } = -1;

    /// <summary>Observe: leader epoch.</summary>
    public int Epoch { get; init; } = -1;

    public long Offset { get; init; } = -1;

    /// <summary>Observe: exclusive end of a range that starts at <see cref="Offset"/>.</summary>
    public long EndOffset { get; init; } = -1;

    /// <summary>Observe: another node, or a code, as the kind says.</summary>
    public int Other { get; init; } = -1;

    /// <summary>Observe: a set of nodes, bit n for node n.</summary>
    public ulong Nodes { get; init; }

    /// <summary>Process: the value handled; 0 when absent.</summary>
    public long Value { get; init; }

    /// <summary>Transactions: when the commit was invoked, in ns.</summary>
    public long CommitInvokedTime { get; init; } = -1;
}

[Flags]
internal enum EventFlags : byte
{
    None = 0,
    SeekToBeginning = 1,
    Final = 2,
}

internal struct EventHeader
{
    public long Index;
    public long Time;
    public int Process;
    public EventType Type;
    public EventFunction Function;
    public EventFlags Flags;
    public int OtherFunction;
    public int FirstOperation, OperationCount;
    public int FirstKey, KeyCount;
    public int FirstTopic, TopicCount;
    public int FirstOffset, OffsetCount;
    public int FirstValue, ValueCount;
    public int Detail;
}

/// <summary>
/// One event of a history: a view into its <see cref="HistoryLog"/>, valid until that is cleared. Copying it copies no data.
/// </summary>
public readonly struct HistoryEvent
{
    private readonly HistoryLog log;
    private readonly int position;

    internal HistoryEvent(HistoryLog log, int position)
    {
        this.log = log;
        this.position = position;
    }

    private ref readonly EventHeader Header => ref log.HeaderAt(position);

    /// <summary>The event's own index; its position where the history gave none.</summary>
    public long Index => Header.Index;

    /// <summary>Nanoseconds on the runner's monotonic clock.</summary>
    public long Time => Header.Time;

    /// <summary>The single-threaded logical client; -1 for none. Named ones (Jepsen's nemesis) count down from -2.</summary>
    public int Process => Header.Process;

    public EventType Type => Header.Type;

    public EventFunction Function => Header.Function;

    /// <summary>The word itself, also where this version does not know it.</summary>
    public string FunctionWord => Header.Function == EventFunction.Other && Header.OtherFunction >= 0 ? log.Names[Header.OtherFunction] : EventWords.Of(Header.Function);

    public ReadOnlySpan<MicroOperation> Operations => log.OperationsAt(Header.FirstOperation, Header.OperationCount);

    /// <summary>What a poll returned, in the order received.</summary>
    public ReadOnlySpan<PolledRecord> Records(in MicroOperation poll) => log.RecordsAt(poll.FirstRecord, poll.RecordCount);

    /// <summary>Partitions that answered a poll with nothing.</summary>
    public ReadOnlySpan<int> EmptyKeys(in MicroOperation poll) => log.KeysAt(poll.FirstEmptyKey, poll.EmptyKeyCount);

    /// <summary>Of assign, subscribe, assigned, revoked, final.</summary>
    public ReadOnlySpan<int> Keys => log.KeysAt(Header.FirstKey, Header.KeyCount);

    /// <summary>Of create, delete, list: numbers in <see cref="HistoryLog.Names"/>.</summary>
    public ReadOnlySpan<int> Topics => log.KeysAt(Header.FirstTopic, Header.TopicCount);

    /// <summary>Of commit and assigned: the next offset per partition; of assigned, -1 where the group had none.</summary>
    public ReadOnlySpan<KeyOffset> Offsets => log.OffsetsAt(Header.FirstOffset, Header.OffsetCount);

    /// <summary>Of observe: the values stored, at consecutive offsets from <see cref="EventDetail.Offset"/>.</summary>
    public ReadOnlySpan<long> Values => log.ValuesAt(Header.FirstValue, Header.ValueCount);

    public bool SeekToBeginning => (Header.Flags & EventFlags.SeekToBeginning) != 0;

    /// <summary>A poll or list of the final read: after heal, recovery and leadership tour.</summary>
    public bool IsFinal => (Header.Flags & EventFlags.Final) != 0;

    public bool HasDetail => Header.Detail >= 0;

    public EventDetail Detail => Header.Detail >= 0 ? log.DetailAt(Header.Detail) : new EventDetail();

    public NameTable KeyNames => log.Keys;

    public NameTable Names => log.Names;

    public override string ToString() => $"{Index}: process {Process} {EventWords.Of(Type)} {FunctionWord}";
}
