using Broker.Runtime;
using Chaos.Simulation;

namespace Verify.Campaign.Running;

/// <summary>A node of the world on which clients run: it does what it is asked, one piece of work after the other starting at once, on its own loop.</summary>
public sealed class ClientNode
{
    private readonly Queue<Func<IHost, Task>> asked = new();
    private readonly SimWorld world;
    private Signal? arrived;

    public ClientNode(SimWorld world, NodeId id, string name)
    {
        this.world = world;
        world.AddNode(id, name, name, ServeAsync);
        world.Start(id);
    }

    /// <summary>Completes with the result once the node has done it.</summary>
    public Task<T> DoAsync<T>(Func<IHost, Task<T>> work)
    {
        var done = new TaskCompletionSource<T>();
        asked.Enqueue(async host =>
        {
            try
            {
                done.TrySetResult(await work(host));
            }
            catch (Exception failure)                                  // belongs to whoever asked
            {
                done.TrySetException(failure);
            }
        });
        arrived?.Set();
        return done.Task;
    }

    public Task DoAsync(Func<IHost, Task> work) => DoAsync(async host =>
    {
        await work(host);
        return true;
    });

    private async Task ServeAsync(IHost host)
    {
        arrived = new Signal(world.Time);
        while (true)
        {
            while (asked.TryDequeue(out var work)) _ = work(host);
            await arrived.WaitAsync(TimeSpan.FromDays(1));
        }
    }
}
