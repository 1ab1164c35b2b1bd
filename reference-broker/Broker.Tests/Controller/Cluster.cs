using Broker.Core.Controller;
using Broker.Core.Metadata;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Tests.Controller;

/// <summary>Brokers around one controller, by hand: time moves when told to, every decision counts as committed at once.</summary>
internal sealed class Cluster
{
    public static readonly TimeSpan Session = TimeSpan.FromSeconds(3);

    private readonly ControllerRuleBook rules;
    private readonly ControllerSettings settings;
    private readonly TopicSettings defaults;
    private readonly Dictionary<int, long> epochs = [];
    private int incarnations;
    private TimeSpan now;

    public Cluster(bool elr = true, bool unclean = false, int minIsr = 1, ControllerRuleBook? rules = null)
    {
        this.rules = rules ?? UnderTest.Rules.Controller;
        settings = new ControllerSettings { SessionTimeout = Session, EligibleLeaderReplicas = elr };
        defaults = TopicSettings.KafkaDefaults with { UncleanLeaderElection = unclean, MinInSyncReplicas = minIsr };
        Machine = new ControllerMachine(this.rules, settings, new MetadataImage(defaults), new Prng(7), 0, now);
    }

    public ControllerMachine Machine { get; private set; }

    public List<MetadataRecord> Log { get; } = [];

    public List<Observation> Seen { get; } = [];

    public TimeSpan Now => now;

    public PartitionState State(string topic = "t", int partition = 0) => Machine.Image.Partition(new TopicPartition(topic, partition))!;

    public long Epoch(int broker) => epochs.GetValueOrDefault(broker, -1);

    public TAnswer Commit<TAnswer>(Decision<TAnswer> decision)
    {
        Assert.Equal(Log.Count, decision.BaseOffset);
        Log.AddRange(decision.Records);
        Seen.AddRange(decision.Observations);
        return decision.Answer;
    }

    /// <summary>A new incarnation registers; <paramref name="clean"/>: it knows its last broker epoch; <paramref name="previous"/>: it names this one.</summary>
    public BrokerRegistrationResponse Register(int broker, bool clean = false, long? previous = null)
    {
        var answer = Commit(Machine.RegisterBroker(new BrokerRegistrationRequest
        {
            BrokerId = broker,
            IncarnationId = new Guid(++incarnations, 0, 0, new byte[8]),
            Listeners = [new BrokerRegistrationRequest.Listener { Name = "PLAINTEXT", Host = $"broker-{broker}", Port = 9092 }],
            PreviousBrokerEpoch = previous ?? (clean ? Epoch(broker) : -1),
        }, now));
        if (answer.ErrorCode is ErrorCode.None) epochs[broker] = answer.BrokerEpoch;
        return answer;
    }

    public BrokerHeartbeatResponse Heartbeat(int broker, bool wantShutDown = false, bool wantFence = false, long? offset = null) =>
        Commit(Machine.Heartbeat(new BrokerHeartbeatRequest
        {
            BrokerId = broker,
            BrokerEpoch = Epoch(broker),
            CurrentMetadataOffset = offset ?? Log.Count - 1,
            WantShutDown = wantShutDown,
            WantFence = wantFence,
        }, now));

    public Cluster Start(params int[] brokers)
    {
        foreach (var broker in brokers)
        {
            Assert.Equal(ErrorCode.None, Register(broker).ErrorCode);
            Assert.False(Heartbeat(broker).IsFenced);
        }
        return this;
    }

    /// <summary>The replicas in this order, the first leading.</summary>
    public Cluster Create(params int[] replicas)
    {
        var answer = Commit(Machine.CreateTopics(new CreateTopicsRequest
        {
            Topics = [new CreatableTopic { Name = "t", NumPartitions = -1, ReplicationFactor = -1, Assignments = [new CreatableReplicaAssignment { BrokerIds = [.. replicas] }] }],
        }));
        Assert.Equal(ErrorCode.None, answer.Topics[0].ErrorCode);
        return this;
    }

    public CreatableTopicResult Create(CreatableTopic topic) => Commit(Machine.CreateTopics(new CreateTopicsRequest { Topics = [topic] })).Topics[0];

