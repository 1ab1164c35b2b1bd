using Broker.Core.Replication;
using Broker.Runtime;

namespace Broker.Node.Serving;

/// <summary>
/// Keeps the logs of this broker in order, by clocks: compacts those whose topics ask for it (cleanup.policy=compact), deletes what is too old or too much (retention.ms, retention.bytes), and flushes what
/// has waited for flush.ms. Each clock runs from when the first partition needs it.
/// </summary>
public sealed class LogKeeper(IHost host, BrokerSettings settings, PartitionTable partitions, TaskScope scope)
{
    private bool cleans, retains, flushes;

    public void Follow() => partitions.Applied += LookAt;

    private void LookAt(Partition partition)
    {
        if (partition.Compacts && !cleans)
        {
            cleans = true;
            scope.Start(() => RepeatAsync(() => settings.CleanerBackoff, static one => one.Compacts, one => one.CleanAsync(host.Time.Monotonic())));
        }
        if (partition.Retains && !retains)
        {
            retains = true;
            scope.Start(() => RepeatAsync(() => settings.RetentionCheckInterval, static one => one.Retains, one => one.RetainAsync(host.Time.GetUtcNow().ToUnixTimeMilliseconds())));
        }
        if (FlushesByTime(partition) && !flushes)
        {
            flushes = true;
            scope.Start(() => RepeatAsync(ShortestFlush, FlushesByTime, static one => one.HasUnflushed ? one.FlushAsync() : ValueTask.CompletedTask));
        }
    }

    private static bool FlushesByTime(Partition partition) => partition.FlushMs != long.MaxValue;

    /// <summary>Of all topics that flush by time; with several, some are flushed more often than they ask for.</summary>
    private TimeSpan ShortestFlush()
    {
        var shortest = partitions.All.Select(static partition => partition.Core.FlushMs).DefaultIfEmpty(long.MaxValue).Min();
        return TimeSpan.FromMilliseconds(Math.Clamp(shortest, 1, (long)TimeSpan.FromHours(1).TotalMilliseconds));
    }

    /// <summary>For ever: waits, then does the work for each partition that needs it, one after the other. Others come and go meanwhile.</summary>
    private async Task RepeatAsync(Func<TimeSpan> pause, Func<Partition, bool> needsIt, Func<Partition, ValueTask> work)
    {
        while (true)
        {
            await host.Time.DelayAsync(pause());
            foreach (var partition in partitions.All.Where(hosted => needsIt(hosted.Core)).ToArray()) await work(partition.Core);
        }
    }
}
