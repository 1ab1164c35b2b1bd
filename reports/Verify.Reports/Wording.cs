using Verify.Campaign.Results;

namespace Verify.Reports;

/// <summary>Where a cell stands: the first thing a reader wants to know about it.</summary>
public enum Standing
{
    /// <summary>Nothing was seen that any setting could lose.</summary>
    Held,

    /// <summary>Something broke that the configuration permits, each case with its excuse.</summary>
    Permitted,

    /// <summary>A promise was broken.</summary>
    Broken,

    /// <summary>A promise was never put to the test.</summary>
    Unknown,
}

/// <summary>The sentences that all reports share, so that a number reads the same everywhere.</summary>
public static class Wording
{
    public static Standing StandingOf(CellResult cell) => cell.Verdict switch
    {
        ResultVerdict.Violated => Standing.Broken,
        ResultVerdict.Unknown => Standing.Unknown,
        _ => cell.Guarantees.Any(guarantee => guarantee.Violations > 0) ? Standing.Permitted : Standing.Held,
    };

    public static Standing StandingOf(GuaranteeResult guarantee) =>
        guarantee.ViolationsPromised > 0 ? Standing.Broken
        : guarantee.Violations > 0 ? Standing.Permitted
        : guarantee.PromisedButNotExercised || guarantee.RunsExercised == 0 ? Standing.Unknown
        : Standing.Held;

    public static string Of(Standing standing) => standing switch
    {
        Standing.Held => "held",
        Standing.Permitted => "as permitted",
        Standing.Broken => "promise broken",
        Standing.Unknown => "unknown",
        _ => throw new ArgumentOutOfRangeException(nameof(standing), standing, "no such standing"),
    };

    /// <summary>One character for where colour may be missing.</summary>
    public static string Mark(Standing standing) => standing switch
    {
        Standing.Held => "✓",
        Standing.Permitted => "!",
        Standing.Broken => "✗",
        Standing.Unknown => "?",
        _ => throw new ArgumentOutOfRangeException(nameof(standing), standing, "no such standing"),
    };

    /// <summary>The guarantee a row of the matrix is about: lost writes where the workload writes, else the worst one, else the first.</summary>
    public static GuaranteeResult? Headline(CellResult cell) =>
        cell.Guarantees.FirstOrDefault(guarantee => guarantee.Name == "no-lost-writes")
        ?? cell.Guarantees.MaxBy(guarantee => (guarantee.ViolationsPromised > 0, guarantee.Violations > 0));

    /// <summary>"Every promise was kept in 1,200 runs."</summary>
    public static string Verdict(CampaignResult result)
    {
        var cells = result.Cells;
        var broken = cells.Count(cell => cell.Verdict is ResultVerdict.Violated);
        return result.Verdict switch
        {
            ResultVerdict.Held => $"Every promise was kept in {Runs(cells.Sum(cell => cell.Exercised.Runs))}.",
            ResultVerdict.Violated when cells.Count == 1 => "A promise was broken.",
            ResultVerdict.Violated => $"A promise was broken in {Number(broken)} of {Configurations(cells.Count)}.",
            ResultVerdict.Unknown when cells.Count == 0 => "Nothing was run.",
            ResultVerdict.Unknown => $"Not everything promised was put to the test: {string.Join(", ", NotExercised(result))}.",
            _ => throw new ArgumentOutOfRangeException(nameof(result), result.Verdict, "no such verdict"),
        };
    }

    /// <summary>What the verdict does not say: that a kept promise may still lose records. Null when there is nothing to add.</summary>
    public static string? Aside(CampaignResult result)
    {
        var permitted = result.Cells.Where(cell => cell.Guarantees.Any(guarantee => guarantee.ViolationsPermitted > 0)).ToArray();
        if (permitted.Length == 0) return null;
        if (result.Verdict is ResultVerdict.Violated)
            return $"Other cases, in {Number(permitted.Length)} of {Configurations(result.Cells.Count)}, are permitted and have their excuse.";
        var lost = permitted.Count(cell => cell.Guarantees.Any(guarantee => guarantee.Name == "no-lost-writes" && guarantee.ViolationsPermitted > 0));
        var did = lost == permitted.Length ? "lost records" : lost == 0 ? "broke what it does not promise" : "lost records or broke what it does not promise";
        return result.Cells.Count == 1 ? $"It {did}, as its settings permit."
            : $"{Number(permitted.Length)} of {Configurations(result.Cells.Count)} {did.Replace("it does", "they do", StringComparison.Ordinal)}, as their settings permit: every case has its excuse.";
    }

