using Broker.Runtime;
using Chaos.Simulation;
using Verify.Campaign.Results;

namespace Verify.Campaign.Stories.Telling;

/// <summary>What brokers and controllers did that everything else turns on: elections, fencing, ISR changes, restarts.</summary>
/// <param name="tellsTopics">Whether it matters when which node hears of a topic.</param>
/// <param name="concerns">Whether a partition belongs to the story.</param>
internal sealed class ClusterBeats(Cast cast, TimeSpan start, bool tellsTopics, Func<TopicPartition, bool> concerns)
{
    private readonly SortedDictionary<string, (int Leader, int Epoch, NodeSet Isr)> atFirst = new(StringComparer.Ordinal);
    private readonly SortedSet<string> topicChanges = new(StringComparer.Ordinal);
    private (TimeSpan At, TopicPartition Partition) lastElection;
    private int firstController = Beat.Nobody;

    public List<Beat> Beats { get; } = [];

    public static string Words(ElectionKind how) => how switch
    {
        ElectionKind.Clean => "from the in-sync replicas",
        ElectionKind.Eligible => "from the eligible leader replicas",
        ElectionKind.LastKnownLeader => "as the last known leader",
        ElectionKind.Unclean => "unclean: it was not in sync",
        _ => "",
    };

    public void Observe(in JournalEntry entry)
    {
        var seen = entry.What;
        if (seen.Partition.Topic is not null && !concerns(seen.Partition)) return;
        if (entry.At < start) Before(seen);
        else Since(entry.At - start, seen);
    }

    /// <summary>How things stood when the workload began.</summary>
    public void TellTheBeginning()
    {
        foreach (var (partition, (leader, epoch, isr)) in atFirst)
            Beats.Add(new Beat(TimeSpan.Zero, leader, StoryKind.Note, $"leads {partition} in epoch {epoch}; in-sync replicas {isr}") { Rank = 0 });
        if (firstController >= 0) Beats.Add(new Beat(TimeSpan.Zero, firstController, StoryKind.Note, "is the active controller") { Rank = 0 });
    }

    private void Before(in Observation seen)
    {
        var name = seen.Partition.ToString();
        switch (seen.Kind)
        {
            case ObservationKind.Elected when seen.Other >= 0: atFirst[name] = (seen.Other, seen.Epoch, seen.Nodes); break;
            case ObservationKind.IsrCommitted when atFirst.TryGetValue(name, out var known): atFirst[name] = known with { Isr = seen.Nodes }; break;
            case ObservationKind.QuorumLeader: firstController = seen.Node.Value; break;
        }
    }

    private void Since(TimeSpan at, in Observation seen)
    {
        var node = seen.Node.Value;
        switch (seen.Kind)
        {
            case ObservationKind.Elected: Elected(at, seen); break;
            case ObservationKind.IsrCommitted when lastElection != (at, seen.Partition):
                Beats.Add(new Beat(at, node, StoryKind.InSync, $"commits that the in-sync replicas of {seen.Partition} are {seen.Nodes}"));
                break;
            case ObservationKind.BrokerFenced: Beats.Add(new Beat(at, node, StoryKind.Fence, $"fences {cast.Name(seen.Other)}") { To = seen.Other }); break;
            case ObservationKind.BrokerUnfenced: Beats.Add(new Beat(at, node, StoryKind.Fence, $"lets {cast.Name(seen.Other)} in again") { To = seen.Other }); break;
            case ObservationKind.UncleanRegistration: Beats.Add(new Beat(at, node, StoryKind.Note, $"learns that {cast.Name(seen.Other)} went down without a clean stop")); break;
            case ObservationKind.NodeStarted: Beats.Add(new Beat(at, node, StoryKind.Restart, "is up again")); break;
            case ObservationKind.QuorumLeader: Beats.Add(new Beat(at, node, StoryKind.Elect, $"becomes the active controller, quorum epoch {seen.Epoch}")); break;
            case ObservationKind.TopicChanged when tellsTopics && topicChanges.Add($"{node} {seen.Partition.Topic} {seen.Other} {at}"):
                Beats.Add(new Beat(at, node, StoryKind.Note, $"learns that topic {seen.Partition.Topic} was {(seen.Other == 1 ? "created" : "deleted")}"));
                break;
        }
    }

    private void Elected(TimeSpan at, in Observation seen)
    {
        lastElection = (at, seen.Partition);
        Beats.Add(seen.Other < 0
            ? new Beat(at, seen.Node.Value, StoryKind.Elect, $"finds nobody to lead {seen.Partition}; in-sync replicas {seen.Nodes}")
            : new Beat(at, seen.Node.Value, StoryKind.Elect, $"elects {cast.Name(seen.Other)} leader of {seen.Partition} for epoch {seen.Epoch}, {Words((ElectionKind)seen.Offset)}; in-sync replicas {seen.Nodes}") { To = seen.Other });
    }
}
