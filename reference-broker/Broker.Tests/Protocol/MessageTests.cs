using System.Collections;
using System.Reflection;
using Broker.Protocol;
using Broker.Runtime;
using FsCheck;
using FsCheck.Fluent;

namespace Broker.Tests.Protocol;

public sealed class MessageTests
{
    public static TheoryData<ApiKey> Keys => new(Apis.All.Select(api => api.Key));

    private static IEnumerable<MessageCase> CasesOf(ApiKey key) => MessageCase.All().Where(one => one.Api.Key == key);

    [Theory, MemberData(nameof(Keys))]
    public void A_message_read_back_has_the_fields_that_were_written(ApiKey key)
    {
        foreach (var one in CasesOf(key))
            Prop.ForAll<ulong>(seed =>
            {
                var message = one.Fill(seed);
                var frame = one.Encode(message);
                var read = one.Decode(frame);
                var difference = MessageCase.Difference(message, read);
                return (difference is null).Label($"{one} differs at {difference}")
                    .And(one.Encode(read).AsSpan().SequenceEqual(frame)).Label($"{one} is written differently once read");
            }).Check(Config.QuickThrowOnFailure.WithMaxTest(25));
    }

    [Theory, MemberData(nameof(Keys))]
    public void A_frame_cut_at_any_byte_or_with_bytes_after_it_is_refused(ApiKey key)
    {
        foreach (var one in CasesOf(key))
            for (ulong seed = 0; seed < 3; seed++)
            {
                var frame = one.Encode(one.Fill(seed));
                for (var length = 0; length < frame.Length; length++)
                    Assert.False(one.TryDecode(frame[..length]), $"{one} accepts {length} of its {frame.Length} bytes");
                Assert.False(one.TryDecode([.. frame, 0]), $"{one} accepts a byte after its end");
            }
    }

    [Theory, MemberData(nameof(Keys))]
    public void A_mutated_frame_is_read_or_refused_and_nothing_else(ApiKey key)
    {
        foreach (var one in CasesOf(key))
        {
            var prng = new Prng((ulong)((int)key * 100 + one.Version));
            for (var round = 0; round < 100; round++)
            {
                var frame = one.Encode(one.Fill((ulong)round / 10));
                for (var change = prng.Between(1, 4); change > 0; change--) frame[prng.Below(frame.Length)] = prng.Chance(0.3) ? (byte)0xFF : (byte)prng.Below(256);
                one.TryDecode(frame);
            }
        }
    }

    [Theory, MemberData(nameof(Keys))]
    public void A_claimed_length_allocates_nothing_by_itself(ApiKey key)
    {
        byte[][] claims = [[0x7F, 0xFF, 0xFF, 0xFF], [0xFF, 0xFF, 0xFF, 0xFF, 0x07], [0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0xFF, 0x7F], [0x80, 0x00, 0x00, 0x00]];
        foreach (var one in CasesOf(key))
        {
            var frame = one.Encode(one.Fill(1));
            foreach (var claim in claims)
                for (var at = one.IsRequest ? 8 : 4; at + claim.Length <= frame.Length; at++)
                {
                    var changed = frame.ToArray();
                    claim.CopyTo(changed, at);
                    var allocated = Math.Min(Allocated(one, changed), Allocated(one, changed));   // the first decoding of all also pays for types and code
                    Assert.True(allocated < 20_000 + 100 * frame.Length, $"{one}, {frame.Length} bytes, {Convert.ToHexString(claim)} at {at}: allocates {allocated}");
                }
        }
    }

    private static long Allocated(MessageCase one, byte[] frame)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        one.TryDecode(frame);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    [Theory, MemberData(nameof(Keys))]
    public void Tagged_fields_that_nobody_knows_are_skipped_in_every_struct(ApiKey key)
    {
        foreach (var one in CasesOf(key).Where(one => one.Api.IsFlexible(one.Version)))
            for (ulong seed = 0; seed < 5; seed++)
            {
                var message = one.Fill(seed);
                var plain = one.Encode(message);
                var writer = new StrangerWriter(one.Api.IsFlexible(one.Version));
                message.Visit(ref writer, one.Version);
                var bodyAt = one.IsRequest ? RequestFrame.ReadHeader(plain).BodyOffset : one.Api.HasFlexibleResponseHeader(one.Version) ? 5 : 4;
                byte[] strange = [.. plain[..bodyAt], .. writer.Written];
                Assert.True(strange.Length > plain.Length);
                Assert.Null(MessageCase.Difference(message, one.Decode(strange)));
            }
    }

