using System.Globalization;
using Broker.Hosting;
using Broker.Protocol;
using Broker.Runtime;
using Verify.Checkers;
using Verify.Clients;
using Verify.History;
using Verify.Workloads;

namespace Verify.Tests.Clients;

/// <summary>
/// The workload <c>log</c> over real sockets, without faults, against whatever listens there: one producer for each partition, two independent readers, a probe and a final read, as
/// a simulated run has them. Each client has its own connections; one loop carries them all, since a history has one writer.
/// </summary>
public sealed class LiveLogRun
{
    public const int Partitions = 2;

    private const int ClientNode = 50;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60), Length = TimeSpan.FromSeconds(1);

    private readonly HistoryLog history = new();
    private readonly SortedDictionary<long, string> answers = [];
    private readonly WorkloadPlan plan;
    private readonly CheckContract contract;
    private readonly RealHost host;
    private readonly TaskScope scope = new();
    private readonly ClientKit kit;
    private readonly string topic;

    private LiveLogRun(WorkloadPlan plan, string topic, ProducerSettings settings)
    {
        (this.plan, this.topic) = (plan, topic);
        contract = new CheckContract { Acks = settings.Acks switch { 0 => Acks.None, 1 => Acks.Leader, _ => Acks.All }, Idempotence = settings.EnableIdempotence };
        host = new RealHost(new NodeId(ClientNode), Path.GetTempPath(), new Prng(11), Note);
        var reader = new ConsumerSettings(settings.Connection) { OffsetReset = OffsetReset.Earliest };
        kit = new ClientKit(at => new WireProducer(at, scope, settings), at => new WireConsumer(at, scope, reader), at => new WireAdmin(at, scope, settings.Connection));
    }

    /// <summary>What the guarantees of the workload came to.</summary>
    public IReadOnlyList<Finding> Findings { get; private set; } = [];

    /// <summary>One line for each send, in the order of the values: the error code and the offset that its producer was told.</summary>
    public IReadOnlyList<string> Answers => [.. answers.Values];

    /// <summary>One line for each partition that a reader followed or a final reader read: the records in the order received.</summary>
    public IReadOnlyList<string> Reads { get; private set; } = [];

    /// <summary>A drawn plan in which each partition has one producer: with nothing lost or repeated, a send's offset is its place among the sends to its partition.</summary>
    public static WorkloadPlan Plan(bool keyed)
    {
        const int keysEach = 3;
        var drawn = WorkloadGenerator.Draw(WorkloadNames.Log, new Prng(7), Length);
        return drawn with
        {
            Partitions = Partitions,
            Clients = Partitions,
            Commands = [.. drawn.Commands.Cast<Command.Send>().Select(send => OfOneProducer(send, (int)(send.Value % Partitions)))],
        };

        Command OfOneProducer(Command.Send send, int partition) =>
            send with { Client = partition, Partition = partition, Key = keyed ? partition * keysEach + (int)(send.Value % keysEach) : null };
    }

    /// <summary>What <see cref="Answers"/> and <see cref="Reads"/> are if every record is stored once, in order, and told so (acks=0 is never told where).</summary>
    public static (IReadOnlyList<string> Answers, IReadOnlyList<string> Reads) Determined(WorkloadPlan plan, short acks)
    {
        var last = plan.Commands.Cast<Command.Send>().Max(send => send.Value);
        var probes = Enumerable.Range(0, Partitions).Select(partition => new Command.Send(Length, Processes.Prober, partition, last + 1 + partition));
        var stored = plan.Commands.Cast<Command.Send>().Concat(probes).GroupBy(send => send.Partition).OrderBy(sends => sends.Key)
            .SelectMany(sends => sends.Select((send, offset) => (Send: send, Offset: offset))).ToArray();
        var answers = stored.OrderBy(entry => entry.Send.Value).Select(entry => Answer(entry.Send.Value, entry.Send.Partition, $"{ErrorCode.None}", acks == 0 ? -1 : entry.Offset));
        int[] readers = [.. Enumerable.Range(Processes.FirstReader, plan.Readers), Processes.FirstFinalReader];
        var reads = from reader in readers
                    from partition in stored.GroupBy(entry => entry.Send.Partition, entry => Text(entry.Send.Value, entry.Send.Key is { } key ? $"{key}" : null, entry.Offset))
                    select Read(reader, partition.Key, partition);
        return ([.. answers], [.. reads]);
    }

    /// <param name="replicas">Of each partition.</param>
    /// <param name="topic">New to the cluster.</param>
    public static async Task<LiveLogRun> PlayAsync(WorkloadPlan plan, string topic, short replicas, ProducerSettings settings)
    {
        var run = new LiveLogRun(plan, topic, settings);
        using (run.host)
        {
            await run.host.Loop.RunAsync(async () =>
            {
                var play = run.PlayAsync(replicas);
                await await Task.WhenAny(play, run.scope.Failed);
            }).WaitAsync(Patience * 2);
        }
        return run;
    }

    private async Task PlayAsync(short replicas)
    {
        await CreateTopicAsync(replicas);
        var recorder = new HistoryRecorder(history, () => host.Time.Monotonic().Ticks * TimeSpan.NanosecondsPerTick);
        var workload = new LogWorkload(plan, topic, recorder, kit);
        Task[] readers = [.. Enumerable.Range(0, plan.Readers).Select(reader => workload.ReadAsync(host, reader))];
        foreach (var producing in Enumerable.Range(0, plan.Clients).Select(client => workload.ProduceAsync(host, client)).ToArray()) await producing;
        await ArrivedAsync();
        recorder.Heal();                                               // nothing was broken: what follows is what every run must be able to do at its end
        await workload.ProbeAsync(host, Patience / 2);
        await ReadersFollowedAsync(plan.Readers * (plan.Commands.Length + Partitions));
        workload.ReadersMayStop = true;
        foreach (var reader in readers) await reader;
        await workload.ReadFinallyAsync(host, Patience / 2);
        Conclude();
    }

    /// <summary>With acks=0 what was sent may still be on its way, and who probes over another connection would be faster. What never comes is for the comparison to tell.</summary>
    private async Task ArrivedAsync()
    {
        var asking = kit.Reader(host);
        var deadline = host.Time.Monotonic() + Patience / 4;
        foreach (var sends in plan.Commands.Cast<Command.Send>().GroupBy(static send => send.Partition))
            while ((await asking.ListOffsetAsync(new TopicPartition(topic, sends.Key), OffsetAt.Latest, Patience)).Value.Offset < sends.Count() && host.Time.Monotonic() < deadline)
                await host.Time.DelayAsync(TimeSpan.FromMilliseconds(20));
        asking.Close();
    }

    /// <summary>Waits until every partition has a leader that serves it and all its replicas are in sync.</summary>
    private async Task CreateTopicAsync(short replicas)
    {
        var admin = kit.Admin(host);
        var deadline = host.Time.Monotonic() + Patience;
        AdminOutcome created;
        while ((created = await admin.CreateTopicAsync(new NewTopic(topic, Partitions, replicas), Patience)).Error is not (ErrorCode.None or ErrorCode.TopicAlreadyExists))
        {
            Assert.True(host.Time.Monotonic() < deadline, $"the topic was not created: {created}");                   // brokers may still be fenced, or without a controller
            await host.Time.DelayAsync(TimeSpan.FromMilliseconds(50));
        }
        while (!((await admin.DescribeTopicAsync(topic, Patience)).Value is { } known && known.Partitions.All(partition => partition.InSyncReplicas.Count == replicas)))
        {
            Assert.True(host.Time.Monotonic() < deadline, "the replicas did not come in sync");
            await host.Time.DelayAsync(TimeSpan.FromMilliseconds(20));
        }
        admin.Close();
        var asking = kit.Reader(host);
        for (var index = 0; index < Partitions; index++)
            Assert.True((await asking.ListOffsetAsync(new TopicPartition(topic, index), OffsetAt.Latest, Patience)).IsKnown);
        asking.Close();
    }

    /// <summary>Waits until the readers came to the end, or nothing new has come for a while: what they did not read is seen by what they read.</summary>
    private async Task ReadersFollowedAsync(int records)
    {
        var quiet = TimeSpan.FromSeconds(3);
        var (read, deadline) = (0, host.Time.Monotonic() + quiet);
        while (read < records && host.Time.Monotonic() < deadline)
        {
            await host.Time.DelayAsync(TimeSpan.FromMilliseconds(50));
            if (PolledRecords().Count is var now && now > read) (read, deadline) = (now, host.Time.Monotonic() + quiet);
        }
    }

    private void Conclude()
    {
        var suite = CheckerSuite.For(contract,
            Guarantee.NoLostWrites, Guarantee.NoPhantomWrites, Guarantee.NoDuplicates, Guarantee.StableOffsets, Guarantee.Ordering, Guarantee.ConsistentPolls, Guarantee.Recovery);
        suite.ObserveAll(history);
        Findings = suite.Conclude();
        Reads = [.. PolledRecords().GroupBy(read => (read.Process, read.Partition), read => read.Text).OrderBy(group => group.Key).Select(group => Read(group.Key.Process, group.Key.Partition, group))];
    }

    private List<(int Process, int Partition, string Text)> PolledRecords()
    {
        List<(int, int, string)> polled = [];
        foreach (var e in history)
            foreach (ref readonly var operation in e.Operations)
                foreach (ref readonly var record in e.Records(operation))
                    polled.Add((e.Process, record.Key, Text(record.Value, record.RecordKey < 0 ? null : history.Names[record.RecordKey], record.Offset)));
        return polled;
    }

    private static string Read(int process, int partition, IEnumerable<string> records) => string.Create(CultureInfo.InvariantCulture, $"reader {process} of partition {partition}: {string.Join(", ", records)}");

    private static string Answer(long value, int partition, string error, long offset) => string.Create(CultureInfo.InvariantCulture, $"{value} to partition {partition}: {error} at {offset}");

    private static string Text(long value, string? key, long offset) => string.Create(CultureInfo.InvariantCulture, $"{value}{(key is null ? "" : $" ({key})")} at {offset}");

    private void Note(Observation seen)
    {
        if (seen.Kind is not ObservationKind.ClientAnswered || seen.EndOffset < 0) return;      // the producer tells of its batches, the workload of its values
        answers.Add(seen.EndOffset, Answer(seen.EndOffset, seen.Partition.Partition, seen.Other < 0 ? "unknown" : $"{(ErrorCode)seen.Other}", seen.Offset));
    }
}
