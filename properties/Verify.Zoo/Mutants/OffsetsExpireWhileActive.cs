using Broker.Core.Groups;

namespace Verify.Zoo.Mutants;

/// <summary>Offsets expire by the age of their commit alone, also of a group that has members: who is assigned next is told that nothing was ever committed.</summary>
public sealed class OffsetsExpireWhileActive : GroupRules, IMutant
{
    public static Mutant Planted { get; } = new(
        "offsets-expire-while-active",
        "KIP-211; KAFKA-4682",
        "Offsets expire by the age of their commit alone, also of a group that has members: who is assigned next is told that nothing was ever committed.",
        Rarity.Medium,
        ["lost-commit"],
        "log")
    {
        Settings = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["commit"] = "after", ["offsets.retention.minutes"] = "1", ["offsets.retention.check.interval.ms"] = "500" },
        Broker = static rules => rules with { Groups = new OffsetsExpireWhileActive() },
    };

    public override bool MayExpire(bool isEmpty, bool isStable, bool isSubscribed, bool isBeingWritten) => !isBeingWritten;
}
