using System.Collections;
using System.Globalization;
using System.Text.Json.Serialization;
using Broker.Runtime;

namespace Chaos.Faults;

/// <summary>
/// A node, by its id or by the role it plays at the moment the fault fires. As text: <c>2</c>, <c>leader-of t-0</c>,
/// <c>follower-of t-0 1</c>, <c>active-controller</c>, <c>observed</c>.
/// </summary>
[JsonConverter(typeof(NodeRefConverter))]
public abstract record NodeRef
{
    private NodeRef()
    {
    }

    public sealed record Fixed(NodeId Id) : NodeRef
    {
        public override string ToString() => Id.ToString();
    }

    /// <summary>Whoever leads the partition then.</summary>
    public sealed record LeaderOf(TopicPartition Partition) : NodeRef
    {
        public override string ToString() => $"leader-of {Partition}";
    }

    /// <summary>The k-th (from 0, ascending by id) replica that does not lead the partition then.</summary>
    public sealed record FollowerOf(TopicPartition Partition, int K) : NodeRef
    {
        public override string ToString() => $"follower-of {Partition} {K}";
    }

    /// <summary>The leader of the metadata quorum.</summary>
    public sealed record ActiveController : NodeRef
    {
        public override string ToString() => "active-controller";
    }

    /// <summary>The node whose observation pulled the trigger.</summary>
    public sealed record Observed : NodeRef
    {
        public override string ToString() => "observed";
    }

    public static NodeRef Of(int id) => new Fixed(new NodeId(id));

    /// <exception cref="FormatException">The text names no node.</exception>
    public static NodeRef Parse(string text)
    {
        var words = text.Split(' ');
        return words switch
        {
            ["active-controller"] => new ActiveController(),
            ["observed"] => new Observed(),
            ["leader-of", var partition] => new LeaderOf(ParsePartition(partition)),
            ["follower-of", var partition, var k] => new FollowerOf(ParsePartition(partition), int.Parse(k, CultureInfo.InvariantCulture)),
            [var id] when int.TryParse(id, CultureInfo.InvariantCulture, out var number) && number is >= 0 and < 64 => Of(number),
            _ => throw new FormatException($"'{text}' names no node: expected an id from 0 to 63, leader-of T-P, follower-of T-P K, active-controller or observed"),
        };
    }

    private const string WholeTopic = "--1";                           // what is seen of a topic and of none of its partitions has the number -1

    /// <exception cref="FormatException">Not TOPIC-NUMBER.</exception>
    public static TopicPartition ParsePartition(string text)
    {
        if (text.EndsWith(WholeTopic, StringComparison.Ordinal) && text.Length > WholeTopic.Length) return new TopicPartition(text[..^WholeTopic.Length], -1);
        var dash = text.LastIndexOf('-');
        return dash > 0 && int.TryParse(text.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var partition)
            ? new TopicPartition(text[..dash], partition)
            : throw new FormatException($"'{text}' names no partition: expected TOPIC-NUMBER");
    }
}

/// <summary>Several nodes in a given order; equal when its nodes are.</summary>
[JsonConverter(typeof(NodeGroupConverter))]
public sealed class NodeGroup(IEnumerable<NodeRef> nodes) : IReadOnlyList<NodeRef>, IEquatable<NodeGroup>
{
    private readonly NodeRef[] nodes = [.. nodes];

    public static readonly NodeGroup None = new([]);

    public static NodeGroup Of(params int[] ids) => new(ids.Select(NodeRef.Of));

    public int Count => nodes.Length;

    public NodeRef this[int index] => nodes[index];

    public bool Equals(NodeGroup? other) => other is not null && nodes.AsSpan().SequenceEqual(other.nodes);

    public override bool Equals(object? obj) => Equals(obj as NodeGroup);

    public override int GetHashCode() => nodes.Length;

    public IEnumerator<NodeRef> GetEnumerator() => ((IEnumerable<NodeRef>)nodes).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => nodes.GetEnumerator();

    public override string ToString() => string.Join(", ", nodes.AsEnumerable());
}
