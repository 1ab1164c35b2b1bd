using System.Runtime.CompilerServices;

namespace Verify.History;

/// <summary>
/// A history in memory: a handful of growing arrays and no object per event. Write one event at a time:
/// <see cref="Begin"/>, its parts in any order, <see cref="End"/>.
/// </summary>
public sealed class HistoryLog
{
    private EventHeader[] headers = new EventHeader[4];
    private MicroOperation[] operations = new MicroOperation[4];
    private PolledRecord[] records = new PolledRecord[4];
    private int[] keys = new int[4];
    private KeyOffset[] offsets = [];
    private long[] values = [];
    private EventDetail[] details = [];
    private int headerCount, operationCount, recordCount, keyCount, offsetCount, valueCount, detailCount;
    private int pollRecords, pollKeys, pollKeyCount;
    private long forgotten;
    private EventHeader open;

    public HistoryLog()
        : this(new NameTable(), new NameTable())
    {
    }

    /// <summary>Shares its names with other logs, so that numbers mean the same in all of them.</summary>
    public HistoryLog(NameTable keys, NameTable names) => (Keys, Names) = (keys, names);

    /// <summary>Partitions.</summary>
    public NameTable Keys { get; }

    /// <summary>Everything else that has a name: record keys, topics, groups, members, unknown words, string values.</summary>
    public NameTable Names { get; }

    public int Count => headerCount;

    public HistoryEvent this[int position] =>
        (uint)position < (uint)headerCount ? new HistoryEvent(this, position) : throw new ArgumentOutOfRangeException(nameof(position));

    /// <summary>Forgets the events, keeps names and memory, and goes on counting: the next index follows the last. Views handed out before are void.</summary>
    public void Clear()
    {
        forgotten += headerCount;
        headerCount = operationCount = recordCount = keyCount = offsetCount = valueCount = detailCount = 0;
    }

    /// <summary>As new, names included, but for the memory: for the next of many runs.</summary>
    public void Reset()
    {
        Clear();
        forgotten = 0;
        Keys.Clear();
        Names.Clear();
    }

    public Enumerator GetEnumerator() => new(this);

    public void Begin(EventType type, EventFunction function, int process, long time) =>
        open = new EventHeader
        {
            Index = forgotten + headerCount,
            Time = time,
            Process = process,
            Type = type,
            Function = function,
            OtherFunction = -1,
            FirstOperation = operationCount,
            Detail = -1,
        };

    /// <summary>Sets what was not yet known at <see cref="Begin"/>.</summary>
    internal ref EventHeader Open => ref open;

    public void SeekToBeginning() => open.Flags |= EventFlags.SeekToBeginning;

    public void MarkFinal() => open.Flags |= EventFlags.Final;

    public void AddSend(int key, long value, long offset = -1, int recordKey = -1) => Add(MicroOperation.Send(key, value, offset, recordKey));

    /// <summary>Records and empty keys added from here to <see cref="EndPoll"/> belong to one poll.</summary>
    public void BeginPoll()
    {
        pollRecords = recordCount;
        pollKeys = keyCount;
        pollKeyCount = 0;
    }

    public void AddRecord(int key, long offset, long value, int recordKey = -1)
    {
        if (recordCount == records.Length) Array.Resize(ref records, recordCount * 2);
        records[recordCount++] = new PolledRecord(key, offset, value, recordKey);
    }

    public void AddEmptyKey(int key)
    {
        AddToKeys(key);
        pollKeyCount++;
    }

    public void EndPoll() => Add(new MicroOperation(OperationKind.Poll, -1, 0)
    {
        FirstRecord = pollRecords,
        RecordCount = recordCount - pollRecords,
        FirstEmptyKey = pollKeys,
        EmptyKeyCount = pollKeyCount,
    });

    public void AddPoll(ReadOnlySpan<PolledRecord> polled, ReadOnlySpan<int> emptyKeys)
    {
        BeginPoll();
        foreach (ref readonly var record in polled) AddRecord(record.Key, record.Offset, record.Value, record.RecordKey);
        foreach (var key in emptyKeys) AddEmptyKey(key);
        EndPoll();
    }

