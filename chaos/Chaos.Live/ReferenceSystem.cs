namespace Chaos.Live;

/// <summary>The reference broker, each node a process of this very program.</summary>
/// <param name="program">Program and first arguments that are <c>mqverify</c>.</param>
/// <param name="version">Of the tool.</param>
public sealed class ReferenceSystem(IReadOnlyList<string> program, string version) : ILiveSystem
{
    public string Name => "reference";

    public string Version => $"reference broker {version}";

    public IReadOnlyDictionary<string, string> Environment { get; } = new Dictionary<string, string>();

    public void Prepare(LiveNodePlan node)
    {
        if (!node.EligibleLeaderReplicas) throw new LiveException("eligible.leader.replicas.version=0: the reference broker as a process always has eligible leader replicas");
        node.WriteProperties();
    }

    public IReadOnlyList<string> CommandOf(LiveNodePlan node) => [.. program, "broker", "--config", node.PropertiesFile];
}
