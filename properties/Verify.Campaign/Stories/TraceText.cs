using System.Text;
using Verify.Campaign.Results;
using Verify.Campaign.Stories.Telling;

namespace Verify.Campaign.Stories;

/// <summary>Stories for a terminal, 80 columns wide: what <c>mqverify replay --trace</c> and <c>--record</c> print.</summary>
public static class TraceText
{
    private const int Width = 80;
    private const int TimeWidth = 10;

    /// <summary>Title, what it ran with, the faults, then time | who | what; what concerns the record in focus is marked with an asterisk. Ends with the record's life.</summary>
    public static string Of(StoryTelling story)
    {
        var text = new StringBuilder();
        Paragraph(text, "", story.Title);
        Paragraph(text, "", $"{story.Guarantee}: {story.Anomaly}, {(story.Excuse is { } excuse ? $"permitted by {excuse}" : "permitted by nothing")}{(story.Mutant is { } mutant ? $"; planted bug: {mutant}" : "")}");
        Paragraph(text, "", string.Join(" ", story.Configuration.Select(setting => $"{setting.Key}={setting.Value}")));
        text.Append('\n');
        for (var i = 0; i < story.Faults.Count; i++) Paragraph(text, $"  fault {i + 1}: ", story.Faults[i]);
        if (story.Faults.Count > 0) text.Append('\n');
        Table(text, story);
        if (story.Record is { } record) text.Append('\n').Append(Of(record));
        return text.ToString();
    }

    /// <summary>One record's life, step by step.</summary>
    public static string Of(RecordLife record)
    {
        var text = new StringBuilder();
        Paragraph(text, "", $"The life of {record.Name}:");
        foreach (var step in record.Steps) Paragraph(text, $"{Seconds(step.TimeMs),TimeWidth}   ", step.Text);
        return text.ToString();
    }

    private static void Table(StringBuilder text, StoryTelling story)
    {
        var who = Math.Max(3, story.Lanes.Select(lane => lane.Name.Length).DefaultIfEmpty().Max());
        text.Append($"{"seconds",TimeWidth}   {"who".PadRight(who)}   what\n");
        foreach (var entry in story.Entries)
        {
            var name = entry.Lane >= 0 ? story.Lanes[entry.Lane].Name : "";
            Paragraph(text, $"{Seconds(entry.TimeMs),TimeWidth} {(entry.Focus ? '*' : ' ')} {name.PadRight(who)}   ", What(story, entry));
        }
    }

    private static string What(StoryTelling story, StoryEntry entry) => entry switch
    {
        { Kind: StoryKind.Send, To: { } to, Focus: true } => $"{entry.Text}, {(entry.UntilMs is { } until ? $"received by {story.Lanes[to].Name} at {Seconds(until)}" : $"on its way to {story.Lanes[to].Name}")}",
        { Arrives: false } => $"{entry.Text}; it never arrives",
        { Kind: StoryKind.Fault, UntilMs: { } until } => $"FAULT: {entry.Text} (until {Seconds(until)})",
        { Kind: StoryKind.Fault } => $"FAULT: {entry.Text}",
        { Kind: StoryKind.Lost or StoryKind.Anomaly } => $"{entry.Text} (!)",
        _ => entry.Text,
    };

    private static string Seconds(double ms) => (ms / 1000).ToString("0.000");

    /// <summary>The first line begins with the lead, the others are indented as far.</summary>
    private static void Paragraph(StringBuilder text, string lead, string words)
    {
        var first = true;
        foreach (var line in Texts.Wrap(words, Width - lead.Length))
        {
            text.Append(first ? lead : new string(' ', lead.Length)).Append(line).Append('\n');
            first = false;
        }
    }
}
