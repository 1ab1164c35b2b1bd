using Broker.Runtime;
using Verify.Workloads;

namespace Verify.Campaign.Running;

/// <summary>A run of the workload <see cref="WorkloadNames.Compaction"/>: after the faults, everything is rolled and cleaned before it is read.</summary>
internal static class CompactionRun
{
    private const int ValueDigits = 120, ProbeKey = 999_999, RecordsPerSegment = 8;

    /// <summary>How often a broker looks whether a log is worth cleaning.</summary>
    public static readonly TimeSpan CleanerBackoff = TimeSpan.FromMilliseconds(300);

    private static readonly TimeSpan DeleteRetention = TimeSpan.FromMilliseconds(500);

    /// <summary>Segments of a few records, and tombstones that go soon: in some seconds a log is cleaned several times.</summary>
    public static KeyValuePair<string, string>[] TopicSettings { get; } =
    [
        new("cleanup.policy", "compact"),
        new("segment.bytes", "1024"),
        new("delete.retention.ms", FormattableString.Invariant($"{DeleteRetention.TotalMilliseconds:0}")),
        new("min.cleanable.dirty.ratio", "0.1"),
    ];

    public static async Task PlayAsync(RunStage stage)
    {
        var plan = stage.Scenario.Plan;
        var workload = new LogWorkload(plan, ClusterNodes.Topic, stage.Recorder, stage.Clients, ValueDigits, ProbeKey);
        var readers = stage.StartClients(plan.Readers, "reader", ClusterNodes.Reader, workload.ReadAsync);
        var producers = stage.StartClients(plan.Clients, "producer", ClusterNodes.Client, workload.ProduceAsync);
        await stage.UnderFaultsAsync(producers);

        var healed = stage.World.Now;
        var recovered = await stage.AllInSyncAsync(workload.Partitions) & await stage.OperateAsync(host => workload.ProbeAsync(host, RunLimits.Recovery));
        if (recovered) stage.RecoveredAfter = stage.World.Now - healed;
        workload.ReadersMayStop = true;
        foreach (var reader in readers) await reader;

        await stage.OperateAsync(host => workload.FillAsync(host, RecordsPerSegment));   // the segment that is written to is never cleaned
        await stage.World.Time.DelayAsync(DeleteRetention + CleanerBackoff * 5);        // one look cleans; after the retention a second one removes tombstones
        await stage.TourAsync(workload.Partitions, host => workload.ReadFinallyAsync(host, RunLimits.Read));
    }
}
