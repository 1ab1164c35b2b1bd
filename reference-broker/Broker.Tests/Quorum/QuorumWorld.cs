using System.Collections.Immutable;
using Broker.Core.Quorum;
using Broker.Runtime;

namespace Broker.Tests.Quorum;

/// <summary>A schedule as data: everything follows from it. Fewer steps are a prefix of the same schedule.</summary>
public sealed record QuorumSchedule(int Seed, int Voters, int Steps);

/// <summary>What a schedule broke first, or null; and how much it exercised.</summary>
public sealed record QuorumOutcome(string? Violation, int Elections, long Committed);

/// <summary>
/// Three to five machines, a network that drops, reorders and repeats, disks that lose what was not flushed, clocks that run as they
/// like. Raft's four safety properties are checked after every effect. Source: Raft figure 3.
/// </summary>
public sealed class QuorumWorld
{
    private static readonly QuorumSettings Settings = new(
        TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(10));

    private const int MostInFlight = 60;

    /// <summary>The one violation that is not of safety.</summary>
    public const string NoProgress = "no progress after everything was healed";

    private readonly Prng prng;
    private readonly QuorumRules rules;
    private readonly NodeSet voters;
    private readonly List<Node> nodes;
    private readonly List<Envelope> inFlight = [];
    private readonly Dictionary<long, Asker> askers = [];
    private readonly SortedDictionary<int, NodeId> leaders = [];
    private readonly List<QuorumBatch> committed = [];
    private readonly List<int> weights = [];
    private long lastReply;
    private NodeSet slow;
    private string? violation;

    private QuorumWorld(QuorumSchedule schedule, QuorumRules rules)
    {
        this.rules = rules;
        prng = new Prng((ulong)schedule.Seed);
        voters = NodeSet.Of(Enumerable.Range(0, schedule.Voters));
        nodes = [.. voters.Ids().Select(v => new Node(new NodeId(v)))];
    }

    private sealed class Node(NodeId id)
    {
        public NodeId Id { get; } = id;
        public QuorumMachine? Machine { get; set; }                        // null while down
        public int Incarnation { get; set; }
        public TimeSpan Clock { get; set; }
        public QuorumState State { get; set; } = QuorumState.Initial;
        public List<QuorumBatch> Cached { get; set; } = [];
        public List<QuorumBatch> Durable { get; set; } = [];
    }

    private readonly record struct Asker(NodeId Node, int Incarnation, NodeId Answerer, long RequestId);

    private sealed record Envelope(NodeId From, NodeId To, int ToIncarnation, long RequestId, QuorumRequest? Request, QuorumAnswer? Answer);

    private enum Act { Deliver, Repeat, Drop, Tick, Propose, Kill, PowerLoss, Restart, Resign }

    /// <summary>Plays a schedule, then heals everything and demands progress.</summary>
    public static QuorumOutcome Play(QuorumSchedule schedule, QuorumRules rules)
    {
        var world = new QuorumWorld(schedule, rules);
        try
        {
            foreach (var node in world.nodes) world.StartNode(node);
            for (var step = 0; step < schedule.Steps && world.violation is null; step++)
            {
                if (step % 12 == 0) world.DrawWeights();
                world.ActOnce();
            }
            if (world.violation is null) world.HealAndProgress();
        }
        catch (InvariantBrokenException broken)
        {
            world.violation ??= $"invariant: {broken.Message}";
        }
        return new QuorumOutcome(world.violation, world.leaders.Count, world.committed.Count);
    }

    /// <summary>Swarm: what happens often, and which nodes are slow, changes every dozen steps.</summary>
    private void DrawWeights()
    {
        int Weight(int usual) => usual * prng.Pick([0, 1, 1, 4]);
        weights.Clear();
        weights.AddRange([60, Weight(4), Weight(6), Weight(6), Weight(6), Weight(1), Weight(2), Weight(4), Weight(1)]);
        slow = NodeSet.Of(voters.Ids().Where(_ => prng.Chance(0.25)));
    }