    private static IEnumerable<string> NotExercised(CampaignResult result)
    {
        var names = result.Cells.SelectMany(cell => cell.Guarantees).Where(guarantee => guarantee.PromisedButNotExercised).Select(guarantee => guarantee.Name).Distinct().ToArray();
        if (names.Length > 0) return names.Length <= 4 ? names : [.. names.Take(4), $"{names.Length - 4} more"];
        var notRun = result.Cells.Count(cell => cell.Exercised.Runs == 0);
        return [notRun > 0 ? $"{Configurations(notRun)} never ran" : "a configuration has no guarantee to judge"];
    }

    /// <summary>"no loss", "loss permitted", "no loss in 180 of 200 runs".</summary>
    public static string Promise(GuaranteeResult guarantee)
    {
        var words = GuaranteeWords.For(guarantee.Name);
        return guarantee.Runs == 0 ? "-"
            : guarantee.RunsPromised == 0 ? words.Permitted
            : guarantee.Promised ? words.Promised
            : $"{words.Promised} in {Number(guarantee.RunsPromised)} of {Runs(guarantee.Runs)}";
    }

    /// <summary>"lost 312 of 20,114 acknowledged in 41 of 200 runs", "nothing lost of 18,002 acknowledged in 200 runs: below 3/200".</summary>
    public static string Seen(GuaranteeResult guarantee)
    {
        var words = GuaranteeWords.For(guarantee.Name);
        if (guarantee.OfWhat == "runs" && guarantee.Violations > 0)
            return $"{words.Broke.TrimEnd(':')} in {Number(guarantee.RunsViolated)} of {Runs(guarantee.RunsExercised)}";
        var of = guarantee.Of > 0 && guarantee.OfWhat != "runs" ? $" of {Number(guarantee.Of)} {guarantee.OfWhat}" : "";
        return guarantee.Verdict switch
        {
            ResultVerdict.Violated => $"{words.Broke} {Number(guarantee.Violations)}{of} in {Number(guarantee.RunsViolated)} of {Runs(guarantee.RunsExercised)}",
            ResultVerdict.Held => $"{words.Clean}{of} in {Runs(guarantee.RunsExercised)}: {Bound(guarantee.RunsExercised)}",
            _ => guarantee.Runs == 0 ? "not run" : $"cannot tell: none of {Runs(guarantee.Runs)} could judge it",
        };
    }

    /// <summary>Zero in n runs is not never.</summary>
    public static string Bound(long runs) => $"below 3/{Number(runs)}";

    /// <summary>"312 leader changed before replication"; the most frequent first.</summary>
    public static IEnumerable<string> Excuses(GuaranteeResult guarantee) =>
        guarantee.Excuses.OrderByDescending(excuse => excuse.Value).Select(excuse => $"{Number(excuse.Value)} {Spaced(excuse.Key)}");

    /// <summary>Of a guarantee promised in some runs and seen broken only in others: how it fared where it was promised. Null otherwise.</summary>
    public static string? KeptWherePromised(GuaranteeResult guarantee) =>
        guarantee.Violations > 0 && guarantee.ViolationsPromised == 0 && guarantee.RunsPromisedExercised > 0
            ? $"held in all {Runs(guarantee.RunsPromisedExercised)} that promise it: {Bound(guarantee.RunsPromisedExercised)}"
            : null;

    /// <summary>Null when no case lacks an excuse.</summary>
    public static string? Broken(GuaranteeResult guarantee) =>
        guarantee.ViolationsPromised == 0 ? null
        : guarantee.ViolationsPermitted == 0 ? $"none of {Number(guarantee.Violations)} has an excuse"
        : $"{Number(guarantee.ViolationsPromised)} of {Number(guarantee.Violations)} have no excuse";

    /// <summary>"acks=1 unclean.leader.election.enable=false": what tells this cell from the others.</summary>
    public static string Name(CampaignResult result, CellResult cell)
    {
        var settings = Settings(result, cell).Select(setting => $"{setting.Key}={setting.Value}").ToList();
        if (result.Cells.Select(other => other.Mutant).Distinct().Count() > 1 || cell.Mutant is not null) settings.Add($"mutant={cell.Mutant ?? "none"}");
        if (result.Cells.Select(other => other.System).Distinct().Count() > 1) settings.Add($"system={cell.System}");
        if (result.Cells.Select(other => other.On).Distinct().Count() > 1) settings.Add($"on={cell.On}");
        if (result.Cells.Select(other => other.Workload).Distinct().Count() > 1) settings.Add($"workload={cell.Workload}");
        return settings.Count == 0 ? "default configuration" : string.Join(" ", settings);
    }

