using System.Collections;
using System.Reflection;
using Broker.Core;
using Broker.Core.Metadata;
using Broker.Protocol;
using Broker.Runtime;
using Broker.Tests.Protocol;
using Chaos.Simulation;
using Verify.Campaign.Running;
using Verify.Clients;

namespace Verify.Tests.Clients;

/// <summary>Whatever a client asks, in any version, a broker answers, refuses or hangs up: it does not stop, and serves the next.</summary>
/// <remarks>Exceptions are for bugs: what a client can cause is a value. A handler that throws stops its node.</remarks>
public sealed class AnyRequestTests
{
    private const string Topic = "t";
    private const int Brokers = 3, RequestsOfEachVersion = 60;

    private static readonly ApiKey[] Asked =
    [
        ApiKey.Produce, ApiKey.Fetch, ApiKey.ListOffsets, ApiKey.Metadata, ApiKey.ApiVersions, ApiKey.CreateTopics, ApiKey.DeleteTopics, ApiKey.InitProducerId,
        ApiKey.OffsetForLeaderEpoch, ApiKey.ElectLeaders, ApiKey.IncrementalAlterConfigs, ApiKey.AlterPartitionReassignments,
        ApiKey.FindCoordinator, ApiKey.JoinGroup, ApiKey.SyncGroup, ApiKey.Heartbeat, ApiKey.LeaveGroup, ApiKey.OffsetCommit, ApiKey.OffsetFetch, ApiKey.DescribeGroups, ApiKey.ListGroups,
        ApiKey.DeleteGroups, ApiKey.OffsetDelete, ApiKey.DescribeCluster, ApiKey.DescribeConfigs, ApiKey.CreatePartitions, ApiKey.DeleteRecords, ApiKey.AlterConfigs,
    ];

    public static TheoryData<ApiKey> Keys => new(Asked);

    [Theory, MemberData(nameof(Keys))]
    public void A_drawn_request_stops_no_broker(ApiKey key)
    {
        var world = new SimWorld(seed: (ulong)key + 1);
        var cluster = new SimCluster(world, new ClusterSettings { Brokers = NodeSet.Of(Enumerable.Range(1, Brokers)), TopicDefaults = TopicSettings.KafkaDefaults }, static () => new BrokerRules());
        world.AfterTurn = cluster.AssertInvariants;
        var client = new ClientNode(world, new NodeId(50), "client");
        var answered = 0;
        world.Run(async () =>
        {
            cluster.Start();
            answered = await client.DoAsync(host => AskAllAsync(host, cluster.Bootstrap, Apis.All.First(api => api.Key == key)));
        }, TimeSpan.FromMinutes(20));
        Assert.Empty(world.Failures.Select(failure => failure.ToString()));
        Assert.True(answered > 0, "no request was answered at all");
    }

    /// <summary>How many requests were answered.</summary>
    private static async Task<int> AskAllAsync(IHost host, IReadOnlyList<Endpoint> brokers, Api api)
    {
        var scope = new TaskScope();
        var admin = new WireAdmin(host, scope, new ConnectionSettings(brokers) { RequestTimeout = TimeSpan.FromSeconds(2) });
        var target = await TargetAsync(host, admin);
        await CoordinatorAsync(host, brokers);
        var answered = 0;
        for (var version = api.Versions.Min; version <= api.Versions.Max; version++)
            for (ulong round = 0; round < RequestsOfEachVersion; round++)
            {
                var request = RandomFiller.Fill(api, request: true, version, round);
                Aim(request, target, new Prng(round));
                answered += await AskAsync(host, brokers[(int)(round % Brokers)], RequestFrame.Encode(request, api.Key, version, 77, "client")) ? 1 : 0;
            }
        foreach (var broker in Enumerable.Range(1, Brokers)) Assert.True((await admin.ListTopicsAsync(TimeSpan.FromSeconds(20), new NodeId(broker))).IsKnown, $"broker {broker} serves nobody");
        admin.Close();
        return answered;
    }

    private static async Task<Guid> TargetAsync(IHost host, WireAdmin admin)
    {
        while ((await admin.CreateTopicAsync(new NewTopic(Topic, 2, Brokers), TimeSpan.FromSeconds(20))).Error is not (ErrorCode.None or ErrorCode.TopicAlreadyExists))
            await host.Time.DelayAsync(TimeSpan.FromMilliseconds(100));
        while (true)
        {
            if ((await admin.DescribeTopicAsync(Topic, TimeSpan.FromSeconds(20))).Value is { } found && found.Partitions.All(partition => partition.InSyncReplicas.Count == Brokers)) return found.TopicId;
            await host.Time.DelayAsync(TimeSpan.FromMilliseconds(100));
        }
    }

