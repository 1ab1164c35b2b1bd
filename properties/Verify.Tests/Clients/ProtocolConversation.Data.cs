using System.Buffers.Binary;
using Broker.Protocol;
using Broker.Runtime;
using Verify.Clients;

namespace Verify.Tests.Clients;

/// <summary>This part: producing and reading.</summary>
public sealed partial class ProtocolConversation
{
    private async Task ProducingAsync()
    {
        await SawProduceAsync("produce with acks=1", Topic, 0, Batch("a"), acks: 1);
        await SawProduceAsync("produce with acks=all", Topic, 0, Batch("b"), acks: -1);
        await SawProduceAsync("produce three at once", Topic, 0, Batch("c", "d", "e"));
        await SawProduceAsync("produce with acks=2", Topic, 0, Batch("x"), acks: 2);
        await SawProduceAsync("produce to an unknown partition", Topic, 7, Batch("x"));
        await SawProduceAsync("produce to an unknown topic", "nowhere", 0, Batch("x"));
        await SawProduceAsync("produce to an ill-formed name", "a b", 0, Batch("x"));
        await SawProduceAsync("produce a wrong checksum", Topic, 0, Changed(Batch("x"), ^1));
        await SawProduceAsync("produce at base offset 1", Topic, 0, Changed(Batch("x"), 7));
        await SawProduceAsync("produce a cut batch", Topic, 0, Batch("x")[..^1]);
        await SawProduceAsync("produce two batches", Topic, 0, [.. Batch("x"), .. Batch("y")]);
        await SawProduceAsync("produce nothing", Topic, 0, []);
        await SawProduceAsync("produce a control batch", Topic, 0, Builder("x", b => b.IsControl = true));
        await SawProduceAsync("produce format 1", Topic, 0, WithMagic(1));
        await SawProduceAsync("produce format 3", Topic, 0, WithMagic(3));
        await SawProduceAsync("produce more than max.message.bytes", SmallTopic, 0, Batch(new string('x', 300)));
        await SawProduceAsync("produce up to max.message.bytes", SmallTopic, 0, Batch(new string('x', 100)));

        var left = link.Tell(ProduceRequest(Topic, 0, Batch("f"), acks: 0));
        var end = await UntilAsync(() => ListAsync(Topic, 0, OffsetAt.Latest.Timestamp), static answer => answer.Offset == 6);
        Saw("produce with acks=0", $"left {left}, end offset {end.Offset}");
    }

    private async Task IdempotenceAsync()
    {
        var first = await UntilAsync(InitProducerIdAsync, static answer => answer.ErrorCode is ErrorCode.None);
        var second = await UntilAsync(InitProducerIdAsync, static answer => answer.ErrorCode is ErrorCode.None);
        Saw("two producer ids", $"differ {first.ProducerId != second.ProducerId}, epochs {first.ProducerEpoch} and {second.ProducerEpoch}");

        async Task Send(string step, long id, short epoch, int sequence, params string[] values) =>
            await SawProduceAsync(step, Topic, 1, Numbered(id, epoch, sequence, values));

        await Send("number 0", first.ProducerId, 0, 0, "p0");
        await Send("number 0 again", first.ProducerId, 0, 0, "p0");
        await Send("numbers 1 to 3", first.ProducerId, 0, 1, "p1", "p2", "p3");
        await Send("a gap", first.ProducerId, 0, 5, "x");
        for (var sequence = 4; sequence < 8; sequence++) await Send($"number {sequence}", first.ProducerId, 0, sequence, $"p{sequence}");
        await Send("numbers 1 to 3 again, the oldest of five batches", first.ProducerId, 0, 1, "p1", "p2", "p3");
        await Send("number 0 again, six batches back", first.ProducerId, 0, 0, "p0");
        await Send("part of numbers 1 to 3", first.ProducerId, 0, 2, "p2");
        await Send("the next epoch, not from 0", first.ProducerId, 1, 8, "x");
        await Send("the next epoch", first.ProducerId, 1, 0, "q0");
        await Send("the old epoch", first.ProducerId, 0, 8, "x");
        await Send("an unknown producer from the middle", second.ProducerId, 0, 5, "r5");
        await Send("what the unknown producer left out", second.ProducerId, 0, 4, "r4");
        await SawProduceAsync("without a number behind all these", Topic, 1, Batch("s"));
    }

