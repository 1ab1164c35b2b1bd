namespace Verify.Checkers;

/// <summary>A number per offset, in pages, so that a single record at a huge offset costs one page.</summary>
internal sealed class StoredValues
{
    private const int PageSize = 64;

    private sealed class Page
    {
        public ulong Present;
        public readonly long[] Values = new long[PageSize];
    }

    private readonly SortedList<long, Page> pages = [];

    public void Set(long offset, long value)
    {
        if (!pages.TryGetValue(offset / PageSize, out var page)) pages.Add(offset / PageSize, page = new Page());
        page.Present |= 1ul << (int)(offset % PageSize);
        page.Values[offset % PageSize] = value;
    }

    public bool TryGet(long offset, out long value)
    {
        value = 0;
        if (!pages.TryGetValue(offset / PageSize, out var page) || (page.Present >> (int)(offset % PageSize) & 1) == 0) return false;
        value = page.Values[offset % PageSize];
        return true;
    }

    /// <summary>Forgets everything from this offset on.</summary>
    public void Cut(long end)
    {
        while (pages.Count > 0 && pages.GetKeyAtIndex(pages.Count - 1) * PageSize >= end) pages.RemoveAt(pages.Count - 1);
        if (end % PageSize != 0 && pages.TryGetValue(end / PageSize, out var page)) page.Present &= (1ul << (int)(end % PageSize)) - 1;
    }

    /// <summary>The lowest offset with a value, from this one on; -1 for none.</summary>
    public long From(long offset)
    {
        for (var i = FirstPage(offset / PageSize); i < pages.Count; i++)
        {
            var start = pages.GetKeyAtIndex(i) * PageSize;
            var present = pages.GetValueAtIndex(i).Present;
            if (start < offset) present &= ulong.MaxValue << (int)(offset - start);
            if (present != 0) return start + System.Numerics.BitOperations.TrailingZeroCount(present);
        }
        return -1;
    }

    private int FirstPage(long page)
    {
        var (low, high) = (0, pages.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (pages.GetKeyAtIndex(middle) < page) low = middle + 1;
            else high = middle;
        }
        return low;
    }
}
