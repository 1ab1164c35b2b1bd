using System.Text;

namespace Verify.History;

/// <summary>Names as dense numbers from 0, in the order of their first mention. Equal text is one name: the key <c>1</c> and the key <c>"1"</c> are the same partition.</summary>
public sealed class NameTable
{
    private readonly List<string> texts = [];
    private readonly Dictionary<string, int> byText = new(StringComparer.Ordinal);
    private int[] byInteger = [];

    public int Count => texts.Count;

    public string this[int id] => texts[id];

    /// <summary>The number of a name, new or old.</summary>
    public int Intern(string text)
    {
        if (byText.TryGetValue(text, out var id)) return id;
        id = texts.Count;
        texts.Add(text);
        byText.Add(text, id);
        return id;
    }

    /// <summary>As text, without making a string for small integers seen before.</summary>
    public int Intern(long integer)
    {
        if (integer is < 0 or >= 1 << 16) return Intern(integer.ToString());
        if (integer >= byInteger.Length) Array.Resize(ref byInteger, Math.Max((int)integer + 1, byInteger.Length * 2));
        ref var known = ref byInteger[integer];                        // holds id + 1
        if (known == 0) known = Intern(integer.ToString()) + 1;
        return known - 1;
    }

    public int Intern(ReadOnlySpan<byte> utf8)
    {
        Span<char> chars = stackalloc char[128];
        if (utf8.Length <= chars.Length && Encoding.UTF8.TryGetChars(utf8, chars, out var length)
            && byText.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(chars[..length], out var id)) return id;
        return Intern(Encoding.UTF8.GetString(utf8));
    }

    /// <summary>Forgets all names.</summary>
    public void Clear()
    {
        texts.Clear();
        byText.Clear();
        Array.Clear(byInteger);
    }

    /// <summary>-1 when the name was never mentioned.</summary>
    public int Find(string text) => byText.GetValueOrDefault(text, -1);
}

/// <summary>A value that was a string in JSON, as a number: the lowest 2^31 longs are kept for them, but for the very lowest, which is no value.</summary>
public static class TextValue
{
    internal const long None = long.MinValue;

    /// <summary>Integers from here on stand for themselves.</summary>
    public const long FirstInteger = None + (1L << 31);

    public static long Of(int name) => None + 1 + name;

    public static bool IsText(long value) => value < FirstInteger;

    /// <summary>The value as a reader of a report should see it.</summary>
    public static string Show(long value, NameTable names) => IsText(value) ? names[(int)(value - None - 1)] : value.ToString();
}
