using System.Globalization;
using System.Text;
using Broker.Protocol;
using Broker.Runtime;
using Verify.Clients;
using Verify.History;

namespace Verify.Workloads;

/// <summary>Producers send to one topic, independent readers follow from the beginning, and at the end everything is read again.</summary>
/// <param name="valueDigits">Values are written with leading zeros to this length: larger records fill segments sooner.</param>
/// <param name="probeKey">The key of the records that are not in the plan; null for none.</param>
public sealed class LogWorkload(WorkloadPlan plan, string topic, HistoryRecorder recorder, ClientKit clients, int valueDigits = 1, int? probeKey = null)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly TopicPartition[] partitions = [.. Enumerable.Range(0, plan.Partitions).Select(index => new TopicPartition(topic, index))];
    private readonly int[] keys = [.. Enumerable.Range(0, plan.Partitions).Select(index => recorder.Key($"{topic}-{index}"))];
    private int finalReads;
    private long lastValue = plan.Commands.OfType<Command.Send>().Select(send => send.Value).DefaultIfEmpty().Max();

    /// <summary>Set to end the readers; they finish the poll they are in.</summary>
    public bool ReadersMayStop { get; set; }

    public string Topic => topic;

    public IReadOnlyList<TopicPartition> Partitions => partitions;

    /// <summary>Ends when every send has its outcome.</summary>
    public async Task ProduceAsync(IHost host, int client)
    {
        var producer = clients.Producer(host);
        var pending = new List<Task>();
        await Pace.FollowAsync(host, plan.Commands.Where(command => command.Client == client), command => pending.Add(SendAsync(host, producer, client, (Command.Send)command)));
        foreach (var send in pending) await send;
        await producer.CloseAsync();
    }

    /// <summary>Reads everything, as it appears, until told to stop.</summary>
    public async Task ReadAsync(IHost host, int reader)
    {
        var process = Processes.FirstReader + reader;
        var consumer = clients.Follower(host);
        consumer.Assign(partitions);
        recorder.Assigned(process, keys, seekToBeginning: true);
        while (!ReadersMayStop) await PollAsync(consumer, process, final: false, plan.SeeksBack ? host.Random : null);
        consumer.Close();
    }

    /// <summary>
    /// Sends one fresh record to every partition and reads it again; true when each came back by then. A record can be read when the high watermark has passed it, so all that lies
    /// before it is committed: on every replica in sync, and readable.
    /// </summary>
    public async Task<bool> ProbeAsync(IHost host, TimeSpan limit)
    {
        var producer = clients.Producer(host);
        var reader = clients.Reader(host);
        var deadline = host.Time.Monotonic() + limit;
        var well = true;
        for (var index = 0; index < partitions.Length; index++)
        {
            var isBack = false;
            reader.Assign([partitions[index]]);
            while (!isBack && host.Time.Monotonic() < deadline)
            {
                var before = await reader.ListOffsetAsync(partitions[index], OffsetAt.Latest, Patience);
                if (!before.IsKnown) continue;
                reader.Seek(partitions[index], before.Value.Offset);
                isBack = await SendAsync(host, producer, Processes.Prober, Probe(index)) && await ReturnsAsync(host, reader, lastValue);
            }
            well &= isBack;
        }
        reader.Close();
        await producer.CloseAsync();
        return well;
    }

    /// <summary>Sends some more records to every partition, each once the one before has its outcome.</summary>
    public async Task<bool> FillAsync(IHost host, int records)
    {
        var producer = clients.Producer(host);
        var well = true;
        for (var index = 0; index < partitions.Length; index++)
            for (var i = 0; i < records; i++) well &= await SendAsync(host, producer, Processes.Prober, Probe(index));
        await producer.CloseAsync();
        return well;
    }

    private Command.Send Probe(int partition) => new(default, Processes.Prober, partition, ++lastValue, probeKey);

    /// <summary>A fresh consumer reads every partition from its start to what was its end; false when it could not in time.</summary>
    public async Task<bool> ReadFinallyAsync(IHost host, TimeSpan limit)
    {
        var process = Processes.FirstFinalReader + finalReads++;
        var consumer = clients.Reader(host);
        consumer.Assign(partitions);
        foreach (var partition in partitions) consumer.SeekToBeginning(partition);
        recorder.Assigned(process, keys, seekToBeginning: true);
        var deadline = host.Time.Monotonic() + limit;
        var whole = true;
        foreach (var partition in partitions)
        {
            var end = await consumer.ListOffsetAsync(partition, OffsetAt.Latest, deadline - host.Time.Monotonic());
            while (end.IsKnown && (consumer.Position(partition) ?? 0) < end.Value.Offset && host.Time.Monotonic() < deadline)
                await PollAsync(consumer, process, final: true);
            whole &= end.IsKnown && (consumer.Position(partition) ?? 0) >= end.Value.Offset;
        }
        if (whole) recorder.FinalRead(process, keys);
        else recorder.FinalReadFailed(process, keys);
        consumer.Close();
        return whole;
    }

    /// <summary>False when the value did not come for so long that it may have been lost.</summary>
    private static async Task<bool> ReturnsAsync(IHost host, ILogConsumer reader, long value)
    {
        var deadline = host.Time.Monotonic() + Patience;
        while (host.Time.Monotonic() < deadline)
        {
            var result = await reader.PollAsync(deadline - host.Time.Monotonic());
            if (result.Batches.Any(batch => batch.Records.Any(record => ValueBytes.Of(record) == value))) return true;
        }
        return false;
    }

    private async Task<bool> SendAsync(IHost host, IProducer producer, int process, Command.Send send)
    {
        var key = send.Key is { } number ? number.ToString(CultureInfo.InvariantCulture) : null;
        var pending = recorder.InvokeSend(process, keys[send.Partition], send.Value, key is null ? -1 : recorder.Name(key), send.Tombstone);
        var value = ValueBytes.Of(send.Value, valueDigits);
        var keyBytes = key is null ? null : Encoding.ASCII.GetBytes(key);
        var outcome = send.Tombstone
            ? await producer.SendAsync(partitions[send.Partition], keyBytes, null, ValueBytes.Marking(value))
            : await producer.SendAsync(partitions[send.Partition], keyBytes, value);
        switch (outcome.Kind)
        {
            case OutcomeKind.Ok: pending.Ok(outcome.Offset); break;
            case OutcomeKind.Fail: pending.Fail(); break;
            case OutcomeKind.Info: pending.Info(); break;
            default: throw new InvalidOperationException($"unknown outcome {outcome.Kind}");
        }
        var told = outcome.Kind == OutcomeKind.Info ? -1 : (int)outcome.Error;
        host.Observe(new Observation(ObservationKind.ClientAnswered, host.Id, partitions[send.Partition], Offset: outcome.Offset, EndOffset: send.Value, Other: told));
        return outcome.Kind == OutcomeKind.Ok;
    }

    /// <param name="seeksBack">Draws whether, and to where, the reader seeks back; null: it keeps all that it is handed.</param>
    private async Task PollAsync(ILogReader consumer, int process, bool final, Prng? seeksBack = null)
    {
        var pending = recorder.InvokePoll(process, final);
        var result = await consumer.PollAsync(TimeSpan.FromSeconds(1));
        var records = new List<PolledRecord>();
        foreach (var batch in result.Batches)
        {
            var kept = seeksBack?.Chance(0.4) is true ? seeksBack.Between(1, batch.Records.Count) : batch.Records.Count;
            foreach (var record in batch.Records.Take(kept)) records.Add(Polled(batch.Partition, record));
            if (kept < batch.Records.Count) consumer.Resume(batch.Partition, batch.Records[kept - 1].Offset + 1, batch.Records[kept - 1].LeaderEpoch);
        }
        pending.Ok([.. records], [.. result.Empty.Select(partition => keys[partition.Partition])]);
        // A position that moved by itself (the log was cut, or lies elsewhere now) is told, not hidden: what follows belongs to a new assignment.
        int[] moved = [.. result.Incidents.Where(incident => incident.NewOffset >= 0 && incident.Offset >= 0).Select(incident => keys[incident.Partition.Partition])];
        if (moved.Length > 0) recorder.Assignment(EventFunction.Assigned, EventType.Ok, process, moved);
    }

    internal PolledRecord Polled(TopicPartition partition, in ConsumedRecord record) =>
        new(keys[partition.Partition], record.Offset, ValueBytes.Of(record), record.Key is { } key ? recorder.Name(Encoding.ASCII.GetString(key)) : -1);
}

