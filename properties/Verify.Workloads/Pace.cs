using Broker.Runtime;

namespace Verify.Workloads;

/// <summary>Starts each command at its time, whatever became of the earlier ones (open loop).</summary>
internal static class Pace
{
    public static async Task FollowAsync(IHost host, IEnumerable<Command> commands, Action<Command> start)
    {
        var began = host.Time.Monotonic();
        foreach (var command in commands)
        {
            await host.Time.DelayAsync(began + command.At - host.Time.Monotonic());
            start(command);
        }
    }
}
