using Verify.Campaign.Results;
using Verify.History;

namespace Verify.Campaign.Stories.Telling;

/// <summary>Who saw the record, who read past it, and what there was at the end; for topics, who was told that they are there.</summary>
internal sealed class ReadBeats(Cast cast, IReadOnlyCollection<long> values, string? key, List<Beat> beats, List<(TimeSpan At, long Value, string Text)> steps)
{
    private sealed class Reader
    {
        public HashSet<long> Seen { get; } = [];

        public HashSet<(long Value, long Offset)> Told { get; } = [];

        public long Records { get; set; }

        public long Offset { get; set; } = -1;
    }

    private readonly SortedDictionary<int, Reader> readers = [];
    private readonly Dictionary<long, (int Times, TimeSpan At)> missing = [];
    private readonly Dictionary<(int Node, string Topic), bool> listed = [];
    private int wholeReads;

    public void Observe(in HistoryEvent e, TimeSpan at)
    {
        switch (e.Function)
        {
            case EventFunction.Assign when e.SeekToBeginning: readers[e.Process] = new Reader(); break;
            case EventFunction.Poll when e.Type == EventType.Ok: Polled(e, at); break;
            case EventFunction.Final when e.Detail.Group < 0: ReadWhole(e, at); break;
            case EventFunction.Create or EventFunction.Delete: Changed(e, at); break;
            case EventFunction.List when e.Type == EventType.Ok: Listed(e, at); break;
        }
    }

    /// <summary>What was only counted.</summary>
    public void TellTheRest()
    {
        foreach (var (value, (times, at)) in missing)
            if (times > 1) beats.Add(new Beat(at, Running.ClusterNodes.Operator.Value, StoryKind.Note, $"has now read {key} {times} times without value {value}, each broker leading in turn") { Rank = 3 });
    }

    private void Polled(in HistoryEvent e, TimeSpan at)
    {
        if (!readers.TryGetValue(e.Process, out var reader)) readers[e.Process] = reader = new Reader();
        var node = Cast.NodeOf(e.Process);
        foreach (var operation in e.Operations)
        {
            foreach (var record in e.Records(operation))
            {
                if (key is null || e.KeyNames[record.Key] != key) continue;
                reader.Records++;
                reader.Offset = record.Offset;
                reader.Seen.Add(record.Value);
                if (!values.Contains(record.Value) || !reader.Told.Add((record.Value, record.Offset))) continue;
                if (!e.IsFinal || reader.Told.Count(one => one.Value == record.Value) > 1)
                    beats.Add(new Beat(at, node, StoryKind.Read, $"reads value {record.Value} at offset {record.Offset} of {key}") { Focus = true, Rank = 2 });
                steps.Add((at, record.Value, $"read by {cast.Name(node)} at offset {record.Offset}{(e.IsFinal ? ", in a complete read after healing" : "")}"));
            }
        }
    }

    private void ReadWhole(in HistoryEvent e, TimeSpan at)
    {
        if (key is null || e.Keys.IndexOf(e.KeyNames.Find(key)) < 0) return;
        var node = Cast.NodeOf(e.Process);
        if (e.Type != EventType.Ok)
        {
            beats.Add(new Beat(at, node, StoryKind.Note, $"cannot read {key} to its end in time"));
            return;
        }
        var reader = readers.GetValueOrDefault(e.Process) ?? new Reader();
        var whole = $"reads {key} from its start to its end: {Texts.Counted(reader.Records, "record")}{(reader.Offset < 0 ? "" : $", last offset {reader.Offset}")}";
        if (wholeReads++ == 0 || values.Any(value => !reader.Seen.Contains(value) && !missing.ContainsKey(value)))
            beats.Add(new Beat(at, node, StoryKind.Read, whole + Among(reader)) { Rank = 2 });
        foreach (var value in values.Where(value => !reader.Seen.Contains(value)))
        {
            var before = missing.GetValueOrDefault(value).Times;
            missing[value] = (before + 1, at);
            if (before > 0) continue;
            beats.Add(new Beat(at, node, StoryKind.Lost, $"does not find value {value}") { Focus = true, Rank = 3 });
            steps.Add((at, value, $"missing from a complete read of {key} by the {cast.Name(node)}"));
        }
    }

    private string Among(Reader reader) => string.Concat(values.Where(reader.Seen.Contains).Select(value => $"; value {value} is there"));

    private void Changed(in HistoryEvent e, TimeSpan at)
    {
        var node = Cast.NodeOf(e.Process);
        var verb = e.Function == EventFunction.Create ? "create" : "delete";
        foreach (var topic in e.Topics)
        {
            var name = e.Names[topic];
            if (key is not null && name != key) continue;
            var (kind, text) = e.Type switch
            {
                EventType.Invoke => (StoryKind.Send, $"asks to {verb} topic {name}"),
                EventType.Ok => (StoryKind.Ack, $"is told that topic {name} is {verb}d"),
                EventType.Fail => (StoryKind.Refuse, $"is told that topic {name} is not {verb}d"),
                _ => (StoryKind.Unknown, $"does not learn whether topic {name} was {verb}d"),
            };
            beats.Add(new Beat(at, node, kind, text) { Focus = key is not null, Rank = e.Type == EventType.Invoke ? 0 : 2 });
        }
    }

    /// <summary>Lists matter where they begin to say something else of the topic, and at the end.</summary>
    private void Listed(in HistoryEvent e, TimeSpan at)
    {
        if (key is null) return;
        var node = Cast.NodeOf(e.Process);
        var there = e.Topics.IndexOf(e.Names.Find(key)) >= 0;
        if (!e.IsFinal && listed.TryGetValue((node, key), out var before) && before == there) return;
        if (e.IsFinal && wholeReads > 0 && listed.GetValueOrDefault((node, key)) == there) return;
        if (e.IsFinal) wholeReads++;
        listed[(node, key)] = there;
        beats.Add(new Beat(at, node, StoryKind.Read, $"lists the topics: {key} is {(there ? "among them" : "not among them")}") { Focus = e.IsFinal, Rank = 2 });
    }
}
