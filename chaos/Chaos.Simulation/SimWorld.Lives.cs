using Broker.Runtime;
using Chaos.Faults;

namespace Chaos.Simulation;

/// <summary>How nodes live and die.</summary>
public sealed partial class SimWorld
{
    internal void NodeFailed(Life life, Exception failure)
    {
        var node = life.Node;
        if (life != node.Life) return;
        if (IsDiskFailure(failure) && node.Disk.Culprit is { } culprit)
        {
            Kill(node, Death.Closed, new Observation(ObservationKind.Crashed, node.Id));
            HoldDown(node, culprit);
            return;
        }

        failures.Add(new NodeFailure(node.Id, Now, failure));
        node.Wanted = false;
        Kill(node, Death.Closed, new Observation(ObservationKind.Crashed, node.Id));
    }

    private void StartIfFree(SimNode node)
    {
        if (!node.Wanted || node.HeldDown > 0 || node.IsUp) return;
        loop.Trace.Mix(TraceKind.Start, node.Id.Value, loop.Now);
        node.HasPower = true;
        var life = node.Life = new Life(this, node, loop, network, ++node.Lives);
        if (node.Paused > 0) life.Context.Pause();                      // whoever paused it means the machine
        foreach (var wire in node.Orphans) wire.EndAfterPowerLoss();
        node.Orphans.Clear();
        life.Context.Post(started => _ = LiveAsync((Life)started!), life);
    }

    private async Task LiveAsync(Life life)
    {
        try
        {
            await life.Node.Main(life);
            if (!life.Stopping) Ended(life);
        }
        catch (OperationCanceledException) when (life.Stopping)
        {
            // The program was told to stop, and this is how some programs do.
        }
        catch (Exception failure)                                      // the end of the process, whatever it was
        {
            NodeFailed(life, failure);
        }
    }

    /// <summary>The program has come to its end by itself.</summary>
    private void Ended(Life life)
    {
        if (life != life.Node.Life) return;
        life.Node.Wanted = false;
        End(life.Node, Death.Closed);
    }

    private void Kill(SimNode node, Death death, in Observation says)
    {
        End(node, death);
        Observe(says);
    }

    private void End(SimNode node, Death death)
    {
        loop.Trace.Mix(TraceKind.Kill, node.Id.Value, loop.Now);
        node.Life!.End(death, network);
        node.Life = null;
    }

    private void HoldDown(SimNode node, ActiveFault fault)
    {
        if (fault.HoldsDown) return;
        node.HeldDown++;
        if (fault.Healed) loop.Schedule(new Release(this, node), loop.Now + options.RestartDelay.Ticks);
        else fault.HoldsDown = true;
    }

    private void LetUp(SimNode node)
    {
        node.HeldDown--;
        StartIfFree(node);
    }

    private void BeginStop(SimNode node, ActiveFault? fault)
    {
        if (node.Life is not { Stopping: false } life) return;
        fault?.Bite();
        life.Stopping = true;
        loop.Schedule(new Grace(this, life), loop.Now + options.StopGrace.Ticks);
        life.Context.Post(stopped => _ = StopAsync((Life)stopped!), life);
    }

    private async Task StopAsync(Life life)
    {
        try
        {
            if (life.Node.Stop is { } stop) await stop();
            Stopped(life);
        }
        catch (OperationCanceledException)
        {
            Stopped(life);
        }
        catch (Exception failure)                                      // a failure while stopping is a failure
        {
            NodeFailed(life, failure);
        }
    }

    private void Stopped(Life life)
    {
        if (life != life.Node.Life) return;
        End(life.Node, Death.Closed);
        StartIfFree(life.Node);
    }

    private static bool IsDiskFailure(Exception failure) => failure switch
    {
        DiskException => true,
        AggregateException many => many.InnerExceptions.All(IsDiskFailure),
        { InnerException: { } inner } => IsDiskFailure(inner),
        _ => false,
    };

    /// <summary>Lets a node up some time after its disk was mended.</summary>
    private sealed class Release(SimWorld world, SimNode node) : Scheduled
    {
        internal override void Fire() => world.LetUp(node);
    }

    /// <summary>A stop that takes too long is a crash.</summary>
    private sealed class Grace(SimWorld world, Life life) : Scheduled
    {
        internal override void Fire()
        {
            if (life != life.Node.Life) return;
            world.Kill(life.Node, Death.Closed, new Observation(ObservationKind.Crashed, life.Id));
            world.StartIfFree(life.Node);
        }
    }
}
