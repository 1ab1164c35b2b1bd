using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using Verify.Campaign.Results;
using Verify.Reports;
using Verify.Reports.Terminal;

namespace Reports.Tests;

public sealed partial class TerminalTests
{
    private static readonly TerminalStyle Style = new(80, false, "mqverify-out");

    [Fact]
    public void A_comparison_reads_as_it_should() => Golden.Equals("compare.txt", TerminalReport.Render(Fixtures.SixCells(), Style));

    [Fact]
    public void A_broken_promise_reads_as_it_should() => Golden.Equals("broken.txt", TerminalReport.Render(Fixtures.BrokenPromise(), Style));

    [Fact]
    public void A_partial_result_reads_as_it_should() => Golden.Equals("interrupted.txt", TerminalReport.Render(Fixtures.Interrupted(), Style));

    [Fact]
    public void What_the_runs_suffered_is_told_with_the_name_of_its_configuration()
    {
        var six = Fixtures.SixCells();
        Assert.DoesNotContain("suffered", TerminalReport.Render(six, Style), StringComparison.Ordinal);
        var stalled = TerminalReport.Render(six with { Cells = [six.Cells[0], six.Cells[1] with { Notes = ["The machine slept."] }] }, Style);
        Assert.Matches("suffered that nobody planned\n .*true.*: The machine slept.\n", stalled);
        var often = six with { Cells = [six.Cells[0] with { Notes = [.. Enumerable.Range(1, 12).Select(static number => $"The machine slept {number} times.")] }] };
        Assert.Contains(" The machine slept 10 times.\n 2 more in the report\n", TerminalReport.Render(often, Style), StringComparison.Ordinal);
    }

    [Fact]
    public void The_verdict_is_the_first_word()
    {
        Assert.StartsWith("HELD", TerminalReport.Render(Fixtures.SixCells(), Style));
        Assert.StartsWith("VIOLATED", TerminalReport.Render(Fixtures.BrokenPromise(), Style));
        Assert.StartsWith("UNKNOWN", TerminalReport.Render(Fixtures.Interrupted(), Style));
    }

    [Fact]
    public void No_line_but_a_command_is_wider_than_the_terminal() =>
        Prop.ForAll(Gen.Choose(60, 140).ToArbitrary(), width =>
        {
            foreach (var result in (CampaignResult[])[Fixtures.SixCells(), Fixtures.BrokenPromise(), Fixtures.Interrupted(), ManySettings()])
                foreach (var line in TerminalReport.Render(result, Style with { Width = width }).Split('\n').Where(line => !line.Contains("mqverify replay")))
                    Assert.True(line.Length <= width, $"{line.Length} > {width}: {line}");
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_story_of_another_guarantee_is_numbered_where_it_was_seen()
    {
        var six = Fixtures.SixCells();
        var story = Fixtures.Story("stories/duplicate.story.json") with { Guarantee = "no-duplicates" };
        var cell = six.Cells[2] with { Guarantees = [.. six.Cells[2].Guarantees.Select(guarantee => guarantee with { Story = guarantee.Name == "no-duplicates" ? story.File : null })] };
        var text = TerminalReport.Render(six with { Cells = [cell], Stories = [story] }, Style);
        Assert.Contains("(61 retry without idempotence) [1]", text.ReplaceLineEndings(" ").Replace("       ", " ").Replace("      ", " "));
        Assert.Contains("mqverify replay mqverify-out/stories/duplicate.story.json", text);
    }

    [Fact]
    public void Settings_too_wide_for_columns_stand_above_their_row()
    {
        var lines = TerminalReport.Render(ManySettings(), Style).Split('\n');
        Assert.Contains(lines, line => line.StartsWith("! acks=1 unclean.leader.election.enable=false", StringComparison.Ordinal));
    }

    [Fact]
    public void Colour_changes_no_letter()
    {
        var plain = TerminalReport.Render(Fixtures.BrokenPromise(), Style);
        var coloured = TerminalReport.Render(Fixtures.BrokenPromise(), Style with { Colour = true });
        Assert.Contains("\u001b[1;31m", coloured);
        Assert.DoesNotContain('\u001b', plain);
        static string Trimmed(string text) => string.Join("\n", text.Split('\n').Select(line => line.TrimEnd()));
        Assert.Equal(plain, Trimmed(Ansi().Replace(coloured, "")));
    }

    [Fact]
    public void What_a_story_says_cannot_repaint_the_terminal()
    {
        var result = Fixtures.SixCells();
        var hostile = result with { Stories = [.. result.Stories.Select(story => story with { Title = "\u001b[2J gone \r\n\u0007", File = story.File })] };
        Assert.DoesNotContain('\u001b', TerminalReport.Render(hostile, Style));
        Assert.DoesNotContain('\r', TerminalReport.Render(hostile, Style));
    }

    [Fact]
    public void Wrapping_loses_no_letter_and_keeps_the_width() =>
        Prop.ForAll<NonNull<string>, PositiveInt>((text, width) =>
        {
            var lines = TextLayout.Wrap(text.Get, width.Get);
            static string Letters(string words) => words.Replace(" ", "").Replace("\u00a0", "");
            return lines.All(line => line.Length <= width.Get) && Letters(string.Concat(lines)) == Letters(TextLayout.Printable(text.Get));
        }).QuickCheckThrowOnFailure();

    private static CampaignResult ManySettings()
    {
        var six = Fixtures.SixCells();
        return six with
        {
            Varied = [.. six.Varied, "max.in.flight.requests.per.connection", "replica.lag.time.max.ms"],
            Cells = [.. six.Cells.Select(cell => cell with { Configuration = new Dictionary<string, string>(cell.Configuration) { ["max.in.flight.requests.per.connection"] = "5", ["replica.lag.time.max.ms"] = "30000" } })],
        };
    }

    [GeneratedRegex("\u001b\\[[0-9;]*m")]
    private static partial Regex Ansi();
}
