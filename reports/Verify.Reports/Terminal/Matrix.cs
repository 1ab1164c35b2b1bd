using Verify.Campaign.Results;

namespace Verify.Reports.Terminal;

/// <summary>
/// The table of a comparison, one row per configuration: its settings, what it promised, what was seen, its longest outage. Settings stand in
/// columns of their own while they fit; otherwise on a line above the row.
/// </summary>
internal static class Matrix
{
    private const int MarkWidth = 2;
    private const int OutageWidth = 8;
    private const int PromiseWidth = 17;
    private const int NarrowestSeen = 28;

    public static void Write(Page page, CampaignResult result, IReadOnlyDictionary<string, int> stories)
    {
        var columns = Columns(result, page.Width);
        var settingsWidth = columns is null ? 0 : columns.Sum(column => column.Width + 2);
        var seenWidth = page.Width - MarkWidth - settingsWidth - PromiseWidth - 2 - 2 - OutageWidth;
        page.Line();
        WriteHeader(page, columns, settingsWidth, seenWidth);
        page.Rule();
        foreach (var cell in result.Cells)
        {
            if (columns is null) page.Paragraph(Wording.Name(result, cell), MarkWidth, MarkOf(page, cell), page.Ink.Bold);
            WriteRow(page, cell, columns, settingsWidth, seenWidth, stories);
        }
        page.Rule();
        WriteLegend(page, result);
    }

    /// <summary>A setting's column: its name broken at dots, and the widest value.</summary>
    private sealed record Column(string Setting, IReadOnlyList<string> Header, int Width)
    {
        public string ValueIn(CellResult cell) => TextLayout.Printable(cell.Configuration.GetValueOrDefault(Setting, "-"));
    }

    /// <summary>Null when the settings leave no room for the rest, or do not tell the cells apart.</summary>
    private static Column[]? Columns(CampaignResult result, int width)
    {
        if (result.Varied.Count == 0 || result.Cells.Select(cell => (cell.System, cell.On, cell.Workload, cell.Mutant)).Distinct().Count() > 1) return null;
        var room = width - MarkWidth - PromiseWidth - 2 - 2 - OutageWidth - NarrowestSeen;
        foreach (var target in (int[])[16, 12, 10])
        {
            var columns = result.Varied.Select(setting => ColumnFor(result, setting, target)).ToArray();
            if (columns.Sum(column => column.Width + 2) <= room) return columns;
        }
        return null;
    }

    private static Column ColumnFor(CampaignResult result, string setting, int target)
    {
        var header = new List<string>();
        foreach (var part in setting.Split('.').Select((part, i) => i == setting.Count(c => c == '.') ? part : part + "."))
        {
            if (header.Count > 0 && header[^1].Length + part.Length <= target) header[^1] += part;
            else header.Add(TextLayout.Printable(part));
        }
        var widestValue = result.Cells.Select(cell => cell.Configuration.GetValueOrDefault(setting, "-").Length).DefaultIfEmpty(0).Max();
        return new Column(setting, header, Math.Max(widestValue, header.Max(line => line.Length)));
    }

    private static void WriteHeader(Page page, Column[]? columns, int settingsWidth, int seenWidth)
    {
        string[] outage = ["longest", "outage"];
        var height = Math.Max(2, columns?.Max(column => column.Header.Count) ?? 0);
        for (var line = 0; line < height; line++)
        {
            var fromEnd = height - line;
            var settings = string.Concat(columns?.Select(column => (fromEnd <= column.Header.Count ? column.Header[^fromEnd] : "").PadRight(column.Width + 2)) ?? []);
            var promised = fromEnd == 1 ? "promised" : "";
            var seen = fromEnd == 1 ? "seen" : "";
            page.Line(page.Ink.Bold(new string(' ', MarkWidth) + settings.PadRight(settingsWidth) + promised.PadRight(PromiseWidth + 2) + seen.PadRight(seenWidth + 2) + (fromEnd <= 2 ? outage[^fromEnd] : "").PadLeft(OutageWidth)));
        }
    }

