namespace Broker.Runtime;

/// <summary>A node of the world: brokers, controllers and clients share one number space. 0..63, so that sets of nodes are one word.</summary>
public readonly record struct NodeId(int Value) : IComparable<NodeId>
{
    public static readonly NodeId None = new(-1);

    public int CompareTo(NodeId other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString();
}

/// <summary>A set of nodes as one word; iterates in ascending order.</summary>
public readonly record struct NodeSet(ulong Bits)
{
    public static readonly NodeSet Empty;

    public int Count => System.Numerics.BitOperations.PopCount(Bits);

    public static NodeSet Of(IEnumerable<int> ids)
    {
        ulong bits = 0;
        foreach (var id in ids) bits |= 1ul << id;
        return new NodeSet(bits);
    }

    public bool Contains(int id) => id is >= 0 and < 64 && (Bits >> id & 1) != 0;

    public NodeSet With(int id) => new(Bits | 1ul << id);

    public NodeSet Without(int id) => Contains(id) ? new(Bits & ~(1ul << id)) : this;

    public IEnumerable<int> Ids()
    {
        for (var rest = Bits; rest != 0; rest &= rest - 1) yield return System.Numerics.BitOperations.TrailingZeroCount(rest);
    }

    public override string ToString() => $"[{string.Join(',', Ids())}]";
}

/// <summary>A partition of a topic; the default value names none.</summary>
public readonly record struct TopicPartition(string Topic, int Partition)
{
    public override string ToString() => Topic is null ? "" : $"{Topic}-{Partition}";
}
