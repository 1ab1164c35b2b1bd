namespace Verify.Campaign.Hunting;

/// <summary>A mutant that no run killed.</summary>
/// <param name="Reason">Why none can; null: unexplained.</param>
/// <param name="Asked">How often the runs asked its rule, where that was counted: 0 means that the workload never comes there.</param>
public sealed record Survivor(string Slug, string? Reason, long? Asked);

/// <summary>What a hunt comes to: a mutant is killed, explained as equivalent, or a hole in workload, schedules or checkers.</summary>
/// <param name="Refuted">Killed, though explained as equivalent: the explanation is wrong.</param>
public sealed record HuntScore(int All, int Killed, IReadOnlyList<Survivor> Explained, IReadOnlyList<Survivor> Unexplained, IReadOnlyList<string> Refuted)
{
    /// <summary>Mutants that a run can tell from the faithful rules.</summary>
    public int CanBeTold => All - Explained.Count;

    /// <summary>Every mutant that can be told was killed, and no explanation is wrong.</summary>
    public bool IsFull => Unexplained.Count == 0 && Refuted.Count == 0;

    /// <summary>A mutant counts as killed when one of the attempts killed it.</summary>
    public static HuntScore Of(HuntResult hunt, Equivalents equivalents)
    {
        var mutants = hunt.Mutants.GroupBy(static hunted => hunted.Slug).ToList();
        var killed = mutants.Where(static attempts => attempts.Any(static attempt => attempt.Killed)).Select(static attempts => attempts.Key).ToList();
        var alive = mutants.Where(attempts => !killed.Contains(attempts.Key))
            .Select(attempts => new Survivor(attempts.Key, equivalents.ReasonFor(attempts.Key), attempts.Max(static attempt => attempt.Asked)))
            .ToLookup(static survivor => survivor.Reason is not null);
        return new HuntScore(mutants.Count, killed.Count, [.. alive[true]], [.. alive[false]], [.. killed.Where(slug => equivalents.ReasonFor(slug) is not null)]);
    }
}
