using Verify.History;

namespace Verify.Checkers;

/// <summary>An acknowledged creation or deletion of a topic stays.</summary>
/// <remarks>
/// Brokers learn metadata at different times, so only settled lists are judged: those of the final read or, in a history that marks none, the last successful one.
/// lost-topic: created, acknowledged before the list was invoked, and not listed, though no deletion may have come later. resurrected-topic: the same with creation and deletion exchanged.
/// A contrary operation may have come later if it was invoked before the acknowledged one ended and neither failed nor ended before that one began; an indeterminate one may come at any time.
/// What one list showed was committed, whether or not its creation was acknowledged: where nobody ever tried to delete it, every final list must show it too.
/// </remarks>
internal sealed class MetadataAgreement(CheckContract contract) : IChecker
{
    /// <summary>Creations of one topic, or deletions; positions in the history, -1 for never.</summary>
    private sealed class Side
    {
        /// <summary>Invoked, and neither failed nor acknowledged: may take effect at any time.</summary>
        public int Open { get; set; }

        public int LastAcknowledged { get; set; } = -1;

        /// <summary>Acknowledgement of the one that stands, unless something contrary is open.</summary>
        public int Claim { get; set; } = -1;
    }

    private sealed class Topic
    {
        public Side Created { get; } = new();

        public Side Deleted { get; } = new();

        /// <summary>The first list that showed it.</summary>
        public int Listed { get; set; } = -1;

        /// <summary>Shown once, and no deletion can have taken effect.</summary>
        public bool IsThereToStay => Listed >= 0 && Deleted is { Open: 0, LastAcknowledged: < 0 };
    }

    /// <summary>Calls of one client that have not ended. Which of several an answer belongs to cannot be told, so each may have begun with the earliest.</summary>
    private readonly record struct Calls(int Earliest, int Open);

    private sealed record Listing(int Invoked, int Completed, int Process, bool IsFinal, HashSet<int> Topics);

    private readonly Dictionary<int, Topic> topics = [];
    private readonly Dictionary<(int Process, EventFunction Function, int Topic), Calls> pending = [];
    private readonly Dictionary<int, int> listInvoked = [];
    private readonly HashSet<int> lost = [];
    private readonly HashSet<int> resurrected = [];
    private CaseList lostCases = new(AnomalyName.LostTopic, contract.CaseLimit);
    private CaseList resurrectedCases = new(AnomalyName.ResurrectedTopic, contract.CaseLimit);
    private bool sawFinal;
    private long judged;
    private NameTable names = new();

    public void Observe(in LedgerEvent e)
    {
        names = e.Event.Names;
        switch (e.Event.Function)
        {
            case EventFunction.Create or EventFunction.Delete: Change(e); break;
            case EventFunction.List when e.Event.Type == EventType.Invoke: listInvoked[e.Event.Process] = e.Position; break;
            case EventFunction.List when e.Event.Type == EventType.Ok: List(e); break;
        }
    }

    private void Change(in LedgerEvent e)
    {
        foreach (var name in e.Event.Topics)
        {
            var topic = TopicOf(name);
            var (side, contrary) = e.Event.Function == EventFunction.Create ? (topic.Created, topic.Deleted) : (topic.Deleted, topic.Created);
            var operation = (e.Event.Process, e.Event.Function, name);
            var calls = pending.GetValueOrDefault(operation, new Calls(e.Position, 0));
            var isInvoked = e.Event.Type == EventType.Invoke;
            if (isInvoked || calls.Open == 0) side.Open++;
            calls = calls with { Open = Math.Max(0, calls.Open + (isInvoked ? 1 : -1)) };
            if (calls.Open > 0) pending[operation] = calls;
            else pending.Remove(operation);
            if (!isInvoked) Complete(side, contrary, e, calls.Earliest);
        }
    }

    private static void Complete(Side side, Side contrary, in LedgerEvent e, int invoked)
    {
        if (e.Event.Type == EventType.Info) return;
        side.Open--;
        if (e.Event.Type == EventType.Fail) return;
        side.LastAcknowledged = e.Position;
        contrary.Claim = -1;
        if (contrary.Open == 0 && contrary.LastAcknowledged < invoked) side.Claim = e.Position;
    }

    private Topic TopicOf(int name)
    {
        if (!topics.TryGetValue(name, out var topic)) topics.Add(name, topic = new Topic());
        return topic;
    }

    private void List(in LedgerEvent e)
    {
        foreach (var name in e.Event.Topics)
        {
            var topic = TopicOf(name);
            if (topic.Listed < 0) topic.Listed = e.Position;
        }
        var invoked = listInvoked.Remove(e.Event.Process, out var at) ? at : e.Position;
        if (sawFinal && !e.Event.IsFinal) return;
        if (!sawFinal) Reset();
        sawFinal |= e.Event.IsFinal;
        Judge(new Listing(invoked, e.Position, e.Event.Process, e.Event.IsFinal, [.. e.Event.Topics]));
    }

    /// <summary>An earlier list turns out not to be settled.</summary>
    private void Reset()
    {
        lost.Clear();
        resurrected.Clear();
        judged = 0;
        lostCases = new CaseList(AnomalyName.LostTopic, contract.CaseLimit);
        resurrectedCases = new CaseList(AnomalyName.ResurrectedTopic, contract.CaseLimit);
    }

    private void Judge(Listing listing)
    {
        foreach (var (name, topic) in topics.OrderBy(static t => t.Key))
        {
            var listed = listing.Topics.Contains(name);
            var created = Stands(topic.Created, topic.Deleted, listing);
            var deleted = Stands(topic.Deleted, topic.Created, listing);
            var isToStay = listing.IsFinal && topic.IsThereToStay && topic.Listed < listing.Invoked;
            if (created || deleted || isToStay) judged++;
            if (created && !listed && lost.Add(name) && lostCases.Count1())
                lostCases.Keep(Case(name, listing, topic.Created.Claim, $"{names[name]} was created, never deleted since, and is not listed"));
            if (!created && isToStay && !listed && lost.Add(name) && lostCases.Count1())
                lostCases.Keep(Case(name, listing, topic.Listed, $"{names[name]} was listed, never deleted, and is not listed any more"));
            if (deleted && listed && resurrected.Add(name) && resurrectedCases.Count1())
                resurrectedCases.Keep(Case(name, listing, topic.Deleted.Claim, $"{names[name]} was deleted, never created since, and is listed"));
        }
    }

    private static bool Stands(Side side, Side contrary, Listing listing) => side.Claim >= 0 && side.Claim < listing.Invoked && contrary.Open == 0;

    private AnomalyCase Case(int name, Listing listing, int acknowledged, string note) => new(names[name], [], [], [listing.Process], [acknowledged, listing.Completed], note);

    public Finding Conclude() =>
        Finding.From(Guarantee.MetadataAgreement, judged, judged == 0 ? "no settled list followed an acknowledged create or delete" : null, lostCases, resurrectedCases);
}
