using Broker.Core.Replication;
using Broker.Runtime;

namespace Broker.Node.Serving;

/// <summary>A partition of this broker and those who wait for something to happen in it.</summary>
public sealed class HostedPartition
{
    private readonly List<Waiter> waiters = [];

    public HostedPartition(Partition core)
    {
        Core = core;
        core.Changed += () => Wake(all: false);
    }

    public Partition Core { get; }

    /// <summary>Lets everybody look again: the role changed, or the partition is gone.</summary>
    public void WakeAll() => Wake(all: true);

    /// <summary>Waits until <paramref name="isReady"/> may have become true in one of the partitions. False when the time ran out.</summary>
    public static async Task<bool> WaitAsync(TimeProvider time, IReadOnlyList<HostedPartition> partitions, Func<bool> isReady, TimeSpan timeout)
    {
        var waiter = new Waiter(isReady, new Signal(time));
        HashSet<HostedPartition> distinct = [.. partitions];           // a request may name one of them any number of times
        foreach (var partition in distinct) partition.waiters.Add(waiter);
        var woken = await waiter.Signal.WaitAsync(timeout);
        foreach (var partition in distinct) partition.waiters.Remove(waiter);
        return woken;
    }

    private void Wake(bool all)
    {
        foreach (var waiter in waiters)
            if (all || waiter.IsReady()) waiter.Signal.Set();
    }

    private sealed record Waiter(Func<bool> IsReady, Signal Signal);
}
