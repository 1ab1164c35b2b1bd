using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Text;

namespace Broker.Protocol;

/// <summary>
/// Counts the bytes that <see cref="FrameWriter"/> will write, so that a frame is allocated once and at its size, and refuses what has no encoding.
/// </summary>
public struct FrameSizer(bool flexible, FrameSubject subject) : ICodec
{
    private int size;

    public readonly bool Reads => false;

    public readonly int Size => size;

    public void Bool(ref bool value, string field = "") => size++;

    public void Int8(ref sbyte value, string field = "") => size++;

    public void Int16(ref short value, string field = "") => size += 2;

    public void UInt16(ref ushort value, string field = "") => size += 2;

    public void Int32(ref int value, string field = "") => size += 4;

    public void Int64(ref long value, string field = "") => size += 8;

    public void Uuid(ref Guid value, string field = "") => size += 16;

    public void String(ref string value, string field = "") => Text(value, false, field);

    public void NullableString(ref string? value, bool allowed = true, string field = "") => Text(value, allowed, field);

    /// <summary>A nullable string with its classic two-byte length even where the version is flexible: the client id of request headers.</summary>
    public void ClassicString(string? value, string field)
    {
        var length = value is null ? 0 : Encoding.UTF8.GetByteCount(value);
        if (length > short.MaxValue) Refuse(field, $"has {length} bytes, more than a string of this version can");
        size += 2 + length;
    }

    public void Records(ref ReadOnlyMemory<byte>? value, string field = "")
    {
        var length = value?.Length ?? -1;
        Count(ref length, true, field);
        if (length > 0) size = checked(size + length);
    }

    public void Count(ref int count, bool nullable, string field)
    {
        if (count < 0 && !nullable) Refuse(field, "is null, for which this version has no encoding");
        size += flexible ? UvarintLength((uint)(count + 1)) : 4;
    }

    public TaggedFields BeginTags()
    {
        if (flexible) size++;
        return default;
    }

    public bool Tag(ref TaggedFields tags, int tag, bool present)
    {
        if (!flexible || !present) return false;
        size += UvarintLength((uint)tag);
        tags.Mark = size;
        return true;
    }

    public void EndTag(ref TaggedFields tags) => size += UvarintLength((uint)(size - tags.Mark));

    public void EndOfFields(ref TaggedFields tags)
    {
    }

    internal static int UvarintLength(uint value) => 1 + BitOperations.Log2(value) / 7;

    private void Text(string? value, bool nullable, string field)
    {
        if (value is null && !nullable) Refuse(field, "is null, for which this version has no encoding");
        if (!flexible)
        {
            ClassicString(value, field);
            return;
        }
        var length = value is null ? 0 : Encoding.UTF8.GetByteCount(value);
        size += length + UvarintLength(value is null ? 0 : (uint)(length + 1));
    }

    /// <summary>A message that cannot be written is a bug of whoever built it.</summary>
    [DoesNotReturn]
    private readonly void Refuse(string field, string problem) => throw new ArgumentException($"{subject}: {field} {problem}");
}
