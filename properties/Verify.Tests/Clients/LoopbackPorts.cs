using System.Net;
using System.Net.Sockets;
using Broker.Embedded;
using Broker.Runtime;

namespace Verify.Tests.Clients;

/// <summary>Ports of 127.0.0.1 on which nobody listens.</summary>
public static class LoopbackPorts
{
    /// <summary>All different: each is held until the last is found.</summary>
    public static Endpoint[] Free(int count)
    {
        TcpListener[] listeners = [.. Enumerable.Range(0, count).Select(static _ => new TcpListener(IPAddress.Loopback, 0))];
        foreach (var listener in listeners) listener.Start();
        Endpoint[] free = [.. listeners.Select(static listener => new Endpoint("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port))];
        foreach (var listener in listeners) listener.Dispose();
        return free;
    }
}

internal static class EmbeddedClusterWork
{
    /// <summary>Waits for work with the cluster; a node that stops by itself meanwhile fails it.</summary>
    public static async Task<T> WhileUpAsync<T>(this EmbeddedCluster cluster, Task<T> work)
    {
        await await Task.WhenAny(cluster.Failed, work);
        return await work;
    }

    public static async Task WhileUpAsync(this EmbeddedCluster cluster, Task work)
    {
        await await Task.WhenAny(cluster.Failed, work);
        await work;
    }
}
