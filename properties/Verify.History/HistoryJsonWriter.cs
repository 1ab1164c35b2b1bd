using System.Buffers.Text;
using System.Numerics;
using System.Text;
using System.Text.Json;

namespace Verify.History;

/// <summary>Writes events as JSON lines; what it writes, <see cref="HistoryJsonReader"/> reads back unchanged.</summary>
public sealed class HistoryJsonWriter(Stream output) : IDisposable
{
    private readonly Dictionary<int, byte[]> keys = [];
    private byte[] buffer = new byte[1 << 16];
    private int length;
    private NameTable? keyNames;

    public static void WriteAll(HistoryLog log, Stream output)
    {
        using var writer = new HistoryJsonWriter(output);
        foreach (var e in log) writer.Write(e);
    }

    public void Write(in HistoryEvent e)
    {
        Adopt(e.KeyNames);
        Raw("{\"index\":"u8);
        Integer(e.Index);
        Raw(",\"time\":"u8);
        Integer(e.Time);
        if (e.Process >= 0) Field(",\"process\":"u8, e.Process);
        else if (e.Process < -1) { Raw(",\"process\":"u8); Text(e.Names[-2 - e.Process]); }
        Raw(",\"type\":\""u8);
        Ascii(EventWords.Of(e.Type));
        Raw("\",\"f\":"u8);
        if (e.Function == EventFunction.Other) Text(e.FunctionWord);
        else { Raw("\""u8); Ascii(EventWords.Of(e.Function)); Raw("\""u8); }
        if (e.Operations.Length > 0) Operations(e);
        Keys(",\"keys\":["u8, e.Keys);
        if (e.Topics.Length > 0 || e.Function == EventFunction.List && e.Type == EventType.Ok) Topics(e);
        if (e.SeekToBeginning) Raw(",\"seekToBeginning\":true"u8);
        if (e.IsFinal) Raw(",\"final\":true"u8);
        if (e.HasDetail) Detail(e);
        if (e.Offsets.Length > 0) Offsets(e);
        if (e.Values.Length > 0) Values(e);
        Raw("}\n"u8);
        if (length > 1 << 15) Flush();
    }

    public void Flush()
    {
        output.Write(buffer, 0, length);
        length = 0;
    }

    public void Dispose()
    {
        Flush();
        output.Flush();
    }

    private void Operations(in HistoryEvent e)
    {
        Raw(",\"mops\":["u8);
        var first = true;
        foreach (ref readonly var operation in e.Operations)
        {
            if (!first) Raw(","u8);
            first = false;
            if (operation.Kind == OperationKind.Send) Send(e, operation);
            else Poll(e, operation);
        }
        Raw("]"u8);
    }

    private void Send(in HistoryEvent e, in MicroOperation send)
    {
        Raw("{\"op\":\"send\",\"key\":"u8);
        Key(send.Key);
        Raw(",\"value\":"u8);
        Value(send.Value, e.Names);
        if (send.RecordKey >= 0) { Raw(",\"recordKey\":"u8); Name(e.Names[send.RecordKey]); }
        if (send.IsTombstone) Raw(",\"tombstone\":true"u8);
        if (send.Offset >= 0) Field(",\"offset\":"u8, send.Offset);
        Raw("}"u8);
    }

    private void Poll(in HistoryEvent e, in MicroOperation poll)
    {
        Raw("{\"op\":\"poll\""u8);
        if (e.Type != EventType.Invoke) Records(e, e.Records(poll));
        Keys(",\"emptyKeys\":["u8, e.EmptyKeys(poll));
        Raw("}"u8);
    }

    private void Records(in HistoryEvent e, ReadOnlySpan<PolledRecord> records)
    {
        Raw(",\"records\":["u8);
        for (var i = 0; i < records.Length; i++)
        {
            ref readonly var record = ref records[i];
            Raw(i == 0 ? "{\"key\":"u8 : ",{\"key\":"u8);
            Key(record.Key);
            if (record.Offset >= 0) Field(",\"offset\":"u8, record.Offset);
            Raw(",\"value\":"u8);
            Value(record.Value, e.Names);
            if (record.RecordKey >= 0) { Raw(",\"recordKey\":"u8); Name(e.Names[record.RecordKey]); }
            Raw("}"u8);
        }
        Raw("]"u8);
    }

