using System.Runtime.CompilerServices;

namespace Verify.History;

/// <summary>
/// Reads polled records in the exact shape that histories mostly have, <c>{"key":1,"offset":2,"value":3},…</c>, several times faster than
/// token by token. Stops in front of the first element that looks any different, even if it is valid: the caller reads on from there with care.
/// </summary>
internal sealed class RecordScanner(HistoryLog log)
{
    private byte[] lastName = [];
    private int lastKey = -1;
    private long lastInteger = -1;

    /// <summary>From the first element of a list; the answer is the position of an element's <c>{</c> or of the list's <c>]</c>.</summary>
    public int Scan(ReadOnlySpan<byte> line, int at)
    {
        while (true)
        {
            var element = at;
            if (!Element(line, ref at, out var key, out var offset, out var value) || at + 1 >= line.Length) return element;
            var last = line[at] == ']';
            if (!last && (line[at] != ',' || line[at + 1] != '{')) return element;
            log.AddRecord(key, offset, value);
            if (last) return at;
            at++;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Element(ReadOnlySpan<byte> line, ref int at, out int key, out long offset, out long value)
    {
        (key, offset, value) = (-1, -1, 0);
        return Word(line, ref at, "{\"key\":"u8) && Key(line, ref at, out key)
            && Word(line, ref at, ",\"offset\":"u8) && Integer(line, ref at, out offset)
            && Word(line, ref at, ",\"value\":"u8) && Integer(line, ref at, out value)
            && Word(line, ref at, "}"u8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Word(ReadOnlySpan<byte> line, ref int at, ReadOnlySpan<byte> word)
    {
        if (!line[at..].StartsWith(word)) return false;
        at += word.Length;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Key(ReadOnlySpan<byte> line, ref int at, out int key)
    {
        if (at < line.Length && line[at] == '"') return QuotedKey(line, ref at, out key);
        key = lastKey;
        if (!Integer(line, ref at, out var integer)) return false;
        if (integer == lastInteger) return true;
        (lastInteger, lastName) = (integer, []);
        key = lastKey = log.Keys.Intern(integer);
        return true;
    }

    private bool QuotedKey(ReadOnlySpan<byte> line, ref int at, out int key)
    {
        key = lastKey;
        var rest = line[(at + 1)..];
        var length = lastName.Length;
        if (length > 0 && rest.Length > length && rest[length] == '"' && rest.StartsWith(lastName))
        {
            at += length + 2;
            return true;
        }
        length = rest.IndexOf((byte)'"');
        if (length <= 0 || rest[..length].ContainsAnyExceptInRange((byte)' ', (byte)'~') || rest[..length].Contains((byte)'\\')) return false;
        lastName = rest[..length].ToArray();
        lastInteger = -1;
        key = lastKey = log.Keys.Intern(rest[..length]);
        at += length + 2;
        return true;
    }

    /// <summary>A plain integer from 0 of at most 18 digits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Integer(ReadOnlySpan<byte> line, ref int at, out long integer)
    {
        integer = 0;
        var start = at;
        while ((uint)at < (uint)line.Length && (uint)(line[at] - '0') <= 9)
        {
            integer = integer * 10 + (line[at] - '0');
            at++;
        }
        var digits = at - start;
        return digits is > 0 and <= 18 && (digits == 1 || line[start] != '0');
    }
}
