using Broker.Core;
using Broker.Core.Controller;
using Broker.Core.Groups;
using Broker.Core.Metadata;
using Broker.Core.Quorum;
using Broker.Node;
using Broker.Node.Quorum;
using Broker.Node.Serving;
using Broker.Runtime;

namespace Chaos.Simulation;

/// <summary>The shape of a simulated cluster and its scaled-down times.</summary>
public sealed record ClusterSettings
{
    public required NodeSet Brokers { get; init; }

    /// <summary>Nodes of their own for the metadata quorum; empty: every broker is a voter too (combined).</summary>
    public NodeSet Controllers { get; init; }

    public TimeSpan SessionTimeout { get; init; } = TimeSpan.FromMilliseconds(1500);

    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromMilliseconds(500);

    public TimeSpan ReplicaLagTimeMax { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan QuorumElectionTimeout { get; init; } = TimeSpan.FromMilliseconds(500);

    public TimeSpan QuorumFetchTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Of the quorum's times: 1 is as given, smaller is faster.</summary>
    public double QuorumPace { get; init; } = 1;

    /// <summary>The most one fetch between nodes brings, beside the one batch that is always allowed.</summary>
    public int FetchMaxBytes { get; init; } = 1 << 20;

    /// <summary>Of requests between nodes.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan Backoff { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How long a replica's fetch waits for news.</summary>
    public TimeSpan FetchWaitMax { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Between two looks at the compacted logs.</summary>
    public TimeSpan CleanerBackoff { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Between two looks at what may go.</summary>
    public TimeSpan RetentionCheckInterval { get; init; } = TimeSpan.FromMinutes(5);

    public bool EligibleLeaderReplicas { get; init; } = true;

    public TopicSettings TopicDefaults { get; init; } = TopicSettings.KafkaDefaults;

    /// <summary>Kafka's, with times scaled down like the others.</summary>
    public static readonly GroupSettings ScaledGroups = new()
    {
        OffsetsTopicPartitions = 3,
        CommitTimeout = TimeSpan.FromSeconds(1),
        MinSessionTimeout = TimeSpan.FromMilliseconds(100),
        InitialRebalanceDelay = TimeSpan.FromMilliseconds(100),
    };

    /// <summary>The topic of offsets is replicated to at most three, as by default, of the brokers there are.</summary>
    public GroupSettings Groups { get; init; } = ScaledGroups;
}

/// <summary>The real broker code on the nodes of a world: brokers, and controllers of their own or combined with them.</summary>
public sealed class SimCluster
{
    private const int BrokerPort = 9092, ControllerPort = 9093;

    private readonly SortedDictionary<int, ServerNode> alive = [];
    private readonly SimWorld world;
    private readonly ClusterSettings settings;
    private readonly Func<BrokerRules> rules;
    private readonly QuorumVoter[] voters;
    private readonly QuorumSettings quorumTimes;

    /// <param name="rules">The rules of one life of one node.</param>
    public SimCluster(SimWorld world, ClusterSettings settings, Func<BrokerRules> rules)
    {
        this.world = world;
        this.settings = settings;
        this.rules = rules;
        var voting = settings.Controllers.Count > 0 ? settings.Controllers : settings.Brokers;
        voters = [.. voting.Ids().Select(id => new QuorumVoter(new NodeId(id), new Endpoint(Name(id), ControllerPort)))];
        quorumTimes = new QuorumSettings(
            settings.QuorumElectionTimeout * settings.QuorumPace,
            settings.QuorumFetchTimeout * settings.QuorumPace,
            settings.QuorumFetchTimeout / 2 * settings.QuorumPace,
            settings.RequestTimeout * settings.QuorumPace,
            settings.Backoff / 4 * settings.QuorumPace);
        Nodes = new NodeSet(settings.Brokers.Bits | settings.Controllers.Bits);
        foreach (var id in Nodes.Ids()) Add(id);
        world.IsController = node => voting.Contains(node.Value);
        world.Subscribe(new SafetyWatch(this, world, voting).Observe);
    }

    public NodeSet Nodes { get; }

    /// <summary>Where clients begin.</summary>
    public IReadOnlyList<Endpoint> Bootstrap => [.. settings.Brokers.Ids().Select(id => new Endpoint(Name(id), BrokerPort))];

    /// <summary>Starts every node that is not running.</summary>
    public void Start()
    {
        foreach (var id in Nodes.Ids()) world.Start(new NodeId(id));
    }

    /// <summary>The running server of a node, null while it is down.</summary>
    public ServerNode? this[NodeId id] => world[id].IsUp ? alive.GetValueOrDefault(id.Value) : null;

    /// <summary>The voter of a node as it is or, while the node is down, as it was last; null before its first start and where there is none.</summary>
    internal QuorumNode? LastVoter(int id) => alive.GetValueOrDefault(id)?.Quorum;

    /// <summary>What must hold in every node between any two of its turns.</summary>
    public void AssertInvariants(NodeId id)
    {
        if (Nodes.Contains(id.Value)) this[id]?.AssertInvariants();
    }

    /// <summary>Stops these nodes in good order, all at once, and starts them again.</summary>
    public async Task RestartAsync(NodeSet nodes)
    {
        foreach (var id in nodes.Ids()) world.Stop(new NodeId(id));
        foreach (var id in nodes.Ids())
            while (world[new NodeId(id)].IsUp) await world.Time.DelayAsync(TimeSpan.FromMilliseconds(20));
        foreach (var id in nodes.Ids()) world.Start(new NodeId(id));
    }

    private void Add(int id)
    {
        var node = new NodeId(id);
        world.AddNode(node, settings.Brokers.Contains(id) ? $"broker-{id}" : $"controller-{id}", Name(id), host => (alive[id] = New(host)).RunAsync(), () => alive[id].StopAsync(settings.SessionTimeout));
    }

    private ServerNode New(IHost host)
    {
        var id = host.Id.Value;
        var broker = settings.Brokers.Contains(id) ? BrokerOf(host.Id) : null;
        var isVoter = Array.Exists(voters, voter => voter.Id == host.Id);
        var voter = isVoter ? new QuorumNodeSettings { Id = host.Id, Voters = voters, Times = quorumTimes, FetchMaxBytes = settings.FetchMaxBytes } : null;
        return new ServerNode(host, new ServerSettings(broker, voter, voters)
        {
            // Observers are answered as soon as there is news; at the pace of a fast quorum their questions would be most of the run.
            QuorumTimes = quorumTimes with { FetchMaxWait = settings.QuorumFetchTimeout / 2, RetryBackoff = settings.Backoff / 4 },
            TopicDefaults = settings.TopicDefaults,
            Controller = new ControllerSettings
            {
                SessionTimeout = settings.SessionTimeout,
                EligibleLeaderReplicas = settings.EligibleLeaderReplicas,
                UncleanElectionInterval = TimeSpan.FromSeconds(5),
                DefaultReplicationFactor = (short)settings.Brokers.Count,
            },
        }, rules());
    }

    private BrokerSettings BrokerOf(NodeId id) => new()
    {
        Id = id,
        Endpoint = new Endpoint(Name(id.Value), BrokerPort),
        Controllers = [.. voters.Select(voter => voter.Endpoint)],
        HeartbeatInterval = settings.HeartbeatInterval,
        ReplicaLagTimeMax = settings.ReplicaLagTimeMax,
        ReplicaFetchWaitMax = settings.FetchWaitMax,
        Backoff = settings.Backoff,
        ReplicaFetchMaxBytes = settings.FetchMaxBytes,
        RequestTimeout = settings.RequestTimeout,
        CleanerBackoff = settings.CleanerBackoff,
        RetentionCheckInterval = settings.RetentionCheckInterval,
        Groups = settings.Groups with { OffsetsTopicReplicationFactor = (short)Math.Min(settings.Groups.OffsetsTopicReplicationFactor, settings.Brokers.Count) },
    };

    private static string Name(int id) => $"n{id}";
}
