namespace Verify.Campaign.Stories.Telling;

/// <summary>Small words of stories.</summary>
internal static class Texts
{
    /// <summary>"1 to 3, 7, 9 to 12"; long lists end in an ellipsis.</summary>
    public static string Ranges(IEnumerable<long> values)
    {
        const int MostRanges = 5;
        var ranges = new List<(long From, long To)>();
        foreach (var value in values.Order())
        {
            if (ranges.Count > 0 && ranges[^1].To == value - 1) ranges[^1] = (ranges[^1].From, value);
            else ranges.Add((value, value));
        }
        var shown = ranges.Take(MostRanges).Select(range => range.From == range.To ? $"{range.From}" : $"{range.From} to {range.To}");
        return string.Join(", ", shown) + (ranges.Count > MostRanges ? ", …" : "");
    }

    public static string Counted(long count, string what) => count == 1 ? $"1 {what}" : $"{count} {what}s";

    /// <summary>A sentence: capital letter, full stop.</summary>
    public static string Sentence(string clause) =>
        clause.Length == 0 ? clause : char.ToUpperInvariant(clause[0]) + clause[1..] + (clause[^1] is '.' or '!' or '?' ? "" : ".");

    /// <summary>Lines no longer than the width, broken at spaces; a longer word has a line of its own.</summary>
    public static IEnumerable<string> Wrap(string text, int width)
    {
        var line = "";
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line;
                line = "";
            }
            line = line.Length == 0 ? word : $"{line} {word}";
        }
        if (line.Length > 0) yield return line;
    }
}
