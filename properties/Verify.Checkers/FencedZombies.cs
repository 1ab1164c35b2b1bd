using Verify.History;

namespace Verify.Checkers;

/// <summary>A member whose generation is over commits nothing.</summary>
/// <remarks>
/// zombie-commit: an acknowledged commit of a generation, invoked after a member of a later one had its assignment: by then the coordinator has ended the earlier one, and refuses. Only members whose own assignment is
/// known are judged, and only against assignments that came after it, so a group that died and began again with generation 1 accuses nobody. Source: Kafka's group protocol (ILLEGAL_GENERATION), classic rebalancing.
/// </remarks>
internal sealed class FencedZombies(GroupLedger groups, CheckContract contract) : IChecker
{
    private readonly CaseList zombies = new(AnomalyName.ZombieCommit, contract.CaseLimit);
    private long judged;

    public void Observe(in LedgerEvent e)
    {
        if (groups.Ended is not { Term: { } term, Invoked: >= 0 } call || e.Event.Type == EventType.Info) return;
        judged++;
        if (e.Event.Type != EventType.Ok || !call.IsZombie || !zombies.Count1()) return;
        var key = call.Offsets.Length == 0 ? groups.NameOf(call.Group) : e.Event.KeyNames[call.Offsets[0].Key];
        zombies.Keep(new AnomalyCase(
            key, [.. call.Offsets.Select(static o => o.Offset)], [], [call.Process], [term.Superseded, call.Invoked, e.Position],
            $"process {call.Process} committed in generation {call.Generation} of {groups.NameOf(call.Group)} after a later generation had begun, and it was accepted"));
    }

    public Finding Conclude() => Finding.From(Guarantee.FencedZombies, judged, judged == 0 ? "no commit came from a member whose generation is known" : null, zombies);
}
