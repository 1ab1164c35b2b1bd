using Broker.Core.Log;

namespace Verify.Zoo.Mutants;

/// <summary>A flush makes the bytes of a new segment durable and not its name: after a power loss the file is not there, with all that was acknowledged from it.</summary>
public sealed class DirectoryEntryNotSynced : LogRules, IMutant
{
    public static Mutant Planted { get; } = new(
        "directory-entry-not-synced",
        "fsync(2); Pillai et al., OSDI 2014",
        "A flush makes the bytes of a new segment durable and not its name: after a power loss the file is not there, with all that was acknowledged from it.",
        Rarity.Medium,
        ["lost-write"],
        "log")
    {
        Settings = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["flush.messages"] = "1" },
        Faults = ["power"],
        Broker = static rules => rules with { Log = new DirectoryEntryNotSynced() },
    };

    public override IReadOnlyList<FlushStep> FlushSteps() => [FlushStep.Files];
}
