using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Verify.Campaign.Results;
using Verify.Reports.Html;

namespace Reports.Tests;

public sealed partial class HtmlTests
{
    private const string Hostile = "\"><script>alert('x')</script><img src=x onerror=alert(1)>&amp;\u0000\u001b[2J";

    [Fact]
    public void The_verdict_comes_before_the_matrix_and_the_matrix_before_the_story()
    {
        var page = ReportPage.Render(Fixtures.SixCells());
        var verdict = page.IndexOf("Every promise was kept", page.IndexOf("<body>", StringComparison.Ordinal), StringComparison.Ordinal);
        var matrix = page.IndexOf("<table class=\"matrix\"", StringComparison.Ordinal);
        var story = page.IndexOf("<svg class=\"diagram wide\"", StringComparison.Ordinal);
        Assert.True(0 < verdict && verdict < matrix && matrix < story);
    }

    [Fact]
    public void The_page_fetches_nothing_and_runs_nothing()
    {
        var page = ReportPage.Render(Fixtures.SixCells());
        Assert.DoesNotMatch(Outside(), page);
        Assert.DoesNotContain("<script", page);
        Assert.DoesNotContain("@import", page);
        Assert.All(Link().Matches(page), link => Assert.StartsWith("#", link.Groups[1].Value));
    }

    [Fact]
    public void Every_link_has_its_target()
    {
        var page = ReportPage.Render(Fixtures.SixCells());
        Assert.All(Link().Matches(page), link => Assert.Contains($"id=\"{link.Groups[1].Value[1..]}\"", page));
    }

    [Fact]
    public void Words_from_outside_never_become_markup()
    {
        var page = ReportPage.Render(HostileResult());
        Assert.DoesNotContain("<script", page);
        Assert.DoesNotContain("<img", page);
        Assert.DoesNotContain('\0', page);
        Assert.DoesNotContain('\u001b', page);
        Assert.Contains("&lt;script&gt;", page);
    }

    [Fact]
    public void The_body_is_well_formed_also_with_hostile_words()
    {
        foreach (var result in (CampaignResult[])[Fixtures.SixCells(), Fixtures.BrokenPromise(), Fixtures.Interrupted(), HostileResult()])
        {
            var page = ReportPage.Render(result);
            var body = page[page.IndexOf("<main>", StringComparison.Ordinal)..(page.IndexOf("</main>", StringComparison.Ordinal) + "</main>".Length)];
            var parsed = XElement.Parse(body.Replace("<wbr>", "").Replace("&nbsp;", " ").Replace("<details class=\"cell\" open>", "<details class=\"cell\">"));
            Assert.NotEmpty(parsed.Descendants("table"));
        }
    }

    [Fact]
    public void A_permitted_loss_and_a_broken_promise_look_different()
    {
        Assert.Contains("A permitted loss", ReportPage.Render(Fixtures.SixCells()));
        var broken = ReportPage.Render(Fixtures.BrokenPromise());
        Assert.Contains("A broken promise", broken);
        Assert.Contains("402 of 700 have no excuse", broken);
    }

    [Fact]
    public void An_empty_telling_is_drawn_too()
    {
        var empty = Fixtures.Story("stories/acks-1-unclean-false.story.json") with { Lanes = [], Entries = [], Record = null, Faults = [] };
        Assert.Contains("<svg", StoryDiagram.Draw(empty).Text);
        var wild = Fixtures.Story("stories/x.story.json") with { Lanes = [new("broker 1", LaneRole.Broker)], Entries = [new(1, 9, StoryKind.Send, "from nowhere", 7), new(2, -1, StoryKind.Fault, "the world", null, 1), new(3, 0, StoryKind.Send, "to itself", 0)] };
        Assert.Contains("from nowhere", StoryDiagram.Draw(wild).Text);
    }

    [Fact]
    public void An_endless_story_keeps_what_matters_and_stays_small()
    {
        var story = Fixtures.Story("stories/acks-1-unclean-false.story.json");
        var noise = Enumerable.Range(0, 10_000).Select(i => new StoryEntry(i, 2, StoryKind.Note, $"noise {i} " + new string('x', 500)));
        var endless = story with { Entries = [.. noise.Concat(story.Entries).OrderBy(entry => entry.TimeMs)], Title = new string('t', 100_000) };
        var six = Fixtures.SixCells();
        var page = ReportPage.Render(six with { Stories = [endless] });
        Assert.Contains("value 17 was acknowledged and is nowhere", page);
        Assert.Contains("quieter steps", page);
        Assert.True(Encoding.UTF8.GetByteCount(page) < 400_000, $"{page.Length} characters");
    }