    public NodeSet Tick() => Commit(Machine.Tick(now));

    public void Pass(TimeSpan time) => now += time;

    /// <summary>These brokers fall silent for longer than a session; all others stay in contact.</summary>
    public Cluster Silence(params int[] brokers)
    {
        now += Session;
        foreach (var broker in Machine.Image.Brokers.ToList())
            if (!broker.Fenced && !brokers.Contains(broker.Broker)) Heartbeat(broker.Broker);
        Assert.Equal(NodeSet.Of(brokers), Tick());
        return this;
    }

    /// <summary>The leader of t-0 asks for this ISR.</summary>
    public ErrorCode Alter(params int[] isr)
    {
        var state = State();
        return AlterAs(state.Leader, state.LeaderEpoch, state.PartitionEpoch, isr);
    }

    public ErrorCode AlterAs(int leader, int leaderEpoch, int partitionEpoch, params int[] isr)
    {
        var answer = Commit(Machine.AlterPartition(AlterRequest(leader, leaderEpoch, partitionEpoch, isr)));
        return answer.ErrorCode is ErrorCode.None ? answer.Topics[0].Partitions[0].ErrorCode : answer.ErrorCode;
    }

    public AlterPartitionRequest AlterRequest(int leader, int leaderEpoch, int partitionEpoch, params int[] isr) => new()
    {
        BrokerId = leader,
        BrokerEpoch = Epoch(leader),
        Topics =
        [
            new AlterPartitionRequest.TopicData
            {
                TopicId = Machine.Image.Topic("t")!.Id,
                Partitions =
                [
                    new AlterPartitionRequest.PartitionData
                    {
                        PartitionIndex = 0,
                        LeaderEpoch = leaderEpoch,
                        PartitionEpoch = partitionEpoch,
                        NewIsrWithEpochs = [.. isr.Select(broker => new AlterPartitionRequest.BrokerState { BrokerId = broker, BrokerEpoch = Epoch(broker) })],
                    },
                ],
            },
        ],
    };

    public ErrorCode Elect(bool preferred) => Commit(Machine.ElectLeaders(new ElectLeadersRequest
    {
        ElectionType = preferred ? (sbyte)0 : (sbyte)1,
        TopicPartitions = [new TopicPartitions { Topic = "t", Partitions = [0] }],
    })).ReplicaElectionResults[0].PartitionResult[0].ErrorCode;

    public IncrementalAlterConfigsResponse.AlterConfigsResourceResponse Configure(string name, string? value, sbyte operation = 0) =>
        Commit(Machine.IncrementalAlterConfigs(new IncrementalAlterConfigsRequest
        {
            Resources =
            [
                new IncrementalAlterConfigsRequest.AlterConfigsResource
                {
                    ResourceType = 2,
                    ResourceName = "t",
                    Configs = [new IncrementalAlterConfigsRequest.AlterableConfig { Name = name, ConfigOperation = operation, Value = value }],
                },
            ],
        })).Responses[0];

    public ElectionKind LastElection() => (ElectionKind)Seen.Last(seen => seen.Kind is ObservationKind.Elected).Offset;

    /// <summary>The image that another node has after reading the log.</summary>
    public MetadataImage Replay()
    {
        var image = new MetadataImage(defaults);
        for (var offset = 0; offset < Log.Count; offset++)
        {
            var bytes = MetadataRecordCodec.Encode(Log[offset]);
            Assert.True(image.Apply(MetadataRecordCodec.Decode(bytes), offset));
        }
        return image;
    }

    /// <summary>Another controller takes over with the committed log.</summary>
    public void FailOver() => Machine = new ControllerMachine(rules, settings, Replay(), new Prng((ulong)Log.Count), Log.Count, now);

    /// <summary>Everything an image says, as text.</summary>
    public static string Describe(MetadataImage image) => string.Join('\n',
        image.Brokers.Select(broker => broker.ToString())
            .Concat(image.Topics.SelectMany(topic => topic.Partitions.Select(partition => $"{topic.Name} {topic.Id} {partition}")
                .Prepend(string.Join(',', topic.Configs.Select(config => $"{config.Key}={config.Value}")))))
            .Append($"next producer id {image.NextProducerId}, offset {image.Offset}"));
}
