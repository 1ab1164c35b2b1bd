using Broker.Runtime;
using Chaos.Faults;

namespace Chaos.Simulation;

/// <summary>Sees each observation as it happens. Must not change what happens next, other than by timers of the world. What it throws ends the run: it is the tool that broke, not the node seen.</summary>
public delegate void Witness(in Observation seen, TimeSpan at);

/// <summary>
/// A world of nodes on one thread, from one seed. The same seed, programs and faults give the same world, event by event; <see cref="TraceHash"/> says so.
/// </summary>
public sealed partial class SimWorld : IFaultTarget
{
    private readonly SimOptions options;
    private readonly Prng prng;
    private readonly SimLoop loop;
    private readonly SimNetwork network;
    private readonly LinkFaults links;
    private readonly NodeContext main;
    private readonly SortedDictionary<int, SimNode> nodes = [];
    private readonly List<Witness> witnesses = [];
    private readonly List<NodeFailure> failures = [];
    private readonly ObservedRoles roles = new();
    private TaskCompletionSource running = new();

    public SimWorld(ulong seed, SimOptions? options = null)
    {
        this.options = options ?? SimOptions.Default;
        prng = new Prng(seed);
        loop = new SimLoop(prng.Split(1), this.options, new TraceHash());
        links = new LinkFaults(node => IsController(node));
        network = new SimNetwork(loop, this.options, prng.Split(2), links, seen => Observe(seen));
        main = new NodeContext(loop, NodeId.None.Value, failure => running.TrySetException(failure));
        Time = new SimTime(loop, main, new WallClock(this.options.Epoch));
        Random = prng.Split(3);
        running.SetResult();                                            // what breaks outside Run breaks its caller
    }

    /// <summary>The true clock; its timers are turns of the orchestrating program, never of a node.</summary>
    public TimeProvider Time { get; }

    /// <summary>Chance for whoever orchestrates.</summary>
    public Prng Random { get; }

    public TimeSpan Now => TimeSpan.FromTicks(loop.Now);

    public ulong TraceHash => loop.Trace.Value;

    /// <summary>Turns and timed events so far.</summary>
    public long Steps => loop.Steps;

    public Journal Journal { get; } = new();

    public IReadOnlyList<NodeFailure> Failures => failures;

    public IEnumerable<SimNode> Nodes => nodes.Values;

    public SimNode this[NodeId id] => nodes[id.Value];

    /// <summary>Called after every turn with the node that ran (<see cref="NodeId.None"/>: the orchestrator): the place for invariants of the whole world.</summary>
    public Action<NodeId>? AfterTurn
    {
        set => loop.AfterTurn = value is null ? null : node => value(new NodeId(node));
    }

    /// <param name="address">Host name; unique in the world.</param>
    /// <param name="program">Runs when the node is started and again at each restart, with the same disk. Its end is the end of the process.</param>
    /// <param name="stop">Called, on the node's loop, to stop in good order; when it is done the process ends. Without it a graceful restart just ends the process.</param>
    public SimNode AddNode(NodeId id, string name, string address, Func<IHost, Task> program, Func<Task>? stop = null)
    {
        var disk = new SimDisk(loop, options, prng.Split(100 + (ulong)id.Value));
        var node = new SimNode(id, name, address, program, stop, disk, new WallClock(options.Epoch), prng.Split(200 + (ulong)id.Value));
        nodes.Add(id.Value, node);
        network.Register(node);
        return node;
    }

    public void Start(NodeId id)
    {
        var node = nodes[id.Value];
        node.Wanted = true;
        StartIfFree(node);
    }

    public void StartAll()
    {
        foreach (var node in nodes.Values) Start(node.Id);
    }

    /// <summary>Ends the node in good order; it is not started again until somebody calls <see cref="Start"/>.</summary>
    public void Stop(NodeId id)
    {
        var node = nodes[id.Value];
        node.Wanted = false;
        BeginStop(node, null);
    }

    public void Subscribe(Witness witness) => witnesses.Add(witness);

    /// <summary>A nemesis over this world, fed with its observations; call <see cref="Nemesis.Start"/> when the workload begins.</summary>
    public Nemesis Unleash(FaultSchedule schedule)
    {
        var nemesis = new Nemesis(schedule, this, Time);
        Subscribe((in Observation seen, TimeSpan _) => nemesis.Observe(seen));
        return nemesis;
    }

    /// <summary>Runs the orchestrating program, and with it the world, to the program's end.</summary>
    /// <param name="limit">Of virtual time.</param>
    /// <exception cref="StalledException">Nobody can go on.</exception>
    /// <exception cref="RunTooLongException">The limit was reached.</exception>
    /// <remarks>Comes out of here too: what the program or a witness throws. What a node throws stops that node.</remarks>
    public void Run(Func<Task> program, TimeSpan limit)
    {
        var done = running = new TaskCompletionSource();
        main.Post(_ => _ = DriveAsync(program, done), null);
        try
        {
            loop.Run(done.Task, loop.Now + limit.Ticks);
        }
        finally
        {
            done.TrySetCanceled();                                      // over, however it ended
            foreach (var node in nodes.Values)
                if (node.Life is { } life) network.End(life);
        }
    }

    internal void Observe(in Observation seen)
    {
        loop.Trace.Mix(TraceKind.Observed, 0, loop.Now);
        loop.Trace.Mix(seen);
        Journal.Add(new JournalEntry(Now, seen));
        roles.Observe(seen);
        foreach (var witness in witnesses) Tell(witness, seen);
    }

    /// <summary>Called in the middle of a node's turn: what a witness throws must not pass for a failure of that node.</summary>
    private void Tell(Witness witness, in Observation seen)
    {
        try
        {
            witness(seen, Now);
        }
        catch (Exception failure) when (running.TrySetException(failure))
        {
            // Comes out of Run.
        }
    }

    private static async Task DriveAsync(Func<Task> program, TaskCompletionSource done)
    {
        try
        {
            await program();
            done.TrySetResult();
        }
        catch (Exception failure)                                      // belongs to whoever called Run
        {
            done.TrySetException(failure);
        }
    }
}
