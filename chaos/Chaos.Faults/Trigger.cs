using System.Text.Json.Serialization;
using Broker.Runtime;

namespace Chaos.Faults;

/// <summary>When a fault begins: at a virtual time, or some time after something was seen.</summary>
[JsonConverter(typeof(TriggerConverter))]
public abstract record Trigger
{
    private Trigger()
    {
    }

    /// <summary>At a time since the nemesis was let loose.</summary>
    public sealed record At(TimeSpan Time) : Trigger;

    /// <summary>A delay after the <paramref name="Count"/>-th observation (counted from 1) that matches the pattern.</summary>
    /// <param name="Since">What was seen before does not count.</param>
    public sealed record After(ObservationPattern What, int Count, TimeSpan Delay, TimeSpan Since = default) : Trigger;

    public static Trigger AtMs(double ms) => new At(TimeSpan.FromMilliseconds(ms));

    public static Trigger AfterMs(ObservationPattern what, double delayMs, int count = 1) => new After(what, count, TimeSpan.FromMilliseconds(delayMs));
}

/// <summary>What an observation must look like; null matches anything.</summary>
/// <param name="Size">How many nodes it names: of an ISR, its members.</param>
public sealed record ObservationPattern(
    ObservationKind Kind,
    NodeId? Node = null,
    TopicPartition? Partition = null,
    int? Epoch = null,
    int? Other = null,
    int? Size = null)
{
    public bool Matches(in Observation seen) =>
        seen.Kind == Kind
        && (Node is not { } node || seen.Node == node)
        && (Partition is not { } partition || seen.Partition == partition)
        && (Epoch is not { } epoch || seen.Epoch == epoch)
        && (Other is not { } other || seen.Other == other)
        && (Size is not { } size || seen.Nodes.Count == size);
}
