using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Chaos.Live;
using Verify.Campaign.Hunting;
using Verify.Campaign.Judging;
using Verify.Campaign.Live;
using Verify.Campaign.Results;
using Verify.Campaign.Running;
using Verify.History;
using Verify.Promises;

namespace Verify.Campaign.Campaigns;

/// <summary>Draws, plays and judges every seed of every cell on a few threads of its own, and adds up.</summary>
/// <param name="judge">What a run says.</param>
/// <param name="keep">Gets every run before it is judged, on the thread that played it; null: nobody wants them.</param>
public sealed class CampaignRunner(CampaignPlan plan, Func<RunRecord, RunVerdict> judge, Action<Cell, RunRecord>? keep = null)
{
    private readonly CellTally[] tallies = [.. plan.Cells.Select(cell => new CellTally(cell, plan))];
    private readonly Lock adding = new();
    private readonly Stopwatch watch = new();
    private IEnumerator<(int Cell, ulong Seed)>? work;
    private ExceptionDispatchInfo? failure;
    private long started, done;
    private string? interrupted;

    /// <summary>Runs in the plan; more than anybody can play are told as that many.</summary>
    public long Total { get; } = (long)UInt128.Min(plan.SeedCount * (UInt128)plan.Cells.Count, (UInt128)long.MaxValue);

    public CampaignProgress Progress
    {
        get
        {
            lock (adding) return new CampaignProgress(done, Total, tallies.Sum(tally => tally.Broken), tallies.Sum(tally => tally.Permitted));
        }
    }

    /// <summary>What deserves a story, by cell. After <see cref="Run"/>.</summary>
    public IEnumerable<(int Cell, StoryWish Wish)> Wishes() => tallies.SelectMany((tally, index) => tally.Wishes().Select(wish => (index, wish)));

    /// <summary>Returns when every seed has run, the budget is spent or somebody asked to stop; what was added up until then is valid.</summary>
    public void Run(CancellationToken stop)
    {
        watch.Start();
        work = Work().GetEnumerator();
        var threads = Enumerable.Range(0, Math.Max(1, plan.Jobs)).Select(number => new Thread(() => Labour(stop)) { IsBackground = true, Name = $"campaign-{number}" }).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        watch.Stop();
        failure?.Throw();
    }

    /// <param name="storyOf">File of the story that shows a guarantee of a cell, null when there is none.</param>
    /// <param name="rates">What tells the campaign's power; null when nothing is recorded.</param>
    public CampaignResult Result(ToolInfo tool, MachineInfo machine, Func<int, string, string?> storyOf, KillRates? rates) => new()
    {
        Tool = tool,
        Machine = machine,
        Command = plan.Command,
        Seeds = plan.Seeds,
        Shards = [plan.Shard ?? new SeedShard(plan.Seeds.From, plan.Seeds.To, 1, 1)],
        Varied = plan.Varied,
        Cells = [.. tallies.Select((tally, index) => tally.Result(guarantee => storyOf(index, guarantee), (guarantee, runs) => rates?.PowerOf(plan, runs, guarantee)?.Text))],
        Power = rates?.PowerOf(plan, tallies.Min(static tally => tally.Runs)),
        Interrupted = interrupted is null ? null : new Interruption(interrupted),
        SimulatedSeconds = plan.Live is not null ? 0 : tallies.Sum(tally => tally.Simulated.TotalSeconds),
        WallSeconds = watch.Elapsed.TotalSeconds,
    };

    /// <summary>Seed by seed over all cells, so that a campaign that is cut short has seen as much of each.</summary>
    private IEnumerable<(int Cell, ulong Seed)> Work() => plan.SeedsOfShard().SelectMany(seed => Enumerable.Range(0, plan.Cells.Count).Select(cell => (cell, seed)));

    private void Labour(CancellationToken stop)
    {
        try
        {
            var history = new HistoryLog();                            // one per thread: its arrays serve every run
            while (Next(stop) is var (cell, seed))
            {
                history.Reset();
                var (run, verdict) = Play(plan.Cells[cell], seed, history, stop);
                lock (adding)
                {
                    tallies[cell].Add(seed, run, verdict);
                    done++;
                }
            }
        }
        catch (OperationCanceledException)                             // in the middle of a live run: it does not count
        {
            lock (adding) interrupted ??= "stopped by Ctrl-C";
        }
        catch (Exception problem)                                      // told to whoever called Run
        {
            lock (adding) failure ??= ExceptionDispatchInfo.Capture(problem);
        }
    }

    private (RunRecord Run, RunVerdict Verdict) Play(Cell cell, ulong seed, HistoryLog history, CancellationToken stop)
    {
        try
        {
            var scenario = plan.ScenarioOf(cell, seed);
            var run = plan.Live is { } live ? LiveRun.Play(scenario, live, mustBite: plan.Recipe is not null, history, stop) : SimulatedRun.Play(scenario, plan.Mutant, history);
            keep?.Invoke(cell, run);
            return (run, judge(run));
        }
        catch (Exception problem) when (problem is not (OutOfMemoryException or OperationCanceledException or LiveException))
        {
            throw new CampaignFailedException($"seed {seed}{(cell.Label.Length > 0 ? $" of cell {cell.Label}" : "")} could not be played: {problem.Message}", problem);
        }
    }

    private (int Cell, ulong Seed)? Next(CancellationToken stop)
    {
        lock (adding)
        {
            if (failure is not null || started == Total) return null;
            if (stop.IsCancellationRequested) interrupted ??= "stopped by Ctrl-C";
            else if (plan.Budget is { } budget && watch.Elapsed > budget) interrupted ??= $"the budget of {budget.TotalSeconds:0} s was spent";
            if (interrupted is not null || !work!.MoveNext()) return null;
            started++;
            return work.Current;
        }
    }
}

/// <summary>The tool itself failed in one run; the message says in which.</summary>
public sealed class CampaignFailedException(string message, Exception cause) : Exception(message, cause);
