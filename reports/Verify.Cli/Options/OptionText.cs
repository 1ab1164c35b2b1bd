using System.Collections.Immutable;
using System.Globalization;
using Chaos.Faults;
using Verify.Campaign.Results;
using Verify.Promises;

namespace Verify.Cli.Options;

/// <summary>Part <paramref name="Index"/> (from 1) of <paramref name="Of"/> equal parts of a campaign's seeds.</summary>
public readonly record struct Shard(int Index, int Of)
{
    public static readonly Shard Whole = new(1, 1);

    /// <summary>True when this shard runs the seed: seeds are dealt out in turn, so that every shard gets early and late ones.</summary>
    public bool Runs(ulong seed) => seed % (ulong)Of == (ulong)(Index - 1);
}

/// <summary>The texts that options take, each read in one place. Every error is a <see cref="BadInputException"/> that names option and text.</summary>
public static class OptionText
{
    /// <summary><c>200</c> is the seeds 1 to 200; <c>17..40</c> both ends inclusive.</summary>
    public static SeedRange Seeds(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var cut = text.IndexOf("..", StringComparison.Ordinal);
        var range = cut < 0 ? new SeedRange(1, Number(text)) : new SeedRange(Number(text[..cut]), Number(text[(cut + 2)..]));
        if (cut < 0 && range.To == 0) throw new BadInputException("--seeds 0: nothing would run, give at least 1");
        if (range.From > range.To) throw new BadInputException($"--seeds {text}: the first is after the last, did you mean {range.To}..{range.From}?");
        return range;

        ulong Number(string part) => Unsigned(part) ?? throw new BadInputException($"--seeds '{text}': expected a whole number or a range A..B, as in --seeds 1..200");
    }

    public static ulong Seed(string text) => Unsigned(text) ?? throw new BadInputException($"--seed '{text}': expected a whole number");

    /// <summary><c>500ms</c>, <c>60s</c>, <c>2m</c>, <c>1h</c>; more than nothing, at most a day.</summary>
    public static TimeSpan Duration(string option, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var letters = text.Length - text.TrimEnd('m', 's', 'h').Length;
        var isNumber = double.TryParse(text.AsSpan(0, text.Length - letters), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number);
        var unit = text[^letters..] switch { "ms" => 0.001, "s" => 1, "m" => 60, "h" => 3600, _ => double.NaN };
        if (!isNumber || double.IsNaN(unit))
            throw new BadInputException($"{option} '{text}': expected a duration such as 500ms, 60s, 2m or 1h{(isNumber && letters == 0 ? $"; did you mean '{text}s'?" : "")}");
        if (number * unit is <= 0 or > MostSeconds) throw new BadInputException($"{option} '{text}': expected more than nothing and at most a day");
        return TimeSpan.FromSeconds(number * unit);
    }

    private const double MostSeconds = 86_400;

    /// <summary><c>I/N</c>.</summary>
    public static Shard Shard(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Split('/');
        if (parts.Length != 2 || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var index) || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var of))
            throw new BadInputException($"--shard '{text}': expected I/N, as in --shard 2/8");
        if (of < 1 || index < 1 || index > of) throw new BadInputException($"--shard '{text}': I counts from 1 to N, nearest: {Math.Clamp(index, 1, Math.Max(1, of))}/{Math.Max(1, of)}");
        return new Shard(index, of);
    }

    public static int Jobs(string text)
    {
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var jobs) || jobs is < 1 or > MostJobs)
            throw new BadInputException($"--jobs '{text}': expected a number from 1 to {MostJobs}");
        return jobs;
    }

    private const int MostJobs = 1024;

    /// <summary><c>crash,power,…</c>, <c>none</c> or <c>all</c>; the words of <see cref="FaultWord"/>, in its order, each once.</summary>
    /// <remarks><c>all</c> is all that an honest world does; disk troubles must be named, also beside it: <c>all,disk</c>.</remarks>
    public static ImmutableArray<string> Faults(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text == "none") return [];
        var words = text.Split(',');
        if (words.Contains("none")) throw new BadInputException($"--faults '{text}': 'none' stands alone");
        if (words.Contains("")) throw new BadInputException($"--faults '{text}': a word is missing beside a comma");
        var chosen = words.SelectMany(w => w == "all" ? FaultWord.Default : [Parsed.Word("fault", w, [.. FaultWord.All, "all", "none"])]).ToHashSet(StringComparer.Ordinal);
        return [.. FaultWord.All.Where(chosen.Contains)];
    }

    private static ulong? Unsigned(string text) => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
