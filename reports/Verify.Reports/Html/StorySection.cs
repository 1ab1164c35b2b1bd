using Verify.Campaign.Results;

namespace Verify.Reports.Html;

/// <summary>A story: its sentence, the drawing, the life of its record, and how to run it again.</summary>
internal static class StorySection
{
    public static Markup Render(StoryTelling story)
    {
        var standing = story.Excuse is null ? Standing.Broken : Standing.Permitted;
        return Markup.Of(
            $"""
            <article class="story {Style.Of(standing)}">
            <p class="kicker">{Kind(story)}, told by its shortest run</p>
            <h3>{TextLayout.Fit(story.Title, 400)}</h3>
            <p class="chips">{Facts(story)}</p>
            <figure>{StoryDiagram.Draw(story)}</figure>
            <div class="columns">
            {Life(story)}{Faults(story)}<div><h4>Run it again</h4><pre><code>{story.Replay}</code></pre><p class="muted">Trace hash <code>{story.TraceHash}</code>: the same every time. Add <code>--trace</code> to read it step by step.</p></div>
            </div>
            </article>

            """);
    }

    private static string Kind(StoryTelling story) =>
        story.Excuse is null ? "A broken promise" : story.Guarantee is "no-lost-writes" or "at-least-once" ? "A permitted loss" : "Permitted";

    private static Markup Facts(StoryTelling story)
    {
        var facts = new List<KeyValuePair<string, string>>
        {
            new("anomaly", story.Anomaly),
            new("guarantee", story.Guarantee),
            new(story.Excuse is null ? "excuse" : "permitted by", story.Excuse is null ? "none" : Wording.Spaced(story.Excuse)),
            new("seed", story.Seed.ToString()),
        };
        if (story.Mutant is { } mutant) facts.Add(new("mutant", mutant));
        facts.AddRange(story.Configuration.Take(20));
        return Style.Chips(facts);
    }

    private static Markup Life(StoryTelling story) => story.Record is not { } record ? Markup.None : Markup.Of(
        $"""
        <div class="life"><h4>The life of {record.Name}</h4><ol>{record.Steps.Take(40).Select(step => Markup.Of($"<li><time>{(step.TimeMs / 1000).ToString("0.000")}&nbsp;s</time> {TextLayout.Fit(step.Text, 300)}</li>"))}</ol></div>

        """);

    private static Markup Faults(StoryTelling story) => story.Faults.Count == 0 ? Markup.None : Markup.Of(
        $"""
        <div><h4>{(story.Faults.Count == 1 ? "The fault" : "The faults")}, and {Wording.Counted(story.Commands, "command")}</h4><ul class="plain">{story.Faults.Take(20).Select(fault => Markup.Of($"<li>{TextLayout.Fit(fault, 300)}</li>"))}</ul></div>

        """);
}
