using System.Reflection;
using Broker.Core;
using Verify.Clients;

namespace Verify.Zoo;

/// <summary>How often a random schedule exposes a mutant; a judgement, or measured on a small model.</summary>
public enum Rarity
{
    /// <summary>At least 1 % of random schedules.</summary>
    Easy,

    /// <summary>0.05 - 1 %.</summary>
    Medium,

    /// <summary>0.002 - 0.05 %.</summary>
    Hard,

    /// <summary>Below 0.002 %.</summary>
    Extreme,
}

/// <summary>A planted bug: one rule of an otherwise faithful broker or client decides otherwise.</summary>
/// <param name="Slug">Its name on the command line.</param>
/// <param name="Source">The KIP, ticket or analysis that shows somebody made this mistake.</param>
/// <param name="Mechanism">One sentence: what goes wrong, and how that comes to be seen.</param>
/// <param name="Anomalies">It counts as killed by one of these.</param>
/// <param name="Workload">The workload that can see it.</param>
public sealed record Mutant(string Slug, string Source, string Mechanism, Rarity Rarity, IReadOnlyList<string> Anomalies, string Workload)
{
    /// <summary>Settings it needs beside the defaults.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new SortedDictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Fault words without which it cannot be seen, power losses without limit; null: what a hunt draws from anyway.</summary>
    public IReadOnlyList<string>? Faults { get; init; }

    /// <summary>The faithful rules with one of them replaced. Called once for each life of each node.</summary>
    public Func<BrokerRules, BrokerRules> Broker { get; init; } = static rules => rules;

    public Func<ClientRules, ClientRules> Client { get; init; } = static rules => rules;

    /// <summary>Nobody knows what it needs: every other seed of a hunt draws workload and settings itself.</summary>
    public bool UnderAnyConditions { get; init; }

    /// <summary>False for planted losses that test the suite itself and for mechanical ones: they are no members of the bug zoo.</summary>
    public bool Counts { get; init; } = true;
}

/// <summary>A class that plants a bug. Any public class of any assembly that implements it is found by <c>--mutants</c>.</summary>
public interface IMutant
{
    static abstract Mutant Planted { get; }
}

/// <summary>The mutants at hand: our own, and those of assemblies named by the user.</summary>
public static class MutantCatalogue
{
    /// <summary>The bug zoo, by slug in ordinal order.</summary>
    public static IReadOnlyList<Mutant> Own { get; } = Of(typeof(MutantCatalogue).Assembly);

    /// <summary>Every mutant of an assembly.</summary>
    public static IReadOnlyList<Mutant> Of(Assembly assembly) =>
    [
        .. assembly.GetExportedTypes()
            .Where(type => !type.IsInterface && !type.IsAbstract && typeof(IMutant).IsAssignableFrom(type))
            .Select(type => (Mutant)type.GetProperty(nameof(IMutant.Planted), BindingFlags.Public | BindingFlags.Static)!.GetValue(null)!)
            .OrderBy(mutant => mutant.Slug, StringComparer.Ordinal),
    ];
}
