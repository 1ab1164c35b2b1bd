using Broker.Core.Controller;
using Broker.Core.Metadata;
using Broker.Core.Quorum;
using Broker.Core.Replication;
using Broker.Node.Controller;
using Broker.Node.Quorum;
using Broker.Node.Rpc;
using Broker.Node.Serving;
using Broker.Protocol;
using Broker.Runtime;
using Broker.Tests;
using Chaos.Faults;
using Chaos.Simulation;

namespace Chaos.Tests.Controller;

/// <summary>
/// Three controllers, three brokers that register, follow the metadata and store nothing, and an administrator that creates and deletes topics.
/// What the administrator was told is kept, and what each broker's metadata says.
/// </summary>
internal sealed class ControllerCluster
{
    public static readonly NodeId Administrator = new(20);

    private static readonly QuorumVoter[] Voters = [.. Enumerable.Range(0, 3).Select(id => new QuorumVoter(new NodeId(id), new Endpoint($"controller-{id}", 9093)))];

    private static readonly QuorumSettings Times = new(Ms(150), Ms(300), Ms(50), Ms(200), Ms(10));

    private readonly ControllerRuleBook rules;
    private readonly SortedDictionary<long, string> applied = [];
    private int topics;

    public ControllerCluster(ulong seed, ControllerRuleBook? rules = null)
    {
        this.rules = rules ?? UnderTest.Rules.Controller;
        World = new SimWorld(seed);
        foreach (var voter in Voters) World.AddNode(voter.Id, $"controller {voter.Id}", voter.Endpoint.Host, host => ControlAsync(host, voter));
        for (var broker = 10; broker < 13; broker++) World.AddNode(new NodeId(broker), $"broker {broker}", $"broker-{broker}", ServeAsync);
        World.AddNode(Administrator, "administrator", "administrator", AdministerAsync);
    }

    public SimWorld World { get; }

    /// <summary>Name to what is known of the topic: true created, false deleted, null one of both.</summary>
    public SortedDictionary<string, bool?> Topics { get; } = new(StringComparer.Ordinal);

    /// <summary>By broker: the metadata of its present life.</summary>
    public SortedDictionary<int, MetadataImage> Images { get; } = [];

    public ControllerNode?[] Controllers { get; } = new ControllerNode?[3];

    public List<string> Violations { get; } = [];

    public int Answered { get; private set; }

    public static TimeSpan Ms(double ms) => TimeSpan.FromMilliseconds(ms);

    /// <summary>Runs under faults, heals, and gives everybody three seconds to agree.</summary>
    public void Run(FaultSchedule faults, TimeSpan faulty)
    {
        World.Run(async () =>
        {
            World.StartAll();
            var nemesis = World.Unleash(faults);
            nemesis.Start();
            await World.Time.DelayAsync(faulty);
            nemesis.Stop();
            nemesis.HealAll();
            var before = Answered;
            await World.Time.DelayAsync(Ms(2500));
            World.Stop(Administrator);
            await World.Time.DelayAsync(Ms(500));
            Judge(before);
        }, faulty + TimeSpan.FromMinutes(1));
        Violations.AddRange(World.Failures.Select(failure => $"node {failure.Node} failed: {failure.Exception}"));
    }

    private void Judge(int answeredBeforeHealing)
    {
        if (Answered == answeredBeforeHealing) Violations.Add("no topic was created or deleted after healing");
        foreach (var (broker, image) in Images)
        {
            foreach (var (name, exists) in Topics)
                if (exists is { } known && image.Topic(name) is not null != known) Violations.Add($"broker {broker}: topic {name} was {(known ? "created" : "deleted")}, and it is not so");
            foreach (var other in image.Brokers)
                if (!other.IsActive) Violations.Add($"broker {broker}: {other.Broker} is not let in");
            foreach (var topic in image.Topics)
                foreach (var partition in topic.Partitions)
                    if (!partition.HasLeader) Violations.Add($"broker {broker}: nobody leads {topic.Name}: {partition}");
        }
    }

