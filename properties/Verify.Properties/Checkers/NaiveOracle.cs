using Verify.Checkers;
using Verify.History;

namespace Verify.Properties.Checkers;

/// <summary>
/// The anomalies of records by their definitions, word for word, with lists and nested loops: slow, and shares nothing with the checkers but the names.
/// </summary>
internal sealed partial class NaiveOracle(IReadOnlyList<Happening> history, CheckContract contract)
{
    private sealed record Sent(int At, int Order, EventType Type, int Process, int Session, int Key, int Value, int Offset, int RecordKey);

    private sealed record Read(int At, EventType Type, int Process, int Key, int Offset, int Value);

    private readonly List<Sent> sends = [];
    private readonly List<Read> reads = [];
    private readonly List<(int Key, int Value, int Offset)> evidence = [];
    private readonly SortedDictionary<string, int> found = new(StringComparer.Ordinal);

    /// <summary>"name count, …" in ordinal order.</summary>
    public string Anomalies()
    {
        Gather();
        var records = sends.Select(static s => (s.Key, s.Value)).Concat(reads.Select(static r => (r.Key, r.Value))).Distinct().ToList();
        foreach (var (key, value) in records) Judge(key, value);
        foreach (var (_, values) in evidence.GroupBy(static e => (e.Key, e.Offset)).Select(static g => (g.Key, g.Select(static e => e.Value).Distinct().Count())))
            if (values > 1) Found(AnomalyName.InconsistentOffsets);
        foreach (var key in records.Select(static r => r.Key).Distinct()) Order(key, [.. records.Where(r => r.Key == key).Select(static r => r.Value)]);
        Polls();
        Groups();
        return string.Join(", ", found.Select(static f => $"{f.Key} {f.Value}"));
    }

    private void Found(string anomaly) => found[anomaly] = found.GetValueOrDefault(anomaly) + 1;

    private void Gather()
    {
        for (var at = 0; at < history.Count; at++)
        {
            var e = history[at];
            if (e.Function is not (EventFunction.Send or EventFunction.Poll or EventFunction.Txn)) continue;
            var session = history.Take(at).Count(h => h.Process == e.Process && h.Function == EventFunction.Crash);
            foreach (var (send, order) in e.Sends.Select(static (s, i) => (s, i)))
            {
                sends.Add(new Sent(at, order, e.Type, e.Process, session, send.Key, send.Value, send.Offset, send.RecordKey));
                if (e.Type == EventType.Ok && send.Offset >= 0) evidence.Add((send.Key, send.Value, send.Offset));
            }
            if (e.Type == EventType.Invoke) continue;
            foreach (var read in e.Reads)
            {
                reads.Add(new Read(at, e.Type, e.Process, read.Key, read.Offset, read.Value));
                if (read.Offset >= 0) evidence.Add((read.Key, read.Value, read.Offset));
            }
        }
    }

    private List<Sent> Tries(int key, int value) => [.. sends.Where(s => s.Key == key && s.Value == value)];

    private bool Ended(int key, int value, EventType type) => Tries(key, value).Any(s => s.Type == type);

    private bool Failed(int key, int value) => Ended(key, value, EventType.Fail) && !Ended(key, value, EventType.Ok) && !Ended(key, value, EventType.Info);

    private List<int> Offsets(int key, int value) => [.. evidence.Where(e => e.Key == key && e.Value == value).Select(static e => e.Offset).Distinct()];

    private void Judge(int key, int value)
    {
        var tries = Tries(key, value);
        var read = reads.Where(r => r.Key == key && r.Value == value).ToList();
        if (read.Count > 0 && tries.Count == 0) Found(AnomalyName.PhantomRecord);
        if (read.Count > 0 && Failed(key, value)) Found(AnomalyName.G1a);
        var twice = tries.Count(static s => s.Type != EventType.Invoke) > 1 || tries.Any(s => s.Type == EventType.Invoke && tries[0] != s);
        if (Offsets(key, value).Count > 1 && !twice) Found(AnomalyName.Duplicate);
        if (tries.Count > 0 && tries[0].Type == EventType.Invoke && read.Any(r => r.At < tries[0].At)) Found(AnomalyName.FutureRead);
        var polled = history.Any(static e => e.Polls && e.Type == EventType.Ok);
        if (Lost(key, value) && polled) Found(AnomalyName.LostWrite);
        if (Ended(key, value, EventType.Ok) && polled && read.All(static r => r.Type != EventType.Ok)) Found(AnomalyName.Unseen);
    }

    private bool Lost(int key, int value)
    {
        var acknowledged = Tries(key, value).FirstOrDefault(static s => s.Type == EventType.Ok);
        if (acknowledged is null) return false;
        for (var at = 0; at < history.Count; at++)
            if (history[at] is { Function: EventFunction.Final, Type: EventType.Ok } final && final.Keys.Contains(key) && PassBefore(at) is { } start && acknowledged.At < start
                && !reads.Any(r => r.Process == final.Process && r.Key == key && r.Value == value && r.Type == EventType.Ok && r.At > start && r.At < at)) return true;
        if (reads.Any(r => r.Key == key && r.Value == value && r.Type == EventType.Ok)) return false;
        var offsets = Offsets(key, value);
        return offsets.Count > 0 && reads.Any(r => r.Key == key && r.Type == EventType.Ok && r.Offset >= offsets[0]);
    }

