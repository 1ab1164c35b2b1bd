using Broker.Embedded;
using Broker.Hosting;
using Broker.Protocol;
using Broker.Runtime;
using Verify.Clients;

namespace Verify.Tests.Clients;

/// <summary>Records deleted on one broker are gone on all of them.</summary>
public sealed class DeletedRecordsTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TopicPartition Partition = new("t", 0);

    [Fact]
    public async Task Every_replica_starts_there_also_one_that_was_away_and_whose_log_ended_before()
    {
        await using var cluster = await EmbeddedCluster.StartAsync(brokers: 3);
        using var host = new RealHost(new NodeId(51), Path.GetTempPath(), new Prng(4));
        await cluster.WhileUpAsync(host.Loop.RunAsync(async () =>
        {
            var scope = new TaskScope();
            var connection = new ConnectionSettings(cluster.Bootstrap);
            var (admin, producer, consumer) = (new WireAdmin(host, scope, connection), new WireProducer(host, scope, new ProducerSettings(connection)), new WireConsumer(host, scope, new ConsumerSettings(connection)));
            await admin.CreateTopicAsync(new NewTopic(Partition.Topic, -1, -1, [[new NodeId(1), new NodeId(2), new NodeId(3)]]), Patience);
            await producer.SendAsync(Partition, null, ScriptedCluster.Bytes("before"));
            await InSyncAsync(admin, host, 3);
            await cluster.StopAsync(3);
            for (var i = 0; i < 4; i++) Assert.Equal(OutcomeKind.Ok, (await producer.SendAsync(Partition, null, ScriptedCluster.Bytes("while it was away"))).Kind);

            var leader = new BrokerLink(host, connection, ClientRules.Faithful, cluster.Bootstrap[0], static () => { });
            await leader.OpenAsync();
            var asked = new DeleteRecordsRequest.DeleteRecordsPartition { PartitionIndex = 0, Offset = 4 };
            var request = new DeleteRecordsRequest { Topics = [new DeleteRecordsRequest.DeleteRecordsTopic { Name = Partition.Topic, Partitions = [asked] }], TimeoutMs = 20_000 };
            var answer = (await leader.AskAsync<DeleteRecordsRequest, DeleteRecordsResponse>(request, Patience, null)).Message!.Topics.Single().Partitions.Single();
            Assert.Equal((ErrorCode.None, 4L), (answer.ErrorCode, answer.LowWatermark));
            leader.Close();

            await cluster.StartAsync(3);
            await InSyncAsync(admin, host, 3);
            foreach (var successor in new[] { 2, 3 })
            {
                Assert.Equal(OutcomeKind.Ok, (await admin.MoveLeaderAsync(Partition, new NodeId(successor), Patience)).Kind);
                Assert.Equal(4, (await consumer.ListOffsetAsync(Partition, OffsetAt.Earliest, Patience)).Value.Offset);
                Assert.Equal(5, (await consumer.ListOffsetAsync(Partition, OffsetAt.Latest, Patience)).Value.Offset);
            }
            await producer.CloseAsync();
            consumer.Close();
            admin.Close();
            return true;
        }));
    }

    private static async Task InSyncAsync(WireAdmin admin, IHost host, int replicas)
    {
        while ((await admin.DescribeTopicAsync(Partition.Topic, Patience)).Value?.Partitions[0].InSyncReplicas.Count != replicas) await host.Time.DelayAsync(TimeSpan.FromMilliseconds(20));
    }
}
