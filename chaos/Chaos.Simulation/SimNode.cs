using Broker.Runtime;

namespace Chaos.Simulation;

/// <summary>A node of the world over all its lives: program, disk, clock, and whether it may run.</summary>
public sealed class SimNode
{
    internal SimNode(NodeId id, string name, string address, Func<IHost, Task> main, Func<Task>? stop, SimDisk disk, WallClock clock, Prng chance)
    {
        Id = id;
        Name = name;
        Address = address;
        Main = main;
        Stop = stop;
        Disk = disk;
        Clock = clock;
        Chance = chance;
    }

    public NodeId Id { get; }

    public string Name { get; }

    public string Address { get; }

    /// <summary>A process runs, be it paused.</summary>
    public bool IsUp => Life is not null;

    /// <summary>How often it was started.</summary>
    public int Lives { get; internal set; }

    internal Func<IHost, Task> Main { get; }

    internal Func<Task>? Stop { get; }

    internal SimDisk Disk { get; }

    internal WallClock Clock { get; }

    internal Prng Chance { get; }

    internal Life? Life { get; set; }

    /// <summary>Somebody wants it to run: it starts again once no fault keeps it down.</summary>
    internal bool Wanted { get; set; }

    /// <summary>Active faults that keep it down.</summary>
    internal int HeldDown { get; set; }

    /// <summary>Active faults that keep it from running.</summary>
    internal int Paused { get; set; }

    internal bool HasPower { get; set; } = true;

    /// <summary>What connections of earlier lives left behind when the power went: their peers know nothing yet.</summary>
    internal List<Wire> Orphans { get; } = [];
}

/// <summary>A node's program ended with an exception that no injected disk fault explains: a bug, or a broken invariant.</summary>
public sealed record NodeFailure(NodeId Node, TimeSpan At, Exception Exception);
