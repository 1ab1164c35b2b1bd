using Verify.Campaign.Results;

namespace Verify.Reports.Html;

/// <summary>
/// The report as one page: no network, no script, and a size that does not grow with the history. It reads from the verdict to the
/// matrix to each configuration, its story, and how far to trust it all.
/// </summary>
public static class ReportPage
{
    /// <summary>Configurations shown in full; the others stand in the matrix and in <c>result.json</c>.</summary>
    internal const int MostCells = 60;

    /// <summary>Rows of the matrix.</summary>
    internal const int MostRows = 400;

    /// <summary>Stories drawn.</summary>
    internal const int MostStories = 30;

    public static string Render(CampaignResult result)
    {
        var page = new PageModel(result);
        return Markup.Of(
            $"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>mqverify: {result.Verdict.ToString().ToLowerInvariant()}. {Wording.Verdict(result)}</title>
            <style>
            {new Markup(Stylesheet)}</style>
            </head>
            <body>
            <main>
            {Top(result)}
            {MatrixSection.Render(page)}
            {GuaranteeGrid.Render(page)}
            {CellSection.RenderAll(page)}
            {CampaignSection.Render(page)}
            </main>
            </body>
            </html>

            """).Text;
    }

    private static readonly string Stylesheet = ReadStylesheet();

    private static string ReadStylesheet()
    {
        using var stream = typeof(ReportPage).Assembly.GetManifestResourceStream("report.css") ?? throw new InvalidOperationException("report.css is not in the assembly");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static Markup Top(CampaignResult result)
    {
        var standing = result.Verdict switch
        {
            ResultVerdict.Held => Standing.Held,
            ResultVerdict.Violated => Standing.Broken,
            _ => Standing.Unknown,
        };
        return Markup.Of(
            $"""
            <header class="top {Style.Of(standing)}">
            <p class="brand">mqverify <span>{result.Tool.Version}</span></p>
            <h1><span class="verdict">{Capital(result.Verdict.ToString())}</span> {Wording.Verdict(result)}</h1>
            {Aside(result)}{Partial(result)}<p class="scope">{Capital(Wording.Scope(result))}.{Shared(result)}{Power(result)}</p>
            {Facts(result)}
            </header>
            """);
    }

    private static string Capital(string words) => words.Length == 0 ? words : char.ToUpperInvariant(words[0]) + words[1..];

    private static Markup Aside(CampaignResult result) =>
        Wording.Aside(result) is { } aside ? Markup.Of($"<p class=\"aside\">{aside}</p>\n") : Markup.None;

    private static Markup Partial(CampaignResult result) =>
        result.Interrupted is { } interrupted ? Markup.Of($"<p class=\"partial\"><strong>Partial result</strong>: {interrupted.Reason}. What is here is valid; the rest never ran.</p>\n") : Markup.None;

    private static Markup Shared(CampaignResult result) =>
        Wording.Shared(result) is { Length: > 0 } shared ? Markup.Of($" All with <code>{shared}</code>.") : Markup.None;

    private static Markup Power(CampaignResult result) =>
        result.Power is { } power ? Markup.Of($" Power: {TextLayout.Fit(power.Text, 600)}") : Markup.None;

    private static Markup Facts(CampaignResult result)
    {
        var cells = result.Cells;
        (string Value, string Name)[] facts =
        [
            (Wording.Number(cells.Sum(cell => cell.Exercised.Runs)), "runs"),
            (Wording.Number(Wording.Faults(result).Total), "faults that bit"),
            (Wording.Number(cells.Sum(cell => cell.Exercised.LeaderChanges)), "leader changes"),
            (Wording.Number(cells.Sum(cell => cell.Exercised.Acknowledged)), "records acknowledged"),
            .. result.SimulatedSeconds > 0 ? [(Wording.Duration(result.SimulatedSeconds * 1000), "simulated")] : Array.Empty<(string, string)>(),
            (Wording.Duration(result.WallSeconds * 1000), "on the clock"),
        ];
        return Markup.Of($"<ul class=\"facts\">{facts.Select(fact => Markup.Of($"<li><b>{fact.Value}</b> {fact.Name}</li>"))}</ul>");
    }
}

/// <summary>What the sections share.</summary>
internal sealed class PageModel
{
    public PageModel(CampaignResult result)
    {
        Result = result;
        Shown = [.. result.Cells.Take(ReportPage.MostCells)];
        Drawn = result.Stories.DistinctBy(story => story.File).Take(ReportPage.MostStories).ToDictionary(story => story.File);
        CommonDefaults = Shown.Length > 0 && Shown.All(cell => cell.DefaultsThatDiffer.SequenceEqual(Shown[0].DefaultsThatDiffer)) ? Shown[0].DefaultsThatDiffer : null;
    }

    public CampaignResult Result { get; }

    /// <summary>The cells that have a section of their own.</summary>
    public CellResult[] Shown { get; }

    public Dictionary<string, StoryTelling> Drawn { get; }

    /// <summary>Defaults that differ in the same way everywhere are told once; null when each cell tells its own.</summary>
    public IReadOnlyList<DefaultDifference>? CommonDefaults { get; }
}

internal static class Style
{
    public static string Of(Standing standing) => standing switch
    {
        Standing.Held => "held",
        Standing.Permitted => "permitted",
        Standing.Broken => "broken",
        Standing.Unknown => "unknown",
        _ => throw new ArgumentOutOfRangeException(nameof(standing), standing, "no such standing"),
    };

    public static Markup Pill(Standing standing) => Markup.Of($"<span class=\"pill {Of(standing)}\">{Wording.Of(standing)}</span>");

    public static Markup Chips(IEnumerable<KeyValuePair<string, string>> settings) => Markup.Join(settings.Take(60).Select(setting =>
        Markup.Of($"<span class=\"chip\"><span>{TextLayout.Fit(setting.Key, 80)}</span> <b>{TextLayout.Fit(setting.Value, 120)}</b></span>")), " ");

    /// <summary>A list of counts with a bar each, the largest first.</summary>
    public static Markup Bars(Counts counts)
    {
        var shown = counts.OrderByDescending(count => count.Value).Take(16).ToArray();
        if (shown.Length == 0) return Markup.Of($"<p class=\"muted\">none</p>");
        var most = shown[0].Value;
        return Markup.Of($"<ul class=\"bars\">{shown.Select(count => Markup.Of($"<li><span>{TextLayout.Fit(count.Key, 80)}</span><i style=\"--w:{100.0 * count.Value / most}%\"></i><b>{Wording.Number(count.Value)}</b></li>"))}</ul>");
    }
}