    private async Task FetchingAsync()
    {
        await FetchAsync("fetch from the start", Topic, 0, 0);
        await FetchAsync("fetch the numbered", Topic, 1, 0);
        await FetchAsync("fetch from within a batch", Topic, 0, 3);
        await FetchAsync("fetch one byte", Topic, 0, 2, maxBytes: 1);
        await FetchAsync("fetch at the end", Topic, 0, 6);
        await FetchAsync("fetch past the end", Topic, 0, 7);
        await FetchAsync("fetch below the start", Topic, 0, -5);
        await FetchAsync("fetch an unknown partition", Topic, 7, 0);
        await FetchAsync("fetch an unknown topic", "nowhere", 0, 0);
        await FetchAsync("fetch in the leader's epoch", Topic, 0, 5, epoch: 0);
        await FetchAsync("fetch in a future epoch", Topic, 0, 5, epoch: 99);
    }

    private async Task ListingOffsetsAsync()
    {
        await SawOffsetAsync("latest", Topic, 0, OffsetAt.Latest.Timestamp);
        await SawOffsetAsync("earliest", Topic, 0, OffsetAt.Earliest.Timestamp);
        await SawOffsetAsync("latest of an empty topic", SafeTopic, 0, OffsetAt.Latest.Timestamp);
        await SawOffsetAsync("largest timestamp", Topic, 0, OffsetAt.MaxTimestamp.Timestamp);
        await SawOffsetAsync("largest timestamp of an empty topic", SafeTopic, 0, OffsetAt.MaxTimestamp.Timestamp);
        await SawOffsetAsync("at the first record's time", Topic, 0, recordTime);
        await SawOffsetAsync("at a time within a batch", Topic, 0, recordTime + 2);
        await SawOffsetAsync("after the last record's time", Topic, 0, recordTime + 1_000_000);
        await SawOffsetAsync("latest of an unknown partition", Topic, 7, OffsetAt.Latest.Timestamp);
        await SawOffsetAsync("latest of an unknown topic", "nowhere", 0, OffsetAt.Latest.Timestamp);
        await SawOffsetAsync("latest in a future epoch", Topic, 0, OffsetAt.Latest.Timestamp, epoch: 99);
    }

    /// <remarks>Kafka asks for no more replicas in sync than there are.</remarks>
    private async Task MoreInSyncThanReplicasAsync()
    {
        await SawProduceAsync("produce with acks=all to one replica of two in sync", SafeTopic, 0, Batch("a"), acks: -1);
        await SawProduceAsync("produce with acks=1 to one replica of two in sync", SafeTopic, 0, Batch("b"), acks: 1);
        await SawOffsetAsync("latest of one replica of two in sync", SafeTopic, 0, OffsetAt.Latest.Timestamp);
        await FetchAsync("fetch of one replica of two in sync", SafeTopic, 0, 0);
    }

    private async Task OlderVersionsAsync()
    {
        foreach (short version in new short[] { 3, 5, 7, 8, 9, 11 })
            Saw($"produce v{version}", Brief(await ProduceAsync(Topic, 0, Batch($"v{version}"), -1, version)));
        foreach (short version in new short[] { 4, 7, 9, 11 }) await FetchAsync($"fetch v{version}", Topic, 0, 0, version: version);
        foreach (short version in new short[] { 1, 2, 4, 5, 6 }) await SawOffsetAsync($"latest v{version}", Topic, 0, OffsetAt.Latest.Timestamp, version: version);
    }

