using Broker.Protocol;

namespace Broker.Tests.Protocol;

/// <summary>Bytes that Kafka 4.3's own Java classes write for the same messages: correlation id 7, client id "golden".</summary>
public sealed class GoldenFrameTests
{
    private static readonly Guid Id = new([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], bigEndian: true);
    private static readonly ReadOnlyMemory<byte> Raw = new byte[] { 0xCA, 0xFE, 0x00 };

    private static readonly (string Name, MessageCase Case, IMessage Message, string Bytes)[] Goldens =
    [
        Request("Produce in the classic encoding", 3, Produce("tx"),
            "00000003000000070006676F6C64656E00027478FFFF000005DC0000000100066F7264657273000000010000000200000003CAFE00"),
        Request("Produce in the flexible encoding", 9, Produce(null),
            "00000009000000070006676F6C64656E0000FFFF000005DC02076F7264657273020000000204CAFE00000000"),
        Response("A refused produce with the new leader and where it lives", 10, new ProduceResponse
        {
            ThrottleTimeMs = 4,
            Responses =
            [
                new TopicProduceResponse
                {
                    Name = "orders",
                    PartitionResponses =
                    [
                        new PartitionProduceResponse
                        {
                            Index = 2, ErrorCode = ErrorCode.NotLeaderOrFollower, BaseOffset = -1, ErrorMessage = "moved",
                            RecordErrors = [new BatchIndexAndErrorMessage { BatchIndex = 1, BatchIndexErrorMessage = "bad" }],
                            CurrentLeader = new LeaderIdAndEpoch { LeaderId = 3, LeaderEpoch = 9 },
                        },
                    ],
                },
            ],
            NodeEndpoints = [new NodeEndpoint { NodeId = 3, Host = "b3", Port = 9092, Rack = "r1" }],
        }, "000000070002076F726465727302000000020006FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF02000000010462616400066D6F766564010009000000030000000900000000000401001002000000030362330000238403723100"),
        Request("A consumer's oldest fetch", 4, ConsumerFetch(),
            "00010004000000070006676F6C64656EFFFFFFFF000001F40000000100100000010000000100066F7264657273000000010000000100000000000003E800001000"),
        Request("A consumer's fetch that leaves a session", 11, ConsumerFetch(),
            "0001000B000000070006676F6C64656EFFFFFFFF000001F400000001001000000100000000FFFFFFFF0000000100066F72646572730000000100000001FFFFFFFF00000000000003E8FFFFFFFFFFFFFFFF000010000000000100036F6C6400000002000000000000000500027231"),
        Request("A follower's fetch by topic id", 15, new FetchRequest
        {
            ClusterId = "c", ReplicaState = new ReplicaState { ReplicaId = 2, ReplicaEpoch = 44 }, MaxWaitMs = 500, MinBytes = 1, MaxBytes = 1 << 20,
            Topics =
            [
                new FetchTopic
                {
                    TopicId = Id,
                    Partitions = [new FetchPartition { Partition = 1, CurrentLeaderEpoch = 8, FetchOffset = 1000, LastFetchedEpoch = 7, LogStartOffset = 10, PartitionMaxBytes = 4096 }],
                },
            ],
        }, "0001000F000000070006676F6C64656E00000001F400000001001000000000000000FFFFFFFF02000102030405060708090A0B0C0D0E0F02000000010000000800000000000003E800000007000000000000000A00001000000001010200020263010D00000002000000000000002C00"),
        Response("A fetch with records, a diverging epoch, a leader, a snapshot and a fenced partition", 12, new FetchResponse
        {
            SessionId = 5,
            Responses =
            [
                new FetchableTopicResponse
                {
                    Topic = "orders",
                    Partitions =
                    [
                        new FetchResponse.PartitionData
                        {
                            PartitionIndex = 1, HighWatermark = 1200, LastStableOffset = 1100, LogStartOffset = 10,
                            DivergingEpoch = new FetchResponse.EpochEndOffset { Epoch = 6, EndOffset = 900 },
                            CurrentLeader = new LeaderIdAndEpoch { LeaderId = 2, LeaderEpoch = 8 },
                            SnapshotId = new SnapshotId { EndOffset = 77, Epoch = 3 },
                            AbortedTransactions = [new AbortedTransaction { ProducerId = 4000, FirstOffset = 1050 }],
                            Records = Raw,
                        },
                        new FetchResponse.PartitionData { PartitionIndex = 2, ErrorCode = ErrorCode.FencedLeaderEpoch, HighWatermark = -1, AbortedTransactions = null },
                    ],
                },
            ],
        }, "00000007000000000000000000000502076F72646572730300000001000000000000000004B0000000000000044C000000000000000A020000000000000FA0000000000000041A00FFFFFFFF04CAFE0003000D000000060000000000000384000109000000020000000800020D000000000000004D000000030000000002004AFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00FFFFFFFF00000000"),
        Response("Metadata before flexible versions", 1, Metadata(),
            "00000007000000010000000100096C6F63616C686F737400002384FFFF0000000100000001000000066F726465727300000000010000000000000000000100000003000000010000000200000003000000020000000100000002"),
        Response("Metadata with topic ids", 12, Metadata(),
            "00000007000000000002000000010A6C6F63616C686F737400002384000008636C757374657200000001020000076F7264657273000102030405060708090A0B0C0D0E0F0002000000000000000000010000000404000000010000000200000003030000000100000002020000000300800000000000"),
        Request("CreateTopics in the classic encoding", 4, Create(),
            "00130004000000070006676F6C64656E0000000100066F7264657273000000030003000000000000000100136D696E2E696E73796E632E7265706C696361730001320000753000"),
        Request("CreateTopics in the flexible encoding", 7, Create(),
            "00130007000000070006676F6C64656E0002076F72646572730000000300030102146D696E2E696E73796E632E7265706C6963617302320000000075300000"),
        Request("AlterPartition with broker epochs", 3, new AlterPartitionRequest
        {
            BrokerId = 1, BrokerEpoch = 99,
            Topics =
            [
                new AlterPartitionRequest.TopicData
                {
                    TopicId = Id,
                    Partitions =
                    [
                        new AlterPartitionRequest.PartitionData
                        {
                            LeaderEpoch = 4, PartitionEpoch = 12,
                            NewIsrWithEpochs = [new AlterPartitionRequest.BrokerState { BrokerId = 1, BrokerEpoch = 99 }, new AlterPartitionRequest.BrokerState { BrokerId = 2 }],
                        },
                    ],
                },
            ],
        }, "00380003000000070006676F6C64656E0000000001000000000000006302000102030405060708090A0B0C0D0E0F020000000000000004030000000100000000000000630000000002FFFFFFFFFFFFFFFF00000000000C000000"),
        Request("A candidate's vote request", 1, new VoteRequest
        {
            ClusterId = "cluster", VoterId = 2,
            Topics =
            [
                new QuorumTopic<VoteRequest.PartitionData>
                {
                    TopicName = "__cluster_metadata",
                    Partitions = [new VoteRequest.PartitionData { CandidateEpoch = 5, CandidateId = 1, CandidateDirectoryId = Id, LastOffsetEpoch = 4, LastOffset = 321 }],
                },
            ],
        }, "00340001000000070006676F6C64656E0008636C75737465720000000202135F5F636C75737465725F6D6574616461746102000000000000000500000001000102030405060708090A0B0C0D0E0F00000000000000000000000000000000000000040000000000000141000000"),
        Response("ApiVersions with features as tagged fields", 3, new ApiVersionsResponse
        {
            ApiKeys = [new ApiVersion { ApiKey = ApiKey.ApiVersions, MinVersion = 0, MaxVersion = 4 }],
            SupportedFeatures = [new SupportedFeatureKey { Name = "metadata.version", MinVersion = 7, MaxVersion = 30 }],
            FinalizedFeaturesEpoch = 17,
        }, "00000007000002001200000004000000000002001702116D657461646174612E76657273696F6E0007001E0001080000000000000011"),
    ];

