namespace Verify.Campaign.Hunting;

/// <summary>How far a mutant got that no run killed.</summary>
public enum Survival
{
    /// <summary>Somebody said why no run can kill it.</summary>
    Explained,

    /// <summary>No run asks its rule.</summary>
    NeverAsked,

    /// <summary>Its rule is asked, and the right answer is always the mutant's.</summary>
    NeverDiffers,

    /// <summary>It answers otherwise, and nobody can tell.</summary>
    Untold,
}

/// <summary>A mutant that no run killed.</summary>
/// <param name="Reason">Why none can; null: unexplained.</param>
/// <param name="Reach">Where its rule matters; null where no census was taken.</param>
public sealed record Survivor(string Slug, string? Reason, Reach? Reach)
{
    public Survival How => Reason is not null ? Survival.Explained : Reach switch
    {
        { Asked: 0 } => Survival.NeverAsked,
        { Differing: 0 } => Survival.NeverDiffers,
        _ => Survival.Untold,
    };
}

/// <summary>What a hunt comes to: a mutant is killed, explained as equivalent, or a hole in workload, schedules or checkers.</summary>
/// <param name="Killed">Slugs of those that were.</param>
/// <param name="Refuted">Killed, though explained as equivalent: the explanation is wrong.</param>
public sealed record HuntScore(IReadOnlyList<string> Killed, IReadOnlyList<Survivor> Alive, IReadOnlyList<string> Refuted)
{
    public int All => Killed.Count + Alive.Count;

    public IEnumerable<Survivor> Unexplained => Alive.Where(static survivor => survivor.Reason is null);

    /// <summary>Mutants that a run can tell from the faithful rules.</summary>
    public int CanBeTold => All - Alive.Count(static survivor => survivor.Reason is not null);

    /// <summary>Every mutant that can be told was killed, and no explanation is wrong.</summary>
    public bool IsFull => !Unexplained.Any() && Refuted.Count == 0;

    /// <summary>A mutant counts as killed when one of the attempts killed it.</summary>
    public static HuntScore Of(HuntResult hunt, Equivalents equivalents)
    {
        var mutants = hunt.Mutants.GroupBy(static hunted => hunted.Slug).ToLookup(static attempts => attempts.Any(static attempt => attempt.Killed));
        string[] killed = [.. mutants[true].Select(static attempts => attempts.Key)];
        var alive = mutants[false].Select(attempts => new Survivor(attempts.Key, equivalents.ReasonFor(attempts.Key), attempts.Select(static attempt => attempt.Reach).FirstOrDefault(static reach => reach is not null)));
        return new HuntScore(killed, [.. alive], [.. killed.Where(slug => equivalents.ReasonFor(slug) is not null)]);
    }

    /// <summary>One line for each rules type, in the order in which they were hunted, and one for all: mutants, killed, explained, never asked, never differing, untold.</summary>
    public IEnumerable<(string Rules, int[] Counts)> Table()
    {
        foreach (var type in Slugs.Select(TypeOf).Distinct()) yield return (type, CountsOf(slug => TypeOf(slug) == type));
        yield return ("all", CountsOf(static _ => true));
    }

    private IEnumerable<string> Slugs => [.. Killed, .. Alive.Select(static survivor => survivor.Slug)];

    private static string TypeOf(string slug) => slug.Split('.')[0];

    private int[] CountsOf(Func<string, bool> counts) =>
        [Slugs.Count(counts), Killed.Count(counts), .. Enum.GetValues<Survival>().Select(how => Alive.Count(survivor => survivor.How == how && counts(survivor.Slug)))];
}