    private async Task ControlAsync(IHost host, QuorumVoter voter)
    {
        var scope = new TaskScope();
        var quorum = new QuorumNode(host, new QuorumNodeSettings { Id = voter.Id, Voters = Voters, Times = Times }, UnderTest.Rules.Quorum, scope);
        var controller = new ControllerNode(host, new ControllerSettings { SessionTimeout = Ms(600) }, TopicSettings.KafkaDefaults, rules, quorum, scope);
        await quorum.StartAsync();
        Controllers[voter.Id.Value] = controller;
        var router = new RequestRouter();
        quorum.Serve(router);
        controller.Serve(router);
        new RequestServer(host, voter.Endpoint, router, scope).Start();
        await scope.Failed;
    }

    /// <summary>The part of a broker that the controller sees: its registration, its session, its image.</summary>
    private async Task ServeAsync(IHost host)
    {
        var scope = new TaskScope();
        var image = Images[host.Id.Value] = new MetadataImage(TopicSettings.KafkaDefaults);
        var settings = new BrokerSettings
        {
            Id = host.Id,
            Endpoint = new Endpoint($"broker-{host.Id}", 9092),
            Controllers = [.. Voters.Select(voter => voter.Endpoint)],
            HeartbeatInterval = Ms(100),
            Backoff = Ms(50),
            RequestTimeout = Ms(300),
        };
        var registration = new Registration(host, settings, new BrokerIdentity(UnderTest.Rules.Replication, image), new ControllerLink(host, settings.Controllers, settings.RequestTimeout));
        var follower = new MetadataFollower(host, Voters, Times, UnderTest.Rules.Quorum, batch =>
        {
            foreach (var (offset, record) in MetadataBatch.Read(batch)) Apply(host.Id, image, offset, record);
        });
        scope.Start(follower.FollowAsync);
        scope.Start(async () =>
        {
            await registration.RegisterAsync(-1);
            await registration.KeepSessionAsync();
        });
        await scope.Failed;
    }

    /// <summary>Everybody applies the same record at the same offset, and it fits what came before.</summary>
    private void Apply(NodeId broker, MetadataImage image, long offset, MetadataRecord record)
    {
        var text = record.ToString();
        if (!applied.TryAdd(offset, text) && applied[offset] != text) Violations.Add($"broker {broker} applies {text} at {offset}, others {applied[offset]}");
        if (!image.Apply(record, offset)) Violations.Add($"broker {broker}: {text} at {offset} fits nothing");
    }

    private async Task AdministerAsync(IHost host)
    {
        var link = new ControllerLink(host, [.. Voters.Select(voter => voter.Endpoint)], Ms(1000));
        while (true)
        {
            await host.Time.DelayAsync(host.Random.Between(Ms(5), Ms(40)));
            var existing = Topics.Where(topic => topic.Value is true).Select(topic => topic.Key).ToList();
            if (existing.Count > 3 && host.Random.Chance(0.5)) await DeleteAsync(link, host.Random.Pick(existing));
            else await CreateAsync(link, $"topic-{topics++}");
        }
    }

    private async Task CreateAsync(ControllerLink link, string name)
    {
        var request = new CreateTopicsRequest { Topics = [new CreatableTopic { Name = name, NumPartitions = 2, ReplicationFactor = 3 }] };
        var answer = await link.AskActiveAsync<CreateTopicsRequest, CreateTopicsResponse>(request, 7, answer => answer.Topics[0].ErrorCode == ErrorCode.NotController, Ms(20));
        Learn(name, answer?.Topics[0].ErrorCode, created: true);
    }

    private async Task DeleteAsync(ControllerLink link, string name)
    {
        Topics[name] = null;
        var request = new DeleteTopicsRequest { Topics = [new DeleteTopicState { Name = name }] };
        var answer = await link.AskActiveAsync<DeleteTopicsRequest, DeleteTopicsResponse>(request, 6, answer => answer.Responses[0].ErrorCode == ErrorCode.NotController, Ms(20));
        Learn(name, answer?.Responses[0].ErrorCode, created: false);
    }

    /// <summary>Without an answer either may be so. Who says NOT_CONTROLLER did nothing: had he, the next one asked would find a new topic there already, or an existing one gone.</summary>
    private void Learn(string name, ErrorCode? error, bool created)
    {
        switch (error)
        {
            case ErrorCode.None: Topics[name] = created; Answered++; break;
            case null: Topics[name] = null; break;
            case ErrorCode.InvalidReplicationFactor when created: Topics[name] = false; break;
            default: Violations.Add($"{(created ? "creation" : "deletion")} of {name} was answered {error}"); break;
        }
    }
}