    /// <summary>Has the topic of offsets made, so that there is a coordinator to ask.</summary>
    private static async Task CoordinatorAsync(IHost host, IReadOnlyList<Endpoint> brokers)
    {
        var link = new BrokerLink(host, new ConnectionSettings(brokers), ClientRules.Faithful, brokers[0], static () => { });
        while (true)
        {
            await link.OpenAsync();
            var found = await link.AskAsync<FindCoordinatorRequest, FindCoordinatorResponse>(new FindCoordinatorRequest { CoordinatorKeys = ["g"] }, TimeSpan.FromSeconds(2), 4);
            if (found.Message is { Coordinators: [{ ErrorCode: ErrorCode.None }] }) break;
            await host.Time.DelayAsync(TimeSpan.FromMilliseconds(100));
        }
        link.Close();
    }

    /// <summary>One request on a connection of its own; some are never answered, or much later.</summary>
    private static async Task<bool> AskAsync(IHost host, Endpoint broker, byte[] frame)
    {
        if (await RequestChannel.OpenAsync(host, broker, TimeSpan.FromSeconds(2)) is not { } channel) return false;
        var answer = await channel.ExchangeAsync(frame, 77, TimeSpan.FromMilliseconds(200));
        channel.Close();
        return answer is not null;
    }

    /// <summary>Points about half of a drawn request at what is there, so that more than the first check is reached.</summary>
    private static void Aim(object message, Guid topic, Prng chance)
    {
        foreach (var field in message.GetType().GetFields(BindingFlags.Public | BindingFlags.Instance))
        {
            var value = field.GetValue(message);
            if (value is IList { Count: > 0 } list && list[0] is IMessage and not ValueType) foreach (var item in list) Aim(item!, topic, chance);
            else if (chance.Chance(0.5) && Near(field, message, topic, chance) is { } aimed) field.SetValue(message, aimed);
        }
    }

    private static object? Near(FieldInfo field, object message, Guid topic, Prng chance) => field.Name switch
    {
        "Topic" or "ResourceName" or "TopicName" => Topic,
        "GroupId" or "KeyName" => chance.Pick(["", "g"]),
        "CoordinatorKeys" or "GroupsNames" or "Groups" when field.FieldType == typeof(List<string>) => new List<string> { "g" },
        "MemberId" => "",
        "GroupInstanceId" => "i",
        "ProtocolType" => "consumer",
        "KeyType" => (sbyte)0,
        "EndpointType" => (sbyte)chance.Between(0, 3),
        "SessionTimeoutMs" => 6000,
        "RebalanceTimeoutMs" => chance.Below(100),
        "GenerationId" or "GenerationIdOrMemberEpoch" => chance.Between(-1, 2),
        "Name" when message is JoinGroupProtocol => "range",
        "Name" => message is IncrementalAlterConfigsRequest.AlterableConfig or AlterConfigsRequest.AlterableConfig or CreatableTopicConfig ? chance.Pick(["min.insync.replicas", "cleanup.policy", "max.message.bytes", "segment.bytes"]) : Topic,
        "TopicId" => chance.Chance(0.5) ? topic : Guid.Empty,
        "Partition" or "PartitionIndex" or "Index" => chance.Below(3),
        "FetchOffset" => (long)chance.Below(3),
        "Offset" => (long)chance.Between(-2, 2),
        "TimeoutMs" when message is DeleteRecordsRequest => chance.Below(100),
        "CurrentLeaderEpoch" or "LeaderEpoch" or "LastFetchedEpoch" => chance.Between(-1, 1),
        "Partitions" when field.FieldType == typeof(List<int>) => new List<int> { 0, chance.Below(3) },
        "Replicas" or "BrokerIds" => new List<int> { 1 + chance.Below(3), 1 + chance.Below(3), 1 + chance.Below(3) },
        "ReplicaId" => chance.Between(-2, 3),
        "SessionEpoch" => chance.Between(-1, 1),
        "Timestamp" => (long)chance.Between(-8, 1),
        "Acks" => (short)chance.Between(-1, 1),
        "ResourceType" => (sbyte)chance.Between(2, 4),
        "Count" => chance.Between(1, 5),
        "ConfigOperation" => (sbyte)chance.Between(0, 4),
        "ElectionType" => (sbyte)chance.Between(0, 1),
        "NumPartitions" => chance.Between(-1, 3),
        "ReplicationFactor" => (short)chance.Between(-1, 4),
        "Records" => (ReadOnlyMemory<byte>?)Batch(chance),
        _ => null,
    };

    private static byte[] Batch(Prng chance)
    {
        var builder = new RecordBatchBuilder { ProducerId = chance.Between(-1, 2), ProducerEpoch = (short)chance.Between(-1, 2), BaseSequence = chance.Pick([-1, 0, 1, int.MaxValue]), BaseOffset = chance.Chance(0.2) ? 1 : 0, IsControl = chance.Chance(0.1), IsTransactional = chance.Chance(0.1) };
        for (var left = chance.Below(4); left > 0; left--) builder.Append(chance.Pick([-1L, 0, long.MaxValue, 1_700_000_000_000]), chance.Chance(0.5) ? new byte[3] : null, chance.Chance(0.8) ? new byte[chance.Below(40)] : null);
        return builder.ToArray();
    }
}
