using Verify.Campaign.Results;

namespace Verify.Reports.Html;

/// <summary>One configuration in full: its stories, its guarantees, what was exercised, what it cost. Folded unless it broke a promise or tells the first story.</summary>
internal static class CellSection
{
    public static Markup RenderAll(PageModel page)
    {
        if (page.Shown.Length == 0) return Markup.None;
        var told = new HashSet<string>();
        var opened = false;
        var cells = new List<Markup>();
        foreach (var (cell, i) in page.Shown.Select((cell, i) => (cell, i)))
        {
            var stories = cell.Guarantees.Select(guarantee => guarantee.Story).OfType<string>().Where(page.Drawn.ContainsKey).Where(told.Add).Select(file => page.Drawn[file]).ToArray();
            var open = Wording.StandingOf(cell) is Standing.Broken || (stories.Length > 0 && !opened) || page.Shown.Length == 1;
            opened |= open && stories.Length > 0;
            cells.Add(Render(page, cell, i + 1, stories, open));
        }
        var more = page.Result.Cells.Count - page.Shown.Length;
        return Markup.Of(
            $"""
            <section class="cells">
            <h2>{(page.Shown.Length == 1 ? "In full" : "Each configuration")}</h2>
            {cells}{Markup.When(more > 0, $"<p class=\"muted\">{Wording.Configurations(more)} more in the matrix above and in result.json.</p>")}
            </section>
            """);
    }

    private static Markup Render(PageModel page, CellResult cell, int number, StoryTelling[] stories, bool open)
    {
        var headline = Wording.Headline(cell);
        return Markup.Of(
            $"""
            <details class="cell"{Markup.When(open, $" open")}>
            <summary><span class="chips">{Name(page.Result, cell)}</span>{Style.Pill(Wording.StandingOf(cell))}<span class="gist">{(headline is null ? "nothing judged" : Wording.Seen(headline))}{Markup.When(stories.Length > 0, $" · <b>{Wording.Counted(stories.Length, "story", "stories")}</b>")}</span></summary>
            <div class="body" id="cell-{number}">
            {Notes(cell)}{stories.Select(StorySection.Render)}{Guarantees(cell)}
            <div class="columns pairs">
            <div><h4>What was exercised</h4>{Exercised(cell)}</div>
            <div><h4>Faults that bit</h4>{Style.Bars(cell.Exercised.Faults)}</div>
            <div><h4>What happened inside</h4>{Style.Bars(cell.Exercised.Events)}</div>
            <div><h4>What it cost</h4>{Cost(cell)}</div>
            </div>
            {Configuration(page, cell)}{Defaults(page, cell)}</div>
            </details>

            """);
    }

    private static Markup Name(CampaignResult result, CellResult cell)
    {
        var settings = Wording.Settings(result, cell).Take(8).ToList();
        if (cell.Mutant is { } mutant) settings.Add(KeyValuePair.Create("mutant", mutant));
        if (result.Cells.Select(other => (other.System, other.On, other.Workload)).Distinct().Count() > 1)
            settings.AddRange([KeyValuePair.Create("system", cell.System), KeyValuePair.Create("on", cell.On), KeyValuePair.Create("workload", cell.Workload)]);
        return settings.Count == 0 ? Markup.Of($"<span class=\"chip\"><b>default configuration</b></span>") : Style.Chips(settings);
    }

    private static Markup Notes(CellResult cell) =>
        Markup.Join(cell.Notes.Take(20).Select(note => Markup.Of($"<p class=\"note\">{TextLayout.Fit(note, 600)}</p>\n")));

    private static Markup Guarantees(CellResult cell) => Markup.Of(
        $"""
        <h4>Guarantees</h4>
        <table class="guarantees">
        <thead><tr><th>Guarantee</th><th>Promised</th><th>Seen</th><th></th></tr></thead>
        <tbody>
        {cell.Guarantees.Take(40).Select(Guarantee)}</tbody>
        </table>
        """);

