using Verify.Campaign.Results;

namespace Verify.Reports.Terminal;

/// <summary>The guarantees that are not a row's headline, each summed over all configurations. Those that fared alike share a line.</summary>
internal static class OtherGuarantees
{
    private sealed record Sum(string Name, IReadOnlyList<(CellResult Cell, GuaranteeResult Guarantee)> Cells)
    {
        public (CellResult Cell, GuaranteeResult Guarantee)[] Seen { get; } = [.. Cells.Where(one => one.Guarantee.Violations > 0)];

        public Standing Standing { get; } = Worst(Cells.Select(one => one.Guarantee));

        private static Standing Worst(IEnumerable<GuaranteeResult> guarantees)
        {
            var all = guarantees.ToArray();
            return all.Any(one => one.ViolationsPromised > 0) ? Standing.Broken
                : all.Any(one => one.PromisedButNotExercised) || all.All(one => one.RunsExercised == 0) ? Standing.Unknown
                : all.Any(one => one.Violations > 0) ? Standing.Permitted
                : Standing.Held;
        }
    }

    public static void Write(Page page, CampaignResult result, IReadOnlyDictionary<string, int> stories)
    {
        var sums = result.Cells
            .SelectMany(cell => cell.Guarantees.Where(guarantee => guarantee != Wording.Headline(cell)).Select(guarantee => (Cell: cell, Guarantee: guarantee)))
            .GroupBy(one => one.Guarantee.Name)
            .Select(same => new Sum(same.Key, [.. same]))
            .ToArray();
        if (sums.Length == 0) return;
        page.Line();
        page.Line(page.Ink.Bold(result.Cells.Count == 1 ? "The other guarantees" : "The other guarantees, over all configurations"));
        foreach (var alike in sums.GroupBy(Fared)) WriteAlike(page, result, alike.Key, [.. alike], stories);
    }

    private static string Fared(Sum sum)
    {
        var runs = sum.Cells.Sum(one => one.Guarantee.Runs);
        var exercised = sum.Cells.Sum(one => one.Guarantee.RunsExercised);
        var promised = sum.Cells.Sum(one => one.Guarantee.RunsPromised);
        var notTested = sum.Cells.Count(one => one.Guarantee.PromisedButNotExercised);
        var fared = sum.Seen.Length > 0 ? $"not held in {sum.Seen.Length} of {Wording.Configurations(sum.Cells.Count)}{(sum.Standing is Standing.Permitted ? ", as permitted" : "")}"
            : exercised == 0 ? "no run could judge it"
            : $"held in {Wording.Runs(exercised)}: {Wording.Bound(exercised)}";
        var promise = promised == 0 ? "not promised" : promised == runs ? "promised in all" : $"promised in {Wording.Number(promised)} of {Wording.Runs(runs)}";
        return $"{fared}; {promise}{(notTested > 0 && exercised > 0 ? $"; not put to the test in {Wording.Configurations(notTested)}" : "")}";
    }

    private static void WriteAlike(Page page, CampaignResult result, string fared, IReadOnlyList<Sum> alike, IReadOnlyDictionary<string, int> stories)
    {
        page.Paragraph(string.Join(", ", alike.Select(sum => sum.Name)), 1, null, text => page.Ink.Of(alike[0].Standing, text));
        page.Paragraph(fared, 3);
        foreach (var (cell, guarantee) in alike.SelectMany(sum => sum.Seen))
        {
            var name = alike.Count > 1 ? $"{guarantee.Name}, " : "";
            var broken = Wording.Broken(guarantee) is { } none ? $"; BROKEN: {none}" : "";
            var because = guarantee.Excuses.Count == 0 ? "" : $" ({string.Join(", ", Wording.Excuses(guarantee))})";
            var story = guarantee.Story is { } file && stories.TryGetValue(file, out var number) ? $" [{number}]" : "";
            page.Paragraph($"{name}{Wording.Name(result, cell)}: {Wording.Seen(guarantee)}{broken}{because}{story}", 5, "   - ", page.Ink.Dim);
        }
    }
}
