using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text;

namespace Broker.Protocol;

/// <summary>Fills the fields of a message from a frame. Anything that does not fit is a <see cref="MalformedFrameException"/>.</summary>
/// <remarks>Never allocates by a claimed length: each length and count is held against the bytes that are left first.</remarks>
/// <param name="subject">What the frame is said to be, for error messages; not looked at otherwise.</param>
public struct FrameReader(byte[] frame, int position, bool flexible, FrameSubject subject) : ICodec
{
    private int position = position;

    public readonly bool Reads => true;

    public readonly int Position => position;

    private readonly int Left => frame.Length - position;

    public void Bool(ref bool value, string field = "") => value = Take(1, field)[0] != 0;

    public void Int8(ref sbyte value, string field = "") => value = (sbyte)Take(1, field)[0];

    public void Int16(ref short value, string field = "") => value = BinaryPrimitives.ReadInt16BigEndian(Take(2, field));

    public void UInt16(ref ushort value, string field = "") => value = BinaryPrimitives.ReadUInt16BigEndian(Take(2, field));

    public void Int32(ref int value, string field = "") => value = BinaryPrimitives.ReadInt32BigEndian(Take(4, field));

    public void Int64(ref long value, string field = "") => value = BinaryPrimitives.ReadInt64BigEndian(Take(8, field));

    public void Uuid(ref Guid value, string field = "") => value = new Guid(Take(16, field), bigEndian: true);

    public void String(ref string value, string field = "")
    {
        string? read = null;
        NullableString(ref read, false, field);
        value = read!;
    }

    public void NullableString(ref string? value, bool allowed = true, string field = "") =>
        value = Text(flexible ? CompactLength(field) : BinaryPrimitives.ReadInt16BigEndian(Take(2, field)), allowed, field);

    /// <summary>A nullable string with its classic two-byte length even where the version is flexible: the client id of request headers.</summary>
    public string? ClassicString(string field) => Text(BinaryPrimitives.ReadInt16BigEndian(Take(2, field)), true, field);

    public void Records(ref ReadOnlyMemory<byte>? value, string field = "")
    {
        var length = flexible ? CompactLength(field) : BinaryPrimitives.ReadInt32BigEndian(Take(4, field));
        if (length == -1)
        {
            value = null;
            return;
        }
        var start = position;
        Take(length, field);
        value = new ReadOnlyMemory<byte>(frame, start, length);
    }

    public void Count(ref int count, bool nullable, string field)
    {
        count = flexible ? CompactLength(field) : BinaryPrimitives.ReadInt32BigEndian(Take(4, field));
        if (count < -1 || count > Left) Refuse(field, $"claims {count} elements where {Left} bytes are left");      // an element has at least one byte
        if (count == -1 && !nullable) Refuse(field, "is null where this version allows none");
    }

    public TaggedFields BeginTags()
    {
        if (!flexible) return new TaggedFields { Current = TaggedFields.NoTag };
        var count = Uvarint("tagged fields");
        if (count > (uint)Left / 2) Refuse("tagged fields", $"claim to be {count} where {Left} bytes are left");    // a tag and a size each
        return new TaggedFields { Remaining = (int)count, Current = TaggedFields.NoTag };
    }

    public bool Tag(ref TaggedFields tags, int tag, bool present)
    {
        while (AtTag(ref tags))
        {
            if (tags.Current >= tag) return tags.Current == tag;
            SkipTag(ref tags);
        }
        return false;
    }

    public void EndTag(ref TaggedFields tags)
    {
        if (position != tags.Mark) Refuse($"tagged field {tags.Current}", $"ends at byte {position} and not at {tags.Mark} as its size says");
        SkipTag(ref tags);
    }

    public void EndOfFields(ref TaggedFields tags)
    {
        while (AtTag(ref tags)) SkipTag(ref tags);
    }

    /// <summary>Refuses a frame that goes on after its message.</summary>
    public readonly void EndOfFrame()
    {
        if (Left != 0) Refuse("end of message", $"is followed by {Left} more bytes");
    }

    /// <summary>Moves onto the next tagged field if there is one and we are not on it yet. <c>Current</c> is its tag with its size read, <c>Mark</c> its end.</summary>
    private bool AtTag(ref TaggedFields tags)
    {
        if (tags.Remaining == 0) return false;
        if (tags.Mark > 0) return true;
        var tag = Uvarint("tag");
        if (tag > int.MaxValue || (int)tag <= tags.Current) Refuse("tag", $"is {tag} after {tags.Current}: not ascending");
        var size = Uvarint("size of a tagged field");
        if (size > (uint)Left) Refuse($"tagged field {tag}", $"claims {size} bytes where {Left} are left");
        tags.Current = (int)tag;
        tags.Mark = position + (int)size;
        return true;
    }

    private void SkipTag(ref TaggedFields tags)
    {
        position = tags.Mark;
        tags.Mark = 0;
        tags.Remaining--;
    }

    private string? Text(int length, bool nullable, string field)
    {
        if (length == -1)
        {
            if (!nullable) Refuse(field, "is null where this version allows none");
            return null;
        }
        return length == 0 ? "" : Encoding.UTF8.GetString(Take(length, field));
    }

    /// <summary>A length of flexible versions: stored plus one, so that 0 is null (-1).</summary>
    private int CompactLength(string field)
    {
        var stored = Uvarint(field);
        if (stored > int.MaxValue) Refuse(field, $"claims a length of {stored - 1}");
        return (int)stored - 1;
    }

    private uint Uvarint(string field)
    {
        uint value = 0;
        for (var shift = 0; shift <= 28; shift += 7)
        {
            var part = Take(1, field)[0];
            if (shift == 28 && part > 0x0F) break;                                              // more than 32 bits
            value |= (uint)(part & 0x7F) << shift;
            if (part < 0x80) return value;
        }
        Refuse(field, "has a variable-length number of more than 32 bits");
        return 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ReadOnlySpan<byte> Take(int length, string field)
    {
        if ((uint)length > (uint)Left) RefuseLength(length, field);
        var taken = new ReadOnlySpan<byte>(frame, position, length);
        position += length;
        return taken;
    }

    [DoesNotReturn]
    private readonly void RefuseLength(int length, string field) =>
        Refuse(field, length < 0 ? $"has a length of {length}" : $"needs {length} bytes where {Left} are left");

    [DoesNotReturn]
    private readonly void Refuse(string field, string problem) => throw new MalformedFrameException($"{subject}: {field}, before byte {position}, {problem}", position);
}

/// <summary>What a frame is said to be: named in error messages.</summary>
public readonly record struct FrameSubject(ApiKey Key, short Version, bool IsRequest)
{
    public override string ToString() => $"{Key} {(IsRequest ? "request" : "response")} v{Version}";
}
