using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;

namespace Verify.History;

/// <summary>One line of JSON into one event of a log. A step by step reading; the records of a poll take <see cref="RecordScanner"/>'s short cut.</summary>
internal sealed class EventParser(HistoryLog log)
{
    private readonly RecordScanner scanner = new(log);
    private readonly List<int> keys = [];
    private readonly List<long> values = [];
    private readonly List<KeyOffset> offsets = [];
    private EventDetail detail;
    private bool hasDetail, hasType, hasFunction, hasProcess, hasMops, hasValue;
    private int start;                                                 // where in the line the JSON reader was started
    private int mop = -1;
    private string member = "";

    /// <summary>Where parsing stands, for errors.</summary>
    public string Field => mop < 0 ? member : member.Length == 0 ? $"mops[{mop}]" : $"mops[{mop}].{member}";

    public void Parse(ReadOnlySpan<byte> line, long index)
    {
        (hasDetail, hasType, hasFunction, hasProcess, hasMops, hasValue) = (false, false, false, false, false, false);
        (start, mop, member, detail) = (0, -1, "", new EventDetail());
        log.Begin(EventType.Invoke, EventFunction.Other, -1, 0);
        log.Open.Index = index;
        var json = new Utf8JsonReader(line);
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject) throw new FieldException("an event is one JSON object per line");
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName) Property(ref json, line);
        member = "";
        json.Read();                                                   // anything behind the object is refused here
        Require();
        if (hasDetail) log.SetDetail(detail);
        log.End();
    }

    private void Require()
    {
        member = "type";
        if (!hasType) throw new FieldException("missing");
        member = "f";
        if (!hasFunction) throw new FieldException("missing");
        if (hasMops && log.Open.Function == EventFunction.Other) throw new FieldException("with mops must be send, poll or txn");
        member = "process";
        var needsProcess = log.Open.Function is not (EventFunction.Other or EventFunction.Observe or EventFunction.Heal or EventFunction.Create or EventFunction.Delete or EventFunction.List);
        if (needsProcess && !hasProcess) throw new FieldException("missing");
        if (log.Open.Function != EventFunction.Process) return;
        member = "key";
        if (detail.Key < 0) throw new FieldException("missing");
        member = "offset";
        if (detail.Offset < 0 && !hasValue) throw new FieldException("missing, and no value either");
    }

    private void Property(ref Utf8JsonReader json, ReadOnlySpan<byte> line)
    {
        var name = json.ValueSpan;
        if (name.SequenceEqual("mops"u8)) Mops(ref json, line);
        else if (name.SequenceEqual("index"u8)) log.Open.Index = Integer(ref json, "index");
        else if (name.SequenceEqual("time"u8)) log.Open.Time = Integer(ref json, "time");
        else if (name.SequenceEqual("process"u8)) Process(ref json);
        else if (name.SequenceEqual("type"u8)) Type(ref json);
        else if (name.SequenceEqual("f"u8)) Function(ref json);
        else if (name.SequenceEqual("keys"u8)) { Names(ref json, "keys", log.Keys); log.SetKeys(CollectionsMarshal.AsSpan(keys)); }
        else if (name.SequenceEqual("topics"u8)) { Names(ref json, "topics", log.Names); log.SetTopics(CollectionsMarshal.AsSpan(keys)); }
        else if (name.SequenceEqual("seekToBeginning"u8)) { if (Flag(ref json, "seekToBeginning")) log.SeekToBeginning(); }
        else if (name.SequenceEqual("final"u8)) { if (Flag(ref json, "final")) log.MarkFinal(); }
        else if (name.SequenceEqual("offsets"u8)) Offsets(ref json);
        else if (name.SequenceEqual("values"u8)) Values(ref json);
        else if (!Detail(ref json, name)) Skip(ref json);
    }

    private bool Detail(ref Utf8JsonReader json, ReadOnlySpan<byte> name)
    {
        if (name.SequenceEqual("key"u8)) detail = detail with { Key = Name(ref json, "key", log.Keys) };
        else if (name.SequenceEqual("offset"u8)) detail = detail with { Offset = Offset(ref json, "offset") };
        else if (name.SequenceEqual("endOffset"u8)) detail = detail with { EndOffset = Offset(ref json, "endOffset") };
        else if (name.SequenceEqual("value"u8)) (detail, hasValue) = (detail with { Value = Value(ref json, "value") }, true);
        else if (name.SequenceEqual("node"u8)) detail = detail with { Node = Int32(ref json, "node") };
        else if (name.SequenceEqual("epoch"u8)) detail = detail with { Epoch = Int32(ref json, "epoch") };
        else if (name.SequenceEqual("other"u8)) detail = detail with { Other = Int32(ref json, "other") };
        else if (name.SequenceEqual("generation"u8)) detail = detail with { Generation = Int32(ref json, "generation") };
        else if (name.SequenceEqual("group"u8)) detail = detail with { Group = Name(ref json, "group", log.Names) };
        else if (name.SequenceEqual("member"u8)) detail = detail with { Member = Name(ref json, "member", log.Names) };
        else if (name.SequenceEqual("commitInvokedTime"u8)) detail = detail with { CommitInvokedTime = Integer(ref json, "commitInvokedTime") };
        else if (name.SequenceEqual("kind"u8)) detail = detail with { Kind = Kind(ref json) };
        else if (name.SequenceEqual("nodes"u8)) detail = detail with { Nodes = Nodes(ref json) };
        else return false;
        hasDetail = true;
        return true;
    }

    private void Process(ref Utf8JsonReader json)
    {
        Next(ref json, "process");
        hasProcess = json.TokenType != JsonTokenType.Null;
        log.Open.Process = json.TokenType switch
        {
            JsonTokenType.Number when json.TryGetInt32(out var number) && number >= 0 => number,
            JsonTokenType.String => -2 - log.Names.Intern(Text(ref json)),
            JsonTokenType.Null => -1,
            _ => throw new FieldException("must be a number from 0, or a name"),
        };
    }

    private void Type(ref Utf8JsonReader json)
    {
        Next(ref json, "type");
        if (json.TokenType != JsonTokenType.String || EventWords.Type(json.ValueSpan) is not { } type) throw new FieldException("must be invoke, ok, fail or info");
        log.Open.Type = type;
        hasType = true;
    }

    private void Function(ref Utf8JsonReader json)
    {
        Next(ref json, "f");
        if (json.TokenType != JsonTokenType.String) throw new FieldException("must be a word");
        log.Open.Function = EventWords.Function(json.ValueSpan);
        if (log.Open.Function == EventFunction.Other) log.Open.OtherFunction = log.Names.Intern(Text(ref json));
        hasFunction = true;
    }

    private void Mops(ref Utf8JsonReader json, ReadOnlySpan<byte> line)
    {
        Next(ref json, "mops");
        if (json.TokenType == JsonTokenType.Null) return;
        if (json.TokenType != JsonTokenType.StartArray) throw new FieldException("must be a list");
        if (hasMops) throw new FieldException("given twice");
        hasMops = true;
        for (mop = 0; json.Read() && json.TokenType != JsonTokenType.EndArray; mop++) MicroOperation(ref json, line);
        mop = -1;
    }

    private void MicroOperation(ref Utf8JsonReader json, ReadOnlySpan<byte> line)
    {
        member = "";
        if (json.TokenType != JsonTokenType.StartObject) throw new FieldException("must be an object");
        OperationKind? kind = null;
        var (key, recordKey, value, offset, isTombstone) = (-1, -1, TextValue.None, -1L, false);
        log.BeginPoll();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var name = json.ValueSpan;
            if (name.SequenceEqual("op"u8)) kind = Operation(ref json);
            else if (name.SequenceEqual("key"u8)) key = Name(ref json, "key", log.Keys);
            else if (name.SequenceEqual("value"u8)) value = Value(ref json, "value");
            else if (name.SequenceEqual("offset"u8)) offset = Offset(ref json, "offset");
            else if (name.SequenceEqual("recordKey"u8)) recordKey = NameOrNull(ref json, "recordKey", log.Names);
            else if (name.SequenceEqual("tombstone"u8)) isTombstone = Flag(ref json, "tombstone");
            else if (name.SequenceEqual("records"u8)) Records(ref json, line);
            else if (name.SequenceEqual("emptyKeys"u8)) EmptyKeys(ref json);
            else Skip(ref json);
        }
        (member, var missing) = kind is null ? ("op", true) : kind == OperationKind.Poll ? ("", false) : key < 0 ? ("key", true) : ("value", value == TextValue.None);
        if (missing) throw new FieldException("missing");
        if (kind == OperationKind.Send) log.Add(Verify.History.MicroOperation.Send(key, value, offset, recordKey) with { IsTombstone = isTombstone });
        else log.EndPoll();
    }

    private OperationKind Operation(ref Utf8JsonReader json)
    {
        Next(ref json, "op");
        if (json.TokenType == JsonTokenType.String && json.ValueTextEquals("send"u8)) return OperationKind.Send;
        if (json.TokenType == JsonTokenType.String && json.ValueTextEquals("poll"u8)) return OperationKind.Poll;
        throw new FieldException("must be send or poll");
    }

    private void Records(ref Utf8JsonReader json, ReadOnlySpan<byte> line)
    {
        Next(ref json, "records");
        if (json.TokenType == JsonTokenType.Null) return;
        if (json.TokenType != JsonTokenType.StartArray) throw new FieldException("must be a list");
        start = scanner.Scan(line, start + (int)json.BytesConsumed);   // to the first element that needs a closer look, or the end of the list
        json = new Utf8JsonReader(line[start..], isFinalBlock: true, json.CurrentState);
        while (json.Read() && json.TokenType != JsonTokenType.EndArray) Record(ref json);
    }

    private void Record(ref Utf8JsonReader json)
    {
        if (json.TokenType != JsonTokenType.StartObject) throw new FieldException("must hold objects");
        var (key, recordKey, value, offset) = (-1, -1, TextValue.None, -1L);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var name = json.ValueSpan;
            if (name.SequenceEqual("key"u8)) key = Name(ref json, "records.key", log.Keys);
            else if (name.SequenceEqual("value"u8)) value = Value(ref json, "records.value");
            else if (name.SequenceEqual("offset"u8)) offset = Offset(ref json, "records.offset");
            else if (name.SequenceEqual("recordKey"u8)) recordKey = NameOrNull(ref json, "records.recordKey", log.Names);
            else Skip(ref json);
        }
        member = key < 0 ? "records.key" : "records.value";
        if (key < 0 || value == TextValue.None) throw new FieldException("missing");
        log.AddRecord(key, offset, value, recordKey);
    }

    private void EmptyKeys(ref Utf8JsonReader json)
    {
        Names(ref json, "emptyKeys", log.Keys);
        foreach (var key in keys) log.AddEmptyKey(key);
    }

    private void Offsets(ref Utf8JsonReader json)
    {
        Next(ref json, "offsets");
        if (json.TokenType != JsonTokenType.StartObject) throw new FieldException("must be an object of key: next offset");
        offsets.Clear();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var key = log.Keys.Intern(Text(ref json));
            offsets.Add(new KeyOffset(key, Offset(ref json, "offsets")));
        }
        log.SetOffsets(CollectionsMarshal.AsSpan(offsets));
    }

    private void Values(ref Utf8JsonReader json)
    {
        Next(ref json, "values");
        if (json.TokenType != JsonTokenType.StartArray) throw new FieldException("must be a list");
        values.Clear();
        while (json.Read() && json.TokenType != JsonTokenType.EndArray) values.Add(ValueHere(ref json));
        log.SetValues(CollectionsMarshal.AsSpan(values));
    }

    private ulong Nodes(ref Utf8JsonReader json)
    {
        Next(ref json, "nodes");
        if (json.TokenType != JsonTokenType.StartArray) throw new FieldException("must be a list of numbers from 0 to 63");
        var nodes = 0ul;
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
            nodes |= json.TokenType == JsonTokenType.Number && json.TryGetInt32(out var node) && node is >= 0 and < 64 ? 1ul << node : throw new FieldException("must be a list of numbers from 0 to 63");
        return nodes;
    }

    private void Names(ref Utf8JsonReader json, string of, NameTable table)
    {
        Next(ref json, of);
        keys.Clear();
        if (json.TokenType == JsonTokenType.Null) return;
        if (json.TokenType != JsonTokenType.StartArray) throw new FieldException("must be a list");
        while (json.Read() && json.TokenType != JsonTokenType.EndArray) keys.Add(NameHere(ref json, table));
    }

    private ObserveKind Kind(ref Utf8JsonReader json)
    {
        Next(ref json, "kind");
        return json.TokenType == JsonTokenType.String ? EventWords.Kind(json.ValueSpan) : throw new FieldException("must be a word");
    }

    private bool Flag(ref Utf8JsonReader json, string of)
    {
        Next(ref json, of);
        return json.TokenType switch
        {
            JsonTokenType.True => true,
            JsonTokenType.False or JsonTokenType.Null => false,
            _ => throw new FieldException("must be true or false"),
        };
    }

    private int Name(ref Utf8JsonReader json, string of, NameTable table)
    {
        Next(ref json, of);
        return NameHere(ref json, table);
    }

    private int NameOrNull(ref Utf8JsonReader json, string of, NameTable table)
    {
        Next(ref json, of);
        return json.TokenType == JsonTokenType.Null ? -1 : NameHere(ref json, table);
    }

    private static int NameHere(ref Utf8JsonReader json, NameTable table) => json.TokenType switch
    {
        JsonTokenType.Number when json.TryGetInt64(out var integer) => table.Intern(integer),
        JsonTokenType.String when !json.ValueIsEscaped && Utf8.IsValid(json.ValueSpan) => table.Intern(json.ValueSpan),
        JsonTokenType.String => table.Intern(Text(ref json)),
        _ => throw new FieldException("must be an integer or a string"),
    };

    private long Value(ref Utf8JsonReader json, string of)
    {
        Next(ref json, of);
        return ValueHere(ref json);
    }

    private long ValueHere(ref Utf8JsonReader json) => json.TokenType switch
    {
        JsonTokenType.Number when json.TryGetInt64(out var integer) && integer >= TextValue.FirstInteger => integer,
        JsonTokenType.String => TextValue.Of(log.Names.Intern(Text(ref json))),
        _ => throw new FieldException("must be a 64-bit integer or a string"),
    };

    /// <summary>-1 and null both say: not known.</summary>
    private long Offset(ref Utf8JsonReader json, string of)
    {
        Next(ref json, of);
        if (json.TokenType == JsonTokenType.Null) return -1;
        return json.TokenType == JsonTokenType.Number && json.TryGetInt64(out var offset) && offset >= -1 ? offset : throw new FieldException("must be an integer from 0");
    }

    private long Integer(ref Utf8JsonReader json, string of)
    {
        Next(ref json, of);
        return json.TokenType == JsonTokenType.Number && json.TryGetInt64(out var integer) ? integer : throw new FieldException("must be an integer");
    }

    private int Int32(ref Utf8JsonReader json, string of)
    {
        Next(ref json, of);
        return json.TokenType == JsonTokenType.Number && json.TryGetInt32(out var integer) ? integer : throw new FieldException("must be an integer of 32 bits");
    }

    private void Next(ref Utf8JsonReader json, string of)
    {
        member = of;
        json.Read();
    }

    private static void Skip(ref Utf8JsonReader json)
    {
        json.Read();
        json.Skip();
    }

    private static string Text(ref Utf8JsonReader json)
    {
        try
        {
            return json.GetString()!;
        }
        catch (InvalidOperationException)                              // the framework's word for bytes that are not UTF-8
        {
            throw new FieldException("is not valid UTF-8");
        }
    }
}
