using System.Net;
using System.Net.Sockets;
using Broker.Core;
using Broker.Core.Metadata;
using Broker.Core.Quorum;
using Broker.Hosting;
using Broker.Node;
using Broker.Node.Quorum;
using Broker.Node.Serving;
using Broker.Runtime;
using Chaos.Simulation;
using Verify.Campaign.Running;

namespace Verify.Tests.Clients;

/// <summary>The conversation that was recorded from Apache Kafka, held with the reference broker.</summary>
public sealed class ReferenceBrokerConversationTests
{
    [Fact]
    public void In_simulation_the_reference_broker_says_what_Kafka_said()
    {
        IReadOnlyList<string> observed = [];
        var world = new SimWorld(seed: 1);
        var cluster = new SimCluster(world, new ClusterSettings { Brokers = NodeSet.Of([1]), TopicDefaults = TopicSettings.KafkaDefaults }, () => new BrokerRules());
        var client = new ClientNode(world, new NodeId(50), "client");
        world.Run(async () =>
        {
            cluster.Start();
            observed = await client.DoAsync(host => new ProtocolConversation(host, cluster.Bootstrap[0], SimOptions.Default.Epoch.ToUnixTimeMilliseconds()).RunAsync());
        }, TimeSpan.FromMinutes(10));
        Assert.Empty(world.Failures);
        Assert.Equal(RecordedConversation.Lines, observed);
    }

    [Fact]
    public async Task Over_real_sockets_and_files_it_says_the_same()
    {
        var directory = Directory.CreateTempSubdirectory("mqverify-broker-").FullName;
        try
        {
            using var server = new RealHost(new NodeId(1), directory, new Prng(1));
            using var client = new RealHost(new NodeId(50), directory, new Prng(2));
            Endpoint broker = FreePort(), controller = FreePort();
            var running = server.Loop.RunAsync(() => new ServerNode(server, Combined(broker, controller), new BrokerRules()).RunAsync());
            var talking = client.Loop.RunAsync(() => new ProtocolConversation(client, broker, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() - 60_000).RunAsync());
            await await Task.WhenAny(running, talking.WaitAsync(TimeSpan.FromMinutes(1)));
            Assert.Equal(RecordedConversation.Lines, await talking);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static ServerSettings Combined(Endpoint broker, Endpoint controller)
    {
        var id = new NodeId(1);
        QuorumVoter[] voters = [new(id, controller)];
        var second = TimeSpan.FromSeconds(1);
        var times = new QuorumSettings(second / 2, second, second / 2, second, second / 40);
        return new ServerSettings(new BrokerSettings { Id = id, Endpoint = broker, Controllers = [controller] }, new QuorumNodeSettings { Id = id, Voters = voters, Times = times }, voters) { QuorumTimes = times };
    }

    private static Endpoint FreePort()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        return new Endpoint("127.0.0.1", port);
    }
}
