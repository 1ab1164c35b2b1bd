namespace Broker.Protocol;

/// <summary>Signed numbers of variable length (zigzag, seven bits a byte) as they stand inside records. Source: record format v2.</summary>
internal static class Varint
{
    public const int MaxLength32 = 5;
    public const int MaxLength64 = 10;

    public static int LengthOf(long value)
    {
        var zigzag = (ulong)(value << 1 ^ value >> 63);
        return 1 + System.Numerics.BitOperations.Log2(zigzag) / 7;
    }

    /// <summary>Bytes written.</summary>
    public static int Write(Span<byte> to, long value)
    {
        var zigzag = (ulong)(value << 1 ^ value >> 63);
        var length = 0;
        for (; zigzag >= 0x80; zigzag >>= 7) to[length++] = (byte)(zigzag | 0x80);
        to[length++] = (byte)zigzag;
        return length;
    }

    /// <summary>False when the bytes end too early or the number has more than 32 bits.</summary>
    public static bool TryRead32(ReadOnlySpan<byte> from, ref int position, out int value)
    {
        uint zigzag = 0;
        value = 0;
        for (var shift = 0; shift <= 28; shift += 7)
        {
            if ((uint)position >= (uint)from.Length) return false;
            var part = from[position++];
            if (shift == 28 && part > 0x0F) return false;
            zigzag |= (uint)(part & 0x7F) << shift;
            if (part >= 0x80) continue;
            value = (int)(zigzag >> 1) ^ -(int)(zigzag & 1);
            return true;
        }
        return false;
    }

    /// <summary>False when the bytes end too early or the number has more than 64 bits.</summary>
    public static bool TryRead64(ReadOnlySpan<byte> from, ref int position, out long value)
    {
        ulong zigzag = 0;
        value = 0;
        for (var shift = 0; shift <= 63; shift += 7)
        {
            if ((uint)position >= (uint)from.Length) return false;
            var part = from[position++];
            if (shift == 63 && part > 0x01) return false;
            zigzag |= (ulong)(part & 0x7F) << shift;
            if (part >= 0x80) continue;
            value = (long)(zigzag >> 1) ^ -(long)(zigzag & 1);
            return true;
        }
        return false;
    }
}
