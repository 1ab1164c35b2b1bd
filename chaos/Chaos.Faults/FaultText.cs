using System.Globalization;
using Broker.Runtime;

namespace Chaos.Faults;

/// <summary>A fault as a sentence: <c>node 2 (leader of t-0) loses power for 800 ms, 5 ms after it became leader of t-0</c>.</summary>
public static class FaultText
{
    /// <param name="resolved">The same fault as it was injected, where that is known: roles are then named together with their node.</param>
    public static string Sentence(Fault fault, Fault? resolved = null) => $"{Happens(fault, resolved)}{Duration(fault)}, {When(fault)}";

    private static string Happens(Fault fault, Fault? resolved)
    {
        var subject = fault.Subject is { } node ? Name(node, resolved?.Subject) : "";
        return fault switch
        {
            Fault.Crash => $"{subject} crashes",
            Fault.Power { Tail: UnsyncedTail.Drawn } => $"{subject} loses power",
            Fault.Power power => $"{subject} loses power (unsynced writes: {Words(power.Tail)})",
            Fault.Pause => $"{subject} stands still",
            Fault.Partition partition => Cut(partition),
            Fault.Delay delay => $"messages between {subject} and {Peer(delay.To)} take {Ms(delay.Extra)} longer{Jitter(delay.Jitter)}",
            Fault.Reset reset => $"connections between {subject} and {Peer(reset.To)} are reset",
            Fault.Clock { Error: ClockError.Drift } clock => $"the clock of {subject} drifts by {Ms(clock.By)} a second",
            Fault.Clock { Error: ClockError.Jump } clock => $"the clock of {subject} jumps by {Ms(clock.By)}",
            Fault.Clock clock => $"the clock of {subject} is off by {Ms(clock.By)}",
            Fault.Hold hold => $"the next {Messages(hold.ApiKey, hold.Answers, hold.Count)} from {Anyone(hold.From)} to {Anyone(hold.To)} {(hold.Count == 1 ? "is" : "are")} kept back",
            Fault.LoseAnswer lose => $"{subject} executes, but its next {Messages(lose.ApiKey, true, lose.Count)} to {Anyone(lose.To)} {(lose.Count == 1 ? "is" : "are")} lost" +
                                     (lose.ConnectionDies ? " with the connection" : ", the connection staying open"),
            Fault.LagMetadata lag => $"the metadata log reaches {subject} {Ms(lag.By)} late",
            Fault.MoveLeader move => $"leadership of {move.TopicPartition} is moved to {subject}",
            Fault.Fence => $"the heartbeats of {subject} do not reach the controllers",
            Fault.Restart => $"{subject} is stopped in good order",
            Fault.Disk { Trouble: DiskTrouble.FsyncFails } => $"flushes fail on the disk of {subject}",
            Fault.Disk { Trouble: DiskTrouble.Full } => $"the disk of {subject} is full",
            Fault.Disk disk => $"flushes on the disk of {subject} take {Ms(disk.By)} longer",
            Fault.DiskLies => $"the disk of {subject} answers flushes without doing them",
            Fault.BitRot => $"a bit flips on the disk of {subject}",
            _ => throw new InvalidOperationException($"unknown fault {fault.GetType().Name}"),
        };
    }

    private static string Cut(Fault.Partition partition)
    {
        var other = partition.To.Count == 0 ? "everybody else" : Names(partition.To);
        return partition.Way switch
        {
            CutWay.Both => $"{Names(partition.From)} and {other} are cut apart",
            CutWay.Out => $"nothing from {Names(partition.From)} reaches {other}",
            CutWay.In => $"nothing from {other} reaches {Names(partition.From)}",
            _ => throw new InvalidOperationException($"unknown cut {partition.Way}"),
        } + (partition.Port is { } port ? $" on port {port}" : "");
    }

    private static string When(Fault fault) => fault.When switch
    {
        Trigger.At(var time) => $"at {Ms(time)}",
        Trigger.After(var what, var count, var delay, var since) =>
            (delay > TimeSpan.Zero ? $"{Ms(delay)} after " : "right after ") + (count > 1 ? $"the {Ordinal(count)} time " : "") + Seen(what, fault.Subject) + (since > TimeSpan.Zero ? $" later than {Ms(since)}" : ""),
        _ => throw new InvalidOperationException($"unknown trigger {fault.When.GetType().Name}"),
    };

