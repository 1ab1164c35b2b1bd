using Broker.Runtime;
using Verify.Campaign.Results;

namespace Verify.Campaign.Stories.Telling;

/// <summary>One thing of a story before it has a lane: an entry whose people are still nodes.</summary>
/// <param name="At">On the story's clock: since the workload began.</param>
/// <param name="Node">Who; <see cref="Nobody"/> for the world as a whole.</param>
internal sealed record Beat(TimeSpan At, int Node, StoryKind Kind, string Text)
{
    public const int Nobody = -1;

    public int? To { get; init; }

    public TimeSpan? Until { get; init; }

    public bool Focus { get; init; }

    public bool Arrives { get; init; } = true;

    /// <summary>Order among what happened at the same moment: causes before effects.</summary>
    public int Rank { get; init; } = 1;

    /// <summary>Something that other things are told before or after; between two of these, what goes on all the time is told together.</summary>
    public bool IsTurn => Focus || Kind is StoryKind.Fault or StoryKind.Elect or StoryKind.Truncate or StoryKind.Lost;
}

/// <summary>Who is who, by the names that stories use.</summary>
internal sealed class Cast(string workload, NodeSet brokers)
{
    /// <summary>The one of each group who comes in the end if nobody else is left included.</summary>
    private static readonly int LastMember = Running.ClusterNodes.Member(Workloads.GroupGenerator.Most + Workloads.GroupGenerator.MostGroups - 1).Value;

    public const int FirstFinalReader = Workloads.Processes.FirstFinalReader;

    public string Name(int node) => node switch
    {
        Beat.Nobody => "",
        _ when brokers.Contains(node) => $"broker {node}",
        _ when Running.ClusterNodes.Controllers.Contains(node) => $"controller {node}",
        _ when node == Running.ClusterNodes.Operator.Value => "operator",
        _ when node >= Running.ClusterNodes.Member(0).Value && node <= LastMember => $"member {node - Running.ClusterNodes.Member(0).Value}",
        _ when node >= Running.ClusterNodes.Reader(0).Value => $"reader {node - Running.ClusterNodes.Reader(0).Value}",
        _ => $"{(Workloads.WorkloadNames.SendsRecords(workload) ? "producer" : "client")} {node - Running.ClusterNodes.Client(0).Value}",
    };

    public LaneRole Role(int node) =>
        brokers.Contains(node) ? LaneRole.Broker : Running.ClusterNodes.Controllers.Contains(node) ? LaneRole.Controller : LaneRole.Client;

    public bool IsBroker(int node) => brokers.Contains(node);

    /// <summary>The node on which a process of the history ran. Final reads and probes are the operator's.</summary>
    public static int NodeOf(int process) => process switch
    {
        < Workloads.Processes.Prober => Running.ClusterNodes.Client(process).Value,
        >= Workloads.Processes.FirstReader and < FirstFinalReader => Running.ClusterNodes.Reader(process - Workloads.Processes.FirstReader).Value,
        >= Workloads.Processes.FirstMember => Running.ClusterNodes.Member(process - Workloads.Processes.FirstMember).Value,
        _ => Running.ClusterNodes.Operator.Value,
    };

    /// <summary>The nodes in the order of their lanes: clients, brokers, controllers.</summary>
    public IEnumerable<int> InOrder(IEnumerable<int> nodes) => nodes.Distinct().OrderBy(node => (int)Role(node)).ThenBy(node => node);

    /// <summary>"node 2" in the words of faults becomes "broker 2", "process 301" in those of checkers "member 1".</summary>
    public string WithNames(string text) =>
        System.Text.RegularExpressions.Regex.Replace(text, @"\b(node|process) (\d+)", match => match.Groups[1].ValueSpan is "node" ? Name(Number(match)) : Number(match) < Workloads.Processes.FirstMember ? match.Value : Name(NodeOf(Number(match))));

    private static int Number(System.Text.RegularExpressions.Match match) => int.Parse(match.Groups[2].ValueSpan);
}
