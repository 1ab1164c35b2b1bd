using Broker.Core.Groups;

namespace Verify.Zoo.Mutants;

/// <summary>A coordinator answers before it has read its log: a member is told that its group has committed nothing, and begins again.</summary>
public sealed class OffsetFetchBeforeLoad : GroupRules, IMutant
{
    public static Mutant Planted { get; } = new(
        "offset-fetch-before-load",
        "KAFKA-5600",
        "A coordinator answers before it has read its log: a member is told that its group has committed nothing, and begins again.",
        Rarity.Medium,
        ["lost-commit", "offset-regression"],
        "log")
    {
        Settings = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["commit"] = "after" },
        Broker = static rules => rules with { Groups = new OffsetFetchBeforeLoad() },
    };

    public override bool MayServe(bool isLoaded) => true;
}
