namespace Verify.Campaign.Hunting;

/// <summary>
/// Mechanical mutants that no client and no checker can tell from the rule they replace, each with the reason: <c>equivalents.txt</c>, one line each,
/// <c>Rules.Method:change — why</c>. Empty lines and lines that begin with # are for the reader.
/// </summary>
/// <remarks>A claim, not a proof: a hunt that kills one of them has refuted it.</remarks>
public sealed class Equivalents
{
    private const string Resource = "equivalents.txt";
    private const string Dash = " — ";

    private readonly Dictionary<string, string> reasons = [];
    private readonly List<string> wrong = [];

    private Equivalents(string text)
    {
        var number = 0;
        foreach (var line in text.Split('\n').Select(static line => line.Trim()))
        {
            number++;
            if (line.Length == 0 || line.StartsWith('#')) continue;
            var (slug, reason) = line.Split(Dash, 2) is [var before, var after] ? (before.Trim(), after.Trim()) : (line, "");
            if (reason.Length == 0) wrong.Add($"line {number}: {slug} has no reason");
            else if (!reasons.TryAdd(slug, reason)) wrong.Add($"line {number}: {slug} is there twice");
        }
    }

    /// <summary>Those that came with this build.</summary>
    public static Equivalents Recorded { get; } = Load();

    public IEnumerable<string> Slugs => reasons.Keys;

    public static Equivalents Parse(string text) => new(text);

    /// <summary>Null: this mutant can be told, as far as anybody has said.</summary>
    public string? ReasonFor(string slug) => reasons.GetValueOrDefault(slug);

    /// <summary>What is wrong with the lines themselves, and with those that name none of the mutants there are; empty when all is well.</summary>
    public IReadOnlyList<string> Problems(IEnumerable<string> mutants)
    {
        var known = mutants.ToHashSet();
        return [.. wrong, .. reasons.Keys.Where(slug => !known.Contains(slug)).Select(static slug => $"{slug} is no mechanical mutant")];
    }

    private static Equivalents Load()
    {
        using var stream = typeof(Equivalents).Assembly.GetManifestResourceStream(Resource)!;
        using var reader = new StreamReader(stream);
        return Parse(reader.ReadToEnd());
    }
}