    [Fact]
    public void The_page_stays_below_five_megabytes_whatever_the_campaign()
    {
        var six = Fixtures.SixCells();
        var cells = Enumerable.Range(0, 2_000).Select(i => six.Cells[i % 6] with
        {
            Configuration = new Dictionary<string, string> { ["acks"] = $"{i}" },
            Guarantees = [.. six.Cells[i % 6].Guarantees.Select((guarantee, g) => guarantee with { Story = g == 0 ? $"stories/{i}.story.json" : null })],
        }).ToArray();
        var noise = Enumerable.Range(0, 500).Select(i => new StoryEntry(i, 2, StoryKind.Send, new string('x', 1_000), 3)).ToArray();
        var stories = Enumerable.Range(0, 2_000).Select(i => Fixtures.Story($"stories/{i}.story.json") with { Entries = noise }).ToArray();
        var page = ReportPage.Render(Fixtures.Campaign(cells, ["acks"], stories));
        Assert.True(Encoding.UTF8.GetByteCount(page) < 5_000_000, $"{page.Length} characters");
    }

    [Fact]
    public void The_path_of_the_record_is_drawn_to_where_it_is_lost()
    {
        var svg = StoryDiagram.Draw(Fixtures.Story("stories/x.story.json")).Text;
        var wide = XElement.Parse(svg[..(svg.IndexOf("</svg>", StringComparison.Ordinal) + "</svg>".Length)]);
        var copy = Assert.Single(wide.Descendants("line"), line => (string?)line.Attribute("class") == "copy");
        var lane = wide.Descendants("g").Select(head => head.Element("title")?.Value).ToList().IndexOf("broker 1");
        var lanes = wide.Descendants("line").Where(line => ((string?)line.Attribute("class"))!.StartsWith("lane", StringComparison.Ordinal)).ToArray();
        Assert.Equal((string?)lanes[lane].Attribute("x1"), (string?)copy.Attribute("x1"));
        Assert.True((double)copy.Attribute("y2")! < (double)lanes[lane].Attribute("y2")!, "a truncated copy ends before the lane does");
        Assert.Single(wide.Descendants("rect"), rect => (string?)rect.Attribute("class") == "band");
    }

    private static CampaignResult HostileResult()
    {
        var six = Fixtures.SixCells();
        var story = Fixtures.Story("stories/acks-1-unclean-false.story.json");
        return six with
        {
            Command = Hostile,
            Tool = new ToolInfo(Hostile, Hostile),
            Machine = six.Machine with { Cpu = Hostile, Os = Hostile },
            Varied = [Hostile],
            Power = new CampaignPower(1, 2, Hostile),
            Interrupted = new Interruption(Hostile),
            Cells = [.. six.Cells.Select(cell => cell with
            {
                Configuration = new Dictionary<string, string> { [Hostile] = Hostile, ["k"] = Hostile },
                System = Hostile, On = Hostile, Workload = Hostile, Mutant = Hostile, Notes = [Hostile],
                DefaultsThatDiffer = [new(Hostile, Hostile, Hostile, Hostile)],
                Exercised = cell.Exercised with { Faults = Counts.Empty.Add(Hostile, 3) },
                Guarantees = [.. cell.Guarantees.Select(guarantee => guarantee with { Name = Hostile, OfWhat = Hostile, Power = Hostile, Excuses = Counts.Empty.Add(Hostile), Anomalies = Counts.Empty.Add(Hostile) })],
            })],
            Stories = [story with
            {
                Title = Hostile, Anomaly = Hostile, Guarantee = Hostile, Excuse = Hostile, Mutant = Hostile, Replay = Hostile, TraceHash = Hostile, Faults = [Hostile],
                Configuration = new Dictionary<string, string> { [Hostile] = Hostile },
                Lanes = [.. story.Lanes.Select(lane => lane with { Name = Hostile })],
                Entries = [.. story.Entries.Select(entry => entry with { Text = Hostile })],
                Record = new RecordLife(Hostile, [new(1, Hostile)]),
            }],
        };
    }

    [GeneratedRegex("(https?:)?//[a-z]|url\\(|src=\"", RegexOptions.IgnoreCase)]
    private static partial Regex Outside();

    [GeneratedRegex("href=\"([^\"]*)\"")]
    private static partial Regex Link();
}
