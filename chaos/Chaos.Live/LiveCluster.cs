using Broker.Hosting;
using Broker.Runtime;
using Chaos.Faults;

namespace Chaos.Live;

/// <summary>A node that ended without being told to.</summary>
public sealed record LiveDeath(NodeId Node, int ExitCode, string LastWords);

/// <summary>
/// A cluster of processes on loopback, each broker and voter in one, which can be hurt: killed, stopped, restarted in good order. Every fault proves that it bit by what the system says of the process.
/// </summary>
/// <remarks>Used from one thread, the loop of whoever runs the campaign.</remarks>
public sealed class LiveCluster : IFaultTarget, IDisposable
{
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(10);

    private readonly LiveFolder folder = new();
    private readonly SortedDictionary<int, Node> nodes = [];
    private readonly SortedDictionary<int, Fault> active = [];
    private readonly List<HeldPort> ports = [];
    private readonly List<LiveDeath> deaths = [];
    private readonly ILiveSystem system;
    private readonly Action<Observation> observe;
    private readonly ObservedRoles roles = new();

    /// <param name="brokers">Nodes 1 to this.</param>
    /// <param name="settings">Of the servers, under Kafka's names, beside identity and listeners.</param>
    /// <param name="observe">Hears of lives and faults.</param>
    /// <exception cref="LiveException">A node could not be made ready.</exception>
    public LiveCluster(ILiveSystem system, int brokers, IReadOnlyList<KeyValuePair<string, string>> settings, bool eligibleLeaderReplicas, Action<Observation> observe)
    {
        this.system = system;
        this.observe = observe;
        try
        {
            for (var port = 0; port < brokers * 2; port++) ports.Add(HeldPort.Take(new Endpoint("127.0.0.1", 0)));
            var voters = string.Join(',', Enumerable.Range(1, brokers).Select(id => $"{id}@{ports[brokers + id - 1].Endpoint}"));
            for (var id = 1; id <= brokers; id++) nodes.Add(id, new Node(Plan(id, ports[id - 1].Endpoint, ports[brokers + id - 1].Endpoint, voters, settings, eligibleLeaderReplicas)));
            Parallel.ForEach(nodes.Values, node => system.Prepare(node.Plan));
        }
        catch (AggregateException several) when (several.InnerException is LiveException refused)
        {
            Dispose();
            throw refused;
        }
    }

    /// <summary>What a live cluster can do to its nodes.</summary>
    public static IReadOnlyList<string> Words { get; } = [FaultWord.Crash, FaultWord.Pause, FaultWord.Restart, FaultWord.MoveLeader];

    public IReadOnlyList<Endpoint> Bootstrap => [.. nodes.Values.Select(static node => node.Plan.Endpoint)];

    /// <summary>Nodes that ended by themselves.</summary>
    public IReadOnlyList<LiveDeath> Deaths => deaths;

    /// <summary>Carries out a move of a leadership; whoever has a client says how.</summary>
    public Func<TopicPartition, NodeId, bool> MoveLeadership { get; set; } = static (_, _) => false;

    /// <summary>Starts every node that does not run.</summary>
    public void Start()
    {
        foreach (var node in nodes.Values)
            if (node.Life is null or { HasExited: true }) Start(node);
    }

    /// <summary>Looks for nodes that ended without being told to.</summary>
    public void Watch()
    {
        foreach (var node in nodes.Values)
        {
            if (node.IsDownByFault || node.Life is not { HasExited: true } ended) continue;
            deaths.Add(new LiveDeath(node.Plan.Id, ended.ExitCode, LastWords(node)));
            node.IsDownByFault = true;                                 // told once; an operator starts it again when all is healed
            observe(new Observation(ObservationKind.Crashed, node.Plan.Id));
        }
    }

    /// <summary>Every observation of the run passes here: who plays which role is known from them.</summary>
    public void Observe(in Observation seen) => roles.Observe(seen);

    public NodeId? Find(NodeRef role) => roles.Find(role);

