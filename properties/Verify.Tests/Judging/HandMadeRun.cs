using Broker.Core.Groups;
using Broker.Protocol;
using Broker.Runtime;
using Chaos.Faults;
using Chaos.Simulation;
using Verify.Campaign.Judging;
using Verify.Campaign.Running;
using Verify.History;
using Verify.Promises;
using Verify.Workloads;

namespace Verify.Tests.Judging;

/// <summary>A run told step by step: what clients did, what nodes showed. Brokers 1, 2, 3 replicate partition t-0, of which 1 leads epoch 0 with a full ISR.</summary>
internal sealed class HandMadeRun
{
    public const int FullIsr = 0b1110;
    private const string GroupName = "g0";
    private static readonly TopicPartition Partition = new(ClusterNodes.Topic, 0);

    private readonly Journal journal = new();
    private readonly HistoryRecorder recorder;
    private readonly Configuration configuration;
    private readonly SortedDictionary<string, int> bitten = new(StringComparer.Ordinal);
    private readonly List<FaultOutcome> faults = [];
    private readonly List<NodeFailure> failures = [];
    private readonly int key;
    private readonly List<Command> keyed = [];
    private GroupRecorder? group;
    private int finalReads;
    private Observation latest;
    private TimeSpan now;

    public HandMadeRun(params string[] settings)
    {
        configuration = Configuration.OfWords(settings);
        recorder = new HistoryRecorder(new HistoryLog(), () => now.Ticks * TimeSpan.NanosecondsPerTick);
        key = recorder.Key(Partition.ToString());
        foreach (var broker in new[] { 1, 2, 3 }) Saw(new(ObservationKind.NodeStarted, new NodeId(broker))).Saw(Of(ObservationKind.LogRecovered, broker) with { Offset = 0 });
        Elected(0, 1, ElectionKind.Clean, isr: FullIsr, eligible: 3, alive: 3).TookOffice(0, 1, FullIsr);
    }

    public bool Ready { get; set; } = true;

    /// <summary>Of real processes: which faults were not as planned. Null: all this was in simulation.</summary>
    public IReadOnlyList<string>? Missed { get; set; }

    public TimeSpan? RecoveredAfter { get; set; } = TimeSpan.FromSeconds(1);

    // Clients

    public HandMadeRun Sends(long value, int process = 0) => Then(() => recorder.InvokeSend(process, key, value));

    /// <summary>The topic is compacted.</summary>
    public HandMadeRun SendsKeyed(long value, int recordKey)
    {
        keyed.Add(new Command.Send(now, 0, Partition.Partition, value, recordKey));
        return Then(() => recorder.InvokeSend(0, key, value, recorder.Name($"{recordKey}")));
    }

    public HandMadeRun IsTold(long value, long offset, int process = 0) =>
        Then(() => Write(EventType.Ok, process, value, offset)).Saw(new(ObservationKind.ClientAnswered, new NodeId(21), Partition, Offset: offset, EndOffset: value, Other: 0));

    public HandMadeRun IsToldNothing(long value, int process = 0) =>
        Then(() => Write(EventType.Info, process, value, -1)).Saw(new(ObservationKind.ClientAnswered, new NodeId(21), Partition, Offset: -1, EndOffset: value, Other: -1));

    /// <summary>A complete read of the log; values at offsets from 0.</summary>
    public HandMadeRun IsReadFinally(params long[] values) => Then(() =>
    {
        var process = Processes.FirstFinalReader + finalReads++;
        recorder.Assigned(process, [key], seekToBeginning: true);
        recorder.InvokePoll(process, final: true).Ok([.. values.Select((value, offset) => new PolledRecord(key, offset, value))]);
        recorder.FinalRead(process, [key]);
    });

    public HandMadeRun Reads(long offset, params long[] values) => Then(() =>
        recorder.InvokePoll(Processes.FirstReader).Ok([.. values.Select((value, i) => new PolledRecord(key, offset + i, value))]));

    public HandMadeRun Heals() => Then(recorder.Heal);

    // The world

    public HandMadeRun Loses(FrameLoss how, int to, params long[] values)
    {
        var request = new ProduceRequest { TopicData = [new TopicProduceData { Name = Partition.Topic, PartitionData = [new PartitionProduceData { Index = 0, Records = Batch(values) }] }] };
        return Saw(new(ObservationKind.FrameLost, new NodeId(to), Other: (int)how, Bytes: RequestFrame.Encode(request, 12, 1, "c"), Connection: 40_000));
    }

    /// <summary>A broker reads a batch, says no more of it, and dies this much later.</summary>
    public HandMadeRun DiesReading(int node, long value, TimeSpan later) => Then(() =>
    {
        journal.Add(new JournalEntry(now, Of(ObservationKind.ProduceRead, node) with { Bytes = Batch([value]), Connection = 40_000 }));
        journal.Add(new JournalEntry(now += later, new(ObservationKind.Crashed, new NodeId(node))));
    });

