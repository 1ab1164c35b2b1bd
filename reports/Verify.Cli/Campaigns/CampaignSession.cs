using Chaos.Live;
using Verify.Campaign.Campaigns;
using Verify.Campaign.Judging;
using Verify.Campaign.Results;
using Verify.Reports;
using Verify.Reports.Terminal;

namespace Verify.Cli.Campaigns;

/// <summary>Runs a plan for a person or a script: progress, Ctrl-C, stories, the folder of results, and what is printed at the end.</summary>
internal sealed class CampaignSession(CampaignPlan plan, string directory, Streams streams, bool json, bool quiet, bool histories)
{
    /// <summary>The exit code.</summary>
    public int Run(CancellationToken stop)
    {
        if (plan.Live is not null && LiveFolder.SweepLeftovers() is > 0 and var swept && !quiet) streams.Error.WriteLine($"removed what {swept} live {(swept == 1 ? "run" : "runs")} left behind when their runner was killed");
        var shelf = new HistoryShelf(plan, directory);
        var runner = new CampaignRunner(plan, Judge.Of, histories || plan.Live is not null ? shelf.Keep : null);
        using (ProgressLine.Show(streams, quiet || json, "runs", () => runner.Progress)) runner.Run(stop);

        var stories = new StoryShelf(plan, Judge.Of);
        if (!stop.IsCancellationRequested && plan.Live is null)
            using (ProgressLine.Show(streams, quiet || json, "stories", () => stories.Progress)) stories.Fill(runner.Wishes(), stop);

        var result = runner.Result(ThisTool.Info, ThisMachine.Info, stories.FileOf, RecordedRates.All) with { Stories = stories.Tellings };
        foreach (var (name, run) in stories.Runs) shelf.Keep(name, run);
        ReportWriter.Write(result, stories.Files, directory);
        if (json) streams.Output.WriteLine(ResultJson.Write(result));
        else streams.Output.Write(TerminalReport.Render(result, new TerminalStyle(Width: 80, Colour: streams.IsTerminal, Directory: directory)));
        return ExitCode.Of(result.Verdict);
    }
}