/// <summary>Values as they travel: decimal digits, so that a person who looks at a log can read them. A tombstone has none and carries its number in a header.</summary>
public static class ValueBytes
{
    private const string Header = "value";

    /// <param name="digits">At least so many, with leading zeros.</param>
    public static byte[] Of(long value, int digits = 1) => Encoding.ASCII.GetBytes(value.ToString(CultureInfo.InvariantCulture).PadLeft(digits, '0'));

    public static RecordHeader Marking(byte[] value) => new(Header, value);

    /// <summary>Of a record as a consumer got it; -1 for what is no value of ours.</summary>
    public static long Of(in ConsumedRecord record) => record.Value is { } value ? Read(value) : Marked(record.Headers ?? []);

    /// <summary>Of a record as it is stored; -1 for what is no value of ours.</summary>
    public static long Of(in Record record)
    {
        if (record.Value is { } value) return Read(value.Span);
        var headers = new List<RecordHeader>();
        foreach (var header in record.Headers) headers.Add(header);
        return Marked(headers);
    }

    /// <summary>-1 for what is no value of ours.</summary>
    public static long Read(ReadOnlySpan<byte> bytes) => long.TryParse(bytes, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : -1;

    private static long Marked(IReadOnlyList<RecordHeader> headers) => headers is [{ Key: Header, Value: { } marked }] ? Read(marked.Span) : -1;
}