    public HandMadeRun Crashes(int node) => Saw(new(ObservationKind.Crashed, new NodeId(node)));

    public HandMadeRun LosesPower(int node) => Saw(new(ObservationKind.PowerLost, new NodeId(node), Offset: 1));

    public HandMadeRun Bites(Fault fault, int node)
    {
        faults.Add(new FaultOutcome(faults.Count, fault, fault, now, Vetoed: false, Bit: true));
        bitten[fault.Word] = bitten.GetValueOrDefault(fault.Word) + 1;
        return Saw(new(ObservationKind.FaultBit, new NodeId(node), Other: faults.Count - 1));
    }

    public HandMadeRun Fails(int node)
    {
        failures.Add(new NodeFailure(new NodeId(node), now, new InvalidOperationException("it broke")));
        return Crashes(node);
    }

    // Brokers

    public HandMadeRun Receives(int node, long value, int refusal = 0, int connection = 40_000, long producerId = -1) =>
        Saw(Of(ObservationKind.ProduceReceived, node) with { Other = refusal, Bytes = Batch([value], producerId: producerId), Connection = connection });

    /// <summary>The leader takes one request and appends its records.</summary>
    public HandMadeRun Appends(int node, int epoch, long offset, long value, int connection = 40_000, long producerId = -1)
    {
        var batch = Batch([value], producerId: producerId);
        return Saw(Of(ObservationKind.Appended, node, epoch) with { Offset = offset, EndOffset = offset + 1, Bytes = batch })
            .Saw(Of(ObservationKind.ProduceReceived, node, epoch) with { Offset = offset, EndOffset = offset + 1, Other = 0, Bytes = batch, Connection = connection });
    }

    /// <summary>The node answers that the record at that offset of its log is written.</summary>
    public HandMadeRun Answers(int node, int epoch, long offset) => Saw(Of(ObservationKind.ProduceAnswered, node, epoch) with { Offset = offset, EndOffset = offset + 1, Other = 0 });

    public HandMadeRun Replicates(int node, int epoch, long offset, long value, long producerId = -1) =>
        Saw(Of(ObservationKind.Replicated, node, epoch) with { Offset = offset, EndOffset = offset + 1, Bytes = Batch([value], offset, epoch, producerId) });

    public HandMadeRun Flushes(int node, long end) => Saw(Of(ObservationKind.Flushed, node) with { EndOffset = end });

    public HandMadeRun Commits(int node, int epoch, long end) => Saw(Of(ObservationKind.HighWatermark, node, epoch) with { Offset = end });

    public HandMadeRun Cuts(int node, int epoch, long end) => Saw(Of(ObservationKind.Truncated, node, epoch) with { Offset = end });

    /// <summary>The node runs again and finds this much of its log, nothing in it of a later epoch.</summary>
    public HandMadeRun Returns(int node, long end, bool unclean = true, int epoch = int.MaxValue)
    {
        Saw(new(ObservationKind.NodeStarted, new NodeId(node)));
        if (unclean) Saw(new(ObservationKind.UncleanRegistration, new NodeId(11), Other: node));
        return Saw(Of(ObservationKind.LogRecovered, node, epoch) with { Offset = end });
    }

    /// <summary>The controller decides and tells.</summary>
    public HandMadeRun Elected(int epoch, int leader, ElectionKind how, int isr, int eligible, int alive) => Decided(epoch, leader, how, isr, eligible, alive).Saw(latest with { Kind = ObservationKind.Elected });

    /// <summary>The controller decides, and does not live to tell.</summary>
    public HandMadeRun Decided(int epoch, int leader, ElectionKind how, int isr, int eligible, int alive, int quorumEpoch = 1)
    {
        latest = Of(ObservationKind.ElectionDecided, 11, epoch) with { Other = leader, Offset = (long)how, EndOffset = new EligibleReplicas(eligible, alive).Packed, Nodes = new NodeSet((ulong)isr), Connection = quorumEpoch };
        return Saw(latest);
    }

    public HandMadeRun TookOffice(int epoch, int leader, int isr) => Saw(Of(ObservationKind.BecameLeader, leader, epoch) with { Nodes = new NodeSet((ulong)isr) });

    public HandMadeRun Isr(int isr, int epoch = 0) => Saw(Of(ObservationKind.IsrCommitted, 11, epoch) with { Nodes = new NodeSet((ulong)isr) });

    // A consumer group, and the partition in which it is kept

    /// <summary>Member 0 of the group has the partition in a generation, and is told that the group stands there.</summary>
    public HandMadeRun MemberHas(long begins, int generation = 1)
    {
        var asked = default(PendingAssignment);
        Then(() => asked = Group.InvokeAssigned(Processes.FirstMember, "m", generation, [key]));
        return Then(() => asked.Ok([new KeyOffset(key, begins)]));
    }

