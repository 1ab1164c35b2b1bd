using Verify.Campaign.Results;

namespace Verify.Reports.Html;

/// <summary>Every guarantee against every configuration as marks: where to look first. Nothing for a single configuration, which is shown in full anyway.</summary>
internal static class GuaranteeGrid
{
    private const int MostColumns = 24;

    public static Markup Render(PageModel page)
    {
        var cells = page.Result.Cells.Take(MostColumns).ToArray();
        var names = cells.SelectMany(cell => cell.Guarantees).Select(guarantee => guarantee.Name).Distinct().ToArray();
        if (names.Length == 0 || page.Result.Cells.Count == 1) return Markup.None;
        var more = page.Result.Cells.Count - cells.Length;
        return Markup.Of(
            $"""
            <section>
            <h2>Every guarantee</h2>
            <div class="scroll"><table class="grid">
            <thead>{Heads(page.Result, cells)}</thead>
            <tbody>
            {names.Select(name => Markup.Of($"<tr><th>{name}</th>{cells.Select(cell => Mark(page, cell, name))}</tr>\n"))}</tbody>
            </table></div>
            <p class="legend marks"><span class="held">✓</span> promised and held <span class="aside-mark">✓</span> held, not promised in every run <span class="permitted">!</span> seen, permitted <span class="broken">✕</span> promise broken <span class="unknown">?</span> not put to the test</p>
            {Markup.When(more > 0, $"<p class=\"muted\">{Wording.Configurations(more)} more below and in result.json.</p>")}
            </section>
            """);
    }

    /// <summary>One line of values per varied setting; one line of numbers where nothing was varied.</summary>
    private static Markup Heads(CampaignResult result, CellResult[] cells)
    {
        if (result.Varied.Count is 0 or > 5)
            return Markup.Of($"<tr><th>configuration</th>{cells.Select((_, i) => Markup.Of($"<td><a href=\"#cell-{i + 1}\">{i + 1}</a></td>"))}</tr>");
        return Markup.Join(result.Varied.Select(setting => Markup.Of(
            $"<tr><th>{setting}</th>{cells.Select(cell => Markup.Of($"<td>{TextLayout.Fit(cell.Configuration.GetValueOrDefault(setting, "-"), 12)}</td>"))}</tr>")));
    }

    private static Markup Mark(PageModel page, CellResult cell, string name)
    {
        var index = Array.IndexOf(page.Shown, cell) + 1;
        if (cell.Guarantees.FirstOrDefault(guarantee => guarantee.Name == name) is not { } found) return Markup.Of($"<td></td>");
        var standing = Wording.StandingOf(found);
        var style = standing is Standing.Held && !found.Promised ? "aside-mark" : Style.Of(standing);
        var sign = standing switch
        {
            Standing.Held => "✓",
            Standing.Permitted => "!",
            Standing.Broken => "✕",
            _ => "?",
        };
        var title = $"{name}: {Wording.Promise(found)}; {Wording.Seen(found)}";
        return index > 0
            ? Markup.Of($"<td><a class=\"{style}\" href=\"#cell-{index}\" title=\"{title}\">{sign}</a></td>")
            : Markup.Of($"<td><span class=\"{style}\" title=\"{title}\">{sign}</span></td>");
    }
}
