using Broker.Core;
using Broker.Runtime;
using Chaos.Faults;
using Chaos.Simulation;
using Verify.Clients;
using Verify.History;
using Verify.Workloads;
using Verify.Zoo;

namespace Verify.Campaign.Running;

/// <summary>Plays a scenario: boots a cluster, lets clients and nemesis loose, heals, waits for recovery, tours the leaderships and reads everything again. What is particular to a workload has a class of its own.</summary>
public static class SimulatedRun
{
    /// <param name="mutant">The planted bug that the scenario names, null for the faithful broker.</param>
    /// <param name="into">An empty log to record into; the caller may use it again once the record is judged.</param>
    public static RunRecord Play(Scenario scenario, Mutant? mutant = null, HistoryLog? into = null)
    {
        Invariant.Holds(scenario.Mutant == mutant?.Slug);
        var world = new SimWorld(scenario.Seed, SimulatedSettings.OptionsOf(scenario.World));
        var cluster = new SimCluster(world, SimulatedSettings.ClusterOf(scenario), () => mutant is null ? new BrokerRules() : mutant.Broker(new BrokerRules()));
        world.AfterTurn = cluster.AssertInvariants;
        var recorder = new HistoryRecorder(into ?? new HistoryLog(), () => world.Now.Ticks * TimeSpan.NanosecondsPerTick);
        var clientScope = new TaskScope();
        var clients = new KitSettings(scenario.Configuration, cluster.Bootstrap, MemberPace.Simulated).Own(clientScope, () => mutant is null ? new ClientRules() : mutant.Client(new ClientRules()));
        var nemesis = world.Unleash(scenario.Faults);
        var stage = new RunStage(scenario, world, cluster, recorder, nemesis, clients);
        var power = new PowerLimit(scenario.PowerLimit, stage.Brokers, partition => OffsetsPlan.ReplicasOf(scenario.Configuration, partition));
        world.Subscribe((in Observation seen, TimeSpan _) => power.Observe(seen));
        nemesis.Veto = power.Forbids;
        world.MoveLeadership = stage.MoveLeadership;
        try
        {
            world.Run(() => PlayAsync(stage), scenario.Length + RunLimits.Boot + RunLimits.Recovery * 2 + TimeSpan.FromSeconds(60));
        }
        catch (RunTooLongException)
        {
            stage.RecoveredAfter = null;                               // what has been recorded is judged; recovery it was not
        }
        if (clientScope.Failed.Exception is { } failure) throw failure;
        return new RunRecord(scenario, recorder.Log, world.Journal, nemesis.Outcomes, nemesis.Bitten, world.Failures, world.TraceHash, world.Now, stage.Ready, stage.RecoveredAfter);
    }

    private static async Task PlayAsync(RunStage stage)
    {
        await stage.BootAsync();
        if (!stage.Ready) return;
        switch (stage.Scenario.Plan.Workload)
        {
            case WorkloadNames.Log: await LogRun.PlayAsync(stage); break;
            case WorkloadNames.Metadata: await MetadataRun.PlayAsync(stage); break;
            case WorkloadNames.Compaction: await CompactionRun.PlayAsync(stage); break;
            default: throw new InvalidOperationException($"unknown workload {stage.Scenario.Plan.Workload}");
        }
    }
}
