using Broker.Hosting;
using Broker.Runtime;
using Chaos.Faults;

namespace Chaos.Live;

/// <summary>A node that ended without being told to.</summary>
public sealed record LiveDeath(NodeId Node, int ExitCode, string LastWords);

/// <summary>
/// A cluster of processes, each broker and voter in one, which can be hurt: killed, stopped, restarted in good order, cut off. Every fault proves that it bit: by what the system says of the process, by packets that were dropped, by a
/// controller's answer.
/// </summary>
/// <remarks>On loopback, or in a network of its own. Used from one thread, the loop of whoever runs the campaign.</remarks>
public sealed class LiveCluster : IFaultTarget, IDisposable
{
    /// <summary>The highest number by which schedules name controllers that are nodes of their own.</summary>
    private const int Controllers = 20;

    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(10);

    private readonly LiveFolder folder = new();
    private readonly SortedDictionary<int, Node> nodes = [];
    private readonly SortedDictionary<int, LiveDisk> disks = [];
    private readonly SortedDictionary<int, Fault> active = [];
    private readonly SortedSet<int> tried = [], bitten = [];
    private readonly List<HeldPort> ports = [];
    private readonly LiveNetwork? network;
    private readonly List<LiveDeath> deaths = [];
    private readonly ILiveSystem system;
    private readonly Action<Observation> observe;
    private readonly ObservedRoles roles = new();
    private bool isDisposed;

    /// <param name="brokers">Nodes 1 to this.</param>
    /// <param name="settings">Of the servers, under Kafka's names, beside identity and listeners.</param>
    /// <param name="observe">Hears of lives and faults.</param>
    /// <param name="network">Where its nodes are to be, goes with the cluster; null: on loopback, where they cannot be cut apart.</param>
    /// <param name="disks">Each node keeps its data on a disk that can lose power; only with a network.</param>
    /// <exception cref="LiveException">A node could not be made ready.</exception>
    public LiveCluster(ILiveSystem system, int brokers, IReadOnlyList<KeyValuePair<string, string>> settings, bool eligibleLeaderReplicas, Action<Observation> observe, LiveNetwork? network = null, bool disks = false)
    {
        this.system = system;
        this.observe = observe;
        this.network = network;
        try
        {
            if (disks) for (var id = 1; id <= brokers; id++) this.disks.Add(id, new LiveDisk(network!.At(id), Directory.CreateDirectory(folder.Of(id)).FullName));
            var endpoints = Enumerable.Range(1, brokers).Select(Endpoints).ToArray();
            var voters = string.Join(',', endpoints.Select(static (endpoint, index) => $"{index + 1}@{endpoint.Controller}"));
            for (var id = 1; id <= brokers; id++) nodes.Add(id, new Node(Plan(id, endpoints[id - 1].Broker, endpoints[id - 1].Controller, voters, settings, eligibleLeaderReplicas)));
            Parallel.ForEach(nodes.Values, node => At(node, () => { system.Prepare(node.Plan); return true; }));
        }
        catch (LiveException)
        {
            Dispose();
            throw;
        }
        catch (AggregateException several) when (several.InnerException is LiveException refused)
        {
            Dispose();
            throw refused;
        }
    }

    /// <summary>What a live cluster can do to its nodes.</summary>
    public static IReadOnlyList<string> Words { get; } = [FaultWord.Crash, FaultWord.Pause, FaultWord.Restart, FaultWord.MoveLeader, FaultWord.Partition, FaultWord.Power];


    public IReadOnlyList<Endpoint> Bootstrap => [.. nodes.Values.Select(static node => node.Plan.Endpoint)];

    /// <summary>Holds everything of this cluster's.</summary>
    internal string Folder => folder.Path;

    /// <summary>Nodes that ended by themselves.</summary>
    public IReadOnlyList<LiveDeath> Deaths => deaths;

