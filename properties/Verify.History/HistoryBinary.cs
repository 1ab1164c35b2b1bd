using System.Buffers.Binary;
using System.Text;

namespace Verify.History;

/// <summary>
/// The compact form of a history that is still being written: after 8 bytes of magic, frames of a length and variable-length integers, one per event or new name.
/// A file cut off at any byte reads back up to its last whole frame.
/// </summary>
internal static class HistoryBinary
{
    /// <summary>In the place of an operation's kind: a send that deletes its record key.</summary>
    public const int Tombstone = 2;

    public static ReadOnlySpan<byte> Magic => "mqhist\0\u0001"u8;

    public const int KeyName = 0;
    public const int OtherName = 1;
    public const int Event = 2;
}

/// <summary>Writes events in the compact form. <see cref="Flush"/> hands everything to the stream.</summary>
public sealed class HistoryBinaryWriter(Stream output) : IDisposable
{
    private byte[] frame = new byte[256];
    private byte[] buffer = new byte[1 << 16];
    private int frameLength, length, writtenKeys, writtenNames;
    private long previousTime;
    private bool started;

    public void Write(in HistoryEvent e)
    {
        if (!started) Append(HistoryBinary.Magic);
        started = true;
        for (; writtenKeys < e.KeyNames.Count; writtenKeys++) Name(HistoryBinary.KeyName, e.KeyNames[writtenKeys]);
        for (; writtenNames < e.Names.Count; writtenNames++) Name(HistoryBinary.OtherName, e.Names[writtenNames]);
        Put(HistoryBinary.Event);
        Header(e);
        foreach (ref readonly var operation in e.Operations)
        {
            Put(operation.IsTombstone ? HistoryBinary.Tombstone : (long)operation.Kind);
            if (operation.Kind == OperationKind.Send) Send(operation);
            else Poll(e, operation);
        }
        Put(e.Keys);
        Put(e.Topics);
        Put(e.Offsets.Length);
        foreach (var (key, offset) in e.Offsets) { Put(key); Put(offset); }
        Put(e.Values.Length);
        foreach (var value in e.Values) Put(value);
        if (e.HasDetail) Detail(e.Detail);
        EndFrame();
    }

    public void Flush()
    {
        output.Write(buffer, 0, length);
        length = 0;
        output.Flush();
    }

    public void Dispose() => Flush();

    private void Header(in HistoryEvent e)
    {
        Put((int)e.Type | (int)e.Function << 2 | (e.SeekToBeginning ? 256 : 0) | (e.IsFinal ? 512 : 0) | (e.HasDetail ? 1024 : 0));
        Put(e.Index);
        Put(e.Time - previousTime);
        previousTime = e.Time;
        Put(e.Process);
        if (e.Function == EventFunction.Other) Put(e.Names.Find(e.FunctionWord));
        Put(e.Operations.Length);
    }

    private void Send(in MicroOperation send)
    {
        Put(send.Key);
        Put(send.Value);
        Put(send.Offset);
        Put(send.RecordKey);
    }

    private void Poll(in HistoryEvent e, in MicroOperation poll)
    {
        var (key, offset, value) = (0L, 0L, 0L);
        Put(poll.RecordCount);
        foreach (ref readonly var record in e.Records(poll))
        {
            Put(record.Key - key);
            Put(record.Offset - offset);
            Put(record.Value - value);
            Put(record.RecordKey);
            (key, offset, value) = (record.Key, record.Offset, record.Value);
        }
        Put(e.EmptyKeys(poll));
    }

    private void Detail(in EventDetail detail)
    {
        foreach (var number in (ReadOnlySpan<long>)[detail.Group, detail.Member, detail.Generation, (long)detail.Kind, detail.Node, detail.Key, detail.Epoch, detail.Offset, detail.EndOffset, detail.Other, (long)detail.Nodes, detail.Value, detail.CommitInvokedTime])
            Put(number);
    }