    private void ActOnce()
    {
        var draw = prng.Below(weights.Sum());
        var act = 0;
        while ((draw -= weights[act]) >= 0) act++;
        var node = prng.Pick(nodes);
        switch ((Act)act)
        {
            case Act.Deliver: DeliverAny(keep: false); break;
            case Act.Repeat: DeliverAny(keep: true); break;
            case Act.Drop: if (inFlight.Count > 0) inFlight.RemoveAt(prng.Below(inFlight.Count)); break;
            case Act.Tick: Tick(node); break;
            case Act.Propose: Propose(); break;
            case Act.Kill: node.Machine = null; break;
            case Act.PowerLoss: LosePower(node); break;
            case Act.Restart: if (node.Machine is null) StartNode(node); break;
            case Act.Resign: Step(node, new QuorumInput.Resign()); break;
            default: throw new InvalidOperationException($"no such act: {act}");
        }
    }

    private void DeliverAny(bool keep)
    {
        if (inFlight.Count == 0)
        {
            Tick(prng.Pick(nodes));
            return;
        }
        var at = prng.Below(inFlight.Count);
        var envelope = inFlight[at];
        if ((slow.Contains(envelope.To.Value) || slow.Contains(envelope.From.Value)) && prng.Chance(0.9)) return;
        if (!keep) inFlight.RemoveAt(at);
        Deliver(envelope);
    }

    private void Deliver(Envelope envelope)
    {
        var node = nodes[envelope.To.Value];
        if (envelope.Request is { } request)
        {
            if (node.Machine is null) return;
            askers[++lastReply] = new Asker(envelope.From, envelope.ToIncarnation, node.Id, envelope.RequestId);
            Step(node, new QuorumInput.Asked(lastReply, request));
        }
        else if (node.Incarnation == envelope.ToIncarnation)               // answers travel on the asker's connection and die with it
        {
            Step(node, new QuorumInput.Answered(envelope.From, envelope.RequestId, envelope.Answer!));
        }
    }

    private void Tick(Node node)
    {
        if (node.Machine is null) return;
        var wake = node.Machine.NextWake;
        if (wake > node.Clock && wake < TimeSpan.MaxValue) node.Clock = wake;
        Step(node, QuorumInput.Tick.Now);
    }

    private void Propose()
    {
        var leading = nodes.Where(n => n.Machine?.Role == QuorumRole.Leader).ToList();
        if (leading.Count > 0) Step(prng.Pick(leading), new QuorumInput.Propose(0, prng.Between(1, 2), new byte[1]));
    }

    private void LosePower(Node node)
    {
        node.Machine = null;
        var extends = node.Cached.Count >= node.Durable.Count && node.Cached.Take(node.Durable.Count).SequenceEqual(node.Durable);
        var kept = extends ? prng.Between(node.Durable.Count, node.Cached.Count) : 0;
        node.Cached = extends ? node.Cached[..kept] : [.. prng.Chance(0.5) ? node.Durable : node.Cached];
        node.Durable = [.. node.Cached];
    }

    private void StartNode(Node node)
    {
        node.Incarnation++;
        var log = new QuorumLog();
        foreach (var batch in node.Cached) log.Append(batch.Epoch, batch.NextOffset);
        node.Machine = new QuorumMachine(node.Id, voters, Settings, rules, prng.Split((ulong)(node.Id.Value + 64 * node.Incarnation)), node.State, log);
        CarryOut(node, node.Machine.Start(node.Clock));
    }

    private void Step(Node node, QuorumInput input)
    {
        if (node.Machine is null) return;
        CarryOut(node, node.Machine.Step(input, node.Clock));
        node.Machine?.AssertInvariants();
    }

    private void CarryOut(Node node, IReadOnlyList<QuorumEffect> effects)
    {
        foreach (var effect in effects)
        {
            if (weights.Count > 0 && weights[(int)Act.PowerLoss] > 0 && prng.Chance(0.005))
            {
                LosePower(node);                                           // between two effects
                return;
            }
            CarryOut(node, effect);
        }
    }

    private void CarryOut(Node node, QuorumEffect effect)
    {
        switch (effect)
        {
            case QuorumEffect.Persist persist: node.State = persist.State; break;
            case QuorumEffect.Append append: Append(node, append.Batches); break;
            case QuorumEffect.Flush: node.Durable = [.. node.Cached]; break;
            case QuorumEffect.Truncate cut: node.Cached.RemoveAll(b => b.BaseOffset >= cut.Offset); break;
            case QuorumEffect.Send send: Post(new Envelope(node.Id, send.To, node.Incarnation, send.RequestId, send.Request, null)); break;
            case QuorumEffect.Answer answer: PostAnswer(node, answer); break;
            case QuorumEffect.CommitAdvanced commit: OnCommitted(node, commit.HighWatermark); break;
            case QuorumEffect.BecameLeader won: OnBecameLeader(node, won.Epoch); break;
            default: break;                                                // news for the controller
        }
    }

