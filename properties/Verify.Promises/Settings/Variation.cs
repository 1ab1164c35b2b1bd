using System.Collections.Immutable;

namespace Verify.Promises;

/// <summary>One setting and the values a campaign gives it in turn: <c>--vary acks=0,1,all</c>.</summary>
public sealed record Variation(string Name, ImmutableArray<string> Values)
{
    /// <summary>Reads <c>name=v1,v2,…</c>; the values are canonical and keep their order.</summary>
    /// <exception cref="BadInputException">No such setting, a value it does not take, or a value given twice.</exception>
    public static Variation Parse(string text)
    {
        var (name, list) = Configuration.Assignment(text, "--vary");
        var setting = SettingCatalogue.Get(name);
        var values = list.Split(',').Select(setting.Canonical).ToImmutableArray();
        foreach (var value in values)
            if (values.Count(v => v == value) > 1) throw new BadInputException($"--vary '{text}': {setting.Name}={value} is given twice");
        return new Variation(setting.Name, values);
    }
}

/// <summary>One configuration of a campaign: what distinguishes it from its neighbours, and all of it.</summary>
/// <param name="Varied">The varied settings with this cell's values, in the order in which they were varied.</param>
public sealed record Cell(ImmutableArray<KeyValuePair<string, string>> Varied, Configuration Configuration)
{
    /// <summary><c>acks=1 unclean.leader.election.enable=true</c>; empty when nothing varies.</summary>
    public string Label => string.Join(' ', Varied.Select(v => $"{v.Key}={v.Value}"));
}

/// <summary>A combination that no producer or broker would take, and why.</summary>
public sealed record ImpossibleCell(string Label, string Why);

/// <summary>The product of variations over a base: the first variation changes slowest, values keep their order.</summary>
public sealed record Cells(ImmutableArray<Cell> Possible, ImmutableArray<ImpossibleCell> Impossible)
{
    /// <summary>A campaign of more cells than this is a slip of the pen.</summary>
    public const int Most = 1024;

    /// <exception cref="BadInputException">A setting is both set and varied, or varied twice; too many cells; or no combination is possible.</exception>
    public static Cells Of(Configuration basis, IReadOnlyList<Variation> variations)
    {
        ArgumentNullException.ThrowIfNull(basis);
        ArgumentNullException.ThrowIfNull(variations);
        Check(basis, variations);
        ImmutableArray<ImmutableArray<KeyValuePair<string, string>>> combinations = [[]];
        foreach (var variation in variations)
            combinations = [.. from c in combinations from value in variation.Values select c.Add(KeyValuePair.Create(variation.Name, value))];

        var possible = ImmutableArray.CreateBuilder<Cell>();
        var impossible = ImmutableArray.CreateBuilder<ImpossibleCell>();
        foreach (var combination in combinations)
        {
            try
            {
                possible.Add(new Cell(combination, basis.With(combination)));
            }
            catch (BadInputException refused)
            {
                impossible.Add(new ImpossibleCell(string.Join(' ', combination.Select(v => $"{v.Key}={v.Value}")), refused.Message));
            }
        }

        if (possible.Count == 0) throw new BadInputException($"no combination is possible: {impossible[0].Why}");
        return new Cells(possible.ToImmutable(), impossible.ToImmutable());
    }

    private static void Check(Configuration basis, IReadOnlyList<Variation> variations)
    {
        long count = 1;
        for (var i = 0; i < variations.Count; i++)
        {
            var name = variations[i].Name;
            if (basis.WasGiven(name)) throw new BadInputException($"{name} is both set and varied: leave one of the two out");
            if (variations.Take(i).Any(v => v.Name == name)) throw new BadInputException($"{name} is varied twice: give all its values in one --vary");
            count *= variations[i].Values.Length;
            if (count > Most) throw new BadInputException($"--vary gives more than {Most} cells: vary fewer settings");
        }
    }
}