    /// <summary>Faults that were done and changed nothing, by their place in the schedule. One that finds its node down already was not done.</summary>
    public IEnumerable<int> Missed => tried.Except(bitten);

    /// <summary>Carries out a move of a leadership; whoever has a client says how, and tells <see cref="Bit"/> that it moved.</summary>
    public Action<int, TopicPartition, NodeId> MoveLeadership { get; set; } = static (_, _, _) => { };

    /// <summary>Starts every node that does not run.</summary>
    public void Start()
    {
        foreach (var node in nodes.Values)
            if (node.Life is null or { HasExited: true }) Start(node);
    }

    /// <summary>Looks for nodes that ended without being told to, and for cuts that have dropped something by now.</summary>
    public void Watch()
    {
        foreach (var cut in active.Keys) Prove(cut);
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
            MoveLeadership(index, move.TopicPartition, Fault.NodeOf(move.To));
            return;
        }
        if (fault is Fault.Partition partition)
        {
            Cut(index, partition);
            return;
        }
        var node = nodes[Fault.NodeOf(fault.Subject!).Value];
        if (node.IsDownByFault || node.IsPaused || node.Life is not { HasExited: false } life) return;   // it is down already: this fault touches nobody
        active[index] = fault;
        tried.Add(index);
        switch (fault)
        {
            case Fault.Crash:
                node.IsDownByFault = true;
                life.Die();
                observe(new Observation(ObservationKind.Crashed, node.Plan.Id));
                if (life.HasExited) Bit(index, node.Plan.Id);
                break;
            case Fault.Power when disks.Count > 0:
                node.IsDownByFault = true;
                life.Die();
                disks[node.Plan.Id.Value].LosePower();
                node.LacksPower = true;
                observe(new Observation(ObservationKind.PowerLost, node.Plan.Id));
                Bit(index, node.Plan.Id);
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
                throw new LiveException($"fault {fault.Word} cannot be done to these processes");
        }
    }

    public void Heal(int index)
    {
        if (!active.TryGetValue(index, out var fault)) return;
        if (fault is Fault.Partition)
        {
            Prove(index);
            network!.Mend(index);
        }
        else
        {
            var node = nodes[Fault.NodeOf(fault.Subject!).Value];
            if (fault is not Fault.Pause) _ = StartAgainAsync(node);
            else
            {
                node.IsPaused = false;
                node.Life!.Resume();
            }
        }
        active.Remove(index);
        observe(new Observation(ObservationKind.FaultHealed, SubjectOf(fault), Other: index));
    }

    /// <summary>What the nodes have made so far outlives a loss of power: Kafka syncs no folder of a new topic.</summary>
    public void Sync()
    {
        foreach (var disk in disks.Values) disk.Sync();
    }

    /// <summary>A fault changed something.</summary>
    public void Bit(int index, NodeId node)
    {
        if (bitten.Add(index)) observe(new Observation(ObservationKind.FaultBit, node, Other: index));
    }

    /// <summary>Takes the calling thread to where the nodes can be reached from.</summary>
    public void EnterAsClient() => network?.EnterAsClient();

    /// <summary>What a node said last, for whoever must find out why.</summary>
    public string LastWords(NodeId node) => LastWords(nodes[node.Value]);

    public void Dispose()
    {
        if (isDisposed) return;
        isDisposed = true;
        foreach (var node in nodes.Values) node.Life?.Dispose();
        foreach (var port in ports) port.Dispose();
        network?.Dispose();
        folder.Dispose();
    }

    private void Cut(int index, Fault.Partition cut)
    {
        if (network is null) throw new LiveException($"fault {cut.Word} cannot be done to these processes: they are on loopback");
        var from = Places(cut.From);
        var to = cut.To.Count > 0 ? Places(cut.To) : [.. nodes.Keys.Append(LiveNetwork.Clients).Except(from)];
        var outward = from.SelectMany(one => to.Where(other => other != one).Select(other => (one, other)));
        var inward = outward.Select(static pair => (pair.other, pair.one));
        (int, int)[] pairs = [.. (cut.Way == CutWay.In ? [] : outward).Concat(cut.Way == CutWay.Out ? [] : inward).Distinct()];
        if (pairs.Length == 0 || from.All(IsDown) || to.All(IsDown)) return;                             // there is nobody to be cut off
        active[index] = cut;
        tried.Add(index);
        network.Cut(index, pairs, cut.Port);

        bool IsDown(int place) => nodes.TryGetValue(place, out var node) && (node.IsDownByFault || node.IsPaused);
    }

    /// <summary>Controllers of their own are none here; whoever is no node is a client.</summary>
    private int[] Places(NodeGroup group) =>
        [.. group.Select(static node => Fault.NodeOf(node).Value).Where(id => nodes.ContainsKey(id) || id > Controllers).Select(id => nodes.ContainsKey(id) ? id : LiveNetwork.Clients).Distinct()];

    private void Prove(int index)
    {
        if (active[index] is Fault.Partition cut && !bitten.Contains(index) && network!.Dropped(index) > 0) Bit(index, SubjectOf(cut));
    }

    private static NodeId SubjectOf(Fault fault) => fault.Subject is { } node ? Fault.NodeOf(node) : NodeId.None;

    private (Endpoint Broker, Endpoint Controller) Endpoints(int id)
    {
        if (network is not null) return (new Endpoint(LiveNetwork.AddressOf(id), LiveNetwork.BrokerPort), new Endpoint(LiveNetwork.AddressOf(id), LiveNetwork.ControllerPort));
        var held = new[] { HeldPort.Take(new Endpoint("127.0.0.1", 0)), HeldPort.Take(new Endpoint("127.0.0.1", 0)) };
        ports.AddRange(held);
        return (held[0].Endpoint, held[1].Endpoint);
    }

    private async Task EndAsync(int index, Node node, LiveProcess life)
    {
        if (await life.EndAsync(StopLimit)) Bit(index, node.Plan.Id);
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
        if (node.LacksPower) disks[node.Plan.Id.Value].GetPower();
        node.LacksPower = false;
        node.Life = At(node, Begin);
        node.IsDownByFault = false;
        observe(new Observation(ObservationKind.NodeStarted, node.Plan.Id));

        LiveProcess Begin() => new(system.CommandOf(node.Plan), system.Environment, node.Plan.Folder, node.Said);
    }

    private LiveNodePlan Plan(int id, Endpoint broker, Endpoint controller, string voters, IReadOnlyList<KeyValuePair<string, string>> settings, bool eligibleLeaderReplicas) =>
        new(new NodeId(id), folder.Of(id), broker,
        [
            new("node.id", $"{id}"), new("process.roles", "broker,controller"), new("controller.quorum.voters", voters),
            new("listeners", $"PLAINTEXT://{broker},CONTROLLER://{controller}"), new("advertised.listeners", $"PLAINTEXT://{broker}"),
            new("log.dirs", Path.Combine(disks.TryGetValue(id, out var disk) ? disk.Root : folder.Of(id), "data")), .. settings,
        ], eligibleLeaderReplicas);

    /// <summary>Done where the node lives.</summary>
    private T At<T>(Node node, Func<T> what) => network is null ? what() : network.At(node.Plan.Id.Value).Do(what);

    private static string LastWords(Node node) => File.Exists(node.Said) ? string.Join(" | ", File.ReadLines(node.Said).TakeLast(3)) : "";

    private sealed class Node(LiveNodePlan plan)
    {
        public LiveNodePlan Plan => plan;

        public string Said { get; } = Path.Combine(plan.Folder, "said.log");

        public LiveProcess? Life { get; set; }

        public bool IsDownByFault { get; set; }

        public bool IsPaused { get; set; }

        public bool LacksPower { get; set; }

        public Task? Ending { get; set; }
    }
}