    private void Detail(in HistoryEvent e)
    {
        var detail = e.Detail;
        if (detail.Kind != ObserveKind.Other) { Raw(",\"kind\":\""u8); Ascii(EventWords.Of(detail.Kind)); Raw("\""u8); }
        if (detail.Group >= 0) { Raw(",\"group\":"u8); Name(e.Names[detail.Group]); }
        if (detail.Member >= 0) { Raw(",\"member\":"u8); Name(e.Names[detail.Member]); }
        if (detail.Generation >= 0) Field(",\"generation\":"u8, detail.Generation);
        if (detail.Node >= 0) Field(",\"node\":"u8, detail.Node);
        if (detail.Key >= 0) { Raw(",\"key\":"u8); Key(detail.Key); }
        if (detail.Epoch >= 0) Field(",\"epoch\":"u8, detail.Epoch);
        if (detail.Offset >= 0) Field(",\"offset\":"u8, detail.Offset);
        if (detail.EndOffset >= 0) Field(",\"endOffset\":"u8, detail.EndOffset);
        if (detail.Other != -1) Field(",\"other\":"u8, detail.Other);
        if (e.Function == EventFunction.Process) { Raw(",\"value\":"u8); Value(detail.Value, e.Names); }
        if (detail.CommitInvokedTime >= 0) Field(",\"commitInvokedTime\":"u8, detail.CommitInvokedTime);
        if (detail.Nodes != 0) Nodes(detail.Nodes);
    }

    private void Nodes(ulong nodes)
    {
        Raw(",\"nodes\":["u8);
        for (var rest = nodes; rest != 0; rest &= rest - 1) Field(rest == nodes ? ""u8 : ","u8, BitOperations.TrailingZeroCount(rest));
        Raw("]"u8);
    }

    private void Keys(ReadOnlySpan<byte> label, ReadOnlySpan<int> of)
    {
        if (of.Length == 0) return;
        Raw(label);
        for (var i = 0; i < of.Length; i++)
        {
            if (i > 0) Raw(","u8);
            Key(of[i]);
        }
        Raw("]"u8);
    }

    private void Topics(in HistoryEvent e)
    {
        Raw(",\"topics\":["u8);
        for (var i = 0; i < e.Topics.Length; i++)
        {
            if (i > 0) Raw(","u8);
            Name(e.Names[e.Topics[i]]);
        }
        Raw("]"u8);
    }

    private void Offsets(in HistoryEvent e)
    {
        Raw(",\"offsets\":{"u8);
        for (var i = 0; i < e.Offsets.Length; i++)
        {
            if (i > 0) Raw(","u8);
            Text(e.KeyNames[e.Offsets[i].Key]);
            Field(":"u8, e.Offsets[i].Offset);
        }
        Raw("}"u8);
    }

    private void Values(in HistoryEvent e)
    {
        Raw(",\"values\":["u8);
        for (var i = 0; i < e.Values.Length; i++)
        {
            if (i > 0) Raw(","u8);
            Value(e.Values[i], e.Names);
        }
        Raw("]"u8);
    }

    /// <summary>Numbers belong to one table; another log's events start afresh.</summary>
    private void Adopt(NameTable names)
    {
        if (keyNames == names) return;
        keyNames = names;
        keys.Clear();
    }

    private void Key(int key)
    {
        if (!keys.TryGetValue(key, out var written)) keys.Add(key, written = Written(keyNames![key]));
        Raw(written);
    }

    private void Name(string name) => Raw(Written(name));

    /// <summary>Names that are integers are written as such.</summary>
    private static byte[] Written(string name) =>
        long.TryParse(name, out var integer) && integer.ToString() == name ? Encoding.ASCII.GetBytes(name) : Quoted(name);

    private static byte[] Quoted(string text) => [(byte)'"', .. JsonEncodedText.Encode(text).EncodedUtf8Bytes, (byte)'"'];

    private void Value(long value, NameTable names)
    {
        if (TextValue.IsText(value)) Text(TextValue.Show(value, names));
        else Integer(value);
    }

    private void Text(string text) => Raw(Quoted(text));

    private void Ascii(string word)
    {
        Room(word.Length);
        length += Encoding.ASCII.GetBytes(word, buffer.AsSpan(length));
    }

    private void Field(ReadOnlySpan<byte> label, long value)
    {
        Raw(label);
        Integer(value);
    }

    private void Integer(long value)
    {
        Room(20);
        Utf8Formatter.TryFormat(value, buffer.AsSpan(length), out var written);
        length += written;
    }

    private void Raw(ReadOnlySpan<byte> bytes)
    {
        Room(bytes.Length);
        bytes.CopyTo(buffer.AsSpan(length));
        length += bytes.Length;
    }

    private void Room(int bytes)
    {
        if (length + bytes <= buffer.Length) return;
        if (length > 0) Flush();
        if (bytes > buffer.Length) buffer = new byte[bytes];
    }
}