    private static Markup Guarantee(GuaranteeResult guarantee)
    {
        var standing = Wording.StandingOf(guarantee);
        var unknown = guarantee.Runs - guarantee.RunsExercised;
        var anomalies = guarantee.Violations > 0 && guarantee.Anomalies.Count > 0 ? Markup.Of($"<div class=\"muted\">{Wording.Many(guarantee.Anomalies)}</div>") : Markup.None;
        var cannotTell = Markup.When(unknown > 0 && guarantee.RunsExercised > 0, $"<div class=\"muted\">{Wording.Runs(unknown)} could not judge it</div>");
        var power = guarantee.Power is { } text ? Markup.Of($"<div class=\"muted\">{text}</div>") : Markup.None;
        return Markup.Of(
            $"""
            <tr class="{Style.Of(standing)}"><th>{guarantee.Name}</th><td data-name="Promised">{Wording.Promise(guarantee)}</td><td data-name="Seen">{Wording.Seen(guarantee)}{MatrixSection.Broken(guarantee)}{anomalies}{MatrixSection.Excuses(guarantee)}{MatrixSection.Kept(guarantee)}{cannotTell}{power}</td><td class="end">{Style.Pill(standing)}</td></tr>

            """);
    }

    private static Markup Exercised(CellResult cell)
    {
        var exercised = cell.Exercised;
        return Pairs(
            ("runs", Wording.Number(exercised.Runs)),
            ("operations", Wording.Number(exercised.Operations)),
            ("acknowledged", Wording.Number(exercised.Acknowledged)),
            ("outcome never learned", Wording.Number(exercised.Indeterminate)),
            ("failed", Wording.Number(exercised.Failed)),
            ("leader changes", Wording.Number(exercised.LeaderChanges)),
            ("workload", cell.Workload),
            ("system", $"{cell.SystemVersion ?? cell.System}, {Wording.Where(cell.On)}"));
    }

    private static Markup Cost(CellResult cell)
    {
        var (availability, latency, throughput) = (cell.Availability, cell.LatencyMs, cell.Throughput);
        var pairs = new List<(string, string)>
        {
            ("longest outage", Wording.Duration(availability.LongestOutageMs) + (availability.LongestOutageSeed is { } seed ? $" (seed {seed})" : "")),
            ("mean of the runs' longest", Wording.Duration(availability.MeanOutageMs)),
            ("slowest recovery", Wording.Duration(availability.RecoveryMs)),
        };
        if (latency is not null)
        {
            var label = latency.Simulated ? "simulated latency" : "latency";
            pairs.AddRange([($"{label}, median", Wording.Duration(latency.P50)), ($"{label}, 99 %", Wording.Duration(latency.P99)), ($"{label}, 99.9 %", Wording.Duration(latency.P999)), ($"{label}, longest", Wording.Duration(latency.Max))]);
        }
        if (throughput is not null)
            pairs.AddRange([("sends per second", Wording.Number((long)throughput.SendsPerSecond)), ("receives per second", Wording.Number((long)throughput.ReceivesPerSecond)), ("bytes per second", Wording.Number((long)throughput.BytesPerSecond))]);
        return Pairs([.. pairs]);
    }

    internal static Markup Pairs(params (string Name, string Value)[] pairs) =>
        Markup.Of($"<dl>{pairs.Select(pair => Markup.Of($"<div><dt>{pair.Name}</dt><dd>{pair.Value}</dd></div>"))}</dl>");

    /// <summary>The settings that the heading does not show.</summary>
    private static Markup Configuration(PageModel page, CellResult cell)
    {
        var rest = cell.Configuration.Where(setting => !page.Result.Varied.Contains(setting.Key)).ToArray();
        return page.Result.Varied.Count == 0 || rest.Length == 0 ? Markup.None : Markup.Of($"<h4>Also set</h4><p class=\"chips\">{Style.Chips(rest)}</p>\n");
    }

    private static Markup Defaults(PageModel page, CellResult cell) =>
        page.CommonDefaults is not null || cell.DefaultsThatDiffer.Count == 0 ? Markup.None
        : Markup.Of($"<h4>Defaults that differ from Kafka's</h4>{CampaignSection.Differences(cell.DefaultsThatDiffer)}\n");
}
