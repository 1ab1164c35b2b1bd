using Verify.History;

namespace Verify.Campaign.Judging;

/// <summary>How often what may excuse a group happened in a run.</summary>
/// <param name="Rebalances">Assignments of a partition after its first in the group.</param>
/// <param name="Unconfirmed">Commits that were refused or never answered.</param>
/// <param name="Overtaken">Commits of unknown outcome after which their member had another one confirmed in the same generation.</param>
internal readonly record struct GroupFigures(int Crashes, int Rebalances, int Unconfirmed, int Overtaken, int Commits)
{
    public static GroupFigures Of(HistoryLog history)
    {
        var (crashes, rebalances, invoked, confirmed, overtaken) = (0, 0, 0, 0, 0);
        var open = new Dictionary<int, int>();                         // by process: the generation in which it commits
        var unknown = new Dictionary<int, (int Generation, int Count)>();
        var known = new HashSet<(int Group, int Key)>();
        foreach (var e in history)
        {
            if (e.Function == EventFunction.Crash) crashes++;
            else if (e is { Function: EventFunction.Commit, Type: EventType.Invoke })
            {
                invoked++;
                open[e.Process] = e.Detail.Generation;
            }
            else if (e.Function == EventFunction.Commit && open.Remove(e.Process, out var generation))
            {
                var before = unknown.GetValueOrDefault(e.Process) is var seen && seen.Generation == generation ? seen.Count : 0;
                unknown[e.Process] = (generation, e.Type == EventType.Info ? before + 1 : e.Type == EventType.Ok ? 0 : before);
                if (e.Type != EventType.Ok) continue;
                confirmed++;
                overtaken += before;
            }
            else if (e is { Function: EventFunction.Assigned, Type: EventType.Ok })
                foreach (var key in e.Keys)
                    if (!known.Add((e.Detail.Group, key))) rebalances++;
        }
        return new GroupFigures(crashes, rebalances, invoked - confirmed, overtaken, confirmed);
    }
}