    private void Post(Envelope envelope)
    {
        if (inFlight.Count >= MostInFlight) inFlight.RemoveAt(prng.Below(inFlight.Count));
        inFlight.Add(envelope);
    }

    private void PostAnswer(Node node, QuorumEffect.Answer effect)
    {
        if (!askers.Remove(effect.ReplyTo, out var asker)) return;
        var message = effect.Message is QuorumAnswer.Fetch fetch
            ? fetch with { Batches = [.. node.Cached.Where(b => b.BaseOffset >= fetch.FromOffset && b.NextOffset <= fetch.ToOffset).Take(2)] }
            : effect.Message;
        Post(new Envelope(node.Id, asker.Node, asker.Incarnation, asker.RequestId, null, message));
    }

    private void Append(Node node, ImmutableArray<QuorumBatch> batches)
    {
        foreach (var batch in batches) node.Cached.Add(batch.Bytes.IsEmpty ? batch with { Bytes = new byte[1] } : batch);
        foreach (var other in nodes)
            if (other != node) CheckLogMatching(node, other);
    }

    /// <summary>Two logs with an entry of the same offset and epoch are the same up to there.</summary>
    private void CheckLogMatching(Node a, Node b)
    {
        var same = true;
        for (var i = 0; i < Math.Min(a.Cached.Count, b.Cached.Count); i++)
        {
            same &= a.Cached[i] == b.Cached[i];
            if (!same && a.Cached[i].BaseOffset == b.Cached[i].BaseOffset && a.Cached[i].Epoch == b.Cached[i].Epoch)
                violation ??= $"log matching: {a.Id} and {b.Id} at offset {a.Cached[i].BaseOffset}";
        }
    }

    /// <summary>Committed entries are the same for everybody and for ever.</summary>
    private void OnCommitted(Node node, long highWatermark)
    {
        var known = node.Cached.TakeWhile(b => b.NextOffset <= highWatermark).ToList();
        for (var i = 0; i < Math.Min(known.Count, committed.Count); i++)
            if (known[i] != committed[i]) violation ??= $"committed entry changed: {node.Id} at offset {known[i].BaseOffset}";
        committed.AddRange(known.Skip(committed.Count));
    }

    /// <summary>One leader per epoch, and it holds every committed entry.</summary>
    private void OnBecameLeader(Node node, int epoch)
    {
        if (!leaders.TryAdd(epoch, node.Id)) violation ??= $"election safety: {leaders[epoch]} and {node.Id} in epoch {epoch}";
        if (!node.Cached.Take(committed.Count).SequenceEqual(committed)) violation ??= $"leader completeness: {node.Id} in epoch {epoch}";
    }

    /// <summary>Everybody up, nothing lost, one clock: a new proposal is committed and all logs agree.</summary>
    private void HealAndProgress()
    {
        weights.Clear();
        var now = nodes.Max(n => n.Clock);
        foreach (var node in nodes)
        {
            node.Clock = now;
            if (node.Machine is null) StartNode(node);
        }
        long? target = null;
        for (var turn = 0; turn < 2000 && violation is null; turn++)
        {
            while (inFlight.Count > 0 && violation is null)
            {
                var next = inFlight[0];
                inFlight.RemoveAt(0);
                Deliver(next);
            }
            if (violation is not null) return;
            var leader = nodes.Where(n => n.Machine!.Role == QuorumRole.Leader).MaxBy(n => n.Machine!.Epoch);
            if (leader is not null && turn % 50 == 0)                       // a leader may be deposed while the dust settles
            {
                Step(leader, new QuorumInput.Propose(0, 1, new byte[1]));
                target = leader.Machine!.EndOffset;
                continue;
            }
            if (target is { } end && nodes.All(n => n.Machine!.HighWatermark >= end)) return;
            now = nodes.Min(n => n.Machine!.NextWake);
            foreach (var node in nodes) node.Clock = now > node.Clock ? now : node.Clock;
            foreach (var node in nodes) Step(node, QuorumInput.Tick.Now);
        }
        violation ??= NoProgress;
    }
}