    private static string Seen(ObservationPattern what, NodeRef? subject)
    {
        var who = what.Node is { } id ? subject is NodeRef.Fixed fix && fix.Id == id ? "it" : $"node {id}" : subject is NodeRef.Observed ? "it" : "a node";
        var of = what.Partition is { } partition ? $" of {partition}" : "";
        var sentence = what.Kind switch
        {
            ObservationKind.BecameLeader => $"{who} became leader{of}",
            ObservationKind.BecameFollower => $"{who} became follower{of}",
            ObservationKind.IsrProposed => $"{who} proposed an ISR{of}",
            ObservationKind.IsrCommitted => $"an ISR{of} was committed",
            ObservationKind.Elected => $"a leader{of} was elected",
            ObservationKind.Replicated => $"{who} replicated a batch{of}",
            ObservationKind.Appended => $"{who} appended a batch{of}",
            ObservationKind.Truncated => $"{who} truncated its log{of}",
            ObservationKind.QuorumVote => $"{who} voted in the metadata quorum",
            ObservationKind.QuorumLeader => $"{who} won the metadata quorum",
            ObservationKind.HighWatermark => $"{who} moved the high watermark{of}",
            ObservationKind.NodeStarted => $"{who} came up",
            ObservationKind.MetadataCommitted => $"{who} committed metadata",
            ObservationKind.BrokerFenced => $"{who} fenced a broker",
            ObservationKind.ProduceReceived => $"{who} received a produce{of}",
            ObservationKind.Flushed => $"{who} flushed its log{of}",
            ObservationKind.ClientAnswered => $"{who} got an answer{of}",
            ObservationKind.ProduceAnswered => $"{who} answered a produce{of}",
            ObservationKind.CommittedAtRisk => $"{who} lacked something committed{of} and could have been elected",
            var other => $"{who} was seen to {Words(other)}{of}",
        };
        return sentence + (what.Epoch is { } epoch ? $" in epoch {epoch}" : "") + (what.Other is { } value ? $" ({value})" : "") + (what.Size is { } size ? $" of {size}" : "");
    }

    private static string Name(NodeRef node, NodeRef? resolved) => (node, resolved) switch
    {
        (NodeRef.Fixed(var id), _) => $"node {id}",
        (_, NodeRef.Fixed(var id)) => $"node {id} ({Role(node)})",
        _ => $"the {Role(node)}",
    };

    private static string Role(NodeRef node) => node switch
    {
        NodeRef.Fixed(var id) => $"node {id}",
        NodeRef.LeaderOf(var partition) => $"leader of {partition}",
        NodeRef.FollowerOf(var partition, var k) => $"{Ordinal(k + 1)} follower of {partition}",
        NodeRef.ActiveController => "active controller",
        NodeRef.Observed => "node that was seen",
        _ => throw new InvalidOperationException($"unknown node reference {node.GetType().Name}"),
    };

    private static string Names(NodeGroup group) =>
        group.All(node => node is NodeRef.Fixed) ? (group.Count == 1 ? $"node {group}" : $"nodes {group}") : string.Join(", ", group.Select(node => Name(node, null)));

    private static string Peer(NodeRef? node) => node is null ? "its peers" : Name(node, null);

    private static string Anyone(NodeRef? node) => node is null ? "anybody" : Name(node, null);

    private static string Messages(short? apiKey, bool answers, int count)
    {
        var message = (apiKey is { } key ? $"{ApiName(key)} " : "") + (answers ? "answer" : "request");
        return count == 1 ? message : $"{count} {message}s";
    }

    private static string ApiName(short key) => key switch
    {
        0 => "Produce",
        1 => "Fetch",
        3 => "Metadata",
        22 => "InitProducerId",
        26 => "EndTxn",
        52 => "Vote",
        53 => "BeginQuorumEpoch",
        56 => "AlterPartition",
        63 => "BrokerHeartbeat",
        _ => $"API {key}",
    };

    private static string Duration(Fault fault) => fault.HowLong > TimeSpan.Zero ? $" for {Ms(fault.HowLong)}" : "";

    private static string Jitter(TimeSpan jitter) => jitter > TimeSpan.Zero ? $" (up to {Ms(jitter)} more)" : "";

    private static string Ms(TimeSpan time) => $"{(time.Ticks / (decimal)TimeSpan.TicksPerMillisecond).ToString("0.####", CultureInfo.InvariantCulture)} ms";

    private static string Words<T>(T value) where T : struct, Enum =>
        string.Concat(value.ToString().Select((c, i) => char.IsUpper(c) && i > 0 ? $" {char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}"));

    private static string Ordinal(int n) => (n % 100) switch
    {
        11 or 12 or 13 => $"{n}th",
        _ => (n % 10) switch { 1 => $"{n}st", 2 => $"{n}nd", 3 => $"{n}rd", _ => $"{n}th" },
    };
}
