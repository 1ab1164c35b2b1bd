using Verify.Campaign.Campaigns;
using Verify.Campaign.Running;
using Verify.History;
using Verify.Promises;

namespace Verify.Cli.Campaigns;

/// <summary>Writes histories as JSON lines into the folder of results: those of told stories, and of every run where asked for.</summary>
internal sealed class HistoryShelf(CampaignPlan plan, string directory)
{
    public void Keep(Cell cell, RunRecord run) => Keep($"{plan.Cells.TakeWhile(other => other != cell).Count() + 1:00}_seed-{run.Scenario.Seed}", run);

    public void Keep(string name, RunRecord run)
    {
        var folder = Path.Combine(directory, "history");
        Directory.CreateDirectory(folder);
        using var file = File.Create(Path.Combine(folder, $"{name}.jsonl"));
        HistoryJsonWriter.WriteAll(run.History, file);
    }
}
