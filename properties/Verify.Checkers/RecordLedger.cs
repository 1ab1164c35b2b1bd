using System.Runtime.CompilerServices;
using Verify.History;

namespace Verify.Checkers;

/// <summary>
/// What all checkers of records share: every event is looked up once, here. It notes who sent what, how that ended, who read it and where it lay;
/// it judges nothing, and it stops at nothing: values that nobody sent or that come without an offset are entries like any other.
/// </summary>
internal sealed class RecordLedger
{
    private readonly List<PartitionLedger?> partitions = [];
    private readonly Dictionary<int, int> actorOf = [];                // process -> its present actor
    private readonly List<int> actors = [];                            // actor -> process
    private int[] resolved = new int[16];

    public NameTable Keys { get; private set; } = new();

    public NameTable Names { get; private set; } = new();

    public IEnumerable<PartitionLedger> Partitions => partitions.OfType<PartitionLedger>();

    /// <summary>Sends seen, invoked or completed.</summary>
    public bool SawSend { get; private set; }

    /// <summary>A successful poll, even of nothing.</summary>
    public bool SawPoll { get; private set; }

    /// <summary>A poll that returned something.</summary>
    public bool SawRecord { get; private set; }

    public int ProcessOf(int actor) => actor < 0 ? -1 : actors[actor];

    public PartitionLedger? Find(int key) => key < partitions.Count ? partitions[key] : null;

    /// <summary>Notes an event. The answer holds, for the records of its polls in order, their entries in their partition's ledger.</summary>
    public ReadOnlySpan<int> Observe(in HistoryEvent e, int position)
    {
        (Keys, Names) = (e.KeyNames, e.Names);
        if (e.Function == EventFunction.Crash) actorOf.Remove(e.Process);
        if (e.Function is not (EventFunction.Send or EventFunction.Poll or EventFunction.Txn)) return [];
        var count = 0;
        var operations = e.Operations;
        for (var i = 0; i < operations.Length; i++)
        {
            if (operations[i].Kind == OperationKind.Send) Send(e, operations[i], position, i);
            else if (e.Type != EventType.Invoke) count = Poll(e, e.Records(operations[i]), position, count);
        }
        return resolved.AsSpan(0, count);
    }

    private PartitionLedger Partition(int key)
    {
        while (partitions.Count <= key) partitions.Add(null);
        return partitions[key] ??= new PartitionLedger(key);
    }

    private void Send(in HistoryEvent e, in MicroOperation send, int position, int order)
    {
        SawSend = true;
        var partition = Partition(send.Key);
        var number = partition.Entry(send.Value);
        ref var entry = ref partition[number];
        if (!entry.Is(RecordFlags.Sent)) entry.Order = (ushort)Math.Min(order, ushort.MaxValue);
        if (e.Type == EventType.Invoke) Invoked(ref entry, position);
        else Completed(ref entry, e.Type, position);
        entry.Flags |= e.Function == EventFunction.Txn ? RecordFlags.Sent | RecordFlags.Transactional : RecordFlags.Sent;
        if (send.IsTombstone) entry.Flags |= RecordFlags.Tombstone;
        if (entry.Writer < 0) entry.Writer = Actor(e.Process);
        partition.SetRecordKey(number, send.RecordKey);
        if (e.Type == EventType.Ok && send.Offset >= 0) partition.Place(number, send.Offset);
    }

    private static void Invoked(ref RecordEntry entry, int position)
    {
        if (entry.Is(RecordFlags.Sent)) entry.Flags |= RecordFlags.SentTwice;
        else if (entry.Is(RecordFlags.Read)) entry.Flags |= RecordFlags.ReadBeforeInvoked;
        if (entry.Invoked < 0) entry.Invoked = position;
        entry.Flags |= RecordFlags.Invoked;
    }