    /// <summary>Times that the broker gives, codecs, keys, and how long a reader is willing to wait for how much.</summary>
    private async Task StampingAsync()
    {
        const string Stamped = "stamped";
        await CreateAsync("create for the broker's times", new CreatableTopic { Name = Stamped, NumPartitions = 1, ReplicationFactor = 1, Configs = [new() { Name = "message.timestamp.type", Value = "LogAppendTime" }] });
        await UntilAsync(() => DescribeAsync(Stamped), static answer => answer is { ErrorCode: ErrorCode.None, Partitions: [{ LeaderId: >= 0 }] });
        var stamped = await ProduceAsync(Stamped, 0, Batch("a", "b"));
        var answer = await AskToReadAsync(Stamped, 0, 0, leastBytes: 1, TimeSpan.FromMilliseconds(100));
        foreach (var batch in new RecordBatches(answer.Records ?? default))
            Saw("produce for the broker's times", $"{stamped.ErrorCode}, later than the record's {stamped.LogAppendTimeMs > recordTime + 1000}, stored {batch.IsLogAppendTime} with it {batch.MaxTimestamp == stamped.LogAppendTimeMs}, sound {batch.HasValidCrc} '{ValuesOf(batch)}'");
        Saw("produce for the producer's times", $"{(await ProduceAsync(Topic, 0, Batch("t"))).LogAppendTimeMs}");

        foreach (var codec in new byte[] { 5, 7 }) await SawProduceAsync($"produce in codec {codec}", Stamped, 0, InCodec(codec, Batch("x")));
        Saw("produce in zstd, v6", Brief(await ProduceAsync(Stamped, 0, InCodec(4, Batch("x")), version: 6)));
        await SawProduceAsync("produce with a producer id and without a number", Stamped, 0, Builder("x", batch => (batch.ProducerId, batch.ProducerEpoch, batch.BaseSequence) = (1, 0, -1)));
        var keyless = await ProduceAsync(CompactedTopic, 0, Batch("x", "y"));
        Saw("produce without keys to a compacted topic", $"{keyless.ErrorCode}, {Join(keyless.RecordErrors.Select(static error => $"{error.BatchIndex}"))}");

        foreach (var least in new[] { 0, 1, 1 << 20 })
        {
            var began = host.Time.Monotonic();
            var data = await AskToReadAsync(Stamped, 0, 0, least, TimeSpan.FromMilliseconds(500));
            Saw($"fetch at least {least} bytes", $"{data.ErrorCode}, {(least > 1 ? $"waits {host.Time.Monotonic() - began >= TimeSpan.FromMilliseconds(450)}, " : "")}records {data.Records is { Length: > 0 }}");
        }
    }

    private async Task<FetchResponse.PartitionData> AskToReadAsync(string topic, int partition, long offset, int leastBytes, TimeSpan wait)
    {
        var asked = new FetchPartition { Partition = partition, FetchOffset = offset, CurrentLeaderEpoch = -1, PartitionMaxBytes = 1 << 20 };
        var request = new FetchRequest { MaxWaitMs = (int)wait.TotalMilliseconds, MinBytes = leastBytes, MaxBytes = 1 << 21, Topics = [new FetchTopic { Topic = topic, Partitions = [asked] }] };
        return (await AskAsync<FetchRequest, FetchResponse>(request)).Responses.Single().Partitions.Single();
    }

    private static byte[] InCodec(byte codec, byte[] batch)
    {
        const int CrcAt = 17, AttributesAt = 21;
        batch[AttributesAt + 1] |= codec;
        BinaryPrimitives.WriteUInt32BigEndian(batch.AsSpan(CrcAt), Crc32C.Compute(batch.AsSpan(AttributesAt)));
        return batch;
    }

    private async Task SawProduceAsync(string step, string topic, int partition, byte[] records, short acks = -1) => Saw(step, Brief(await ProduceAsync(topic, partition, records, acks)));

    private static FormattableString Brief(PartitionProduceResponse answer) => $"{answer.ErrorCode}, base offset {answer.BaseOffset}";

    private async Task<PartitionProduceResponse> ProduceAsync(string topic, int partition, byte[] records, short acks = -1, short? version = null) =>
        (await AskAsync<ProduceRequest, ProduceResponse>(ProduceRequest(topic, partition, records, acks), version)).Responses.Single().PartitionResponses.Single();

