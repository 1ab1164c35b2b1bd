using Verify.Campaign.Results;

namespace Verify.Reports.Html;

/// <summary>How far to trust the verdict: what was run, on what, with which power, and where this differs from a plain Kafka.</summary>
internal static class CampaignSection
{
    public static Markup Render(PageModel page)
    {
        var result = page.Result;
        return Markup.Of(
            $"""
            <section class="campaign">
            <h2>How this was tested</h2>
            {Power(result)}<pre><code>{result.Command}</code></pre>
            <div class="columns">
            <div><h4>Campaign</h4>{Facts(result)}</div>
            <div><h4>Faults that bit, all configurations</h4>{Style.Bars(Wording.Faults(result))}</div>
            </div>
            {Defaults(page)}</section>
            """);
    }

    private static Markup Power(CampaignResult result) =>
        result.Power is not { } power
            ? Markup.Of($"<p class=\"note\">The power of this campaign is not known: no kill rates are recorded for it, so a “held” says only that nothing was seen.</p>\n")
            : Markup.Of($"<p class=\"note\"><b>Power.</b> {TextLayout.Fit(power.Text, 600)}</p>\n");

    private static Markup Facts(CampaignResult result)
    {
        var facts = new List<(string, string)>
        {
            ("tool", $"mqverify {result.Tool.Version} ({result.Tool.Commit})"),
            ("seeds", $"{result.Seeds.From}..{result.Seeds.To}"),
        };
        if (result.Shards.Count > 1 || result.Shards.Any(shard => shard.Of > 1))
            facts.Add(("shards", string.Join(", ", result.Shards.Take(24).Select(shard => $"{shard.Index}/{shard.Of}")) + (result.Shards.Count > 24 ? $" and {result.Shards.Count - 24} more" : "")));
        facts.AddRange(
        [
            .. result.SimulatedSeconds > 0 ? [("simulated time", Wording.Duration(result.SimulatedSeconds * 1000))] : Array.Empty<(string, string)>(),
            ("wall time", Wording.Duration(result.WallSeconds * 1000)),
            ("machine", $"{result.Machine.Cpu}, {Wording.Counted(result.Machine.Cores, "core")}, {result.Machine.MemoryBytes / (double)(1L << 30):0.#} GiB"),
            ("system", $"{result.Machine.Os}, {result.Machine.Runtime}"),
        ]);
        return CellSection.Pairs([.. facts]);
    }

    private static Markup Defaults(PageModel page) => page.CommonDefaults is not { Count: > 0 } defaults ? Markup.None
        : Markup.Of($"<h4>Defaults that differ from Kafka's</h4>{Differences(defaults)}\n");

    internal static Markup Differences(IReadOnlyList<DefaultDifference> defaults) => Markup.Of(
        $"""
        <table class="defaults">
        <thead><tr><th>Setting</th><th>Here</th><th>Kafka</th><th>Why</th></tr></thead>
        <tbody>
        {defaults.Take(60).Select(one => Markup.Of($"<tr><th>{one.Setting}</th><td data-name=\"Here\">{one.Here}</td><td data-name=\"Kafka\">{one.Kafka}</td><td data-name=\"Why\">{TextLayout.Fit(one.Why, 300)}</td></tr>\n"))}</tbody>
        </table>
        """);
}
