using Broker.Core.Log;

namespace Verify.Zoo.Mutants;

/// <summary>The marker of a clean stop is believed and left where it is: after a crash later on the next start believes it again, and takes logs to end where they ended then.</summary>
public sealed class CleanMarkerLeftBehind : LogRules, IMutant
{
    public static Mutant Planted { get; } = new(
        "clean-marker-left-behind",
        "Kafka: .kafka_cleanshutdown; KAFKA-10471",
        "The marker of a clean stop is believed and left where it is: after a crash later on the next start believes it again, and takes logs to end where they ended then.",
        Rarity.Medium,
        ["lost-write"],
        "log")
    {
        Broker = static rules => rules with { Log = new CleanMarkerLeftBehind() },
    };

    public override IReadOnlyList<MarkerStep> MarkerSteps() => [MarkerStep.Read];
}
