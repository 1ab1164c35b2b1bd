using Broker.Runtime;
using Verify.Promises;
using Verify.Workloads;

namespace Verify.Campaign.Running;

/// <summary>A run of the workload <see cref="WorkloadNames.Log"/>.</summary>
internal static class LogRun
{
    public static async Task PlayAsync(RunStage stage)
    {
        var plan = stage.Scenario.Plan;
        var workload = new LogWorkload(plan, ClusterNodes.Topic, stage.Recorder, stage.Clients);
        var groups = plan.Members.IsEmpty ? null : new GroupRun(stage, workload);
        var readers = stage.StartClients(plan.Readers, "reader", ClusterNodes.Reader, workload.ReadAsync);
        var producers = stage.StartClients(plan.Clients, "producer", ClusterNodes.Client, workload.ProduceAsync);
        groups?.Start();
        await stage.UnderFaultsAsync(producers);

        var healed = stage.World.Now;
        var recovered = await stage.AllInSyncAsync(workload.Partitions) & await stage.OperateAsync(host => workload.ProbeAsync(host, RunLimits.Recovery));
        if (groups is not null) recovered &= await stage.AllInSyncAsync(OffsetsPlan.All) & await groups.DrainAsync();
        if (recovered) stage.RecoveredAfter = stage.World.Now - healed;
        workload.ReadersMayStop = true;
        foreach (var reader in readers) await reader;
        await stage.TourAsync(workload.Partitions, host => workload.ReadFinallyAsync(host, RunLimits.Read));

        // With acks=0 what was sent counts. A sending of a closed connection may have come to a leader only just before the tour deposed it: by its next fetch it is cut, and seen to be lost.
        if (stage.Scenario.Configuration.Acks == Acks.Zero) await stage.World.Time.DelayAsync(RunLimits.Settling);
    }
}
