namespace Verify.History;

/// <summary>
/// Writes what clients and nodes do into a <see cref="HistoryLog"/>, with the time of the runner's own clock. One loop at a time.
/// </summary>
/// <param name="log">Where events go.</param>
/// <param name="now">The runner's monotonic clock in nanoseconds, never a faulted one.</param>
public sealed class HistoryRecorder(HistoryLog log, Func<long> now)
{
    public HistoryLog Log { get; } = log;

    public int Key(string name) => Log.Keys.Intern(name);

    public int Name(string name) => Log.Names.Intern(name);

    /// <summary>A send of one value. Complete it with <see cref="PendingSend.Ok"/>, <see cref="PendingSend.Fail"/> or <see cref="PendingSend.Info"/>.</summary>
    /// <param name="isTombstone">It deletes its record key; the value only tells it from others.</param>
    public PendingSend InvokeSend(int process, int key, long value, int recordKey = -1, bool isTombstone = false)
    {
        var send = MicroOperation.Send(key, value, -1, recordKey) with { IsTombstone = isTombstone };
        CompleteSend(EventType.Invoke, process, send);
        return new PendingSend(this, process, send);
    }

    /// <param name="process">The client.</param>
    /// <param name="final">Part of the final read.</param>
    public PendingPoll InvokePoll(int process, bool final = false)
    {
        CompletePoll(EventType.Invoke, process, final, [], []);
        return new PendingPoll(this, process, final);
    }

    /// <summary>Any operation made of sends and polls, such as a transaction of several; polls are invoked as <see cref="MicroOperation.Poll"/>.</summary>
    public PendingOperation Invoke(int process, EventFunction function, ReadOnlySpan<MicroOperation> operations)
    {
        Log.Begin(EventType.Invoke, function, process, now());
        foreach (ref readonly var operation in operations) Log.Add(operation);
        Log.End();
        return new PendingOperation(this, process, function);
    }

    /// <summary>Assign, subscribe, assigned, revoked or final, invoked or completed.</summary>
    public void Assignment(EventFunction function, EventType type, int process, ReadOnlySpan<int> keys, bool seekToBeginning = false, EventDetail? detail = null)
    {
        Log.Begin(type, function, process, now());
        Log.SetKeys(keys);
        if (seekToBeginning) Log.SeekToBeginning();
        if (detail is { } d) Log.SetDetail(d);
        Log.End();
    }

    /// <summary>Manual assignment that took effect. Replaces the old one.</summary>
    public void Assigned(int process, ReadOnlySpan<int> keys, bool seekToBeginning) =>
        Assignment(EventFunction.Assign, EventType.Ok, process, keys, seekToBeginning);

    /// <summary>The process has read these partitions from log start to log end by its polls since its last assign.</summary>
    public void FinalRead(int process, ReadOnlySpan<int> keys) => Assignment(EventFunction.Final, EventType.Ok, process, keys);

    /// <summary>The process could not read these partitions to their end in the time it had.</summary>
    public void FinalReadFailed(int process, ReadOnlySpan<int> keys) => Assignment(EventFunction.Final, EventType.Info, process, keys);

    /// <summary>Create, delete or list; for list the topics are known at its completion only.</summary>
    public void Topics(EventFunction function, EventType type, int process, ReadOnlySpan<int> topics, bool final = false)
    {
        Log.Begin(type, function, process, now());
        Log.SetTopics(topics);
        if (final) Log.MarkFinal();
        Log.End();
    }

    public void Commit(EventType type, int process, ReadOnlySpan<KeyOffset> offsets, in EventDetail detail)
    {
        Log.Begin(type, EventFunction.Commit, process, now());
        Log.SetOffsets(offsets);
        Log.SetDetail(detail);
        Log.End();
    }

    /// <summary>The handling of one record ended: key, offset, value (and group, member, generation where there is one).</summary>
    public void Processed(int process, in EventDetail detail) => WithDetail(EventFunction.Process, process, detail, []);

    /// <summary>A node showed something. <paramref name="values"/> are those stored at consecutive offsets from the detail's offset.</summary>
    public void Observe(in EventDetail detail, ReadOnlySpan<long> values = default) => WithDetail(EventFunction.Observe, -1, detail, values);

    /// <summary>The process lost its client; its next operations belong to a new session.</summary>
    public void Crash(int process) => Mark(EventFunction.Crash, EventType.Info, process);

    /// <summary>The last fault healed.</summary>
    public void Heal() => Mark(EventFunction.Heal, EventType.Ok, -1);

    private void Mark(EventFunction function, EventType type, int process)
    {
        Log.Begin(type, function, process, now());
        Log.End();
    }

    private void WithDetail(EventFunction function, int process, in EventDetail detail, ReadOnlySpan<long> values)
    {
        Log.Begin(EventType.Ok, function, process, now());
        Log.SetDetail(detail);
        if (values.Length > 0) Log.SetValues(values);
        Log.End();
    }

    internal void CompleteSend(EventType type, int process, in MicroOperation send)
    {
        Log.Begin(type, EventFunction.Send, process, now());
        Log.Add(send);
        Log.End();
    }

    internal void CompletePoll(EventType type, int process, bool final, ReadOnlySpan<PolledRecord> records, ReadOnlySpan<int> emptyKeys)
    {
        Log.Begin(type, EventFunction.Poll, process, now());
        if (final) Log.MarkFinal();
        Log.AddPoll(records, emptyKeys);
        Log.End();
    }

    internal long Now() => now();
}

/// <summary>A send that was invoked and not yet answered. Complete it once.</summary>
public readonly struct PendingSend(HistoryRecorder recorder, int process, MicroOperation send)
{
    /// <param name="offset">-1 when the answer carries none (acks=0: sent, nothing more).</param>
    public void Ok(long offset) => recorder.CompleteSend(EventType.Ok, process, send with { Offset = offset });

    /// <summary>It certainly did not happen, and never will.</summary>
    public void Fail() => recorder.CompleteSend(EventType.Fail, process, send);

    /// <summary>It may have happened, or may yet.</summary>
    public void Info() => recorder.CompleteSend(EventType.Info, process, send);
}

/// <summary>A poll that was invoked and not yet answered. Complete it once.</summary>
public readonly struct PendingPoll(HistoryRecorder recorder, int process, bool final)
{
    public void Ok(ReadOnlySpan<PolledRecord> records, ReadOnlySpan<int> emptyKeys = default) => recorder.CompletePoll(EventType.Ok, process, final, records, emptyKeys);

    public void Fail() => recorder.CompletePoll(EventType.Fail, process, final, [], []);

    public void Info() => recorder.CompletePoll(EventType.Info, process, final, [], []);
}

/// <summary>
/// An operation of several micro-operations. Its completion is written part by part: <see cref="Begin"/>, then the sends and polls
/// with what they got through <see cref="HistoryLog.AddSend"/> and <see cref="HistoryLog.AddPoll"/>, then <see cref="HistoryLog.End"/>.
/// </summary>
public readonly struct PendingOperation(HistoryRecorder recorder, int process, EventFunction function)
{
    public HistoryLog Begin(EventType outcome)
    {
        recorder.Log.Begin(outcome, function, process, recorder.Now());
        return recorder.Log;
    }
}
