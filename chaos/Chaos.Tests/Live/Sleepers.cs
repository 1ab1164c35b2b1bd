using Chaos.Live;

namespace Chaos.Tests.Live;

/// <summary>Nodes that only sleep, or whatever else is asked.</summary>
internal sealed class Sleepers(string program = "sleep 1000") : ILiveSystem
{
    public string Name => "sleepers";

    public string Version => "sleepers";

    public IReadOnlyDictionary<string, string> Environment { get; } = new Dictionary<string, string>();

    public void Prepare(LiveNodePlan node) => node.WriteProperties();

    public IReadOnlyList<string> CommandOf(LiveNodePlan node) => program.StartsWith("sleep", StringComparison.Ordinal) ? program.Split(' ') : ["/bin/sh", "-c", program];
}
