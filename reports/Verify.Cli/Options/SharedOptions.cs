using System.Collections.Immutable;
using System.CommandLine;
using Chaos.Faults;
using Verify.Campaign.Results;
using Verify.Promises;

namespace Verify.Cli.Options;

/// <summary>
/// The options that mean the same in every verb, each made anew for each verb that lists it. Values come out parsed; a wrong one is refused
/// in one line before the verb runs.
/// </summary>
public static class SharedOptions
{
    public static Option<SeedRange> Seeds(ulong otherwise) =>
        Parsed.One("--seeds", "N|A..B", "How many seeds to run, or which", OptionText.Seeds, () => new SeedRange(1, otherwise), $"{otherwise}");

    /// <summary>Null when not given.</summary>
    public static Option<SeedRange?> SomeSeeds() => Parsed.One<SeedRange?>("--seeds", "N|A..B", "How many seeds to run, or which (default: until the budget is spent)", OptionText.Seeds, () => null);

    /// <summary>One seed instead of many; null when not given.</summary>
    public static Option<ulong?> Seed() => Parsed.One<ulong?>("--seed", "S", "Run this seed alone", t => OptionText.Seed(t), () => null);

    public static Option<TimeSpan> Time(TimeSpan otherwise) =>
        Parsed.One("--time", "60s", "Workload time per seed; virtual in simulation", t => OptionText.Duration("--time", t), () => otherwise, $"{otherwise.TotalSeconds}s");

    /// <param name="known">The workloads that are built.</param>
    public static Option<string> Workload(IReadOnlyList<string> known, string otherwise) =>
        Parsed.One("--workload", "NAME", $"What clients do: {string.Join(", ", known)}", t => Parsed.Word("workload", t, known), () => otherwise, otherwise);

    public static Option<ImmutableArray<string>> Faults() =>
        Parsed.One("--faults", "WORD,…|none|all", $"What goes wrong: {string.Join(", ", FaultWord.All)}", OptionText.Faults, () => [.. FaultWord.Default], "all; disk troubles must be named");

    /// <summary>name=value words; <see cref="Configuration.OfWords"/> checks them.</summary>
    public static Option<IReadOnlyList<string>> Set() =>
        Parsed.Many("--set", "NAME=VALUE", "A broker, topic or client setting under Kafka's name; may be repeated", static t =>
        {
            _ = Configuration.Assignment(t, "--set");
            return t;
        });

    public static Option<IReadOnlyList<Variation>> Vary() =>
        Parsed.Many("--vary", "NAME=V1,V2,…", "A setting and the values to compare; may be repeated", Variation.Parse);

    /// <param name="known">The slugs of the bug zoo. Null when not given.</param>
    public static Option<string?> Mutant(IReadOnlyList<string> known) =>
        Parsed.One<string?>("--mutant", "SLUG", "Plant this bug of the zoo", t => Parsed.Word("mutant", t, known), () => null);

    public static Option<int> Jobs() => Parsed.One("--jobs", "N", "Simulations at a time (default: one per core)", OptionText.Jobs, () => Environment.ProcessorCount);

    public static Option<Shard> Shard() => Parsed.One("--shard", "I/N", "Run the I-th of N parts of the seeds", OptionText.Shard, () => Options.Shard.Whole);

    public static Option<string> Out() => Parsed.One("--out", "DIR", "Where results go", Directory, () => "mqverify-out", "mqverify-out");

    private static string Directory(string text)
    {
        if (text.Length == 0) throw new BadInputException("--out '': expected a directory");
        return File.Exists(text) ? throw new BadInputException($"--out '{text}': is a file, expected a directory") : text;
    }

    public static Option<bool> Json() => new("--json") { Description = "The result as JSON on standard output, nothing else" };

    /// <summary>Null when not given.</summary>
    public static Option<TimeSpan?> Budget() =>
        Parsed.One<TimeSpan?>("--budget", "60s", "Start no new seed after this time", t => OptionText.Duration("--budget", t), () => null);

    public static Option<bool> Quiet() => new("--quiet") { Description = "No progress" };
}