    public HandMadeRun MemberProcesses(long value, long offset, int generation = 1) => Then(() => Group.Processed(Processes.FirstMember, "m", generation, new PolledRecord(key, offset, value)));

    public HandMadeRun MemberCommits(long next, EventType outcome, int generation = 1)
    {
        var commit = default(PendingCommit);
        Then(() => commit = Group.InvokeCommit(Processes.FirstMember, "m", generation, [new KeyOffset(key, next)]));
        return Then(outcome == EventType.Ok ? () => commit.Ok() : () => commit.Info());
    }

    public HandMadeRun MemberGivesUp(int generation = 1) => Then(() => Group.Revoked(Processes.FirstMember, "m", generation, [key]));

    public HandMadeRun Coordinates(int node, int epoch) => Saw(OfOffsets(ObservationKind.ElectionDecided, 11, epoch) with { Other = node, Offset = (long)ElectionKind.Clean, Nodes = new NodeSet(FullIsr), Connection = 1 })
        .Saw(OfOffsets(ObservationKind.BecameLeader, node, epoch) with { Nodes = new NodeSet(FullIsr) });

    public HandMadeRun FollowsCoordinator(int node, int epoch) => Saw(OfOffsets(ObservationKind.BecameFollower, node, epoch));

    /// <summary>A coordinator and one that follows it keep a committed offset.</summary>
    public HandMadeRun KeepsCommit(int node, int follower, int epoch, long offset, long next)
    {
        var (recordKey, recordValue) = GroupRecordCodec.Encode(new GroupRecord.Offset(GroupName, Partition.Topic, Partition.Partition, new CommittedOffset(next, -1, "", default)));
        var builder = new RecordBatchBuilder { BaseOffset = offset, PartitionLeaderEpoch = epoch };
        builder.Append(0, recordKey, recordValue);
        var batch = builder.ToArray();
        return Saw(OfOffsets(ObservationKind.Appended, node, epoch) with { Offset = offset, EndOffset = offset + 1, Bytes = batch })
            .Saw(OfOffsets(ObservationKind.Replicated, follower, epoch) with { Offset = offset, EndOffset = offset + 1, Bytes = batch })
            .Saw(OfOffsets(ObservationKind.HighWatermark, node, epoch) with { Offset = offset + 1 });
    }

    private GroupRecorder Group => group ??= new GroupRecorder(recorder, GroupName);

    private static Observation OfOffsets(ObservationKind kind, int node, int epoch) => new(kind, new NodeId(node), new TopicPartition(OffsetsTopic.Name, OffsetsTopic.PartitionOf(GroupName, partitions: 2)), epoch);

    public RunVerdict Judged()
    {
        var plan = new WorkloadPlan(keyed.Count > 0 ? WorkloadNames.Compaction : WorkloadNames.Log, 1, 1, 1, [.. keyed]);
        if (group is not null) plan = plan with { Members = [new MemberPlan(0, 0, TimeSpan.Zero, TimeSpan.Zero, 1)] };
        var scenario = new Scenario(1, configuration, plan, FaultSchedule.Empty, WorldShape.Plain, TimeSpan.FromSeconds(1), PowerLimit: null);
        return Judge.Of(new RunRecord(scenario, recorder.Log, journal, faults, bitten, failures, 0, now, Ready, RecoveredAfter) { IsTraced = Missed is null, Missed = Missed ?? [] });
    }

    /// <summary>The cases of one anomaly as "value: excuse", or "value: none".</summary>
    public string Judged(string anomaly) => string.Join(", ", Judged().All.Where(v => v.Anomaly == anomaly).Select(v => $"{string.Join('+', v.Values)}: {v.Excuse?.Name ?? "none"}"));

    private static Observation Of(ObservationKind kind, int node, int epoch = -1) => new(kind, new NodeId(node), Partition, epoch);

    private static byte[] Batch(IEnumerable<long> values, long baseOffset = 0, int epoch = -1, long producerId = -1)
    {
        var builder = new RecordBatchBuilder { BaseOffset = baseOffset, PartitionLeaderEpoch = epoch, ProducerId = producerId };
        foreach (var value in values) builder.Append(0, (byte[]?)null, ValueBytes.Of(value));
        return builder.ToArray();
    }

    private void Write(EventType type, int process, long value, long offset)
    {
        recorder.Log.Begin(type, EventFunction.Send, process, now.Ticks * TimeSpan.NanosecondsPerTick);
        recorder.Log.AddSend(key, value, offset);
        recorder.Log.End();
    }

    private HandMadeRun Then(Action step)
    {
        now += TimeSpan.FromMilliseconds(1);
        step();
        return this;
    }

    private HandMadeRun Saw(Observation seen) => Then(() => journal.Add(new JournalEntry(now, seen)));
}
