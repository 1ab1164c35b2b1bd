namespace Verify.Campaign.Hunting;

/// <summary>How far a mutant got that no run killed.</summary>
public enum Survival
{
    /// <summary>A test kills it.</summary>
    KilledByTest,

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
/// <param name="Test">The test that does, null: none is known.</param>
/// <param name="Reason">Why none can; null: unexplained.</param>
/// <param name="Reach">Where its rule matters; null where no census was taken.</param>
public sealed record Survivor(string Slug, string? Test, string? Reason, Reach? Reach)
{
    public Survival How => Test is not null ? Survival.KilledByTest : Reason is not null ? Survival.Explained : Reach switch
    {
        { Asked: 0 } => Survival.NeverAsked,
        { Differing: 0 } => Survival.NeverDiffers,
        _ => Survival.Untold,
    };
}

/// <summary>What a hunt comes to: a mutant is killed, by a run or by a test, explained as equivalent, or a hole in workload, schedules or checkers.</summary>
/// <param name="Killed">Slugs of those that were.</param>
/// <param name="Refuted">Killed, though explained as equivalent: the explanation is wrong.</param>
public sealed record HuntScore(IReadOnlyList<string> Killed, IReadOnlyList<Survivor> Alive, IReadOnlyList<string> Refuted)
{
    public int All => Killed.Count + Alive.Count;

    public int KilledByTests => Alive.Count(static survivor => survivor.How is Survival.KilledByTest);

    /// <summary>Mutants that can be told from the faithful rules.</summary>
    public int CanBeTold => All - Alive.Count(static survivor => survivor.How is Survival.Explained);

    /// <summary>Every mutant that can be told was killed, and no explanation is wrong.</summary>
    public bool IsFull => Killed.Count + KilledByTests == CanBeTold && Refuted.Count == 0;

    /// <summary>A mutant counts as killed when one of the attempts killed it.</summary>
    public static HuntScore Of(HuntResult hunt, MutantNotes equivalents, MutantNotes killingTests)
    {
        var mutants = hunt.Mutants.GroupBy(static hunted => hunted.Slug).ToLookup(static attempts => attempts.Any(static attempt => attempt.Killed));
        string[] killed = [.. mutants[true].Select(static attempts => attempts.Key)];
        var alive = mutants[false].Select(attempts => new Survivor(attempts.Key, killingTests.Of(attempts.Key), equivalents.Of(attempts.Key), attempts.Select(static attempt => attempt.Reach).FirstOrDefault(static reach => reach is not null)));
        return new HuntScore(killed, [.. alive], [.. killed.Where(slug => equivalents.Of(slug) is not null)]);
    }

    /// <summary>One line for each rules type, in the order in which they were hunted, and one for all: mutants, killed, killed by tests, explained, never asked, never differing, untold.</summary>
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
