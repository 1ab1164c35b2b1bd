using System.Runtime.CompilerServices;

namespace Broker.Protocol;

/// <summary>A message, or a struct within one, that walks its own fields, in wire order, once for both directions.</summary>
public interface IMessage
{
    /// <param name="c">What happens to each field: <see cref="FrameReader"/> fills it, <see cref="FrameWriter"/> writes it, <see cref="FrameSizer"/> counts it.</param>
    /// <param name="version">The API version; decides which fields there are.</param>
    void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec;
}

/// <summary>
/// One direction of the codec: what is done to a field of each primitive kind of Kafka's protocol. Strings, bytes and counts are compact in flexible versions;
/// the codec knows, the message need not.
/// </summary>
/// <remarks>The name of a field is for error messages and filled in by the compiler. Source: KIP-482 for compact and tagged fields.</remarks>
public interface ICodec
{
    /// <summary>True when fields are filled from outside, false when they are only looked at. A constant of the codec, so branches on it cost nothing.</summary>
    bool Reads { get; }

    void Bool(ref bool value, [CallerArgumentExpression(nameof(value))] string field = "");

    void Int8(ref sbyte value, [CallerArgumentExpression(nameof(value))] string field = "");

    void Int16(ref short value, [CallerArgumentExpression(nameof(value))] string field = "");

    void UInt16(ref ushort value, [CallerArgumentExpression(nameof(value))] string field = "");

    void Int32(ref int value, [CallerArgumentExpression(nameof(value))] string field = "");

    void Int64(ref long value, [CallerArgumentExpression(nameof(value))] string field = "");

    /// <summary>16 bytes, big-endian as in RFC 9562.</summary>
    void Uuid(ref Guid value, [CallerArgumentExpression(nameof(value))] string field = "");

    void String(ref string value, [CallerArgumentExpression(nameof(value))] string field = "");

    /// <param name="allowed">False in versions in which the field may not be null: null is then refused.</param>
    void NullableString(ref string? value, bool allowed = true, [CallerArgumentExpression(nameof(value))] string field = "");

    /// <summary>Record batches as they are, or null. Read as a slice of the frame, not copied.</summary>
    void Records(ref ReadOnlyMemory<byte>? value, [CallerArgumentExpression(nameof(value))] string field = "");

    /// <summary>How many elements follow; -1 is a null array. Read counts are at most the number of bytes that are left.</summary>
    void Count(ref int count, bool nullable, string field);

    /// <summary>Opens the tagged fields that close every struct of a flexible version; before flexible versions there are none.</summary>
    TaggedFields BeginTags();

    /// <summary>
    /// True when the tagged field is to be visited now, between this call and <see cref="EndTag"/>. Tags are asked for in ascending order.
    /// </summary>
    /// <param name="present">When writing: whether the field differs from its default.</param>
    bool Tag(ref TaggedFields tags, int tag, bool present);

    void EndTag(ref TaggedFields tags);

    /// <summary>Ends the struct. Tagged fields that nobody asked for are skipped.</summary>
    void EndOfFields(ref TaggedFields tags);
}

/// <summary>Where a codec stands among the tagged fields of one struct. Its meaning is the codec's own.</summary>
public struct TaggedFields
{
    internal int Remaining;
    internal int Current;
    internal int Mark;

    internal const int NoTag = -1;
}
