using Broker.Protocol;
using Broker.Runtime;
using Verify.Clients;
using Verify.History;

namespace Verify.Workloads;

/// <summary>Members of consumer groups poll a topic, take their time over each record and commit as they are set; when all is over each group has seen everything.</summary>
public sealed class GroupWorkload
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    private readonly LogWorkload log;
    private readonly HistoryRecorder recorder;
    private readonly ClientKit clients;
    private readonly SortedDictionary<int, GroupRecorder> groups = [];
    private readonly HashSet<int> leaving = [];
    private readonly int[] keys;

    public GroupWorkload(LogWorkload log, WorkloadPlan plan, HistoryRecorder recorder, ClientKit clients)
    {
        (this.log, this.recorder, this.clients) = (log, recorder, clients);
        keys = [.. log.Partitions.Select(partition => recorder.Key($"{partition.Topic}-{partition.Partition}"))];
        foreach (var member in plan.Members) groups.TryAdd(member.Group, new GroupRecorder(recorder, member.GroupId));
    }

    /// <summary>Set to end all members; they finish what they have polled.</summary>
    public bool MembersMayStop { get; set; }

    /// <summary>The member is to leave in good order once it has finished what it polled.</summary>
    public void Leave(int number) => leaving.Add(number);

    /// <summary>The member's process died.</summary>
    public void Crashed(int number) => recorder.Crash(Processes.FirstMember + number);

    /// <summary>One life of a member: until it is to leave, or its coordinator wants nothing more of it.</summary>
    /// <param name="node">As which it is observed.</param>
    /// <param name="died">Its process is no more: nothing that it had begun goes on. In simulation this world ends with its node.</param>
    public async Task RunAsync(IHost host, NodeId node, MemberPlan member, CancellationToken died = default)
    {
        var process = Processes.FirstMember + member.Number;
        var voice = new MemberVoice(host, node, groups[member.Group], process, log.Partitions, keys);
        var consumer = clients.Member!(host, member, voice);
        consumer.Subscribe([log.Topic]);
        groups[member.Group].Subscribed(process, keys);
        for (var error = ErrorCode.None; error == ErrorCode.None && !MembersMayStop && !leaving.Contains(member.Number);) error = await PollAsync(host, consumer, voice, process, member, died);
        if (!died.IsCancellationRequested) await consumer.CloseAsync(Patience);
    }

    /// <summary>Whether the asker's group has committed up to the ends of all partitions.</summary>
    /// <param name="ends">In the order of the partitions.</param>
    public async Task<bool> IsAtEndAsync(IGroupConsumer asker, IReadOnlyList<long> ends)
    {
        var committed = await asker.CommittedAsync(log.Partitions, Patience);
        return committed.Value is { } offsets && log.Partitions.Zip(ends).All(one => Math.Max(0, offsets.GetValueOrDefault(one.First, -1)) >= one.Second);
    }

    /// <summary>All members have ended: what the group has not processed by now it never will.</summary>
    /// <param name="drained">It came to the end of every partition.</param>
    public void End(int group, bool drained)
    {
        if (drained) groups[group].Drained(Processes.Prober, keys);
        else groups[group].NotDrained(Processes.Prober, keys);
    }

    private async Task<ErrorCode> PollAsync(IHost host, IGroupMember consumer, MemberVoice voice, int process, MemberPlan member, CancellationToken died)
    {
        var pending = recorder.InvokePoll(process);
        var result = await consumer.PollAsync(Patience);
        if (died.IsCancellationRequested) return ErrorCode.NetworkException;
        var records = new List<PolledRecord>();
        foreach (var batch in result.Records.Batches)
            foreach (var record in batch.Records) records.Add(log.Polled(batch.Partition, record));
        pending.Ok([.. records], [.. result.Records.Empty.Select(partition => keys[partition.Partition])]);
        foreach (var batch in result.Records.Batches) voice.Tell(MemberMoment.Polled, batch.Partition, batch.Records[0].Offset, batch.Records[^1].Offset + 1);
        // A position that moved by itself (the log was cut, or lies elsewhere now) is told, not hidden: what follows belongs to a new assignment.
        int[] moved = [.. result.Records.Incidents.Where(incident => incident.NewOffset >= 0 && incident.Offset >= 0).Select(incident => keys[incident.Partition.Partition])];
        if (moved.Length > 0) voice.Moved(moved);
        foreach (var record in records)
        {
            await host.Time.DelayAsync(member.Processing);
            if (died.IsCancellationRequested) return ErrorCode.NetworkException;
            voice.Processed(record);
        }
        return result.Error;
    }
}
