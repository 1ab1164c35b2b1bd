using Broker.Runtime;

namespace Chaos.Faults;

/// <summary>What a drawn schedule may hurt, how often and how hard.</summary>
public sealed record ScheduleScope
{
    /// <summary>Fault words to draw from.</summary>
    public IReadOnlyList<string> Words { get; init; } = FaultWord.Default;

    public NodeSet Brokers { get; init; }

    /// <summary>Nodes of the metadata quorum; may overlap with the brokers.</summary>
    public NodeSet Controllers { get; init; }

    /// <summary>Clients are cut off, delayed, reset, paused and misled about the time; they are never killed.</summary>
    public NodeSet Clients { get; init; }

    public IReadOnlyList<TopicPartition> Partitions { get; init; } = [];

    /// <summary>The nodes on which the workload's promise rests: they are hurt several times as often as others, and together. Empty: all alike.</summary>
    public NodeSet Focus { get; init; }

    /// <summary>Faults with a time begin within this span.</summary>
    public TimeSpan Span { get; init; } = TimeSpan.FromSeconds(20);

    public int FewestFaults { get; init; } = 1;

    public int MostFaults { get; init; } = 14;

    /// <summary>Durations are drawn log-uniformly between these.</summary>
    public TimeSpan Shortest { get; init; } = TimeSpan.FromMilliseconds(5);

    public TimeSpan Longest { get; init; } = TimeSpan.FromSeconds(6);

    /// <summary>Most power losses in the whole schedule. What may happen between two moments of full ISR is the veto's business (<see cref="Nemesis.Veto"/>).</summary>
    public int PowerBudget { get; init; } = 1;

    /// <summary>Share of faults that are aimed at an event instead of a time.</summary>
    public double EventShare { get; init; } = 0.6;

    /// <summary>How often a fault is followed by another one aimed at the same moment: rare bugs need two things at once.</summary>
    public double ChainChance { get; init; } = 0.3;

    /// <summary>How often several nodes are hurt at one moment in the same way, as a rack or a switch does it.</summary>
    public double BurstChance { get; init; } = 0.1;

    /// <summary>How often brokers go down one after the other, each before the last is back: only so does an ISR shrink to its last member and lose that one too.</summary>
    public double SiegeChance { get; init; } = 0.06;

    /// <summary>How often, where the quorum is in focus, several of its leaders in a row are hurt soon after they won.</summary>
    public double ChurnChance { get; init; } = 0.2;

    /// <summary>How often leadership is moved to a replica that is stalled at that very moment.</summary>
    public double HandoverChance { get; init; } = 0.5;

    /// <summary>How often a leadership that is moved is moved away and back at once.</summary>
    public double TossChance { get; init; } = 0.2;

    /// <summary>How often one fault more takes a leader away for long enough that another is elected.</summary>
    public double UpsetChance { get; init; } = 0.8;

    /// <summary>API keys whose requests or answers may be held or lost: Produce, Fetch, AlterPartition and the quorum's, unless told otherwise.</summary>
    public IReadOnlyList<short> ApiKeys { get; init; } = [0, 1, 22, 52, 53, 56, 62];
}
