using System.Collections.Immutable;
using Verify.History;

namespace Verify.Properties.Checkers;

public sealed record Sending(int Key, int Value, int Offset = -1, int RecordKey = -1);

public sealed record Reading(int Key, int Offset, int Value);

/// <summary>An event of a history as plain data that can be changed and shrunk: sends first, then one poll if there is any record or the function is poll.</summary>
public sealed record Happening(EventType Type, EventFunction Function, int Process)
{
    public ImmutableArray<Sending> Sends { get; init; } = [];

    public ImmutableArray<Reading> Reads { get; init; } = [];

    public ImmutableArray<int> Keys { get; init; } = [];

    public bool FromBeginning { get; init; }

    /// <summary>Of commit and assigned; of process, the record alone: its partition and offset.</summary>
    public ImmutableArray<KeyOffset> Offsets { get; init; } = [];

    public int Group { get; init; } = -1;

    public int Member { get; init; } = -1;

    public int Generation { get; init; } = -1;

    public bool Polls => Function == EventFunction.Poll || Reads.Length > 0;

    public override string ToString() =>
        $"p{Process} {Type} {Function} {string.Join(' ', Sends.Select(static s => $"send k{s.Key}={s.Value}@{s.Offset}{(s.RecordKey < 0 ? "" : $"/r{s.RecordKey}")}"))}"
        + $"{string.Join(' ', Reads.Select(static r => $"read k{r.Key}@{r.Offset}={r.Value}"))} {(Keys.IsEmpty ? "" : $"keys {string.Join(',', Keys)}")}{(FromBeginning ? " from beginning" : "")}"
        + $"{string.Join(' ', Offsets.Select(static o => $"k{o.Key}:{o.Offset}"))}{(Group < 0 ? "" : $" group {Group}")}{(Member < 0 ? "" : $" member {Member}")}{(Generation < 0 ? "" : $" generation {Generation}")}";

    public static HistoryLog ToLog(IEnumerable<Happening> history)
    {
        var log = new HistoryLog();
        for (var i = 0; i < 10; i++) log.Keys.Intern(i);
        for (var i = 0; i < 10; i++) log.Names.Intern(i);
        foreach (var happening in history) happening.Write(log);
        return log;
    }

    private void Write(HistoryLog log)
    {
        log.Begin(Type, Function, Process, log.Count);
        foreach (var send in Sends) log.AddSend(send.Key, send.Value, send.Offset, send.RecordKey);
        if (Polls) log.AddPoll([.. Reads.Select(static r => new PolledRecord(r.Key, r.Offset, r.Value))], []);
        if (!Keys.IsEmpty) log.SetKeys(Keys.AsSpan());
        if (FromBeginning) log.SeekToBeginning();
        var detail = new EventDetail { Group = Group, Member = Member, Generation = Generation };
        if (Function == EventFunction.Process) log.SetDetail(detail with { Key = Offsets[0].Key, Offset = Offsets[0].Offset });
        else if (Group >= 0 || Member >= 0 || Generation >= 0) log.SetDetail(detail);
        if (!Offsets.IsEmpty && Function != EventFunction.Process) log.SetOffsets(Offsets.AsSpan());
        log.End();
    }
}