    private void Name(int kind, string name)
    {
        Put(kind);
        var bytes = Encoding.UTF8.GetBytes(name);
        Room(bytes.Length);
        bytes.CopyTo(frame, frameLength);
        frameLength += bytes.Length;
        EndFrame();
    }

    private void Put(ReadOnlySpan<int> numbers)
    {
        Put(numbers.Length);
        foreach (var number in numbers) Put(number);
    }

    /// <summary>Zigzag, seven bits at a time.</summary>
    private void Put(long number)
    {
        Room(10);
        var rest = (ulong)(number << 1) ^ (ulong)(number >> 63);
        for (; rest >= 128; rest >>= 7) frame[frameLength++] = (byte)(rest | 128);
        frame[frameLength++] = (byte)rest;
    }

    private void Room(int bytes)
    {
        if (frameLength + bytes > frame.Length) Array.Resize(ref frame, Math.Max(frame.Length * 2, frameLength + bytes));
    }

    private void EndFrame()
    {
        Span<byte> size = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(size, frameLength);
        Append(size);
        Append(frame.AsSpan(0, frameLength));
        frameLength = 0;
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        if (length + bytes.Length > buffer.Length)
        {
            output.Write(buffer, 0, length);
            length = 0;
        }
        if (bytes.Length > buffer.Length) output.Write(bytes);
        else bytes.CopyTo(buffer.AsSpan(length));
        length += bytes.Length > buffer.Length ? 0 : bytes.Length;
    }
}

/// <summary>Reads the compact form, one event at a time.</summary>
public sealed class HistoryBinaryReader(Stream input)
{
    private readonly HistoryLog scratch = new();
    private byte[] frame = new byte[256];
    private int frameLength, at;
    private long previousTime, count;
    private bool started;

    /// <summary>The file ends within a frame: its writer was cut off.</summary>
    public bool IsCutOff { get; private set; }

    public NameTable Keys => scratch.Keys;

    public NameTable Names => scratch.Names;

    /// <summary>The next event, valid until the next call; false at the end, or where the file was cut off.</summary>
    /// <exception cref="HistoryFormatException">This is no such file, or a damaged one.</exception>
    public bool Read(out HistoryEvent e)
    {
        if (!started) Start();
        while (NextFrame())
        {
            switch (Take())
            {
                case HistoryBinary.KeyName: Keys.Intern(Encoding.UTF8.GetString(frame, at, frameLength - at)); continue;
                case HistoryBinary.OtherName: Names.Intern(Encoding.UTF8.GetString(frame, at, frameLength - at)); continue;
                case HistoryBinary.Event: Event(); break;
                default: throw Damaged("unknown frame");
            }
            count++;
            e = scratch[0];
            return true;
        }
        e = default;
        return false;
    }

    /// <summary>All of it in memory.</summary>
    public static HistoryLog ReadAll(Stream input)
    {
        var reader = new HistoryBinaryReader(input);
        var log = new HistoryLog(reader.Keys, reader.Names);
        while (reader.Read(out var e)) log.Append(e);
        return log;
    }

    private void Start()
    {
        started = true;
        Span<byte> magic = stackalloc byte[8];
        var read = input.ReadAtLeast(magic, 8, throwOnEndOfStream: false);
        if (read == 8 && !magic.SequenceEqual(HistoryBinary.Magic)) throw Damaged("not a history in the compact form");
        IsCutOff = read is > 0 and < 8;
    }

    private bool NextFrame()
    {
        Span<byte> size = stackalloc byte[4];
        var read = input.ReadAtLeast(size, 4, throwOnEndOfStream: false);
        if (read < 4)
        {
            IsCutOff |= read > 0;
            return false;
        }
        frameLength = BinaryPrimitives.ReadInt32LittleEndian(size);
        if (frameLength <= 0) throw Damaged("frame without content");
        at = 0;
        for (var have = 0; have < frameLength;)
        {
            if (have == frame.Length) Array.Resize(ref frame, (int)Math.Min((long)frame.Length * 4, frameLength));      // grows as bytes arrive, whatever length is claimed
            var more = input.Read(frame, have, Math.Min(frame.Length, frameLength) - have);
            IsCutOff = more == 0;
            if (IsCutOff) return false;
            have += more;
        }
        return true;
    }