    public static TheoryData<string> Names => new(Goldens.Select(golden => golden.Name));

    [Theory, MemberData(nameof(Names))]
    public void A_message_has_the_bytes_that_Kafka_gives_it(string name)
    {
        var golden = Goldens.Single(one => one.Name == name);
        Assert.Equal(golden.Bytes, Convert.ToHexString(Encode(golden.Case, golden.Message)));
    }

    [Theory, MemberData(nameof(Names))]
    public void The_bytes_that_Kafka_writes_are_read_to_the_end_and_written_back(string name)
    {
        var golden = Goldens.Single(one => one.Name == name);
        var frame = Convert.FromHexString(golden.Bytes);
        Assert.Equal(golden.Bytes, Convert.ToHexString(Encode(golden.Case, golden.Case.Decode(frame))));
    }

    private static byte[] Encode(MessageCase one, IMessage message) => one.IsRequest
        ? RequestFrame.Encode(message, one.Api.Key, one.Version, 7, "golden")
        : ResponseFrame.Encode(message, one.Api.Key, one.Version, 7);

    private static (string, MessageCase, IMessage, string) Request<TRequest>(string name, short version, TRequest message, string bytes) where TRequest : IRequest =>
        (name, new MessageCase(Apis.Get(TRequest.Key), true, version), message, bytes);

    private static (string, MessageCase, IMessage, string) Response<TResponse>(string name, short version, TResponse message, string bytes) where TResponse : IResponse =>
        (name, new MessageCase(Apis.Get(TResponse.Key), false, version), message, bytes);

    private static ProduceRequest Produce(string? transactionalId) => new()
    {
        TransactionalId = transactionalId, Acks = -1, TimeoutMs = 1500,
        TopicData = [new TopicProduceData { Name = "orders", PartitionData = [new PartitionProduceData { Index = 2, Records = Raw }] }],
    };

    private static FetchRequest ConsumerFetch() => new()
    {
        MaxWaitMs = 500, MinBytes = 1, MaxBytes = 1 << 20, IsolationLevel = 1, RackId = "r1",
        Topics = [new FetchTopic { Topic = "orders", Partitions = [new FetchPartition { Partition = 1, FetchOffset = 1000, PartitionMaxBytes = 4096 }] }],
        ForgottenTopicsData = [new ForgottenTopic { Topic = "old", Partitions = [0, 5] }],
    };

    private static MetadataResponse Metadata() => new()
    {
        Brokers = [new MetadataResponseBroker { NodeId = 1, Host = "localhost", Port = 9092 }], ClusterId = "cluster", ControllerId = 1,
        Topics =
        [
            new MetadataResponseTopic
            {
                Name = "orders", TopicId = Id,
                Partitions = [new MetadataResponsePartition { PartitionIndex = 0, LeaderId = 1, LeaderEpoch = 4, ReplicaNodes = [1, 2, 3], IsrNodes = [1, 2], OfflineReplicas = [3] }],
            },
        ],
    };

    private static CreateTopicsRequest Create() => new()
    {
        TimeoutMs = 30_000,
        Topics = [new CreatableTopic { Name = "orders", NumPartitions = 3, ReplicationFactor = 3, Configs = [new CreatableTopicConfig { Name = "min.insync.replicas", Value = "2" }] }],
    };
}
