using System.Collections.Immutable;
using Verify.Checkers;
using Verify.History;

namespace Verify.Properties.Checkers;

/// <summary>A valid history is corrupted in one way, and exactly that is found. Each corruption is tried on fifty histories.</summary>
public sealed class MutationTests
{
    private const string Skips = "poll-skip int-poll-skip";
    private const string Order = "nonmonotonic-send int-nonmonotonic-send realtime-send-order key-order";

    /// <param name="mutate">The corrupted history, or null where this one offers no place for it.</param>
    /// <param name="must">"name count" of what must be found.</param>
    /// <param name="may">Names of what may follow from it.</param>
    private static void Finds(Func<ImmutableArray<Happening>, ImmutableArray<Happening>?> mutate, string[] must, string may = "")
    {
        var tried = 0;
        for (var seed = 0; seed < 50; seed++)
        {
            if (mutate(new FaithfulLog(seed).Run()) is not { } mutated) continue;
            tried++;
            var found = HistoryCheck.Run(Happening.ToLog(mutated), CheckContract.Default).Findings.SelectMany(static f => f.Anomalies).Where(static a => a.Breaks).ToArray();
            foreach (var wanted in must) Assert.True(found.Any(a => wanted == $"{a.Name} {a.Count}" || wanted == a.Name), $"seed {seed}: no {wanted} among {Show(found)}");
            var allowed = must.Select(static m => m.Split(' ')[0]).Concat(may.Split(' '));
            Assert.True(found.All(a => allowed.Contains(a.Name)), $"seed {seed}: too much in {Show(found)}");
        }
        Assert.True(tried >= 20, $"only {tried} histories offered a place");
    }

    private static string Show(Anomaly[] found) => string.Join(", ", found.Select(static a => $"{a.Name} {a.Count}"));

    /// <summary>Acknowledged records that are not the last of their partition.</summary>
    private static Sending? Inner(ImmutableArray<Happening> history) =>
        history.Where(static e => e.Type == EventType.Ok).SelectMany(static e => e.Sends).FirstOrDefault(s => s.Offset < End(history, s.Key));

    private static int End(ImmutableArray<Happening> history, int key) => history.SelectMany(static e => e.Reads).Where(r => r.Key == key).Select(static r => r.Offset).DefaultIfEmpty(-1).Max();

    private static int FinalStart(ImmutableArray<Happening> history) => history.IndexOf(history.First(static e => e.Function == EventFunction.Assign));

    private static Happening WithReads(Happening e, Func<Reading, bool> keep) => e with { Reads = [.. e.Reads.Where(keep)] };

    private static Happening Reread(Happening e, Func<Reading, Reading> change) => e with { Reads = [.. e.Reads.Select(change)] };

    /// <summary>Adds a record behind everything, as the last thing that the first final reader gets.</summary>
    private static ImmutableArray<Happening>? AtTheEnd(ImmutableArray<Happening> history, Reading record)
    {
        var end = history.IndexOf(history.First(static e => e.Function == EventFunction.Final));
        return history.Insert(end, new Happening(EventType.Ok, EventFunction.Poll, history[end].Process) { Reads = [record] });
    }

    [Fact]
    public void A_record_dropped_from_the_log_is_lost() =>
        Finds(static history => Inner(history) is { } lost ? [.. history.Select(e => WithReads(e, r => r.Value != lost.Value))] : null, ["lost-write 1", "unseen 1"], Skips);

    [Fact]
    public void A_record_that_is_gone_when_everything_is_read_again_is_lost() =>
        Finds(static history => Inner(history) is { } lost ? [.. history.Select((e, i) => i < FinalStart(history) ? e : WithReads(e, r => r.Value != lost.Value))] : null, ["lost-write 1"], Skips + " unseen");