    public void Inject(int index, Fault fault)
    {
        if (fault is Fault.MoveLeader move)
        {
            if (MoveLeadership(move.TopicPartition, Fault.NodeOf(move.To))) Bit(index, Fault.NodeOf(move.To));
            return;
        }
        var node = nodes[Fault.NodeOf(fault.Subject!).Value];
        if (node.IsDownByFault || node.IsPaused || node.Life is not { HasExited: false } life) return;   // it is down already: this fault touches nobody
        active[index] = fault;
        switch (fault)
        {
            case Fault.Crash:
                node.IsDownByFault = true;
                life.Die();
                observe(new Observation(ObservationKind.Crashed, node.Plan.Id));
                if (life.HasExited) Bit(index, node.Plan.Id);
                break;
            case Fault.Restart:
                node.IsDownByFault = true;
                node.Ending = EndAsync(index, node, life);
                break;
            case Fault.Pause:
                node.IsPaused = true;
                life.Pause();
                SpinWait.SpinUntil(() => life.IsStopped, TimeSpan.FromMilliseconds(200));
                if (life.IsStopped) Bit(index, node.Plan.Id);
                break;
            default:
                throw new LiveException($"fault {fault.Word} cannot be done to processes; there are {string.Join(", ", Words)}");
        }
    }

    public void Heal(int index)
    {
        if (!active.Remove(index, out var fault)) return;
        var node = nodes[Fault.NodeOf(fault.Subject!).Value];
        if (fault is Fault.Pause)
        {
            node.IsPaused = false;
            node.Life!.Resume();
        }
        else _ = StartAgainAsync(node);
        observe(new Observation(ObservationKind.FaultHealed, node.Plan.Id, Other: index));
    }

    /// <summary>What a node said last, for whoever must find out why.</summary>
    public string LastWords(NodeId node) => LastWords(nodes[node.Value]);

    public void Dispose()
    {
        foreach (var node in nodes.Values) node.Life?.Dispose();
        foreach (var port in ports) port.Dispose();
        folder.Dispose();
    }

    private async Task EndAsync(int index, Node node, LiveProcess life)
    {
        await life.EndAsync(StopLimit);
        Bit(index, node.Plan.Id);
    }

    private async Task StartAgainAsync(Node node)
    {
        if (node.Ending is { } ending) await ending;
        node.Ending = null;
        Start(node);
    }

    private void Start(Node node)
    {
        node.Life?.Dispose();
        node.Life = new LiveProcess(system.CommandOf(node.Plan), system.Environment, node.Plan.Folder, node.Said);
        node.IsDownByFault = false;
        observe(new Observation(ObservationKind.NodeStarted, node.Plan.Id));
    }

    private void Bit(int index, NodeId node) => observe(new Observation(ObservationKind.FaultBit, node, Other: index));

    private LiveNodePlan Plan(int id, Endpoint broker, Endpoint controller, string voters, IReadOnlyList<KeyValuePair<string, string>> settings, bool eligibleLeaderReplicas) =>
        new(new NodeId(id), folder.Of(id), broker,
        [
            new("node.id", $"{id}"), new("process.roles", "broker,controller"), new("controller.quorum.voters", voters),
            new("listeners", $"PLAINTEXT://{broker},CONTROLLER://{controller}"), new("advertised.listeners", $"PLAINTEXT://{broker}"),
            new("log.dirs", Path.Combine(folder.Of(id), "data")), .. settings,
        ], eligibleLeaderReplicas);

    private static string LastWords(Node node) => File.Exists(node.Said) ? string.Join(" | ", File.ReadLines(node.Said).TakeLast(3)) : "";

    private sealed class Node(LiveNodePlan plan)
    {
        public LiveNodePlan Plan => plan;

        public string Said { get; } = Path.Combine(plan.Folder, "said.log");

        public LiveProcess? Life { get; set; }

        public bool IsDownByFault { get; set; }

        public bool IsPaused { get; set; }

        public Task? Ending { get; set; }
    }
}
