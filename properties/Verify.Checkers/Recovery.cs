using Verify.History;

namespace Verify.Checkers;

/// <summary>After the last fault healed, every partition that is tried accepts a write, and can be read to its end, within the bound.</summary>
/// <remarks>
/// Starts at the last <c>heal</c> event. A partition is at stake once a send to it is invoked after that, or a final read of it is tried. Progress is a send invoked after the heal and acknowledged within the bound,
/// counted from the first such invocation. No progress is a violation only if the history goes on past the bound; otherwise nothing can be told.
/// </remarks>
internal sealed class Recovery(CheckContract contract) : IChecker
{
    private readonly Dictionary<int, (long Time, int Event)> invoked = [];  // per partition the first send since the heal
    private readonly HashSet<(int Key, long Value)> open = [];
    private readonly HashSet<int> progressed = [];
    private readonly Dictionary<(int Key, int Group), (int Process, long Event)> unread = [];
    private NameTable keys = new();
    private long healEvent = -1, last;
    private bool sawHeal;

    private bool InTime(long invocation, long now) => now - invocation <= (long)contract.RecoveryBound.TotalNanoseconds;

    public void Observe(in LedgerEvent e)
    {
        keys = e.Event.KeyNames;
        last = Math.Max(last, e.Event.Time);
        switch (e.Event.Function)
        {
            case EventFunction.Heal: Heal(e); break;
            case EventFunction.Send or EventFunction.Txn when sawHeal: Sends(e); break;
            case EventFunction.Final when sawHeal && e.Event.Type != EventType.Invoke: Final(e); break;
        }
    }

    private void Heal(in LedgerEvent e)
    {
        (sawHeal, healEvent) = (true, e.Position);
        invoked.Clear();
        open.Clear();
        progressed.Clear();
        unread.Clear();
    }

    private void Sends(in LedgerEvent e)
    {
        foreach (ref readonly var send in e.Event.Operations)
        {
            if (send.Kind != OperationKind.Send || progressed.Contains(send.Key)) continue;
            if (e.Event.Type == EventType.Invoke)
            {
                invoked.TryAdd(send.Key, (e.Event.Time, e.Position));
                open.Add((send.Key, send.Value));
            }
            else if (open.Remove((send.Key, send.Value)) && e.Event.Type == EventType.Ok && InTime(invoked[send.Key].Time, e.Event.Time)) progressed.Add(send.Key);
        }
    }

    private void Final(in LedgerEvent e)
    {
        foreach (var key in e.Event.Keys)
        {
            if (e.Event.Type == EventType.Ok) unread.Remove((key, e.Event.Detail.Group));
            else unread[(key, e.Event.Detail.Group)] = (e.Event.Process, e.Position);
        }
    }

    public Finding Conclude()
    {
        var stuck = new CaseList(AnomalyName.NoProgress, contract.CaseLimit);
        var undecided = 0;
        foreach (var (key, (time, position)) in invoked.OrderBy(static i => i.Key))
        {
            if (progressed.Contains(key)) continue;
            if (InTime(time, last)) undecided++;
            else if (stuck.Count1()) stuck.Keep(new AnomalyCase(keys[key], [], [], [], [healEvent, position], $"no write was accepted within {contract.RecoveryBound.TotalSeconds:0.###} s of the first attempt after the last fault healed"));
        }
        foreach (var ((key, _), (process, position)) in unread.OrderBy(static u => u.Key))
            if (stuck.Count1()) stuck.Keep(new AnomalyCase(keys[key], [], [], [process], [healEvent, position], "it could not be read to its end after the last fault healed"));
        var why = !sawHeal ? "no fault healed"
            : invoked.Count == 0 && unread.Count == 0 ? "nothing was sent after the last fault healed"
            : undecided > 0 ? "the history ends before the bound" : null;
        return Finding.From(Guarantee.Recovery, invoked.Count, why, stuck);
    }
}
