using Broker.Runtime;
using Chaos.Faults;

namespace Chaos.Simulation;

/// <summary>What the faults do to this world.</summary>
public sealed partial class SimWorld
{
    private readonly SortedDictionary<int, ActiveFault> active = [];

    /// <summary>Whose fetch answers carry the metadata log. Default: nobody.</summary>
    public Func<NodeId, bool> IsController { get; set; } = static _ => false;

    /// <summary>Finds who plays a role; the default goes by observations (see <see cref="ObservedRoles"/>).</summary>
    public Func<NodeRef, NodeId?>? FindRole { get; set; }

    /// <summary>Asks the brokers to move a leadership; true when the operator's request could be sent. Default: nobody to ask.</summary>
    public Func<TopicPartition, NodeId, bool>? MoveLeadership { get; set; }

    public NodeId? Find(NodeRef role) => role is NodeRef.Fixed(var id) ? id : FindRole is { } find ? find(role) : roles.Find(role);

    public void Inject(int index, Fault fault)
    {
        loop.Trace.Mix(TraceKind.Inject, index, loop.Now);
        var node = fault.Subject is NodeRef.Fixed { Id: var id } && nodes.ContainsKey(id.Value) ? id : NodeId.None;
        var injected = fault is Fault.Partition cut ? Sides(index, cut) : new ActiveFault(this, index, fault, node);
        active.Add(index, injected);
        if (fault is Fault.Partition or Fault.Delay or Fault.Hold or Fault.LoseAnswer or Fault.LagMetadata or Fault.Fence) Break(injected);
        else if (fault is Fault.MoveLeader move) MoveLeader(injected, move);
        else if (node != NodeId.None) Hurt(nodes[node.Value], injected);
    }

    public void Heal(int index)
    {
        if (!active.Remove(index, out var fault)) return;
        loop.Trace.Mix(TraceKind.Heal, index, loop.Now);
        fault.Healed = true;
        if (fault.Fault is Fault.Partition or Fault.Delay or Fault.Hold or Fault.LoseAnswer or Fault.LagMetadata or Fault.Fence)
        {
            links.Remove(fault);
            if (fault.Fault is Fault.Partition or Fault.Hold or Fault.Fence) network.ResumeStalled();
        }
        else if (fault.Node != NodeId.None)
        {
            Mend(nodes[fault.Node.Value], fault);
        }

        if (fault.Effects > 0) Observe(new Observation(ObservationKind.FaultHealed, fault.Node, Other: index));
    }

    internal void ReportBite(ActiveFault fault) => Observe(new Observation(ObservationKind.FaultBit, fault.Node, Other: fault.Index));

    private ActiveFault Sides(int index, Fault.Partition cut)
    {
        var from = NodeSet.Of(cut.From.Select(static node => Fault.NodeOf(node).Value));
        var to = cut.To.Count > 0 ? NodeSet.Of(cut.To.Select(static node => Fault.NodeOf(node).Value)) : new NodeSet(~from.Bits);
        return new ActiveFault(this, index, cut, cut.From.Count == 1 ? Fault.NodeOf(cut.From[0]) : NodeId.None) { From = from, To = to };
    }

    private void Break(ActiveFault fault)
    {
        fault.Left = fault.Fault switch
        {
            Fault.Hold hold => hold.Count,
            Fault.LoseAnswer lose => lose.Count,
            _ => int.MaxValue,
        };
        links.Add(fault);
    }

    private void MoveLeader(ActiveFault fault, Fault.MoveLeader move)
    {
        if (MoveLeadership?.Invoke(move.TopicPartition, fault.Node) is true) fault.Bite();
    }

    private void Hurt(SimNode node, ActiveFault fault)
    {
        switch (fault.Fault)
        {
            case Fault.Crash:
                Crash(node, fault);
                break;
            case Fault.Power power:
                LosePower(node, fault, power.Tail);
                break;
            case Fault.Pause:
                Pause(node, fault);
                break;
            case Fault.Restart:
                HoldDown(node, fault);
                BeginStop(node, fault);
                break;
            case Fault.Reset reset:
                ResetConnections(node, fault, reset.To);
                break;
            case Fault.Clock clock:
                Misset(node, fault, clock);
                break;
            case Fault.Disk or Fault.DiskLies:
                node.Disk.Start(fault);
                break;
            case Fault.BitRot:
                if (node.Disk.Rot()) fault.Bite();
                break;
            default:
                throw new InvalidOperationException($"this world cannot do {fault.Fault.Word}");
        }
    }

    private void Mend(SimNode node, ActiveFault fault)
    {
        switch (fault.Fault)
        {
            case Fault.Pause:
                if (--node.Paused == 0) node.Life?.Context.Resume();
                break;
            case Fault.Clock { Error: ClockError.Offset } clock:
                node.Clock.Shift(-clock.By);
                break;
            case Fault.Clock { Error: ClockError.Drift }:
                node.Clock.StopDrift(fault.Index);
                break;
            case Fault.Disk or Fault.DiskLies:
                node.Disk.End(fault);
                break;
            default:
                break;
        }

        if (fault.HoldsDown) LetUp(node);
    }

    private void Crash(SimNode node, ActiveFault fault)
    {
        HoldDown(node, fault);
        if (!node.IsUp) return;
        fault.Bite();
        Kill(node, Death.Closed, new Observation(ObservationKind.Crashed, node.Id));
    }

    private void LosePower(SimNode node, ActiveFault fault, UnsyncedTail tail)
    {
        HoldDown(node, fault);
        if (node.Lives == 0) return;
        node.HasPower = false;
        fault.Bite();
        if (node.IsUp) End(node, Death.Power);
        var lost = node.Disk.LosePower(tail);
        Observe(new Observation(ObservationKind.PowerLost, node.Id, Offset: lost));
    }

    private void Pause(SimNode node, ActiveFault fault)
    {
        node.Paused++;
        if (node.Life is not { } life) return;
        life.Context.WaitedWhilePaused = fault.Bite;
        life.Context.Pause();
    }

    private void ResetConnections(SimNode node, ActiveFault fault, NodeRef? peer)
    {
        if (node.Life is not { } life) return;
        foreach (var connection in life.Connections.ToArray())
        {
            if (peer is not null && connection.Outgoing.To != Fault.NodeOf(peer).Value) continue;
            fault.Bite();
            network.Reset(connection);
        }
    }

    private void Misset(SimNode node, ActiveFault fault, Fault.Clock clock)
    {
        if (clock.Error == ClockError.Drift) node.Clock.StartDrift(fault.Index, clock.By.TotalSeconds, loop.Now);
        else node.Clock.Shift(clock.By);
        if (node.IsUp) fault.Bite();
    }
}
