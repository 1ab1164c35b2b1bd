using Broker.Runtime;
using Chaos.Faults;

namespace Chaos.Simulation;

/// <summary>A fault between injection and healing, and whether it touched anything.</summary>
internal sealed class ActiveFault(SimWorld world, int index, Fault fault, NodeId node)
{
    public int Index { get; } = index;

    public Fault Fault { get; } = fault;

    public NodeId Node { get; } = node;

    public bool Healed { get; set; }

    /// <summary>Matching messages that are still to be hit.</summary>
    public int Left { get; set; } = int.MaxValue;

    /// <summary>The cut sides of a partition.</summary>
    public NodeSet From { get; init; }

    public NodeSet To { get; init; }

    /// <summary>The node is kept down until this fault is healed.</summary>
    public bool HoldsDown { get; set; }

    public long Effects { get; private set; }

    /// <summary>It changed what happens. The first time is reported to the world.</summary>
    public void Bite()
    {
        if (Effects++ == 0) world.ReportBite(this);
    }
}