    private static void Completed(ref RecordEntry entry, EventType type, int position)
    {
        const RecordFlags completed = RecordFlags.Ok | RecordFlags.Fail | RecordFlags.Info;
        if ((entry.Flags & completed) != 0) entry.Flags |= RecordFlags.SentTwice;
        if (entry.Invoked < 0) entry.Invoked = position;
        entry.Flags |= type switch
        {
            EventType.Ok => RecordFlags.Ok,
            EventType.Fail => RecordFlags.Fail,
            _ => RecordFlags.Info,
        };
        if (type == EventType.Ok && entry.Acknowledged < 0) entry.Acknowledged = position;
    }

    private int Actor(int process)
    {
        if (actorOf.TryGetValue(process, out var actor)) return actor;
        actors.Add(process);
        actorOf.Add(process, actors.Count - 1);
        return actors.Count - 1;
    }

    private int Poll(in HistoryEvent e, ReadOnlySpan<PolledRecord> records, int position, int count)
    {
        if (e.Type == EventType.Ok) SawPoll = true;
        if (records.Length == 0) return count;
        SawRecord = true;
        if (count + records.Length > resolved.Length) Array.Resize(ref resolved, Math.Max(count + records.Length, resolved.Length * 2));
        var read = e.Type == EventType.Ok ? RecordFlags.Read | RecordFlags.ReadOk : RecordFlags.Read;
        PartitionLedger? partition = null;
        foreach (ref readonly var record in records)
        {
            if (partition is null || partition.Key != record.Key) partition = Partition(record.Key);
            resolved[count++] = Record(partition, record, read, position);
        }
        return count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Record(PartitionLedger partition, in PolledRecord record, RecordFlags read, int position)
    {
        var number = partition.Expect(record.Offset, record.Value);
        if (number < 0)
        {
            number = partition.Entry(record.Value);
            if (record.Offset >= 0) partition.Place(number, record.Offset);
        }
        ref var entry = ref partition[number];
        if (entry.FirstRead < 0)
        {
            entry.FirstRead = position;
            partition.ReadCount++;
        }
        entry.Flags |= read;
        if ((read & RecordFlags.ReadOk) != 0 && record.Offset > partition.MaxReadOffset) partition.MaxReadOffset = record.Offset;
        return number;
    }

    public AffectedRecord Affected(PartitionLedger partition, int number)
    {
        ref readonly var entry = ref partition[number];
        var offset = partition.OffsetOf(number);
        var others = entry.Is(RecordFlags.Copied) ? partition.Copies()[number].Where(o => o != offset).ToArray() : [];
        return new AffectedRecord(partition.Key, entry.Value, offset, others, ProcessOf(entry.Writer), entry.Is(RecordFlags.Invoked) ? entry.Invoked : -1, entry.Acknowledged);
    }

    /// <summary>A case about some records of one partition; unknown offsets, processes and events are left out.</summary>
    public AnomalyCase Case(PartitionLedger partition, ReadOnlySpan<int> numbers, IReadOnlyList<long> offsets, IEnumerable<int> events, string note)
    {
        var values = new List<string>();
        var processes = new List<int>();
        foreach (var number in numbers)
        {
            values.Add(Show(partition[number].Value));
            if (partition[number].Writer >= 0) processes.Add(ProcessOf(partition[number].Writer));
        }
        return new AnomalyCase(Keys[partition.Key], offsets, values, processes, [.. events.Where(static e => e >= 0).Distinct().Select(static e => (long)e)], note);
    }

    public string Show(long value) => TextValue.Show(value, Names);
}

/// <summary>An event with what the ledger made of it.</summary>
internal readonly ref struct LedgerEvent(HistoryEvent e, int position, ReadOnlySpan<int> entries)
{
    public readonly HistoryEvent Event = e;

    /// <summary>In the history, from 0.</summary>
    public readonly int Position = position;

    /// <summary>For the records of all polls of the event in order: their entries.</summary>
    public readonly ReadOnlySpan<int> Entries = entries;
}

internal interface IChecker
{
    void Observe(in LedgerEvent e);

    Finding Conclude();

    /// <summary>Every record that an anomaly of this checker befell; empty for anomalies that are not about single records.</summary>
    IEnumerable<AffectedRecord> Affected(string anomaly) => [];
}
