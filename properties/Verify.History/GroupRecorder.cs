namespace Verify.History;

/// <summary>Writes what the members of one consumer group do. A member is told as the process that is its client, its member id and its generation; a process is single-threaded.</summary>
/// <remarks>
/// What checkers need to judge a group: an assignment from the moment its committed offsets are asked for (<see cref="InvokeAssigned"/>) to the answer; every commit from its request to its outcome;
/// the end of the handling of each record, before the commit that covers it is invoked; and, when the run is over, whether the group reached the end of its partitions (<see cref="Drained"/>).
/// </remarks>
public sealed class GroupRecorder(HistoryRecorder recorder, string group)
{
    private readonly int group = recorder.Name(group);

    private HistoryLog Log => recorder.Log;

    /// <summary>The process subscribes in the group; the broker will choose among these partitions.</summary>
    public void Subscribed(int process, ReadOnlySpan<int> keys) => Keys(EventFunction.Subscribe, EventType.Ok, process, new EventDetail { Group = group }, keys);

    /// <summary>The member was given these partitions and now asks where the group stands in them. Complete it.</summary>
    public PendingAssignment InvokeAssigned(int process, string member, int generation, ReadOnlySpan<int> keys)
    {
        var detail = Member(member, generation);
        Keys(EventFunction.Assigned, EventType.Invoke, process, detail, keys);
        return new PendingAssignment(this, process, detail, keys.ToArray());
    }

    /// <summary>From here on the process may be given partitions and ask where the group stands in them; when it did is not seen.</summary>
    public void Awaits(int process) => Keys(EventFunction.Assigned, EventType.Invoke, process, new EventDetail { Group = group }, []);

    /// <summary>The member has these partitions, and asked since <see cref="Awaits"/> where the group stands.</summary>
    /// <param name="offsets">As <see cref="PendingAssignment.Ok"/>.</param>
    public void Takes(int process, string member, int generation, ReadOnlySpan<int> keys, ReadOnlySpan<KeyOffset> offsets) => Assigned(EventType.Ok, process, Member(member, generation), keys, offsets);

    /// <summary>The member gives these partitions back, or learnt that it had lost them.</summary>
    public void Revoked(int process, string member, int generation, ReadOnlySpan<int> keys) => Keys(EventFunction.Revoked, EventType.Ok, process, Member(member, generation), keys);

    /// <summary>The member's positions in these partitions moved by themselves: the log was cut there, or lies elsewhere now. Where they lie is not told.</summary>
    public void Moved(int process, string member, int generation, ReadOnlySpan<int> keys) => Keys(EventFunction.Assigned, EventType.Ok, process, Member(member, generation), keys);

    /// <summary>Asks for these next offsets to be kept for the group. Complete it with its outcome.</summary>
    public PendingCommit InvokeCommit(int process, string member, int generation, ReadOnlySpan<KeyOffset> offsets)
    {
        var commit = new PendingCommit(recorder, process, Member(member, generation), offsets.ToArray());
        recorder.Commit(EventType.Invoke, process, offsets, Member(member, generation));
        return commit;
    }

    /// <summary>The handling of one record ended.</summary>
    public void Processed(int process, string member, int generation, in PolledRecord record) =>
        recorder.Processed(process, Member(member, generation) with { Key = record.Key, Offset = record.Offset, Value = record.Value });

    /// <summary>The group's members have reached the end of these partitions, after the last send to them had its outcome: what the group has not processed by now, it never will.</summary>
    public void Drained(int process, ReadOnlySpan<int> keys) => Keys(EventFunction.Final, EventType.Ok, process, new EventDetail { Group = group }, keys);

    /// <summary>The group did not reach the end of these partitions in the time it had.</summary>
    public void NotDrained(int process, ReadOnlySpan<int> keys) => Keys(EventFunction.Final, EventType.Info, process, new EventDetail { Group = group }, keys);

    /// <summary>The process lost its client, and with it what that had polled and not processed.</summary>
    public void Crashed(int process) => recorder.Crash(process);

    private EventDetail Member(string member, int generation) => new() { Group = group, Member = recorder.Name(member), Generation = generation };

    internal void Assigned(EventType outcome, int process, in EventDetail detail, ReadOnlySpan<int> keys, ReadOnlySpan<KeyOffset> offsets)
    {
        Log.Begin(outcome, EventFunction.Assigned, process, recorder.Now());
        Log.SetKeys(keys);
        Log.SetOffsets(offsets);
        Log.SetDetail(detail);
        Log.End();
    }

    private void Keys(EventFunction function, EventType type, int process, in EventDetail detail, ReadOnlySpan<int> keys) => recorder.Assignment(function, type, process, keys, detail: detail);
}

/// <summary>An assignment whose committed offsets were asked for and are not yet known. Complete it once.</summary>
public readonly struct PendingAssignment(GroupRecorder recorder, int process, EventDetail detail, int[] keys)
{
    /// <param name="offsets">Where the group stands: the next offset of each partition as the coordinator answered, -1 where it has none. A partition that is left out was not asked for.</param>
    public void Ok(ReadOnlySpan<KeyOffset> offsets) => recorder.Assigned(EventType.Ok, process, detail, keys, offsets);

    /// <summary>The member never learnt where the group stands, and read nothing.</summary>
    public void Fail() => recorder.Assigned(EventType.Fail, process, detail, keys, []);
}

/// <summary>A commit that was invoked and not yet answered. Complete it once.</summary>
public readonly struct PendingCommit(HistoryRecorder recorder, int process, EventDetail detail, KeyOffset[] offsets)
{
    /// <summary>Every partition of it was accepted.</summary>
    public void Ok() => recorder.Commit(EventType.Ok, process, offsets, detail);

    /// <summary>It certainly did not take effect, in no partition, and never will.</summary>
    public void Fail() => recorder.Commit(EventType.Fail, process, offsets, detail);

    /// <summary>It may have taken effect, or may yet.</summary>
    public void Info() => recorder.Commit(EventType.Info, process, offsets, detail);
}