    [Fact]
    public void Every_field_of_every_message_travels_in_some_version()
    {
        foreach (var api in Apis.All)
            foreach (var request in new[] { true, false })
            {
                var travelled = new HashSet<string>();
                var known = new HashSet<string>();
                for (var version = api.Versions.Min; version <= api.Versions.Max; version++)
                    for (ulong seed = 0; seed < 60; seed++)
                    {
                        var one = new MessageCase(api, request, version);
                        Note(one.Decode(one.Encode(one.Fill(seed))), travelled, known);
                    }
                known.ExceptWith(travelled);
                Assert.Empty(known);
            }
    }

    /// <summary>Notes the fields of a message and those among them that are not as a new message has them.</summary>
    private static void Note(IMessage message, HashSet<string> travelled, HashSet<string> known)
    {
        var type = message.GetType();
        var untouched = Activator.CreateInstance(type);
        foreach (var field in type.GetFields(BindingFlags.Public | BindingFlags.Instance))
        {
            var value = field.GetValue(message);
            known.Add($"{type}.{field.Name}");
            if (MessageCase.Difference(value, field.GetValue(untouched)) is not null) travelled.Add($"{type}.{field.Name}");
            if (value is IMessage inner) Note(inner, travelled, known);
            if (value is IList list)
                foreach (var element in list.OfType<IMessage>()) Note(element, travelled, known);
        }
    }

    /// <summary>Writes as <see cref="FrameWriter"/> does, and closes every struct with tagged fields from the future.</summary>
    private struct StrangerWriter(bool flexible) : ICodec
    {
        private readonly byte[] buffer = new byte[1 << 16];
        private FrameWriter inner;
        private bool started;

        public readonly bool Reads => false;

        public readonly ReadOnlySpan<byte> Written => buffer.AsSpan(0, inner.Position);

        private void Start()
        {
            if (!started) inner = new FrameWriter(buffer, 0, flexible);
            started = true;
        }

        public void Bool(ref bool value, string field = "") { Start(); inner.Bool(ref value); }

        public void Int8(ref sbyte value, string field = "") { Start(); inner.Int8(ref value); }

        public void Int16(ref short value, string field = "") { Start(); inner.Int16(ref value); }

        public void UInt16(ref ushort value, string field = "") { Start(); inner.UInt16(ref value); }

        public void Int32(ref int value, string field = "") { Start(); inner.Int32(ref value); }

        public void Int64(ref long value, string field = "") { Start(); inner.Int64(ref value); }

        public void Uuid(ref Guid value, string field = "") { Start(); inner.Uuid(ref value); }

        public void String(ref string value, string field = "") { Start(); inner.String(ref value); }

        public void NullableString(ref string? value, bool allowed = true, string field = "") { Start(); inner.NullableString(ref value); }

        public void Records(ref ReadOnlyMemory<byte>? value, string field = "") { Start(); inner.Records(ref value); }

        public void Count(ref int count, bool nullable, string field) { Start(); inner.Count(ref count, nullable, field); }

        public TaggedFields BeginTags() { Start(); return inner.BeginTags(); }

        public bool Tag(ref TaggedFields tags, int tag, bool present) => inner.Tag(ref tags, tag, present);

        public void EndTag(ref TaggedFields tags) => inner.EndTag(ref tags);

        public void EndOfFields(ref TaggedFields tags)
        {
            foreach (var (tag, size) in new[] { (40, 0), (1000, 3), (70_000, 200) })
            {
                inner.Tag(ref tags, tag, present: true);
                var filling = (byte)0xEE;
                for (var i = 0; i < size; i++)
                {
                    var one = (sbyte)filling;
                    inner.Int8(ref one);
                }
                inner.EndTag(ref tags);
            }
            inner.EndOfFields(ref tags);
        }
    }
}
