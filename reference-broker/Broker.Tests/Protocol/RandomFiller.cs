using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Tests.Protocol;

/// <summary>Fills a message by walking it as a reader does, with values drawn from a seed: every API is covered the day that it is added.</summary>
internal struct RandomFiller(Prng prng, bool flexible) : ICodec
{
    private int structs;

    public readonly bool Reads => true;

    /// <summary>A message of the API, request or response, with every field of the version drawn.</summary>
    public static IMessage Fill(Api api, bool request, short version, ulong seed)
    {
        var message = request ? api.NewRequest() : api.NewResponse();
        var filler = new RandomFiller(new Prng(seed), api.IsFlexible(version));
        message.Visit(ref filler, version);
        return message;
    }

    public readonly void Bool(ref bool value, string field = "") => value = prng.Below(2) == 0;

    public readonly void Int8(ref sbyte value, string field = "") => value = (sbyte)Number();

    public readonly void Int16(ref short value, string field = "") => value = (short)Number();

    public readonly void UInt16(ref ushort value, string field = "") => value = (ushort)Number();

    public readonly void Int32(ref int value, string field = "") => value = (int)Number();

    public readonly void Int64(ref long value, string field = "") => value = Number();

    public readonly void Uuid(ref Guid value, string field = "") => value = new Guid(Bytes(16));

    public readonly void String(ref string value, string field = "") => value = Text();

    public readonly void NullableString(ref string? value, bool allowed = true, string field = "") => value = allowed && prng.Below(4) == 0 ? null : Text();

    public readonly void Records(ref ReadOnlyMemory<byte>? value, string field = "")
    {
        value = null;
        if (prng.Below(4) > 0) value = Bytes(prng.Below(3) == 0 ? 200 : prng.Below(20));
    }

    public readonly void Count(ref int count, bool nullable, string field) => count = nullable && prng.Below(4) == 0 ? -1 : prng.Below(structs > 8 ? 2 : 4);

    public TaggedFields BeginTags()
    {
        structs++;
        return default;
    }

    public readonly bool Tag(ref TaggedFields tags, int tag, bool present) => flexible && prng.Below(3) > 0;

    public readonly void EndTag(ref TaggedFields tags)
    {
    }

    public readonly void EndOfFields(ref TaggedFields tags)
    {
    }

    /// <summary>Edges as often as the middle.</summary>
    private readonly long Number() => prng.Below(6) switch
    {
        0 => 0,
        1 => -1,
        2 => long.MaxValue,
        3 => prng.Below(100),
        _ => (long)prng.NextUInt64(),
    };

    private readonly string Text() => prng.Below(5) switch
    {
        0 => "",
        1 => "π-tøpic-日本-🙂",
        2 => new string('x', 127 + prng.Below(3)),                      // around the length at which compact lengths grow
        _ => $"topic-{prng.Below(1000)}",
    };

    private readonly byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        for (var i = 0; i < length; i++) bytes[i] = (byte)prng.Below(256);
        return bytes;
    }
}
