using System.Text;
using Verify.Campaign.Results;

namespace Verify.Reports.Terminal;

/// <param name="Width">Columns; narrower than 60 is treated as 60.</param>
/// <param name="Colour">ANSI escape sequences.</param>
/// <param name="Directory">Where the result was written, as the reader would type it; null when it was not.</param>
public sealed record TerminalStyle(int Width = 80, bool Colour = false, string? Directory = null);

/// <summary>A campaign on a terminal: verdict first, then the matrix, the other guarantees, the stories and where the report is.</summary>
public static class TerminalReport
{
    private const int MostNotes = 10;

    public static string Render(CampaignResult result, TerminalStyle style)
    {
        style = style with { Width = Math.Max(60, style.Width) };
        var page = new Page(style.Width, new Ink(style.Colour));
        WriteVerdict(page, result);
        if (result.Cells.Count > 0)
        {
            WriteScope(page, result);
            var stories = StoryNumbers(result);
            Matrix.Write(page, result, stories);
            OtherGuarantees.Write(page, result, stories);
            WriteNotes(page, result);
        }
        WriteStories(page, result, style.Directory);
        if (style.Directory is { } directory)
        {
            page.Line();
            page.Line($"Report: {TextLayout.Printable(Path.Combine(directory, "report.html"))}");
        }
        return page.ToString();
    }

    private static void WriteVerdict(Page page, CampaignResult result)
    {
        var standing = result.Verdict switch
        {
            ResultVerdict.Held => Standing.Held,
            ResultVerdict.Violated => Standing.Broken,
            _ => Standing.Unknown,
        };
        var word = result.Verdict.ToString().ToUpperInvariant();
        var indent = word.Length + 2;
        page.Paragraph(Wording.Verdict(result), indent, page.Ink.Of(standing, word) + "  ", page.Ink.Bold);
        if (Wording.Aside(result) is { } aside) page.Paragraph(aside, indent);
        if (result.Interrupted is { } interrupted) page.Paragraph($"Partial result: {interrupted.Reason}. What is here is valid; the rest never ran.", indent);
    }

    private static void WriteScope(Page page, CampaignResult result)
    {
        page.Line();
        page.Paragraph(Wording.Scope(result) + ".");
        if (Wording.Shared(result) is { Length: > 0 } shared) page.Paragraph($"All with {shared}.");
        page.Paragraph($"Faults that bit: {Wording.Many(Wording.Faults(result))}.");
        page.Paragraph($"{Wording.Counted(result.Cells.Sum(cell => cell.Exercised.LeaderChanges), "leader change")}, {Wording.Counted(result.Cells.Sum(cell => cell.Exercised.Acknowledged), "record")} acknowledged, {Wording.Elapsed(result)}.");
        if (result.Power is { } power) page.Paragraph($"Power: {power.Text}");
    }

    private static void WriteNotes(Page page, CampaignResult result)
    {
        var notes = result.Cells.SelectMany(cell => cell.Notes.Select(note => result.Cells.Count == 1 ? note : $"{Wording.Name(result, cell)}: {note}")).ToArray();
        if (notes.Length == 0) return;
        page.Line();
        page.Line(page.Ink.Bold("What the runs suffered that nobody planned"));
        foreach (var note in notes.Take(MostNotes)) page.Paragraph(TextLayout.Printable(note), 1);
        if (notes.Length > MostNotes) page.Line($" {notes.Length - MostNotes} more in the report");
    }

    /// <summary>Stories by the number they have in the table and in the list below it.</summary>
    private static Dictionary<string, int> StoryNumbers(CampaignResult result)
    {
        var numbers = new Dictionary<string, int>();
        foreach (var story in result.Cells.SelectMany(cell => cell.Guarantees).Select(guarantee => guarantee.Story).OfType<string>())
            numbers.TryAdd(story, numbers.Count + 1);
        return numbers;
    }

    private static void WriteStories(Page page, CampaignResult result, string? directory)
    {
        var numbers = StoryNumbers(result);
        if (numbers.Count == 0) return;
        page.Line();
        page.Line(page.Ink.Bold(numbers.Count == 1 ? "The story, to be run again" : "The stories, each to be run again"));
        var tellings = result.Stories.ToDictionary(story => story.File);
        foreach (var (file, number) in numbers)
        {
            var mark = $"[{number}] ";
            if (tellings.TryGetValue(file, out var story))
            {
                page.Paragraph(story.Title, mark.Length, mark);
                page.Paragraph($"{story.Anomaly}, {(story.Excuse is { } excuse ? $"permitted: {Wording.Spaced(excuse)}" : "no excuse")}; {Wording.Counted(story.Faults.Count, "fault")}, {Wording.Counted(story.Commands, "command")}", mark.Length, "", page.Ink.Dim);
            }
            else page.Line(mark + TextLayout.Printable(file));
            page.Line($"{new string(' ', mark.Length)}mqverify replay {TextLayout.Printable(directory is null ? file : Path.Combine(directory, file))}");
        }
    }
}

/// <summary>Lines on their way to a terminal.</summary>
internal sealed class Page(int width, Ink ink)
{
    private readonly StringBuilder text = new();

    public int Width => width;

    public Ink Ink => ink;

    /// <summary>A line as it is; trailing blanks are dropped.</summary>
    public void Line(string line = "") => text.Append(line.TrimEnd()).Append('\n');

    /// <summary>Wrapped; every line but the first is indented, the first begins with the mark (which may hold colour, so its width is the indent).</summary>
    public void Paragraph(string words, int indent = 0, string? mark = null, Func<string, string>? paint = null)
    {
        var first = string.IsNullOrEmpty(mark) ? new string(' ', indent) : mark;
        foreach (var line in TextLayout.Wrap(words, width - indent))
        {
            Line(first + (paint is null ? line : paint(line)));
            first = new string(' ', indent);
        }
    }

    public void Rule() => Line(ink.Dim(new string('─', width)));

    public override string ToString() => text.ToString();
}