    /// <summary>Where the complete read that ends here began; null when the process did not start at the beginning.</summary>
    private int? PassBefore(int final)
    {
        for (var at = final - 1; at >= 0; at--)
        {
            var e = history[at];
            if (e.Process != history[final].Process) continue;
            if (e.Function is EventFunction.Crash or EventFunction.Subscribe) return null;
            if (e is { Function: EventFunction.Assign, Type: EventType.Ok or EventType.Info }) return e.FromBeginning ? at : null;
        }
        return null;
    }

    private void Order(int key, List<int> values)
    {
        var survivors = values.Where(v => Tries(key, v).Count > 0 && Offsets(key, v).Count > 0 && !Failed(key, v) && !Lost(key, v))
            .Select(v => (First: Tries(key, v)[0], Lowest: Offsets(key, v).Min(), Ok: Ended(key, v, EventType.Ok), Acknowledged: Tries(key, v).FirstOrDefault(static s => s.Type == EventType.Ok)?.At,
                Invoked: Ended(key, v, EventType.Invoke), RecordKey: Tries(key, v).LastOrDefault(static s => s.RecordKey >= 0)?.RecordKey ?? -1))
            .OrderBy(static s => (s.First.At, s.First.Order)).ToList();
        for (var i = 0; i < survivors.Count; i++)
        {
            var later = survivors[i];
            var mine = survivors.Take(i).Where(s => s.First.Process == later.First.Process).ToList();
            bool Binds((Sent First, int Lowest, bool Ok, int? Acknowledged, bool Invoked, int RecordKey) s) => s.Ok || contract.Idempotence && s.First.Session == later.First.Session;
            var earlier = mine.Count > 0 && Binds(mine[^1]) ? mine[^1] : mine.LastOrDefault(static s => s.Ok);
            if (earlier.First is not null)
            {
                var inside = earlier.First.At == later.First.At;
                if (later.Lowest <= earlier.Lowest) Found(inside ? AnomalyName.InternalNonmonotonicSend : AnomalyName.NonmonotonicSend);
                else if (inside && evidence.Any(e => e.Key == key && e.Offset > earlier.Lowest && e.Offset < later.Lowest)) Found(AnomalyName.InternalSendSkip);
            }
            var sameKey = mine.LastOrDefault(s => s.RecordKey >= 0 && s.RecordKey == later.RecordKey);
            if (sameKey.First is not null && Binds(sameKey) && later.Lowest <= sameKey.Lowest) Found(AnomalyName.KeyOrder);
            if (contract.Acks != Acks.None && later.Invoked && survivors.Any(s => s.Lowest > later.Lowest && s.Acknowledged < later.First.At)) Found(AnomalyName.RealtimeSendOrder);
        }
    }

    private void Polls()
    {
        for (var at = 0; at < history.Count; at++)
        {
            if (history[at].Type == EventType.Invoke || history[at].Function is not (EventFunction.Poll or EventFunction.Txn)) continue;
            for (var i = 0; i < history[at].Reads.Length; i++) Poll(at, i);
        }
    }

    /// <summary>One record in the order in which a process was handed it, against the one before of the same partition.</summary>
    private void Poll(int at, int index)
    {
        var (key, to, _) = history[at].Reads[index];
        if (to < 0) return;
        var inside = history[at].Reads.Take(index).LastOrDefault(r => r.Key == key && r.Offset >= 0);
        var from = inside?.Offset ?? Position(at, key);
        if (from is not { } last) return;
        if (to <= last) Found(inside is null ? AnomalyName.NonmonotonicPoll : AnomalyName.InternalNonmonotonicPoll);
        else if (evidence.Any(e => e.Key == key && e.Offset > last && e.Offset < to)) Found(inside is null ? AnomalyName.PollSkip : AnomalyName.InternalPollSkip);
    }

    /// <summary>What the process last got of a partition before this event, if nothing moved it since; null for nothing or unknown.</summary>
    private int? Position(int at, int key)
    {
        if (Subscribed(at, history[at].Process, out var told) && !told) return null;
        for (var i = at - 1; i >= 0; i--)
        {
            var e = history[i];
            if (e.Process != history[at].Process) continue;
            var tookEffect = e.Type is EventType.Ok or EventType.Info;
            if (e.Function == EventFunction.Crash || e.Function == EventFunction.Subscribe && tookEffect) return null;
            if (e.Function == EventFunction.Assign && tookEffect && (e.FromBeginning || !e.Keys.Contains(key))) return null;
            if (e.Function is EventFunction.Assigned or EventFunction.Revoked && e.Type != EventType.Invoke && e.Keys.Contains(key)) return null;
            if (e.Function is not (EventFunction.Poll or EventFunction.Txn) || e.Type != EventType.Ok) continue;
            if (Subscribed(i, e.Process, out var toldThen) && !toldThen && e.Reads.All(r => r.Key != key)) continue;
            if (e.Reads.LastOrDefault(r => r.Key == key && r.Offset >= 0) is { } read) return read.Offset;
        }
        return null;
    }

    private bool Subscribed(int before, int process, out bool told)
    {
        told = false;
        var subscribed = contract.Subscription == Subscription.Subscribe;
        for (var i = 0; i < before; i++)
        {
            var e = history[i];
            if (e.Process != process) continue;
            var tookEffect = e.Type is EventType.Ok or EventType.Info;
            if (e.Function == EventFunction.Crash) (subscribed, told) = (contract.Subscription == Subscription.Subscribe, false);
            if (e.Function == EventFunction.Assign && tookEffect) subscribed = false;
            if (e.Function == EventFunction.Subscribe && tookEffect) (subscribed, told) = (true, false);
            if (e.Function is EventFunction.Assigned or EventFunction.Revoked && e.Type != EventType.Invoke) (subscribed, told) = (true, true);
        }
        return subscribed;
    }
}
