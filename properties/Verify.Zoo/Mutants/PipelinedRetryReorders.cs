using Verify.Clients;

namespace Verify.Zoo.Mutants;

/// <summary>A batch that waits to be sent again is passed by the next one, although only one request may be in flight.</summary>
public sealed class PipelinedRetryReorders : ClientRules, IMutant
{
    public static Mutant Planted { get; } = new(
        "pipelined-retry-reorders",
        "KAFKA-3197; Sarama 2619",
        "A batch that waits to be sent again is passed by the next one, although only one request may be in flight.",
        Rarity.Medium,
        ["nonmonotonic-send", "int-nonmonotonic-send", "key-order"],
        "log")
    {
        Settings = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["enable.idempotence"] = "false", ["max.in.flight.requests.per.connection"] = "1" },
        Client = static _ => new PipelinedRetryReorders(),
    };

    public override bool MayPassRetry() => true;
}
