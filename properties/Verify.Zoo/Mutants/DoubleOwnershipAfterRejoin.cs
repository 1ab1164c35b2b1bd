using Broker.Core.Groups;

namespace Verify.Zoo.Mutants;

/// <summary>A static member's new id is told and not stored: the coordinator's successor fences the new process and believes the old one, and both process the same records.</summary>
public sealed class DoubleOwnershipAfterRejoin : GroupRules, IMutant
{
    public static Mutant Planted { get; } = new(
        "double-ownership-after-rejoin",
        "KIP-345; KAFKA-10284, KAFKA-14639",
        "A static member's new id is told and not stored: the coordinator's successor fences the new process and believes the old one, and both process the same records.",
        Rarity.Hard,
        ["group-double-consume"],
        "log")
    {
        Settings = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["commit"] = "before" },
        Broker = static rules => rules with { Groups = new DoubleOwnershipAfterRejoin() },
    };

    public override bool StoresReplacement() => false;
}
