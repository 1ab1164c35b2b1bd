using Broker.Runtime;

namespace Chaos.Simulation;

/// <summary>One life of a node, from start to death: its host, and what the kernel keeps for it.</summary>
internal sealed class Life : IHost
{
    private readonly SimWorld world;

    public Life(SimWorld world, SimNode node, SimLoop loop, SimNetwork network, int incarnation)
    {
        this.world = world;
        Node = node;
        Context = new NodeContext(loop, node.Id.Value, failure => world.NodeFailed(this, failure));
        Time = new SimTime(loop, Context, node.Clock);
        Network = new SimNetworkDoor(network, this);
        Disk = new SimDiskDoor(node.Disk, Context);
        Random = node.Chance.Split((ulong)incarnation);
    }

    public SimNode Node { get; }

    public NodeContext Context { get; }

    public NodeId Id => Node.Id;

    public TimeProvider Time { get; }

    public INetwork Network { get; }

    public IDisk Disk { get; }

    public Prng Random { get; }

    /// <summary>Open connections, oldest first.</summary>
    public List<SimConnection> Connections { get; } = [];

    public List<SimListener> Listeners { get; } = [];

    /// <summary>A graceful stop is under way.</summary>
    public bool Stopping { get; set; }

    public void Observe(in Observation observation) => world.Observe(observation);

    /// <summary>Nothing of this life runs any more; its peers learn it as the kind of death lets them.</summary>
    public void End(Death death, SimNetwork network)
    {
        Context.Close();
        foreach (var listener in Listeners) network.Remove(listener);
        foreach (var connection in Connections.ToArray())
        {
            if (death == Death.Power) Node.Orphans.Add(connection.Outgoing);
            connection.Drop(death);
        }
    }
}
