using System.Text.Json.Serialization;
using Broker.Runtime;

namespace Chaos.Faults;

/// <summary>
/// One thing that goes wrong: when, what, for how long. Plain data; a fault knows what happens, not how it is done.
/// Nodes may be given by role; <see cref="Resolve"/> fixes them when the fault fires.
/// </summary>
/// <param name="HowLong">From injection to healing; zero for what happens at once and needs no healing.</param>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "fault")]
[JsonDerivedType(typeof(Crash), FaultWord.Crash)]
[JsonDerivedType(typeof(Power), FaultWord.Power)]
[JsonDerivedType(typeof(Pause), FaultWord.Pause)]
[JsonDerivedType(typeof(Partition), FaultWord.Partition)]
[JsonDerivedType(typeof(Delay), FaultWord.Delay)]
[JsonDerivedType(typeof(Reset), FaultWord.Reset)]
[JsonDerivedType(typeof(Clock), FaultWord.Clock)]
[JsonDerivedType(typeof(Hold), FaultWord.Hold)]
[JsonDerivedType(typeof(LoseAnswer), FaultWord.LoseAnswer)]
[JsonDerivedType(typeof(LagMetadata), FaultWord.LagMetadata)]
[JsonDerivedType(typeof(MoveLeader), FaultWord.MoveLeader)]
[JsonDerivedType(typeof(Fence), FaultWord.Fence)]
[JsonDerivedType(typeof(Restart), FaultWord.Restart)]
[JsonDerivedType(typeof(Disk), FaultWord.Disk)]
[JsonDerivedType(typeof(DiskLies), FaultWord.DiskLies)]
[JsonDerivedType(typeof(BitRot), FaultWord.BitRot)]
public abstract record Fault([property: JsonPropertyOrder(-2)] Trigger When, [property: JsonPropertyOrder(-1)] TimeSpan HowLong)
{
    /// <summary>The word of the command line and of reports, one of <see cref="FaultWord.All"/>.</summary>
    [JsonIgnore]
    public string Word => this switch
    {
        Crash => FaultWord.Crash,
        Power => FaultWord.Power,
        Pause => FaultWord.Pause,
        Partition => FaultWord.Partition,
        Delay => FaultWord.Delay,
        Reset => FaultWord.Reset,
        Clock => FaultWord.Clock,
        Hold => FaultWord.Hold,
        LoseAnswer => FaultWord.LoseAnswer,
        LagMetadata => FaultWord.LagMetadata,
        MoveLeader => FaultWord.MoveLeader,
        Fence => FaultWord.Fence,
        Restart => FaultWord.Restart,
        Disk => FaultWord.Disk,
        DiskLies => FaultWord.DiskLies,
        BitRot => FaultWord.BitRot,
        _ => throw new InvalidOperationException($"unknown fault {GetType().Name}"),
    };

    /// <summary>The node it is about, null when it is about none or several.</summary>
    [JsonIgnore]
    public NodeRef? Subject => this switch
    {
        Crash { Node: var node } => node,
        Power { Node: var node } => node,
        Pause { Node: var node } => node,
        Partition { From: var from } => from.Count == 1 ? from[0] : null,
        Delay { Node: var node } => node,
        Reset { Node: var node } => node,
        Clock { Node: var node } => node,
        Hold { From: var from, To: var to } => from ?? to,
        LoseAnswer { Node: var node } => node,
        LagMetadata { Node: var node } => node,
        MoveLeader { To: var to } => to,
        Fence { Node: var node } => node,
        Restart { Node: var node } => node,
        Disk { Node: var node } => node,
        DiskLies { Node: var node } => node,
        BitRot { Node: var node } => node,
        _ => throw new InvalidOperationException($"unknown fault {GetType().Name}"),
    };

    /// <summary>The same fault with every role replaced by the node that plays it now, or null when nobody does.</summary>
    public abstract Fault? Resolve(Func<NodeRef, NodeId?> find);

    /// <summary>The process dies and starts again when healed; its page cache is kept.</summary>
    public sealed record Crash(Trigger When, TimeSpan HowLong, NodeRef Node) : Fault(When, HowLong)
    {
        public override Fault? Resolve(Func<NodeRef, NodeId?> find) => Fix(Node, find) is { } node ? this with { Node = node } : null;
    }

    /// <summary>The machine loses power: unsynced writes are lost or torn at any byte. It starts again when healed.</summary>
    public sealed record Power(Trigger When, TimeSpan HowLong, NodeRef Node, UnsyncedTail Tail = UnsyncedTail.Drawn) : Fault(When, HowLong)
    {
        public override Fault? Resolve(Func<NodeRef, NodeId?> find) => Fix(Node, find) is { } node ? this with { Node = node } : null;
    }

