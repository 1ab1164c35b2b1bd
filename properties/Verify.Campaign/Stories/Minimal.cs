namespace Verify.Campaign.Stories;

/// <summary>Delta debugging: leaves out as many items as it can.</summary>
internal static class Minimal
{
    /// <summary>
    /// A sublist that still does what the whole list did, and of which no single item can be left out (unless <paramref name="mayGoOn"/> ended the search).
    /// Halves go first, then quarters, and so on; later items before earlier ones. Source: Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input".
    /// </summary>
    /// <param name="still">Whether a shorter list still does it; when it says true, that list is the one to go on with.</param>
    public static IReadOnlyList<T> Of<T>(IReadOnlyList<T> items, Func<IReadOnlyList<T>, bool> still, Func<bool> mayGoOn)
    {
        if (items.Count == 0 || !mayGoOn()) return items;
        if (still([])) return [];
        for (var size = Math.Max(1, items.Count / 2); items.Count > 0 && mayGoOn();)
        {
            var before = items.Count;
            items = WithoutChunks(items, size, still, mayGoOn);
            if (size == 1 && items.Count == before) break;
            if (items.Count == before) size = Math.Max(1, size / 2);
            else size = Math.Max(1, Math.Min(size, items.Count / 2));
        }
        return items;
    }

    private static IReadOnlyList<T> WithoutChunks<T>(IReadOnlyList<T> items, int size, Func<IReadOnlyList<T>, bool> still, Func<bool> mayGoOn)
    {
        for (var end = items.Count; end > 0 && mayGoOn(); end -= size)
        {
            var start = Math.Max(0, end - size);
            if (end - start == items.Count) continue;                  // nothing at all was tried first
            T[] less = [.. items.Take(start), .. items.Skip(end)];
            if (still(less)) items = less;
        }
        return items;
    }
}
