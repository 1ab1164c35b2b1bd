using Broker.Core;
using Broker.Core.Groups;
using Broker.Core.Metadata;
using Broker.Embedded;
using Broker.Hosting;
using Broker.Runtime;
using Broker.Tests;
using Chaos.Simulation;
using Verify.Campaign.Running;

namespace Verify.Tests.Clients;

/// <summary>The conversation that was recorded from Apache Kafka, held with the reference broker.</summary>
public sealed class ReferenceBrokerConversationTests
{
    /// <summary>As the node that the conversation was recorded from had it.</summary>
    private static readonly GroupSettings Groups = new() { OffsetsTopicPartitions = 1, OffsetsTopicReplicationFactor = 1, InitialRebalanceDelay = TimeSpan.Zero };

    [Fact]
    public void In_simulation_the_reference_broker_says_what_Kafka_said()
    {
        IReadOnlyList<string> observed = [];
        var (world, rules) = (new SimWorld(seed: 1), UnderTest.Rules);
        var cluster = new SimCluster(world, new ClusterSettings { Brokers = NodeSet.Of([1]), TopicDefaults = TopicSettings.KafkaDefaults, Groups = Groups }, () => rules);
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
        var asRecorded = new Dictionary<string, string> { ["auto.create.topics.enable"] = "false", ["offsets.topic.num.partitions"] = "1" };
        await using var cluster = await EmbeddedCluster.StartAsync(1, new EmbeddedClusterOptions { OnDisk = true, Settings = asRecorded });
        using var client = new RealHost(new NodeId(50), Path.GetTempPath(), new Prng(2));
        var talking = client.Loop.RunAsync(() => new ProtocolConversation(client, cluster.Bootstrap[0], DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() - 60_000).RunAsync());
        Assert.Equal(RecordedConversation.Lines, await cluster.WhileUpAsync(talking.WaitAsync(TimeSpan.FromMinutes(1))));
    }
}