    private void Event()
    {
        scratch.Clear();
        var bits = Int();
        var (type, function) = ((EventType)(bits & 3), (EventFunction)(bits >> 2 & 63));
        var index = Take();
        previousTime += Take();
        scratch.Begin(type, function, Int(), previousTime);
        scratch.Open.Index = index;
        if (function == EventFunction.Other) scratch.Open.OtherFunction = Known(Names, -1);
        if ((bits & 256) != 0) scratch.SeekToBeginning();
        if ((bits & 512) != 0) scratch.MarkFinal();
        for (var operations = Length(); operations > 0; operations--) Operation();
        scratch.SetKeys(Several(Keys));
        scratch.SetTopics(Several(Names));
        var offsets = new KeyOffset[Length()];
        for (var i = 0; i < offsets.Length; i++) offsets[i] = new KeyOffset(Known(Keys, 0), Take());
        scratch.SetOffsets(offsets);
        var values = new long[Length()];
        for (var i = 0; i < values.Length; i++) values[i] = Take();
        scratch.SetValues(values);
        if ((bits & 1024) != 0) Detail();
        scratch.End();
    }

    private void Operation()
    {
        var kind = Int();
        if (kind is (int)OperationKind.Send or HistoryBinary.Tombstone)
        {
            var (key, value, offset) = (Known(Keys, 0), Take(), Take());
            scratch.Add(MicroOperation.Send(key, value, offset, Known(Names, -1)) with { IsTombstone = kind == HistoryBinary.Tombstone });
            return;
        }
        var last = (Key: 0L, Offset: 0L, Value: 0L);
        scratch.BeginPoll();
        for (var records = Length(); records > 0; records--)
        {
            last = (last.Key + Take(), last.Offset + Take(), last.Value + Take());
            if (last.Key < 0 || last.Key >= Keys.Count) throw Damaged("a number that names nothing");
            scratch.AddRecord((int)last.Key, last.Offset, last.Value, Known(Names, -1));
        }
        foreach (var key in Several(Keys)) scratch.AddEmptyKey(key);
        scratch.EndPoll();
    }

    private void Detail() => scratch.SetDetail(new EventDetail
    {
        Group = Known(Names, -1),
        Member = Known(Names, -1),
        Generation = Int(),
        Kind = (ObserveKind)Int(),
        Node = Int(),
        Key = Known(Keys, -1),
        Epoch = Int(),
        Offset = Take(),
        EndOffset = Take(),
        Other = Int(),
        Nodes = (ulong)Take(),
        Value = Take(),
        CommitInvokedTime = Take(),
    });

    private int[] Several(NameTable names)
    {
        var several = new int[Length()];
        for (var i = 0; i < several.Length; i++) several[i] = Known(names, 0);
        return several;
    }

    private int Known(NameTable names, int lowest) => Take() is var number && number >= lowest && number < names.Count ? (int)number : throw Damaged("a number that names nothing");

    /// <summary>Of a list: each element takes a byte at least, so no claim beyond the frame is believed.</summary>
    private int Length() => Take() is var number && number >= 0 && number <= frameLength - at ? (int)number : throw Damaged("a list longer than its frame");

    private int Int() => Take() is var number && number == (int)number ? (int)number : throw Damaged("a number out of range");

    private long Take()
    {
        var (result, shift) = (0ul, 0);
        while (at < frameLength && shift < 64)
        {
            var next = frame[at++];
            result |= (ulong)(next & 127) << shift;
            if (next < 128) return (long)(result >> 1) ^ -(long)(result & 1);
            shift += 7;
        }
        throw Damaged("a number without end");
    }

    private HistoryFormatException Damaged(string problem) => new(count + 1, "", problem);
}
