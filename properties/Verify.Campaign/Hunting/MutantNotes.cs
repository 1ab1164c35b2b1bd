namespace Verify.Campaign.Hunting;

/// <summary>What is known of mechanical mutants that no run kills, one line each: <c>Rules.Method:change — note</c>. Empty lines and lines that begin with # are for the reader.</summary>
public sealed class MutantNotes
{
    private const string Dash = " — ";

    private readonly Dictionary<string, string> notes = [];
    private readonly List<string> wrong = [];

    private MutantNotes(string text)
    {
        var number = 0;
        foreach (var line in text.Split('\n').Select(static line => line.Trim()))
        {
            number++;
            if (line.Length == 0 || line.StartsWith('#')) continue;
            var (slug, note) = line.Split(Dash, 2) is [var before, var after] ? (before.Trim(), after.Trim()) : (line, "");
            if (note.Length == 0) wrong.Add($"line {number}: {slug} has no note");
            else if (!notes.TryAdd(slug, note)) wrong.Add($"line {number}: {slug} is there twice");
        }
    }

    /// <summary>Those that no client and no checker can tell from the rule they replace, with the reason. A claim, not a proof: a hunt that kills one of them has refuted it.</summary>
    public static MutantNotes Equivalents { get; } = Load("equivalents.txt");

    /// <summary>Those that a test kills, with its name, <c>Class.Method</c>: it fails when they are planted, and a test sees to that.</summary>
    public static MutantNotes KillingTests { get; } = Load("killing-tests.txt");

    public IEnumerable<string> Slugs => notes.Keys;

    public static MutantNotes Parse(string text) => new(text);

    /// <summary>Null: nothing is known of this mutant.</summary>
    public string? Of(string slug) => notes.GetValueOrDefault(slug);

    /// <summary>What is wrong with the lines themselves, and with those that name none of the mutants there are; empty when all is well.</summary>
    public IReadOnlyList<string> Problems(IEnumerable<string> mutants)
    {
        var known = mutants.ToHashSet();
        return [.. wrong, .. notes.Keys.Where(slug => !known.Contains(slug)).Select(static slug => $"{slug} is no mechanical mutant")];
    }

    private static MutantNotes Load(string resource)
    {
        using var stream = typeof(MutantNotes).Assembly.GetManifestResourceStream(resource)!;
        using var reader = new StreamReader(stream);
        return Parse(reader.ReadToEnd());
    }
}
