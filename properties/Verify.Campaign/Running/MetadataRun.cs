using Broker.Runtime;
using Chaos.Faults;
using Verify.Workloads;

namespace Verify.Campaign.Running;

/// <summary>A run of the workload <see cref="WorkloadNames.Metadata"/>.</summary>
internal static class MetadataRun
{
    public static async Task PlayAsync(RunStage stage)
    {
        var plan = stage.Scenario.Plan;
        var workload = new MetadataWorkload(plan, replicationFactor: 1, RunLimits.Admin, stage.Recorder, stage.Clients);   // at stake is what the quorum remembers; replicas would only cost time
        await stage.UnderFaultsAsync(stage.StartClients(plan.Clients, "client", ClusterNodes.Client, workload.RunAsync));

        var healed = stage.World.Now;
        TopicPartition[] first = [new(ClusterNodes.Topic, 0)];
        if (await stage.AllInSyncAsync(first)) stage.RecoveredAfter = stage.World.Now - healed;
        // Every voter leads in turn, and brokers that learn everything anew from it are asked what topics there are.
        foreach (var _ in ClusterNodes.Controllers.Ids())
        {
            await stage.Cluster.RestartAsync(stage.Brokers);
            if (await stage.InSyncAsync(first)) await stage.OperateAsync(host => workload.ListFinallyAsync(host, RunLimits.Read));
            if (stage.World.Find(new NodeRef.ActiveController()) is { } active) await stage.Cluster.RestartAsync(NodeSet.Of([active.Value]));
        }
    }
}
