namespace Verify.Checkers;

/// <summary>
/// Open addressing with linear probing over numbers of entries; the keys stay with the entries. Dense keys lie in order, so that reading them in order
/// walks memory in order; when keys crowd (multiples of a power of two, say) the next growth mixes them.
/// </summary>
internal struct SlotIndex
{
    private readonly int[] slots;                                      // number + 1, 0 when free
    private readonly bool mixed;
    private int longest;

    public SlotIndex(int capacity, bool mixed = false)
    {
        slots = new int[capacity];
        this.mixed = mixed;
    }

    public int Start(long key)
    {
        longest = 0;
        var hash = mixed ? (uint)((ulong)key * 0x9E3779B97F4A7C15 >> 32) : (uint)key + (uint)(key >> 32) * 0x9E3779B1;
        return (int)(hash & (uint)(slots.Length - 1));
    }

    public readonly int At(int slot) => slots[slot] - 1;

    public int Next(int slot)
    {
        longest++;
        return slot + 1 & slots.Length - 1;
    }

    public readonly void Set(int slot, int number) => slots[slot] = number + 1;

    public void Insert(long key, int number)
    {
        var slot = Start(key);
        while (slots[slot] != 0) slot = Next(slot);
        slots[slot] = number + 1;
    }

    /// <summary>Half full, or the insertion just made had to go far.</summary>
    public readonly bool IsCrowded(int count) => count * 2 > slots.Length || longest > 64 && !mixed;

    /// <summary>An empty one: larger if it was full, mixed if its keys crowded.</summary>
    public readonly SlotIndex Grown() => longest > 64 && !mixed ? new SlotIndex(slots.Length, mixed: true) : new SlotIndex(slots.Length * 2, mixed);
}
