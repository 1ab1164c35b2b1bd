using System.Text;
using Verify.Campaign.Results;

namespace Verify.Reports;

/// <summary>The result as Markdown, for the page of a build: the matrix, what was broken or permitted, how to replay. Below <see cref="MostBytes"/> in UTF-8.</summary>
public static class MarkdownSummary
{
    public const int MostBytes = 200_000;

    /// <summary>Sections stop here, which leaves room for the closing line.</summary>
    private const int Room = MostBytes - 2_000;

    public static string Render(CampaignResult result)
    {
        var page = new StringBuilder();
        var cut = !Parts(result).All(part => Add(page, part));
        if (cut) page.Append("\nThe rest is in `result.json` and `report.html`.\n");
        return page.ToString();
    }

    private static bool Add(StringBuilder page, string part)
    {
        if (Encoding.UTF8.GetByteCount(part) + Encoding.UTF8.GetByteCount(page.ToString()) > Room) return false;
        page.Append(part);
        return true;
    }

    /// <summary>In order of importance; each is complete Markdown lines.</summary>
    private static IEnumerable<string> Parts(CampaignResult result)
    {
        yield return $"# {result.Verdict}: {Text(Wording.Verdict(result))}\n\n";
        if (Wording.Aside(result) is { } aside) yield return $"{Text(aside)}\n\n";
        if (result.Interrupted is { } interrupted) yield return $"**Partial result**: {Text(interrupted.Reason)}. What is here is valid; the rest never ran.\n\n";
        yield return $"{Text(Wording.Scope(result))}.\n\nFaults that bit: {Text(Wording.Many(Wording.Faults(result)))}.\n\n";
        if (result.Power is { } power) yield return $"Power: {Text(power.Text)}\n\n";
        foreach (var part in Matrix(result)) yield return part;
        foreach (var part in Others(result)) yield return part;
        foreach (var part in Stories(result)) yield return part;
        yield return $"\n## How to repeat it\n\n{Code(result.Command)}\n\nmqverify {Text(result.Tool.Version)} ({Text(result.Tool.Commit)}), {Text(Wording.Elapsed(result))}.\n";
    }

    private static IEnumerable<string> Matrix(CampaignResult result)
    {
        if (result.Cells.Count == 0) yield break;
        yield return "| configuration | | promised | seen | longest outage |\n|---|---|---|---|---|\n";
        foreach (var cell in result.Cells)
        {
            var headline = Wording.Headline(cell);
            var outage = Text(cell.Availability.LongestOutageMs is { } ms ? Wording.Duration(ms) : "-") + (Wording.Leaderless(cell) is { } leaderless ? $"<br>{Text(leaderless)}" : "");
            yield return $"| {Text(Wording.Name(result, cell))} | {Wording.Of(Wording.StandingOf(cell))} | {Text(headline is null ? "-" : Wording.Promise(headline))} | {(headline is null ? "-" : Seen(headline))} | {outage} |\n";
        }
    }

    private static string Seen(GuaranteeResult guarantee)
    {
        var seen = Text(Wording.Seen(guarantee));
        if (Wording.Broken(guarantee) is { } broken) seen += $"<br>**{Text(broken)}**";
        foreach (var excuse in Wording.Excuses(guarantee).Take(12)) seen += $"<br>{Text(excuse)}";
        if (Wording.KeptWherePromised(guarantee) is { } kept) seen += $"<br>{Text(kept)}";
        return seen;
    }

    private static IEnumerable<string> Others(CampaignResult result)
    {
        var lines = result.Cells.SelectMany(cell => cell.Guarantees
            .Where(guarantee => guarantee != Wording.Headline(cell) && Wording.StandingOf(guarantee) is not Standing.Held)
            .Select(guarantee => $"- {Text(Wording.Name(result, cell))}: `{Text(guarantee.Name)}` {Wording.Of(Wording.StandingOf(guarantee))}: {Seen(guarantee)}\n")).ToArray();
        var held = result.Cells.SelectMany(cell => cell.Guarantees.Where(guarantee => guarantee != Wording.Headline(cell) && Wording.StandingOf(guarantee) is Standing.Held)).GroupBy(guarantee => guarantee.Name).ToArray();
        if (lines.Length + held.Length == 0) yield break;
        yield return "\n## The other guarantees\n\n";
        foreach (var line in lines) yield return line;
        foreach (var one in held)
        {
            var runs = one.Sum(guarantee => guarantee.RunsExercised);
            yield return $"- `{Text(one.Key)}` held in {Text(Wording.Runs(runs))} of {Wording.Configurations(one.Count())}: {Wording.Bound(runs)}\n";
        }
    }

    private static IEnumerable<string> Stories(CampaignResult result)
    {
        if (result.Stories.Count == 0) yield break;
        yield return "\n## Stories\n";
        foreach (var story in result.Stories)
        {
            var life = story.Record is { } record ? string.Concat(record.Steps.Take(40).Select(step => $"- {(step.TimeMs / 1000).ToString("0.000")} s: {Text(step.Text)}\n")) : "";
            var faults = string.Concat(story.Faults.Take(20).Select(fault => $"- fault: {Text(fault)}\n"));
            yield return $"\n### {Text(story.Title)}\n\n{Text(story.Anomaly)}, {(story.Excuse is null ? "**no excuse**" : $"permitted by {Text(Wording.Spaced(story.Excuse))}")}; seed {story.Seed}, {Wording.Counted(story.Faults.Count, "fault")}, {Wording.Counted(story.Commands, "command")}.\n\n{faults}{life}\n{Code(story.Replay)}\n";
        }
    }

    /// <summary>As text in a paragraph or a table's cell: nothing in it is read as markup, on one line.</summary>
    private static string Text(string words)
    {
        var text = new StringBuilder();
        foreach (var c in TextLayout.Printable(words).Replace('\u00a0', ' '))
        {
            if (c is '\\' or '`' or '*' or '_' or '[' or ']' or '|' or '#' or '~' or '!') text.Append('\\').Append(c);
            else if (c is '<') text.Append("&lt;");
            else if (c is '>') text.Append("&gt;");
            else if (c is '&') text.Append("&amp;");
            else text.Append(c);
        }
        return text.ToString();
    }

    /// <summary>A block that no line of its content can close.</summary>
    private static string Code(string command) =>
        string.Join("\n", command.Split('\n').Select(line => "    " + TextLayout.Printable(line)));
}
