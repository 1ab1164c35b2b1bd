using System.Text;
using System.Xml.Linq;
using Verify.Campaign.Results;
using Verify.Reports;

namespace Reports.Tests;

public sealed class SummaryAndJUnitTests
{
    [Fact]
    public void The_summary_reads_as_it_should() => Golden.Equals("summary.md", MarkdownSummary.Render(Fixtures.SixCells()));

    [Fact]
    public void The_summary_of_a_broken_promise_reads_as_it_should() => Golden.Equals("summary-broken.md", MarkdownSummary.Render(Fixtures.BrokenPromise()));

    [Fact]
    public void JUnit_reads_as_it_should() => Golden.Equals("junit.xml", JUnitXml.Render(Fixtures.BrokenPromise()));

    [Fact]
    public void The_summary_stays_below_its_limit_and_says_that_it_was_cut()
    {
        var six = Fixtures.SixCells();
        var cells = Enumerable.Range(0, 3_000).Select(i => six.Cells[i % 6] with { Configuration = new Dictionary<string, string> { ["acks"] = $"{i}", ["unclean.leader.election.enable"] = new string('ä', 200) } });
        var summary = MarkdownSummary.Render(six with { Cells = [.. cells] });
        Assert.True(Encoding.UTF8.GetByteCount(summary) < 200_000);
        Assert.EndsWith("The rest is in `result.json` and `report.html`.\n", summary);
    }

    [Fact]
    public void Words_from_outside_never_become_markdown()
    {
        var six = Fixtures.SixCells();
        var summary = MarkdownSummary.Render(six with { Interrupted = new Interruption("<b>x</b> | [a](b)\n# title") });
        Assert.Contains("&lt;b&gt;x&lt;/b&gt; \\| \\[a\\](b) \\# title", summary);
    }

    [Fact]
    public void Permitted_losses_pass_with_a_message()
    {
        var cases = Cases(Fixtures.SixCells());
        var permitted = cases.First(one => (string?)one.Attribute("name") == "no-lost-writes");
        Assert.Null(permitted.Element("failure"));
        Assert.Null(permitted.Element("error"));
        Assert.Contains("lost 1,310 of 20,114 sent", permitted.Element("system-out")!.Value);
    }

    [Fact]
    public void Broken_promises_fail_and_untested_ones_are_errors()
    {
        Assert.Equal(2, Cases(Fixtures.BrokenPromise()).Count(one => one.Element("failure") is not null));
        var interrupted = XElement.Parse(JUnitXml.Render(Fixtures.Interrupted()));
        Assert.Equal("2", (string?)interrupted.Attribute("errors"));
        Assert.Equal("0", (string?)interrupted.Attribute("failures"));
    }

    [Fact]
    public void A_promise_that_no_run_could_judge_is_an_error_and_an_unpromised_one_is_not()
    {
        var promised = new GuaranteeResult { Name = "ordering", Runs = 10, RunsPromised = 10, RunsExercised = 0, RunsPromisedExercised = 0 };
        var cell = Fixtures.SixCells().Cells[4];
        Assert.Single(Cases(With(cell with { Guarantees = [promised] })), one => one.Element("error") is not null);
        Assert.DoesNotContain(Cases(With(cell with { Guarantees = [promised with { RunsPromised = 0 }] })), one => one.Element("error") is not null);

        static CampaignResult With(CellResult cell) => Fixtures.SixCells() with { Cells = [cell] };
    }

    [Fact]
    public void JUnit_is_well_formed_with_hostile_words()
    {
        var six = Fixtures.SixCells();
        var cell = six.Cells[0] with { Configuration = new Dictionary<string, string> { ["acks"] = "\u0000\u001b<&\"'>\uFFFE", ["unclean.leader.election.enable"] = "\ud83d\ude00" } };
        var parsed = XElement.Parse(JUnitXml.Render(six with { Cells = [cell] }));
        Assert.Single(parsed.Elements("testsuite"));
    }

    private static XElement[] Cases(CampaignResult result) => [.. XElement.Parse(JUnitXml.Render(result)).Descendants("testcase")];
}
