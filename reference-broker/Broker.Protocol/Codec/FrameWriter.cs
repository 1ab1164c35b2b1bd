using System.Buffers.Binary;
using System.Text;

namespace Broker.Protocol;

/// <summary>Writes the fields of a message into a buffer that has room for them: <see cref="FrameSizer"/> was asked before.</summary>
public struct FrameWriter(byte[] frame, int position, bool flexible) : ICodec
{
    private int position = position;

    public readonly bool Reads => false;

    public readonly int Position => position;

    public void Bool(ref bool value, string field = "") => frame[position++] = value ? (byte)1 : (byte)0;

    public void Int8(ref sbyte value, string field = "") => frame[position++] = (byte)value;

    public void Int16(ref short value, string field = "") => BinaryPrimitives.WriteInt16BigEndian(Next(2), value);

    public void UInt16(ref ushort value, string field = "") => BinaryPrimitives.WriteUInt16BigEndian(Next(2), value);

    public void Int32(ref int value, string field = "") => BinaryPrimitives.WriteInt32BigEndian(Next(4), value);

    public void Int64(ref long value, string field = "") => BinaryPrimitives.WriteInt64BigEndian(Next(8), value);

    public void Uuid(ref Guid value, string field = "") => value.TryWriteBytes(Next(16), bigEndian: true, out _);

    public void String(ref string value, string field = "") => Text(value);

    public void NullableString(ref string? value, bool allowed = true, string field = "") => Text(value);

    /// <summary>A nullable string with its classic two-byte length even where the version is flexible: the client id of request headers.</summary>
    public void ClassicString(string? value)
    {
        if (value is null)
        {
            BinaryPrimitives.WriteInt16BigEndian(Next(2), -1);
            return;
        }
        var start = position + 2;
        var length = Encoding.UTF8.GetBytes(value, frame.AsSpan(start));
        BinaryPrimitives.WriteInt16BigEndian(Next(2), (short)length);
        position += length;
    }

    public void Records(ref ReadOnlyMemory<byte>? value, string field = "")
    {
        var length = value?.Length ?? -1;
        Count(ref length, true, field);
        if (value is { } bytes) bytes.Span.CopyTo(Next(length));
    }

    public void Count(ref int count, bool nullable, string field)
    {
        if (flexible) Uvarint((uint)(count + 1));
        else BinaryPrimitives.WriteInt32BigEndian(Next(4), count);
    }

    /// <summary>One byte for the number of tagged fields, counted up by each: no struct of the protocol has 128.</summary>
    public TaggedFields BeginTags()
    {
        var tags = new TaggedFields { Current = position };
        if (flexible) frame[position++] = 0;
        return tags;
    }

    public bool Tag(ref TaggedFields tags, int tag, bool present)
    {
        if (!flexible || !present) return false;
        frame[tags.Current]++;
        Uvarint((uint)tag);
        tags.Mark = ++position;                                         // one byte for the size; EndTag makes room where it takes more
        return true;
    }

    public void EndTag(ref TaggedFields tags)
    {
        var end = position;
        var size = end - tags.Mark;
        var longer = FrameSizer.UvarintLength((uint)size) - 1;
        if (longer > 0) frame.AsSpan(tags.Mark, size).CopyTo(frame.AsSpan(tags.Mark + longer));
        position = tags.Mark - 1;
        Uvarint((uint)size);
        position = end + longer;
    }

    public void EndOfFields(ref TaggedFields tags)
    {
    }

    private void Text(string? value)
    {
        if (!flexible)
        {
            ClassicString(value);
            return;
        }
        if (value is null)
        {
            Uvarint(0);
            return;
        }
        var length = Encoding.UTF8.GetByteCount(value);
        Uvarint((uint)(length + 1));
        Encoding.UTF8.GetBytes(value, Next(length));
    }

    private void Uvarint(uint value)
    {
        for (; value >= 0x80; value >>= 7) frame[position++] = (byte)(value | 0x80);
        frame[position++] = (byte)value;
    }

    private Span<byte> Next(int length)
    {
        var next = frame.AsSpan(position, length);
        position += length;
        return next;
    }
}
