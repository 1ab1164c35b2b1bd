using Verify.Clients;

namespace Verify.Zoo.Mutants;

/// <summary>A member keeps what it reached in partitions that are another's now, commits it along with its own, and sets the group back.</summary>
public sealed class StoredOffsetSurvivesRevoke : ClientRules, IMutant
{
    public static Mutant Planted { get; } = new(
        "stored-offset-survives-revoke",
        "librdkafka 1.9.0",
        "A member keeps what it reached in partitions that are another's now, commits it along with its own, and sets the group back.",
        Rarity.Easy,
        ["group-double-consume", "offset-regression"],
        "log")
    {
        Settings = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["commit"] = "before" },
        Client = static _ => new StoredOffsetSurvivesRevoke(),
    };

    public override bool ForgetsPositions() => false;
}
