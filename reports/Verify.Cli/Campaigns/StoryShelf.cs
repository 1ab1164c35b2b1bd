using System.Runtime.ExceptionServices;
using Verify.Campaign.Campaigns;
using Verify.Campaign.Judging;
using Verify.Campaign.Results;
using Verify.Campaign.Running;
using Verify.Campaign.Stories;

namespace Verify.Cli.Campaigns;

/// <summary>Shrinks and tells the stories that a campaign wishes for, a few at a time, and knows where each is kept.</summary>
internal sealed class StoryShelf(CampaignPlan plan, Func<RunRecord, RunVerdict> judge)
{
    private readonly SortedDictionary<(int Cell, string Guarantee), Story> stories = [];
    private readonly Lock shelving = new();
    private ExceptionDispatchInfo? failure;
    private int done, wished;

    public CampaignProgress Progress => new(done, wished, 0, 0);

    public IReadOnlyList<StoryTelling> Tellings => [.. stories.Values.Select(story => story.Telling)];

    /// <summary>Text of each story file by its place in the result's folder.</summary>
    public IReadOnlyDictionary<string, string> Files => new SortedDictionary<string, string>(stories.Values.ToDictionary(story => story.Telling.File, story => story.File.ToJson()), StringComparer.Ordinal);

    /// <summary>The file of the story that shows a guarantee of a cell, null when there is none.</summary>
    public string? FileOf(int cell, string guarantee) => stories.GetValueOrDefault((cell, guarantee))?.Telling.File;

    /// <summary>Runs of the shelved stories that broke a promise, with their histories.</summary>
    public IEnumerable<(string Name, RunRecord Run)> Runs => stories.Values.Select(story => (Path.GetFileName(story.Telling.File).Replace(StoryFile.Extension, "", StringComparison.Ordinal), story.Played.Run));

    public void Fill(IEnumerable<(int Cell, StoryWish Wish)> wishes, CancellationToken stop)
    {
        var queue = new Queue<(int Cell, StoryWish Wish)>(wishes);
        wished = queue.Count;
        var threads = Enumerable.Range(0, Math.Min(Math.Max(1, plan.Jobs), wished)).Select(_ => new Thread(() => Labour(queue, stop)) { IsBackground = true }).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        failure?.Throw();
    }

    private void Labour(Queue<(int Cell, StoryWish Wish)> queue, CancellationToken stop)
    {
        try
        {
            while (!stop.IsCancellationRequested)
            {
                (int Cell, StoryWish Wish) next;
                lock (shelving)
                    if (failure is not null || !queue.TryDequeue(out next)) return;
                var story = Make(next.Cell, next.Wish);
                lock (shelving)
                {
                    if (story is not null) stories.Add((next.Cell, next.Wish.Guarantee), story);
                    done++;
                }
            }
        }
        catch (Exception problem)                                      // told to whoever called Fill
        {
            lock (shelving) failure ??= ExceptionDispatchInfo.Capture(problem);
        }
    }

    private Story? Make(int cell, StoryWish wish)
    {
        var settings = string.Join('+', plan.Cells[cell].Varied.Select(setting => $"{setting.Key}={setting.Value}"));
        var name = string.Join('_', new[] { $"{cell + 1:00}", settings, wish.Anomaly, $"seed-{wish.Seed}" }.Where(part => part.Length > 0));
        // A planted bug need not be the only thing to blame here: the story is of what this campaign saw.
        return StoryMaker.Make(plan.ScenarioOf(plan.Cells[cell], wish.Seed), new StoryPoint(wish.Guarantee, wish.Anomaly, wish.Excuse), judge, name, plan.Command, plan.Mutant, fatalOnly: false);
    }
}
