using System.Text;
using Broker.Runtime;

namespace Broker.Hosting;

/// <summary>The doors of a node in the real world. Its work starts on <see cref="Loop"/>.</summary>
public sealed class RealHost : IHost, IDisposable
{
    private readonly Action<Observation>? observe;
    private readonly SocketNetwork network;
    private readonly IDisk disk;

    /// <param name="disk">Closed with the host when it can be.</param>
    /// <param name="observe">The window, called on the loop; null: nobody watches.</param>
    /// <param name="limits">What it takes from those that connect; null: the defaults.</param>
    public RealHost(NodeId id, IDisk disk, Prng random, Action<Observation>? observe = null, NetworkLimits? limits = null)
    {
        (Id, this.disk, Random, this.observe) = (id, disk, random, observe);
        Loop = new NodeLoop($"node {id}");
        network = new SocketNetwork(limits, Loop.Time, (from, why) => Observe(new Observation(ObservationKind.ConnectionClosed, Id, Bytes: Encoding.UTF8.GetBytes($"{from}: {why}"))));
    }

    /// <param name="directory">Where the node's files lie; made with the first file.</param>
    public RealHost(NodeId id, string directory, Prng random, Action<Observation>? observe = null)
        : this(id, new FileDisk(directory), random, observe)
    {
    }

    /// <summary>The node's one thread.</summary>
    public NodeLoop Loop { get; }

    public NodeId Id { get; }

    public TimeProvider Time => Loop.Time;

    public INetwork Network => network;

    public IDisk Disk => disk;

    public Prng Random { get; }

    public void Observe(in Observation observation) => observe?.Invoke(observation);

    /// <summary>Stops the loop after the current turn, then closes all sockets and files: what the others see is the end of a process.</summary>
    public void Dispose()
    {
        Loop.Dispose();
        network.Dispose();
        (disk as IDisposable)?.Dispose();
    }
}
