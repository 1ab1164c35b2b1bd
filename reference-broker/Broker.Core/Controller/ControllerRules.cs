using Broker.Runtime;

namespace Broker.Core.Controller;

/// <summary>When the active controller serves, and when it answers.</summary>
public class ControllerRules
{
    [Rule("A new quorum leader serves once an entry of its own epoch is committed: only then it knows everything committed before.", "Raft section 8; KIP-595")]
    public virtual bool MayServe(long highWatermark, long epochStartOffset) => highWatermark > epochStartOffset;

    [Rule("A decision, and an answer read from state that is not committed yet, is given out after the commit.", "KIP-500: Kafka's deferred events")]
    public virtual bool AnswerAwaitsCommit() => true;

    [Rule("A commit that is not where it was predicted means that somebody else wrote to the log.", "Kafka's scheduleAtomicAppend")]
    public virtual bool CommittedAsPredicted(long predicted, long committed) => predicted == committed;
}

/// <summary>The rules of a controller; the defaults are the faithful ones.</summary>
public sealed record ControllerRuleBook
{
    public ElectionRules Election { get; init; } = new();

    public RegistrationRules Registration { get; init; } = new();

    public IsrRules Isr { get; init; } = new();

    public PlacementRules Placement { get; init; } = new();

    public ControllerRules Controller { get; init; } = new();
}