    [Fact]
    public void A_record_that_one_poll_leaves_out_is_skipped()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var history = new FaithfulLog(seed).Run();
            var middle = history.Select(static (e, i) => (e, i)).FirstOrDefault(static p => p.e.Reads.Length >= 3 && p.e.Reads[0].Key == p.e.Reads[2].Key);
            if (middle.e is null) continue;
            var found = HistoryCheck.Run(Happening.ToLog(history.SetItem(middle.i, middle.e with { Reads = middle.e.Reads.RemoveAt(1) })), CheckContract.Default);
            Assert.Contains(found.Findings.Single(static f => f.Guarantee == Guarantee.ConsistentPolls).Anomalies, static a => a is { Name: AnomalyName.InternalPollSkip, Count: 1 });
        }
    }

    [Fact]
    public void A_second_copy_at_the_end_of_the_log_is_a_duplicate() =>
        Finds(static history => Inner(history) is { } copied ? AtTheEnd(history, new Reading(copied.Key, End(history, copied.Key) + 1, copied.Value)) : null, ["duplicate 1"]);

    [Fact]
    public void A_record_that_nobody_sent_is_a_phantom() => Finds(static history => AtTheEnd(history, new Reading(0, End(history, 0) + 1, 9_999)), ["phantom-record 1"]);

    [Fact]
    public void A_record_in_another_partition_is_a_phantom_there() => Finds(
        static history => Inner(history) is { } moved
            ? AtTheEnd([.. history.Select(e => WithReads(e, r => r.Value != moved.Value))], new Reading((moved.Key + 1) % 3, End(history, (moved.Key + 1) % 3) + 1, moved.Value))
            : null,
        ["phantom-record 1", "lost-write 1", "unseen 1"],
        Skips);

    [Fact]
    public void A_failed_send_that_is_read_is_an_aborted_read() => Finds(
        static history => history.FirstOrDefault(static e => e is { Type: EventType.Fail, Function: EventFunction.Send }) is { } failed
            ? AtTheEnd(history, new Reading(failed.Sends[0].Key, End(history, failed.Sends[0].Key) + 1, failed.Sends[0].Value))
            : null,
        ["G1a 1"]);

    [Fact]
    public void A_changed_value_is_a_phantom_in_conflict_with_the_true_one() => Finds(
        static history => Inner(history) is { } changed ? [.. history.Select((e, i) => i < FinalStart(history) ? e : Reread(e, r => r.Value == changed.Value ? r with { Value = 9_999 } : r))] : null,
        ["phantom-record 1", "inconsistent-offsets 1", "lost-write 1"],
        "unseen");

    [Fact]
    public void A_changed_offset_at_the_end_is_a_duplicate() => Finds(
        static history =>
        {
            var last = history.Where(static e => e.Type == EventType.Ok).SelectMany(static e => e.Sends).FirstOrDefault(s => s.Offset == End(history, s.Key));
            return last is null ? null : [.. history.Select((e, i) => i < FinalStart(history) ? e : Reread(e, r => r.Value == last.Value ? r with { Offset = r.Offset + 100 } : r))];
        },
        ["duplicate 1"],
        Skips);

    [Fact]
    public void Two_values_exchanged_in_what_is_read_are_in_conflict_with_their_acknowledgements() => Finds(
        static history =>
        {
            if (Inner(history) is not { } one || history.Where(static e => e.Type == EventType.Ok).SelectMany(static e => e.Sends).FirstOrDefault(s => s.Key == one.Key && s.Offset > one.Offset) is not { } other) return null;
            return [.. history.Select(e => Reread(e, r => r.Value == one.Value ? r with { Value = other.Value } : r.Value == other.Value ? r with { Value = one.Value } : r))];
        },
        ["duplicate 2", "inconsistent-offsets 2"],
        Order + " future-read");

    [Fact]
    public void Two_records_that_the_log_itself_holds_in_the_wrong_order_are_out_of_order() => Finds(
        static history =>
        {
            foreach (var (one, at) in history.Select(static (e, i) => (e, i)).Where(static p => p.e.Type == EventType.Ok).SelectMany(static p => p.e.Sends.Select(s => (s, p.i))))
                for (var later = at + 1; later < history.Length; later++)
                    foreach (var other in history[later].Type == EventType.Ok ? history[later].Sends : [])
                        if (other.Key == one.Key && history[..at].All(e => e.Sends.All(s => s.Value != other.Value))) return Exchange(history, one, other);
            return null;
        },
        ["realtime-send-order"],
        Order + " future-read");

    /// <summary>Both lie where the other one did, for everybody; polls between the two sends then tell of the future.</summary>
    private static ImmutableArray<Happening> Exchange(ImmutableArray<Happening> history, Sending one, Sending other) =>
    [
        .. history.Select(e => Reread(e, r => r.Value == one.Value ? r with { Value = other.Value } : r.Value == other.Value ? r with { Value = one.Value } : r) with
        {
            Sends = [.. e.Sends.Select(s => e.Type != EventType.Ok ? s : s.Value == one.Value ? s with { Offset = other.Offset } : s.Value == other.Value ? s with { Offset = one.Offset } : s)],
        }),
    ];

    [Fact]
    public void Two_polls_in_the_wrong_order_go_back() => Finds(
        static history =>
        {
            for (var at = FinalStart(history); at < history.Length; at++)                     // by then nothing comes from the future
            {
                var next = at + 1;
                while (next < history.Length && history[next].Process != history[at].Process) next++;
                if (next < history.Length && history[at].Reads.Any(r => history[next].Reads.Any(n => n.Key == r.Key)))
                    return history.SetItem(at, history[next]).SetItem(next, history[at]);
            }
            return null;
        },
        ["nonmonotonic-poll"],
        Skips);

    [Fact]
    public void A_poll_handed_out_backwards_goes_back_within() => Finds(
        static history => history.Select(static (e, i) => (e, i)).FirstOrDefault(static p => p.e.Reads.Select(static r => r.Key).Distinct().Count() == 1 && p.e.Reads.Length > 1) is { e: { } poll, i: var at }
            ? history.SetItem(at, poll with { Reads = [.. poll.Reads.Reverse()] })
            : null,
        ["int-nonmonotonic-poll"],
        Skips + " nonmonotonic-poll");

    [Fact]
    public void A_poll_before_the_sends_it_returns_reads_the_future() => Finds(
        static history => history.FirstOrDefault(static e => e.Reads.Length == 1) is { } poll && history.First(e => e.Process == poll.Process && e.Reads.Length > 0) == poll
            ? history.Remove(poll).Insert(0, poll)
            : null,
        ["future-read 1"]);

    [Fact]
    public void An_acknowledgement_turned_into_one_of_another_value_is_lost() => Finds(
        static history => Inner(history) is { } sent
            ? [.. history.Select(e => e with { Sends = [.. e.Sends.Select(s => s.Value == sent.Value ? s with { Value = 9_999 } : s)] })]
            : null,
        ["lost-write 1", "unseen 1", "phantom-record 1", "inconsistent-offsets 1"]);
}
