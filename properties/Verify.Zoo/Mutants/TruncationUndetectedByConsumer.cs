using Verify.Clients;

namespace Verify.Zoo.Mutants;

/// <summary>Under a new leader the position is not held against its log: after an unclean election a reader goes on in the middle of another history, and nobody is told what it passed over.</summary>
public sealed class TruncationUndetectedByConsumer : ClientRules, IMutant
{
    public static Mutant Planted { get; } = new(
        "truncation-undetected-by-consumer",
        "KIP-320; KAFKA-7747",
        "Under a new leader the position is not held against its log: after an unclean election a reader goes on in the middle of another history, and nobody is told what it passed over.",
        Rarity.Medium,
        ["poll-skip"],
        "log")
    {
        Settings = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["unclean.leader.election.enable"] = "true" },
        Client = static _ => new TruncationUndetectedByConsumer(),
    };

    public override bool MustValidate(int positionEpoch, int validatedUnderEpoch, int leaderEpoch) => false;
}
