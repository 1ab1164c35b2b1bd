using Broker.Runtime;

namespace Broker.Hosting;

/// <summary>The doors of a node in the real world. Its work starts on <see cref="Loop"/>.</summary>
/// <param name="directory">Where the node's files lie; made with the first file.</param>
/// <param name="observe">The window, called on the loop; null: nobody watches.</param>
public sealed class RealHost(NodeId id, string directory, Prng random, Action<Observation>? observe = null) : IHost, IDisposable
{
    /// <summary>The node's one thread.</summary>
    public NodeLoop Loop { get; } = new($"node {id}");

    public NodeId Id => id;

    public TimeProvider Time => Loop.Time;

    public INetwork Network { get; } = new SocketNetwork();

    public IDisk Disk { get; } = new FileDisk(directory);

    public Prng Random => random;

    public void Observe(in Observation observation) => observe?.Invoke(observation);

    /// <summary>Stops the loop; sockets and files close with the process or by their owners.</summary>
    public void Dispose() => Loop.Dispose();
}
