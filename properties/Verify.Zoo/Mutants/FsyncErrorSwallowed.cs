using Broker.Core.Log;

namespace Verify.Zoo.Mutants;

/// <summary>A broker whose flush failed goes on as if it had not: what it acknowledges is in its page cache alone, and the next flush says nothing of it.</summary>
public sealed class FsyncErrorSwallowed : LogRules, IMutant
{
    public static Mutant Planted { get; } = new(
        "fsync-error-swallowed",
        "fsyncgate (PostgreSQL, 2018); Rebello et al., USENIX ATC 2020",
        "A broker whose flush failed goes on as if it had not: what it acknowledges is in its page cache alone, and the next flush says nothing of it.",
        Rarity.Hard,
        ["lost-write"],
        "log")
    {
        Settings = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["flush.messages"] = "1" },
        Faults = ["disk", "power"],
        Broker = static rules => rules with { Log = new FsyncErrorSwallowed() },
    };

    public override bool FailedFlushIsFatal() => false;
}