    /// <summary>The varied settings of a cell in the order asked for; all its settings when nothing was varied.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Settings(CampaignResult result, CellResult cell) =>
        result.Varied.Count == 0
            ? cell.Configuration
            : result.Varied.Where(cell.Configuration.ContainsKey).Select(setting => KeyValuePair.Create(setting, cell.Configuration[setting]));

    /// <summary>"6 configurations, 200 runs each, seeds 1..200, reference broker in simulation"</summary>
    public static string Scope(CampaignResult result)
    {
        var runs = result.Cells.Select(cell => cell.Exercised.Runs).DefaultIfEmpty(0).ToArray();
        var each = runs.Distinct().Count() == 1 ? Runs(runs[0]) : $"{Number(runs.Min())} to {Runs(runs.Max())}";
        var systems = string.Join(" and ", result.Cells.Select(cell => $"{cell.SystemVersion ?? $"{cell.System} broker"} {Where(cell.On)}").Distinct());
        var workloads = string.Join(", ", result.Cells.Select(cell => cell.Workload).Distinct());
        return $"{Configurations(result.Cells.Count)}, {each}{(result.Cells.Count > 1 ? " each" : "")}, seeds {result.Seeds.From}..{result.Seeds.To}, {systems}, workload {workloads}";
    }

    /// <summary>What all cells share and somebody chose: "min.insync.replicas=2"; empty when nothing.</summary>
    public static string Shared(CampaignResult result) =>
        result.Varied.Count == 0 || result.Cells.Count == 0 ? ""
        : string.Join(" ", result.Cells[0].Configuration
            .Where(setting => !result.Varied.Contains(setting.Key) && result.Cells.All(cell => cell.Configuration.TryGetValue(setting.Key, out var value) && value == setting.Value))
            .Select(setting => $"{setting.Key}={setting.Value}"));

    /// <summary>"30 min simulated in 8 s"; what ran on real processes took what it took: "25 s".</summary>
    public static string Elapsed(CampaignResult result) =>
        result.SimulatedSeconds > 0 ? $"{Duration(result.SimulatedSeconds * 1000)} simulated in {Duration(result.WallSeconds * 1000)}" : $"in {Duration(result.WallSeconds * 1000)}";

    public static string Where(string on) => on switch
    {
        "sim" => "in simulation",
        "process" => "as real processes",
        "docker" => "in containers",
        "external" => "as found",
        _ => $"on {on}",
    };

    public static Counts Faults(CampaignResult result) =>
        result.Cells.Aggregate(Counts.Empty, (sum, cell) => sum + cell.Exercised.Faults);

    /// <summary>"partition 2,010, crash 1,422": names as in the contract, the most frequent first.</summary>
    public static string Many(Counts counts) =>
        counts.Count == 0 ? "none" : string.Join(", ", counts.OrderByDescending(count => count.Value).Select(count => $"{count.Key} {Number(count.Value)}"));

    /// <summary>A name in kebab case as words.</summary>
    public static string Spaced(string name) => name.Replace('-', ' ');

    public static string Number(long number) => number.ToString("N0");

    public static string Runs(long runs) => runs == 1 ? "1 run" : $"{Number(runs)} runs";

    public static string Configurations(int count) => count == 1 ? "1 configuration" : $"{Number(count)} configurations";

    public static string Counted(long count, string one, string? many = null) => count == 1 ? $"1 {one}" : $"{Number(count)} {many ?? one + "s"}";

    /// <summary>What unclean election buys: null where a partition was never without a leader.</summary>
    public static string? Leaderless(CellResult cell) =>
        cell.Availability.LeaderlessMs > 0 ? $"no leader for {Duration(cell.Availability.LeaderlessMs)} in all" : null;

    /// <summary>"0.4 ms", "420 ms", "3.1 s", "2 min 5 s", "10.0 h", with spaces that do not break; "not measured" for null.</summary>
    public static string Duration(double? milliseconds) => milliseconds switch
    {
        null => "not measured",
        < 1 and > 0 => $"{milliseconds:0.##}\u00a0ms",
        < 9.95 => $"{milliseconds:0.#}\u00a0ms",
        < 999.5 => $"{milliseconds:0}\u00a0ms",
        < 59_950 => $"{milliseconds / 1000:0.0}\u00a0s",
        < 3_600_000 => $"{(long)milliseconds / 60_000}\u00a0min\u00a0{(long)milliseconds / 1000 % 60}\u00a0s",
        _ => $"{milliseconds / 3_600_000:N1}\u00a0h",
    };
}