    private static void WriteRow(Page page, CellResult cell, Column[]? columns, int settingsWidth, int seenWidth, IReadOnlyDictionary<string, int> stories)
    {
        var headline = Wording.Headline(cell);
        var promised = headline is null ? ["nothing judged"] : TextLayout.Wrap(Wording.Promise(headline), PromiseWidth);
        var seen = Seen(page, cell, headline, seenWidth, stories);
        var outage = cell.Availability.LongestOutageMs is { } ms ? Wording.Duration(ms) : "-";
        var height = Math.Max(promised.Count, seen.Count);
        for (var line = 0; line < height; line++)
        {
            var settings = string.Concat(columns?.Select(column => (line == 0 ? column.ValueIn(cell) : "").PadRight(column.Width + 2)) ?? []).PadRight(settingsWidth);
            var (text, paint) = line < seen.Count ? seen[line] : ("", Plain);
            page.Line((line == 0 && columns is not null ? MarkOf(page, cell) : new string(' ', MarkWidth)) + page.Ink.Bold(settings)
                + (line < promised.Count ? promised[line] : "").PadRight(PromiseWidth + 2)
                + paint(text) + new string(' ', seenWidth - text.Length + 2)
                + (line == 0 ? outage.PadLeft(OutageWidth) : ""));
        }
    }

    private static string MarkOf(Page page, CellResult cell)
    {
        var standing = Wording.StandingOf(cell);
        return page.Ink.Of(standing, Wording.Mark(standing)) + " ";
    }

    private static string Plain(string text) => text;

    /// <summary>The headline guarantee with excuses and story, then every other broken promise: nothing broken is left to the small print.</summary>
    private static List<(string Text, Func<string, string> Paint)> Seen(Page page, CellResult cell, GuaranteeResult? headline, int width, IReadOnlyDictionary<string, int> stories)
    {
        var lines = new List<(string, Func<string, string>)>();
        if (headline is null) return [("-", Plain)];
        Add(headline);
        foreach (var broken in cell.Guarantees.Where(guarantee => guarantee != headline && guarantee.ViolationsPromised > 0)) Add(broken);
        if (Wording.Leaderless(cell) is { } leaderless)
            foreach (var line in TextLayout.Wrap(leaderless, width)) lines.Add((line, page.Ink.Dim));
        if (headline.Verdict is ResultVerdict.Unknown && cell.Exercised.Runs == 0) lines = [("not run", text => page.Ink.Of(Standing.Unknown, text))];
        return lines;

        void Add(GuaranteeResult guarantee)
        {
            var standing = Wording.StandingOf(guarantee);
            var story = guarantee.Story is { } file && stories.TryGetValue(file, out var number) ? $" [{number}]" : "";
            foreach (var line in TextLayout.Wrap(Wording.Seen(guarantee) + story, width)) lines.Add((line, text => page.Ink.Of(standing, text)));
            if (Wording.Broken(guarantee) is { } broken)
                foreach (var line in TextLayout.Wrap($"BROKEN: {broken}", width)) lines.Add((line, text => page.Ink.Of(Standing.Broken, text)));
            foreach (var excuse in Wording.Excuses(guarantee))
                foreach (var (line, i) in TextLayout.Wrap(excuse, width - 2).Select((line, i) => (line, i))) lines.Add(((i == 0 ? "- " : "  ") + line, page.Ink.Dim));
            if (Wording.KeptWherePromised(guarantee) is { } kept)
                foreach (var line in TextLayout.Wrap(kept, width)) lines.Add((line, text => page.Ink.Of(Standing.Held, text)));
        }
    }

    private static void WriteLegend(Page page, CampaignResult result)
    {
        var guarantees = result.Cells.SelectMany(cell => cell.Guarantees).ToArray();
        Explain($"{string.Join(", ", result.Cells.Select(Wording.StandingOf).Distinct().Order().Select(standing => $"{Wording.Mark(standing)} {Meaning(standing)}"))}");
        Explain("promised: by these settings, under the faults that bit in each run. outage: the longest time in which a partition took no write that lasted.");
        if (guarantees.Any(guarantee => guarantee.Bound is not null || Wording.KeptWherePromised(guarantee) is not null))
            Explain("below 3/n: not seen in n runs, so fewer than 3 in n at 95 % confidence; not never.");
        if (guarantees.Any(guarantee => guarantee.Excuses.Count > 0))
            Explain("- an excuse: what permits a loss, found in that very run. A loss without one is a broken promise whatever the settings.");

        void Explain(string words) => page.Paragraph(words, MarkWidth, null, page.Ink.Dim);
    }

    private static string Meaning(Standing standing) => standing switch
    {
        Standing.Held => "held",
        Standing.Permitted => "broken only as permitted",
        Standing.Broken => "PROMISE BROKEN",
        Standing.Unknown => "not put to the test",
        _ => throw new ArgumentOutOfRangeException(nameof(standing), standing, "no such standing"),
    };
}
