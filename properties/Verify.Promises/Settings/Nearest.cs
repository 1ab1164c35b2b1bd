namespace Verify.Promises;

/// <summary>"Did you mean": the known word nearest to a mistyped one, by edit distance.</summary>
public static class Nearest
{
    /// <summary>
    /// The known word with the smallest distance to <paramref name="word"/> (case apart), the first of equals; null when none is near
    /// enough to be a plausible slip: at most a third of the longer word's letters (one in short words), and never all of them.
    /// </summary>
    public static string? To(string word, IEnumerable<string> known)
    {
        ArgumentNullException.ThrowIfNull(word);
        ArgumentNullException.ThrowIfNull(known);
        string? best = null;
        var bestDistance = int.MaxValue;
        foreach (var candidate in known)
        {
            var distance = Distance(word.ToLowerInvariant(), candidate.ToLowerInvariant());
            var longer = Math.Max(word.Length, candidate.Length);
            if (distance >= bestDistance || distance > Math.Max(1, longer / 3) || distance >= longer) continue;
            best = candidate;
            bestDistance = distance;
        }

        return best ?? Completed(word, known);
    }

    /// <summary>"; did you mean 'x'?", or nothing when no known word is near.</summary>
    public static string Hint(string word, IEnumerable<string> known) => To(word, known) is { } near ? $"; did you mean '{near}'?" : "";

    /// <summary>Insertions, deletions, replacements and swaps of neighbours that turn one word into the other (optimal string alignment).</summary>
    public static int Distance(string from, string to)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        var (older, previous, current) = (new int[to.Length + 1], new int[to.Length + 1], new int[to.Length + 1]);
        for (var j = 0; j <= to.Length; j++) previous[j] = j;
        for (var i = 1; i <= from.Length; i++)
        {
            current[0] = i;
            for (var j = 1; j <= to.Length; j++)
            {
                var replaced = previous[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
                current[j] = Math.Min(replaced, Math.Min(previous[j], current[j - 1]) + 1);
                var swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
                if (swapped) current[j] = Math.Min(current[j], older[j - 2] + 1);
            }

            (older, previous, current) = (previous, current, older);
        }

        return previous[to.Length];
    }

    /// <summary>
    /// A word cut short, or a piece of a dotted name, is a slip too: the shortest known word that holds it. Else the known word that begins most like it, if that is plausible.
    /// </summary>
    private static string? Completed(string word, IEnumerable<string> known)
    {
        if (word.Length < 3) return null;
        return known.Where(k => k.Contains(word, StringComparison.OrdinalIgnoreCase)).MinBy(k => k.Length)
            ?? known.Where(k => k.Length > word.Length && Distance(word.ToLowerInvariant(), k[..word.Length].ToLowerInvariant()) <= word.Length / 4).MinBy(k => Distance(word.ToLowerInvariant(), k[..word.Length].ToLowerInvariant()));
    }
}
