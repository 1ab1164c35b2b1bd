using Verify.Campaign.Results;

namespace Verify.Reports.Html;

/// <summary>One row per configuration: what it promised, what was seen, what it cost. On a phone every row becomes a card.</summary>
internal static class MatrixSection
{
    public static Markup Render(PageModel page)
    {
        var result = page.Result;
        if (result.Cells.Count == 0) return Markup.None;
        var rows = result.Cells.Take(ReportPage.MostRows).Select((cell, i) => Row(page, cell, i)).ToArray();
        var more = result.Cells.Count - rows.Length;
        return Markup.Of(
            $"""
            <section>
            <h2>Promised, seen, and what it costs</h2>
            <table class="matrix">
            <thead><tr>{Settings(result).Select(setting => Markup.Of($"<th class=\"setting\">{Breakable(setting)}</th>"))}<th>Promised</th><th>Seen</th><th class="outage">Longest outage</th><th></th></tr></thead>
            <tbody>
            {rows}</tbody>
            </table>
            {Markup.When(more > 0, $"<p class=\"muted\">{Wording.Configurations(more)} more in result.json.</p>")}
            <p class="legend"><b>Promised</b>: by these settings, under the faults that bit in each run. <b>Longest outage</b>: the longest time in which a partition took no write that lasted. <b>Below 3/n</b>: not seen in n runs, so fewer than 3 in n at 95&nbsp;% confidence; not never. An <b>excuse</b> is what permits a loss, found in that very run; a loss without one is a broken promise whatever the settings.</p>
            </section>
            """);
    }

    /// <summary>The settings with a column; none when nothing was varied or the cells differ in more than settings.</summary>
    private static IReadOnlyList<string> Settings(CampaignResult result) => NamedInOneColumn(result) ? ["configuration"] : result.Varied;

    private static bool NamedInOneColumn(CampaignResult result) =>
        result.Varied.Count is 0 or > 5 || result.Cells.Select(cell => (cell.System, cell.On, cell.Workload, cell.Mutant)).Distinct().Count() > 1;

    /// <summary>Long settings may break after each dot.</summary>
    private static Markup Breakable(string settings) => Markup.Join(settings.Split('.').Select(part => Markup.Of($"{part}")), ".<wbr>");

    private static Markup Row(PageModel page, CellResult cell, int index)
    {
        var result = page.Result;
        var headline = Wording.Headline(cell);
        var standing = Wording.StandingOf(cell);
        var link = index < page.Shown.Length ? Markup.Of($"<a href=\"#cell-{index + 1}\">{(HasStory(page, cell) ? "story" : "details")}</a>") : Markup.None;
        var settings = NamedInOneColumn(result)
            ? Markup.Of($"<td class=\"setting name\"><b>{Breakable(Wording.Name(result, cell))}</b></td>")
            : Markup.Join(result.Varied.Select(setting => Markup.Of($"<td class=\"setting\" data-name=\"{setting}\"><b>{cell.Configuration.GetValueOrDefault(setting, "-")}</b></td>")));
        return Markup.Of(
            $"""
            <tr class="{Style.Of(standing)}">{settings}<td data-name="Promised">{(headline is null ? "nothing judged" : Wording.Promise(headline))}</td><td class="seen" data-name="Seen">{Seen(cell, headline)}</td><td class="outage" data-name="Longest outage">{Outage(result, cell)}</td><td class="end">{Style.Pill(standing)} {link}</td></tr>

            """);
    }

    private static bool HasStory(PageModel page, CellResult cell) =>
        cell.Guarantees.Any(guarantee => guarantee.Story is { } file && page.Drawn.ContainsKey(file));

    /// <summary>The headline guarantee, then every other one that was broken.</summary>
    private static Markup Seen(CellResult cell, GuaranteeResult? headline)
    {
        if (headline is null) return Markup.None;
        return Markup.Join(cell.Guarantees.Where(guarantee => guarantee == headline || guarantee.Violations > 0).OrderBy(guarantee => guarantee != headline).Select(guarantee => Markup.Of(
            $"<div class=\"{Style.Of(Wording.StandingOf(guarantee))}\"><span class=\"what\">{Wording.Seen(guarantee)}</span>{Share(guarantee)}{Broken(guarantee)}{Excuses(guarantee)}{Kept(guarantee)}</div>")));
    }

    /// <summary>The share of runs as a bar.</summary>
    private static Markup Share(GuaranteeResult guarantee) => guarantee.RunsViolated == 0 || guarantee.RunsExercised == 0 ? Markup.None
        : Markup.Of($"<i class=\"share\" style=\"--w:{Math.Max(1, 100.0 * guarantee.RunsViolated / guarantee.RunsExercised)}%\"></i>");

    internal static Markup Broken(GuaranteeResult guarantee) =>
        Wording.Broken(guarantee) is { } broken ? Markup.Of($"<strong class=\"no-excuse\">{broken}</strong>") : Markup.None;

    internal static Markup Kept(GuaranteeResult guarantee) =>
        Wording.KeptWherePromised(guarantee) is { } kept ? Markup.Of($"<div class=\"kept\">{kept}</div>") : Markup.None;

    internal static Markup Excuses(GuaranteeResult guarantee)
    {
        var excuses = Wording.Excuses(guarantee).Take(12).ToArray();
        return Markup.When(excuses.Length > 0, $"<ul class=\"excuses\">{excuses.Select(excuse => Markup.Of($"<li>{excuse}</li>"))}</ul>");
    }

    private static Markup Leaderless(CellResult cell) => Wording.Leaderless(cell) is { } text ? Markup.Of($"<div class=\"muted\">{text}</div>") : Markup.None;

    private static Markup Outage(CampaignResult result, CellResult cell)
    {
        if (cell.Availability.LongestOutageMs is not { } outage) return Markup.Of($"<span class=\"muted\">not measured</span>");
        var longest = result.Cells.Max(other => other.Availability.LongestOutageMs ?? 0);
        return Markup.Of($"<b>{Wording.Duration(outage)}</b>{Markup.When(longest > 0, $"<i class=\"span\" style=\"--w:{Math.Max(1, 100 * outage / longest)}%\"></i>")}{Leaderless(cell)}");
    }
}