    /// <summary>Time passes, nothing runs; when healed everything that waited runs at once.</summary>
    public sealed record Pause(Trigger When, TimeSpan HowLong, NodeRef Node) : Fault(When, HowLong)
    {
        public override Fault? Resolve(Func<NodeRef, NodeId?> find) => Fix(Node, find) is { } node ? this with { Node = node } : null;
    }

    /// <summary>Nothing passes between two sets of nodes.</summary>
    /// <param name="From">The side that is cut off.</param>
    /// <param name="To">The other side; empty means everybody else (isolation).</param>
    /// <param name="Port">Only connections to this port are cut; null: all.</param>
    public sealed record Partition(Trigger When, TimeSpan HowLong, NodeGroup From, NodeGroup To, CutWay Way = CutWay.Both, int? Port = null) : Fault(When, HowLong)
    {
        public override Fault? Resolve(Func<NodeRef, NodeId?> find) =>
            Fix(From, find) is { Count: > 0 } from && Fix(To, find) is { } to ? this with { From = from, To = to } : null;
    }

    /// <summary>Everything between a node and a peer takes longer.</summary>
    /// <param name="To">Null: every peer.</param>
    /// <param name="Extra">Added each way.</param>
    /// <param name="Jitter">Up to this much more, drawn per message.</param>
    public sealed record Delay(Trigger When, TimeSpan HowLong, NodeRef Node, NodeRef? To, TimeSpan Extra, TimeSpan Jitter) : Fault(When, HowLong)
    {
        public override Fault? Resolve(Func<NodeRef, NodeId?> find) =>
            Fix(Node, find) is { } node && TryFix(To, find, out var to) ? this with { Node = node, To = to } : null;
    }

    /// <summary>The node's connections (with one peer, or all) die at once; what was in flight may still arrive, late.</summary>
    public sealed record Reset(Trigger When, NodeRef Node, NodeRef? To = null) : Fault(When, TimeSpan.Zero)
    {
        public override Fault? Resolve(Func<NodeRef, NodeId?> find) =>
            Fix(Node, find) is { } node && TryFix(To, find, out var to) ? this with { Node = node, To = to } : null;
    }

    /// <summary>The wall clock of a node goes wrong; timers are not touched.</summary>
    /// <param name="By">Offset and jump: how far. Drift: how far within one second.</param>
    public sealed record Clock(Trigger When, TimeSpan HowLong, NodeRef Node, ClockError Error, TimeSpan By) : Fault(When, HowLong)
    {
        public override Fault? Resolve(Func<NodeRef, NodeId?> find) => Fix(Node, find) is { } node ? this with { Node = node } : null;
    }

    /// <summary>The next matching messages are kept back, and what follows on their connections with them; released when healed, even if the connection died meanwhile.</summary>
    /// <param name="ApiKey">Kafka API key of the request (or of the request answered); null: any.</param>
    /// <param name="Answers">True holds answers, false requests.</param>
    public sealed record Hold(Trigger When, TimeSpan HowLong, NodeRef? From, NodeRef? To, short? ApiKey, bool Answers, int Count) : Fault(When, HowLong)
    {
        public override Fault? Resolve(Func<NodeRef, NodeId?> find) =>
            TryFix(From, find, out var from) && TryFix(To, find, out var to) ? this with { From = from, To = to } : null;
    }

    /// <summary>Requests are delivered and executed, the next matching answers are lost.</summary>
    /// <param name="Node">Who answers.</param>
    /// <param name="To">Who asked; null: anybody.</param>
    /// <param name="ConnectionDies">True: the connection is closed instead of answering. False: it stays open and silent.</param>
    public sealed record LoseAnswer(Trigger When, TimeSpan HowLong, NodeRef Node, NodeRef? To, short? ApiKey, int Count, bool ConnectionDies) : Fault(When, HowLong)
    {
        public override Fault? Resolve(Func<NodeRef, NodeId?> find) =>
            Fix(Node, find) is { } node && TryFix(To, find, out var to) ? this with { Node = node, To = to } : null;
    }

    /// <summary>What the controllers answer to a node's fetches of the metadata log arrives late.</summary>
    public sealed record LagMetadata(Trigger When, TimeSpan HowLong, NodeRef Node, TimeSpan By) : Fault(When, HowLong)
    {
        public override Fault? Resolve(Func<NodeRef, NodeId?> find) => Fix(Node, find) is { } node ? this with { Node = node } : null;
    }

