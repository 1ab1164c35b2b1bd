using System.Net;
using System.Net.Sockets;
using Broker.Core;
using Broker.Core.Quorum;
using Broker.Hosting;
using Broker.Node;
using Broker.Node.Quorum;
using Broker.Node.Serving;
using Broker.Runtime;

namespace Verify.Tests.Clients;

/// <summary>The reference broker over real sockets and files: combined nodes on loopback ports, their files in a directory that goes with them.</summary>
public sealed class LoopbackCluster : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("mqverify-broker-").FullName;
    private readonly List<RealHost> hosts = [];

    /// <param name="rules">The rules of one node.</param>
    public LoopbackCluster(int nodes, Func<BrokerRules> rules)
    {
        var ports = LoopbackPorts.Free(2 * nodes);
        Bootstrap = ports[..nodes];
        QuorumVoter[] voters = [.. Enumerable.Range(0, nodes).Select(index => new QuorumVoter(new NodeId(index + 1), ports[nodes + index]))];
        List<Task> lives = [];
        for (var index = 0; index < nodes; index++)
        {
            var host = new RealHost(voters[index].Id, Path.Combine(directory, $"{index + 1}"), new Prng((ulong)index + 1));
            var settings = Combined(voters[index].Id, Bootstrap[index], voters);
            hosts.Add(host);
            lives.Add(host.Loop.RunAsync(() => new ServerNode(host, settings, rules()).RunAsync()));
            lives.Add(host.Loop.Failed);
        }
        Failed = Task.WhenAny(lives).Unwrap();
    }

    public IReadOnlyList<Endpoint> Bootstrap { get; }

    /// <summary>Completes, with the exception, when any node stopped.</summary>
    public Task Failed { get; }

    /// <summary>Waits for work with the cluster; a node that stops meanwhile fails it.</summary>
    public async Task<T> WhileUpAsync<T>(Task<T> work)
    {
        await await Task.WhenAny(Failed, work);
        return await work;
    }

    public void Dispose()
    {
        foreach (var host in hosts) host.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private static ServerSettings Combined(NodeId id, Endpoint broker, QuorumVoter[] voters)
    {
        var second = TimeSpan.FromSeconds(1);
        var times = new QuorumSettings(second / 2, second, second / 2, second, second / 40);
        var serving = new BrokerSettings { Id = id, Endpoint = broker, Controllers = [.. voters.Select(voter => voter.Endpoint)], HeartbeatInterval = second / 2, Backoff = second / 10 };
        return new ServerSettings(serving, new QuorumNodeSettings { Id = id, Voters = voters, Times = times }, voters) { QuorumTimes = times };
    }
}

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
