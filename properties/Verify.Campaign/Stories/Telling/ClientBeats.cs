using Broker.Runtime;
using Chaos.Simulation;
using Verify.Campaign.Judging;
using Verify.Campaign.Results;
using Verify.Campaign.Running;
using Verify.History;

namespace Verify.Campaign.Stories.Telling;

/// <summary>What clients sent, were told and read: all of the record in focus, the rest in summary.</summary>
/// <param name="values">In focus.</param>
/// <param name="key">The partition in focus, as in the history; null for none.</param>
internal sealed class ClientBeats(RunRecord run, TimeSpan start, Cast cast, IReadOnlyCollection<long> values, string? key)
{
    private sealed record Sent(int Process, string Key, long Value, TimeSpan At)
    {
        public EventType Outcome { get; set; } = EventType.Invoke;

        public TimeSpan? AnsweredAt { get; set; }

        public long Offset { get; set; } = -1;
    }

    private readonly List<Sent> sends = [];
    private readonly Dictionary<(int Process, long Value), Sent> open = [];

    public List<Beat> Beats { get; } = [];

    /// <summary>Life steps of the record that clients see.</summary>
    public List<(TimeSpan At, long Value, string Text)> Steps { get; } = [];

    public void Tell(IReadOnlyList<TimeSpan> turns)
    {
        var reads = new ReadBeats(cast, values, key, Beats, Steps);
        var members = new MemberBeats(cast, values, key, Beats, Steps);
        foreach (var e in run.History)
        {
            var at = TimeSpan.FromTicks(e.Time / TimeSpan.NanosecondsPerTick) - start;
            if (e.Function == EventFunction.Send) Send(e, at);
            else
            {
                reads.Observe(e, at);
                members.Observe(e, at);
            }
        }
        foreach (var sent in sends.Where(sent => IsFocus(sent))) TellSend(sent);
        foreach (var together in sends.Where(sent => !IsFocus(sent)).GroupBy(sent => (sent.Process, sent.Key, Stretch: turns.Count(turn => turn <= sent.At)))) TellTogether([.. together]);
        reads.TellTheRest();
    }

    private bool IsFocus(Sent sent) => (key is null || sent.Key == key) && values.Contains(sent.Value);

    private void Send(in HistoryEvent e, TimeSpan at)
    {
        var send = e.Operations[0];
        if (e.Type == EventType.Invoke)
        {
            var sent = open[(e.Process, send.Value)] = new Sent(e.Process, e.KeyNames[send.Key], send.Value, at);
            sends.Add(sent);
        }
        else if (open.Remove((e.Process, send.Value), out var sent))
        {
            (sent.Outcome, sent.AnsweredAt, sent.Offset) = (e.Type, at, send.Offset);
        }
    }

    /// <summary>A send of the record in focus: the request on its way, and what was answered by whom.</summary>
    private void TellSend(Sent sent)
    {
        var node = Cast.NodeOf(sent.Process);
        var received = Find(ObservationKind.ProduceReceived, sent, seen => Carries(seen.Bytes, sent.Value));
        Beats.Add(new Beat(sent.At, node, StoryKind.Send, $"sends value {sent.Value} to {sent.Key}")
        {
            To = received?.What.Node.Value, Until = received?.At - start, Arrives = received is not null, Focus = true, Rank = 0,
        });
        Steps.Add((sent.At, sent.Value, $"sent by {cast.Name(node)} to {sent.Key}"));
        if (sent.AnsweredAt is not { } told) return;

        var answered = Find(ObservationKind.ProduceAnswered, sent, seen => seen.Other == 0 && seen.Offset <= sent.Offset && sent.Offset < seen.EndOffset);
        switch (sent.Outcome)
        {
            case EventType.Ok when sent.Offset < 0: Note(told, node, StoryKind.Note, $"takes value {sent.Value} for sent: with acks=0 nobody answers", sent.Value, "taken for sent by its producer, which asks for no answer"); break;
            case EventType.Ok when answered is { } answer:
                Beats.Add(new Beat(answer.At - start, answer.What.Node.Value, StoryKind.Ack, $"acknowledges value {sent.Value} to {cast.Name(node)}, offset {sent.Offset}") { To = node, Until = told, Focus = true, Rank = 2 });
                Steps.Add((told, sent.Value, $"acknowledged to {cast.Name(node)} by {cast.Name(answer.What.Node.Value)}, offset {sent.Offset}"));
                break;
            case EventType.Ok: Note(told, node, StoryKind.Ack, $"is told that value {sent.Value} is at offset {sent.Offset}", sent.Value, $"acknowledged to {cast.Name(node)}, offset {sent.Offset}"); break;
            case EventType.Fail: Note(told, node, StoryKind.Refuse, $"is told that value {sent.Value} was not written", sent.Value, $"refused: {cast.Name(node)} knows that it was not written"); break;
            case EventType.Info: Note(told, node, StoryKind.Unknown, $"gives up on value {sent.Value} without knowing whether it was written", sent.Value, $"given up by {cast.Name(node)}, which does not know whether it was written"); break;
        }
    }

    private void Note(TimeSpan at, int node, StoryKind kind, string text, long value, string step)
    {
        Beats.Add(new Beat(at, node, kind, text) { Focus = true, Rank = 2 });
        Steps.Add((at, value, step));
    }

    /// <summary>Between the send and its outcome: the first time a leader received it, the last time one answered it.</summary>
    private JournalEntry? Find(ObservationKind kind, Sent sent, Func<Observation, bool> matches)
    {
        JournalEntry? found = null;
        foreach (var entry in run.Journal)
        {
            if (entry.At - start < sent.At || entry.What.Kind != kind || entry.What.Partition.ToString() != sent.Key || !matches(entry.What)) continue;
            if (sent.Offset >= 0 && entry.At - start > sent.AnsweredAt) break;
            found = entry;
            if (kind == ObservationKind.ProduceReceived) break;
        }
        return found;
    }

    private static bool Carries(ReadOnlyMemory<byte> batch, long value)
    {
        var values = new List<long>();
        BatchValues.Read(batch, values);
        return values.Contains(value);
    }

    private void TellTogether(Sent[] together)
    {
        var first = together[0];
        var node = Cast.NodeOf(first.Process);
        if (together is [var one])
        {
            Beats.Add(new Beat(one.At, node, StoryKind.Send, $"sends value {one.Value} to {one.Key}: {Outcome(one)}"));
            return;
        }
        var outcomes = together.GroupBy(sent => sent.Outcome).OrderBy(same => same.Key).Select(same => $"{same.Count()} {Word(same.Key)}");
        Beats.Add(new Beat(first.At, node, StoryKind.Send, $"sends {together.Length} values ({Texts.Ranges(together.Select(sent => sent.Value))}) to {first.Key}: {string.Join(", ", outcomes)}"));
    }

    private string Outcome(Sent sent) => sent.Outcome == EventType.Ok && sent.Offset >= 0 ? $"acknowledged, offset {sent.Offset}" : Word(sent.Outcome);

    private string Word(EventType outcome) => outcome switch
    {
        EventType.Ok when run.Scenario.Configuration.Acks == Promises.Acks.Zero => "sent, no answer asked for",
        EventType.Ok => "acknowledged",
        EventType.Fail => "refused",
        EventType.Info => "of unknown outcome",
        EventType.Invoke => "never answered",
        _ => throw new InvalidOperationException($"unknown outcome {outcome}"),
    };
}
