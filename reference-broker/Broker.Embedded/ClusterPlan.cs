using Broker.Hosting;
using Broker.Node.Quorum;
using Broker.Runtime;

namespace Broker.Embedded;

/// <summary>The nodes of a cluster that one process runs.</summary>
public static class ClusterPlan
{
    /// <summary>Brokers 1 to <paramref name="brokers"/> on ports one after another (or free ones), controllers behind them or combined with them.</summary>
    /// <param name="first">Where broker 1 listens; port 0: free ports for all.</param>
    /// <param name="controllers">Nodes of their own for the metadata quorum; 0: every broker is a controller too.</param>
    /// <exception cref="ServerConfigurationException">No such cluster is possible.</exception>
    public static IReadOnlyList<ServerConfiguration> Of(ServerProperties properties, Endpoint first, int brokers, int controllers = 0)
    {
        if (brokers < 1 || controllers < 0 || brokers + controllers > Core.Metadata.MetadataImage.BrokerLimit - 1)
            throw new ServerConfigurationException($"a cluster has 1 to {Core.Metadata.MetadataImage.BrokerLimit - 1} nodes, not {brokers} brokers and {controllers} controllers");
        if (first.Port + brokers > 65536) throw new ServerConfigurationException($"there are no {brokers} ports from {first.Port} on");
        string[] ownNames = ["node.id", "process.roles", "listeners", "advertised.listeners", "controller.listener.names", "controller.quorum.voters"];
        if (Array.Find(ownNames, properties.Values.ContainsKey) is { } own) throw new ServerConfigurationException($"{own} is each node's own: a cluster of one process sets it by itself");
        var folder = ServerConfiguration.Folder(properties);
        if (folder is not null && DataFolder.NodesIn(folder) is var there && there > 0 && there != brokers + controllers)
            throw new ServerConfigurationException($"the folder '{folder}' holds a cluster of {there} nodes, not of {brokers + controllers}: the voters of a cluster cannot be changed here");
        var voting = controllers == 0 ? Enumerable.Range(1, brokers) : Enumerable.Range(brokers + 1, controllers);
        QuorumVoter[] voters = [.. voting.Select(id => new QuorumVoter(new NodeId(id), first with { Port = 0 }))];
        return
        [
            .. Enumerable.Range(1, brokers + controllers).Select(id =>
            {
                var listener = id > brokers ? (Endpoint?)null : first with { Port = first.Port == 0 ? 0 : first.Port + id - 1 };
                var votes = Array.Exists(voters, voter => voter.Id.Value == id);
                return new ServerConfiguration
                {
                    Id = new NodeId(id),
                    Listener = listener,
                    Advertised = listener,
                    ControllerListener = votes ? first with { Port = 0 } : null,
                    Voters = voters,
                    LogDirectory = folder is null || brokers + controllers == 1 ? folder : DataFolder.OfNode(folder, id),
                    Properties = properties,
                };
            }),
        ];
    }

    /// <summary>Holds a port for every listener, and writes free ones that were found wherever they are named.</summary>
    /// <exception cref="ServerConfigurationException">An address that cannot be had.</exception>
    internal static (ServerConfiguration[] Nodes, List<HeldPort> Ports) Hold(IReadOnlyList<ServerConfiguration> planned)
    {
        var ports = new List<HeldPort>();
        try
        {
            ServerConfiguration[] held =
            [
                .. planned.Select(node =>
                {
                    var listener = Take(node, node.Listener, ports);
                    var advertised = node.Advertised is { Port: 0 } told ? told with { Port = listener!.Value.Port } : node.Advertised;
                    return node with { Listener = listener, Advertised = advertised, ControllerListener = Take(node, node.ControllerListener, ports) };
                }),
            ];
            return ([.. held.Select(node => node with { Voters = [.. node.Voters.Select(voter => Found(voter, held))] })], ports);
        }
        catch
        {
            foreach (var port in ports) port.Dispose();
            throw;
        }
    }

    private static Endpoint? Take(ServerConfiguration node, Endpoint? wanted, List<HeldPort> ports)
    {
        if (wanted is not { } endpoint) return null;
        try
        {
            ports.Add(HeldPort.Take(endpoint));
            return ports[^1].Endpoint;
        }
        catch (System.Net.Sockets.SocketException refused)
        {
            throw new ServerConfigurationException($"listeners: node {node.Id} cannot listen on {endpoint}: {refused.Message.ToLowerInvariant()}");
        }
    }

    private static QuorumVoter Found(QuorumVoter voter, ServerConfiguration[] held) =>
        voter.Endpoint.Port == 0 && Array.Find(held, node => node.Id == voter.Id)?.ControllerListener is { } listener ? voter with { Endpoint = voter.Endpoint with { Port = listener.Port } } : voter;
}