    public void SetKeys(ReadOnlySpan<int> of)
    {
        (open.FirstKey, open.KeyCount) = (keyCount, of.Length);
        foreach (var key in of) AddToKeys(key);
    }

    public void SetTopics(ReadOnlySpan<int> of)
    {
        (open.FirstTopic, open.TopicCount) = (keyCount, of.Length);
        foreach (var topic in of) AddToKeys(topic);
    }

    public void SetOffsets(ReadOnlySpan<KeyOffset> of)
    {
        (open.FirstOffset, open.OffsetCount) = (offsetCount, of.Length);
        Reserve(ref offsets, offsetCount + of.Length);
        of.CopyTo(offsets.AsSpan(offsetCount));
        offsetCount += of.Length;
    }

    public void SetValues(ReadOnlySpan<long> of)
    {
        (open.FirstValue, open.ValueCount) = (valueCount, of.Length);
        Reserve(ref values, valueCount + of.Length);
        of.CopyTo(values.AsSpan(valueCount));
        valueCount += of.Length;
    }

    public void SetDetail(in EventDetail detail)
    {
        if (open.Detail < 0)
        {
            Reserve(ref details, detailCount + 1);
            open.Detail = detailCount++;
        }
        details[open.Detail] = detail;
    }

    /// <summary>The event's position.</summary>
    public int End()
    {
        open.OperationCount = operationCount - open.FirstOperation;
        if (headerCount == headers.Length) Array.Resize(ref headers, headerCount * 2);
        headers[headerCount] = open;
        return headerCount++;
    }

    /// <summary>Copies an event of any log that shares this one's names.</summary>
    public int Append(in HistoryEvent e)
    {
        Begin(e.Type, e.Function, e.Process, e.Time);
        open.Index = e.Index;
        if (e.Function == EventFunction.Other) open.OtherFunction = Names.Intern(e.FunctionWord);
        if (e.SeekToBeginning) SeekToBeginning();
        if (e.IsFinal) MarkFinal();
        if (e.Keys.Length > 0) SetKeys(e.Keys);
        if (e.Topics.Length > 0) SetTopics(e.Topics);
        if (e.Offsets.Length > 0) SetOffsets(e.Offsets);
        if (e.Values.Length > 0) SetValues(e.Values);
        if (e.HasDetail) SetDetail(e.Detail);
        foreach (ref readonly var operation in e.Operations) Append(e, operation);
        return End();
    }

    private void Append(in HistoryEvent e, in MicroOperation operation)
    {
        if (operation.Kind == OperationKind.Send) Add(operation);
        else AddPoll(e.Records(operation), e.EmptyKeys(operation));
    }

    internal void Add(in MicroOperation operation)
    {
        if (operationCount == operations.Length) Array.Resize(ref operations, operationCount * 2);
        operations[operationCount++] = operation;
    }

    private void AddToKeys(int key)
    {
        if (keyCount == keys.Length) Array.Resize(ref keys, keyCount * 2);
        keys[keyCount++] = key;
    }

    private static void Reserve<T>(ref T[] array, int count)
    {
        if (count > array.Length) Array.Resize(ref array, Math.Max(count, Math.Max(4, array.Length * 2)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ref readonly EventHeader HeaderAt(int position) => ref headers[position];

    internal ReadOnlySpan<MicroOperation> OperationsAt(int first, int count) => operations.AsSpan(first, count);

    internal ReadOnlySpan<PolledRecord> RecordsAt(int first, int count) => records.AsSpan(first, count);

    internal ReadOnlySpan<int> KeysAt(int first, int count) => keys.AsSpan(first, count);

    internal ReadOnlySpan<KeyOffset> OffsetsAt(int first, int count) => offsets.AsSpan(first, count);

    internal ReadOnlySpan<long> ValuesAt(int first, int count) => values.AsSpan(first, count);

    internal ref readonly EventDetail DetailAt(int position) => ref details[position];

    public struct Enumerator(HistoryLog log)
    {
        private int position = -1;

        public readonly HistoryEvent Current => new(log, position);

        public bool MoveNext() => ++position < log.headerCount;
    }
}