    /// <summary>An operator moves the leadership of a partition.</summary>
    public sealed record MoveLeader(Trigger When, TopicPartition TopicPartition, NodeRef To) : Fault(When, TimeSpan.Zero)
    {
        public override Fault? Resolve(Func<NodeRef, NodeId?> find) => Fix(To, find) is { } to ? this with { To = to } : null;
    }

    /// <summary>A broker's heartbeats do not reach the controllers, so they fence it.</summary>
    public sealed record Fence(Trigger When, TimeSpan HowLong, NodeRef Node) : Fault(When, HowLong)
    {
        public override Fault? Resolve(Func<NodeRef, NodeId?> find) => Fix(Node, find) is { } node ? this with { Node = node } : null;
    }

    /// <summary>The node is stopped in good order and started again when healed.</summary>
    public sealed record Restart(Trigger When, TimeSpan HowLong, NodeRef Node) : Fault(When, HowLong)
    {
        public override Fault? Resolve(Func<NodeRef, NodeId?> find) => Fix(Node, find) is { } node ? this with { Node = node } : null;
    }

    /// <summary>The disk fails honestly.</summary>
    /// <param name="By">Slow: added to every flush.</param>
    public sealed record Disk(Trigger When, TimeSpan HowLong, NodeRef Node, DiskTrouble Trouble, TimeSpan By = default) : Fault(When, HowLong)
    {
        public override Fault? Resolve(Func<NodeRef, NodeId?> find) => Fix(Node, find) is { } node ? this with { Node = node } : null;
    }

    /// <summary>Flushes are answered and not done.</summary>
    public sealed record DiskLies(Trigger When, TimeSpan HowLong, NodeRef Node) : Fault(When, HowLong)
    {
        public override Fault? Resolve(Func<NodeRef, NodeId?> find) => Fix(Node, find) is { } node ? this with { Node = node } : null;
    }

    /// <summary>One bit of one stored file flips.</summary>
    public sealed record BitRot(Trigger When, NodeRef Node) : Fault(When, TimeSpan.Zero)
    {
        public override Fault? Resolve(Func<NodeRef, NodeId?> find) => Fix(Node, find) is { } node ? this with { Node = node } : null;
    }

    /// <summary>The node of a reference that was already resolved.</summary>
    public static NodeId NodeOf(NodeRef node) =>
        node is NodeRef.Fixed { Id: var id } ? id : throw new InvalidOperationException($"'{node}' was not resolved to a node");

    private static NodeRef.Fixed? Fix(NodeRef node, Func<NodeRef, NodeId?> find) =>
        node as NodeRef.Fixed ?? (find(node) is { } id ? new NodeRef.Fixed(id) : null);

    private static bool TryFix(NodeRef? node, Func<NodeRef, NodeId?> find, out NodeRef? resolved)
    {
        resolved = node is null ? null : Fix(node, find);
        return node is null || resolved is not null;
    }

    private static NodeGroup? Fix(NodeGroup group, Func<NodeRef, NodeId?> find)
    {
        var nodes = group.Select(node => Fix(node, find)).ToArray();
        return Array.TrueForAll(nodes, static node => node is not null) ? new NodeGroup(nodes!) : null;
    }
}

/// <summary>Which way a partition cuts.</summary>
public enum CutWay
{
    Both,

    /// <summary>Nothing leaves the cut-off side; it still hears the others.</summary>
    Out,

    /// <summary>Nothing reaches the cut-off side; the others still hear it.</summary>
    In,
}

public enum ClockError
{
    /// <summary>Wrong until healed, then right again.</summary>
    Offset,

    /// <summary>Jumps and stays; healing changes nothing.</summary>
    Jump,

    /// <summary>Runs too fast or too slow; set right when healed.</summary>
    Drift,
}

public enum DiskTrouble
{
    /// <summary>A flush fails; what it should have saved may be gone for ever.</summary>
    FsyncFails,

    /// <summary>Nothing can grow.</summary>
    Full,

    /// <summary>Flushes take longer.</summary>
    Slow,
}

/// <summary>What becomes of writes that were not flushed when the power goes.</summary>
public enum UnsyncedTail
{
    /// <summary>Drawn anew for each file.</summary>
    Drawn,

    /// <summary>All of them are lost.</summary>
    Lost,

    /// <summary>A prefix survives, torn at any byte.</summary>
    Prefix,

    /// <summary>A prefix survives and the file keeps its length, with zeros.</summary>
    ZeroFilled,

    /// <summary>All of them happened to be written back.</summary>
    Kept,
}