    private static ProduceRequest ProduceRequest(string topic, int partition, byte[] records, short acks) => new()
    {
        Acks = acks,
        TimeoutMs = 10_000,
        TopicData = [new TopicProduceData { Name = topic, PartitionData = [new PartitionProduceData { Index = partition, Records = records }] }],
    };

    private Task<InitProducerIdResponse> InitProducerIdAsync() =>
        AskAsync<InitProducerIdRequest, InitProducerIdResponse>(new InitProducerIdRequest { TransactionalId = null, TransactionTimeoutMs = 60_000 });

    private async Task FetchAsync(string step, string topic, int partition, long offset, int epoch = -1, int maxBytes = 1 << 20, short? version = null)
    {
        var asked = new FetchPartition { Partition = partition, CurrentLeaderEpoch = epoch, FetchOffset = offset, PartitionMaxBytes = maxBytes };
        var answer = await AskAsync<FetchRequest, FetchResponse>(new FetchRequest { MaxWaitMs = 100, MinBytes = 1, MaxBytes = maxBytes, Topics = [new FetchTopic { Topic = topic, Partitions = [asked] }] }, version);
        var data = answer.Responses.Single().Partitions.Single();
        List<string> batches = [];
        foreach (var batch in new RecordBatches(data.Records ?? default)) batches.Add($"{batch.BaseOffset}-{batch.LastOffset} epoch {batch.PartitionLeaderEpoch} '{ValuesOf(batch)}'");
        Saw(step, $"{data.ErrorCode}, high watermark {data.HighWatermark}, {Join(batches)}");
    }

    private static string ValuesOf(RecordBatch batch)
    {
        List<string> values = [];
        foreach (var record in batch.Records) values.Add(ScriptedCluster.Text(record.Value));
        return string.Join(' ', values);
    }

    private async Task SawOffsetAsync(string step, string topic, int partition, long timestamp, int epoch = -1, short? version = null)
    {
        var found = await ListAsync(topic, partition, timestamp, epoch, version);
        Saw(step, $"{found.ErrorCode}, offset {found.Offset}, epoch {found.LeaderEpoch}, time {(found.Timestamp >= 0 ? $"+{found.Timestamp - recordTime}" : found.Timestamp)}");
    }

    private async Task<ListOffsetsPartitionResponse> ListAsync(string topic, int partition, long timestamp, int epoch = -1, short? version = null)
    {
        var asked = new ListOffsetsPartition { PartitionIndex = partition, CurrentLeaderEpoch = epoch, Timestamp = timestamp };
        var answer = await AskAsync<ListOffsetsRequest, ListOffsetsResponse>(
            new ListOffsetsRequest { ReplicaId = -1, Topics = [new ListOffsetsTopic { Name = topic, Partitions = [asked] }] }, version);
        return answer.Topics.Single().Partitions.Single();
    }

    /// <summary>A batch whose records are a millisecond apart.</summary>
    private byte[] Batch(params string[] values) => Numbered(-1, -1, -1, values);

    private byte[] Numbered(long producerId, short producerEpoch, int sequence, params string[] values)
    {
        var builder = new RecordBatchBuilder { ProducerId = producerId, ProducerEpoch = producerEpoch, BaseSequence = sequence };
        for (var i = 0; i < values.Length; i++) builder.Append(recordTime + i, null, ScriptedCluster.Bytes(values[i]));
        return builder.ToArray();
    }

    private byte[] Builder(string value, Action<RecordBatchBuilder> change)
    {
        var builder = new RecordBatchBuilder();
        change(builder);
        return builder.Append(recordTime, null, ScriptedCluster.Bytes(value)).ToArray();
    }

    private byte[] WithMagic(byte magic)
    {
        const int magicAt = 16;
        var batch = Batch("x");
        batch[magicAt] = magic;
        return batch;
    }

    private static byte[] Changed(byte[] batch, Index at)
    {
        batch[at] ^= 1;
        return batch;
    }
}
