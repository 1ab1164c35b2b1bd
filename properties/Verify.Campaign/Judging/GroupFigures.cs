using Verify.History;

namespace Verify.Campaign.Judging;

/// <summary>How often what may excuse a group happened in a run.</summary>
/// <param name="Rebalances">Assignments of a partition after its first in the group.</param>
/// <param name="Unconfirmed">Commits that were refused or never answered.</param>
internal readonly record struct GroupFigures(int Crashes, int Rebalances, int Unconfirmed, int Commits)
{
    public static GroupFigures Of(HistoryLog history)
    {
        var (crashes, rebalances, invoked, confirmed) = (0, 0, 0, 0);
        var known = new HashSet<(int Group, int Key)>();
        foreach (var e in history)
        {
            if (e.Function == EventFunction.Crash) crashes++;
            else if (e is { Function: EventFunction.Commit, Type: EventType.Invoke }) invoked++;
            else if (e is { Function: EventFunction.Commit, Type: EventType.Ok }) confirmed++;
            else if (e is { Function: EventFunction.Assigned, Type: EventType.Ok })
                foreach (var key in e.Keys)
                    if (!known.Add((e.Detail.Group, key))) rebalances++;
        }
        return new GroupFigures(crashes, rebalances, invoked - confirmed, confirmed);
    }
}
