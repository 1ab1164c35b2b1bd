using Broker.Protocol;
using Broker.Runtime;

namespace Verify.Tests.Clients;

/// <summary>What happens to one produce request at the broker that gets it.</summary>
/// <param name="Appends">Whether its batch gets into the log (if its sequence is right).</param>
/// <param name="Error">The answer's error instead of the true one.</param>
/// <param name="Answers">False: no answer ever comes.</param>
/// <param name="Hangs">The connection closes after it.</param>
internal sealed record Fate(bool Appends = true, ErrorCode? Error = null, bool Answers = true, bool Hangs = false)
{
    public static readonly Fate Fine = new();
    public static readonly Fate AppendedSilence = new(Answers: false);
    public static readonly Fate Silence = new(Appends: false, Answers: false);
    public static readonly Fate AppendedHangUp = new(Answers: false, Hangs: true);
    public static readonly Fate HangUp = new(Appends: false, Answers: false, Hangs: true);

    public static Fate Refused(ErrorCode error) => new(Appends: false, Error: error);

    public static Fate AppendedBut(ErrorCode error) => new(Error: error);
}

/// <summary>One record in a partition's log.</summary>
internal sealed record LogEntry(long Offset, int Epoch, string Value, long ProducerId, short ProducerEpoch, int Sequence);

/// <summary>
/// Three brokers that speak the protocol over scripted connections, sharing one log per partition: what the leader says is what is. Produce requests meet the fates that a test
/// lines up; everything else is answered truly.
/// </summary>
internal sealed class ScriptedCluster(VirtualLoop loop)
{
    public const string Topic = "t";

    private static readonly TimeSpan Latency = TimeSpan.FromMilliseconds(1);

    private readonly List<ScriptedConnection> connections = [];
    private long nextProducerId = 4000;

    public static IReadOnlyList<Endpoint> Bootstrap => [At(1), At(2), At(3)];

    public TimeProvider Time => loop.Time;

    public int Leader { get; private set; } = 1;

    public int LeaderEpoch { get; private set; }

    public int Partitions { get; set; } = 2;

    public HashSet<int> Down { get; } = [];

    /// <summary>Broker versions offered for Produce; null: all that are spoken.</summary>
    public VersionRange? ProduceVersions { get; set; }

    public Queue<Fate> Fates { get; } = new();

    /// <summary>The fate of each request by its first record, where no fates are lined up; null: fine.</summary>
    public Func<string, Fate>? FateOf { get; set; }

    /// <summary>Brokers whose answers to fetches take so much longer.</summary>
    public Dictionary<int, TimeSpan> Slow { get; } = [];

    /// <summary>With which producer ids begin.</summary>
    public short FirstProducerEpoch { get; set; }

    /// <summary>What commits are answered.</summary>
    public ErrorCode CommitError { get; set; }

    public List<LogEntry> Log { get; } = [];

    public long LogStartOffset { get; set; }

    public Guid TopicId { get; set; } = new(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);

    /// <summary>Every request that arrived, by broker, in order.</summary>
    public List<(int Broker, IMessage Request)> Requests { get; } = [];

    public int InitProducerIdFailures { get; set; }

    public Func<CreateTopicsRequest, ErrorCode?>? OnCreateTopic { get; set; }

    public IEnumerable<ProduceRequest> Produces => Requests.Select(r => r.Request).OfType<ProduceRequest>();

    public IEnumerable<string> Values => Log.Select(entry => entry.Value);

    public static Endpoint At(int broker) => new($"b{broker}", 9092);

    public Task LatencyAsync() => Time.DelayAsync(Latency);

    public IConnection? Connect(Endpoint endpoint)
    {
        var broker = endpoint.Host[1] - '0';
        if (Down.Contains(broker)) return null;
        var connection = new ScriptedConnection(this, broker, endpoint);
        connections.Add(connection);
        return connection;
    }

    /// <summary>The topic is deleted and made anew under its name.</summary>
    public void Recreate(int leader)
    {
        (TopicId, Leader, LeaderEpoch) = (new Guid(TopicId.ToByteArray().Reverse().ToArray()), leader, 0);
        Log.Clear();
    }

    public void MoveLeader(int to)
    {
        Leader = to;
        LeaderEpoch++;
    }

    public void Kill(int broker)
    {
        Down.Add(broker);
        foreach (var connection in connections.Where(c => c.Broker == broker)) connection.Close();
    }

    public void Append(string value) => Log.Add(new LogEntry(Log.Count, LeaderEpoch, value, -1, -1, -1));

    public void TruncateTo(long offset) => Log.RemoveAll(entry => entry.Offset >= offset);

    /// <summary>The answer's frame; null for none.</summary>
    public async Task<byte[]?> ServeAsync(int broker, byte[] frame, Action hangUp)
    {
        var header = RequestFrame.ReadHeader(frame);
        if (header.Key is ApiKey.Produce && ProduceVersions is { } spoken && (header.Version < spoken.Min || header.Version > spoken.Max))
        {
            hangUp();                                                  // as Kafka does
            return null;
        }
        var request = RequestFrame.Decode(frame, header);
        Requests.Add((broker, request));
        IMessage? answer = request switch
        {
            ApiVersionsRequest => Versions(),
            MetadataRequest asked => Metadata(asked),
            InitProducerIdRequest => InitProducerIdFailures-- > 0 ? new InitProducerIdResponse { ErrorCode = ErrorCode.CoordinatorLoadInProgress } : new InitProducerIdResponse { ProducerId = nextProducerId++, ProducerEpoch = FirstProducerEpoch },
            FindCoordinatorRequest => new FindCoordinatorResponse { Coordinators = [new FindCoordinatorResponse.Coordinator { NodeId = 1, Host = At(1).Host, Port = At(1).Port }] },
            OffsetCommitRequest commit => new OffsetCommitResponse { Topics = [.. commit.Topics.Select(topic => new OffsetCommitResponseTopic { Name = topic.Name, Partitions = [.. topic.Partitions.Select(one => new PartitionError { PartitionIndex = one.PartitionIndex, ErrorCode = CommitError })] })] },
            ProduceRequest produced => Produce(broker, produced, hangUp),
            FetchRequest fetch => await FetchAsync(broker, fetch),
            ListOffsetsRequest list => ListOffsets(list),
            OffsetForLeaderEpochRequest asked => EpochEnd(asked),
            CreateTopicsRequest create => CreateTopic(create),
            _ => throw new InvalidOperationException($"{request} is not in the script"),
        };
        return answer is null ? null : ResponseFrame.Encode(answer, header.Key, header.Version, header.CorrelationId);
    }

    private ApiVersionsResponse Versions() => new()
    {
        ApiKeys = [.. Apis.All.Select(api => (api.Key, Range: api.Key is ApiKey.Produce && ProduceVersions is { } some ? some : api.Versions))
            .Select(api => new ApiVersion { ApiKey = api.Key, MinVersion = api.Range.Min, MaxVersion = api.Range.Max })],
    };

    private MetadataResponse Metadata(MetadataRequest asked) => new()
    {
        ControllerId = 1,
        Brokers = [.. Enumerable.Range(1, 3).Where(id => !Down.Contains(id)).Select(id => new MetadataResponseBroker { NodeId = id, Host = At(id).Host, Port = At(id).Port })],
        Topics = [.. (asked.Topics ?? []).Select(topic => topic.Name == Topic ? Described() : new MetadataResponseTopic { Name = topic.Name, ErrorCode = ErrorCode.UnknownTopicOrPartition })],
    };

    private MetadataResponseTopic Described() => new()
    {
        Name = Topic,
        TopicId = TopicId,
        Partitions = [.. Enumerable.Range(0, Partitions).Select(index => new MetadataResponsePartition
        {
            PartitionIndex = index, LeaderId = Leader, LeaderEpoch = LeaderEpoch, ReplicaNodes = [1, 2, 3], IsrNodes = [1, 2, 3],
        })],
    };

    private ProduceResponse? Produce(int broker, ProduceRequest request, Action hangUp)
    {
        var fate = Fates.TryDequeue(out var next) ? next : FateOf?.Invoke(FirstValue(request)) ?? Fate.Fine;
        var response = new ProduceResponse();
        foreach (var topic in request.TopicData)
        {
            var answered = new TopicProduceResponse { Name = topic.Name };
            response.Responses.Add(answered);
            foreach (var partition in topic.PartitionData)
            {
                var (error, offset) = broker != Leader ? (ErrorCode.NotLeaderOrFollower, -1L) : fate.Appends ? Append(partition.Records) : (ErrorCode.None, -1L);
                if (fate.Error is { } told) (error, offset) = (told, -1);
                answered.PartitionResponses.Add(new PartitionProduceResponse { Index = partition.Index, ErrorCode = error, BaseOffset = offset });
            }
        }
        if (fate.Hangs) hangUp();
        return fate.Answers && request.Acks != 0 ? response : null;
    }

    private static string FirstValue(ProduceRequest request)
    {
        RecordBatch.TryRead(request.TopicData[0].PartitionData[0].Records!.Value, out var batch, out _);
        foreach (var record in batch.Records) return Text(record.Value);
        throw new InvalidOperationException("a batch without records");
    }

    /// <summary>As a leader does for idempotent producers: duplicates are answered as before, gaps and old epochs refused.</summary>
    private (ErrorCode Error, long Offset) Append(ReadOnlyMemory<byte>? records)
    {
        var error = RecordBatch.ValidateProduced(records, out var batch);
        if (error is not ErrorCode.None) return (error, -1);
        if (batch.HasProducerId)
        {
            var mine = Log.Where(entry => entry.ProducerId == batch.ProducerId).ToList();
            if (mine.Find(e => e.ProducerEpoch == batch.ProducerEpoch && e.Sequence == batch.BaseSequence) is { } same) return (ErrorCode.None, same.Offset);
            if (mine.LastOrDefault() is { } last)
            {
                if (batch.ProducerEpoch < last.ProducerEpoch) return (ErrorCode.InvalidProducerEpoch, -1);
                var expected = batch.ProducerEpoch > last.ProducerEpoch ? 0 : last.Sequence + 1;
                if (batch.BaseSequence != expected) return (ErrorCode.OutOfOrderSequenceNumber, -1);
            }
        }
        var baseOffset = (long)Log.Count;
        var sequence = batch.BaseSequence;
        foreach (var record in batch.Records)
            Log.Add(new LogEntry(Log.Count, LeaderEpoch, Text(record.Value), batch.ProducerId, batch.ProducerEpoch, batch.HasProducerId ? sequence++ : -1));
        return (ErrorCode.None, baseOffset);
    }

    private async Task<FetchResponse> FetchAsync(int broker, FetchRequest request)
    {
        if (request.Topics.TrueForAll(t => t.Partitions.TrueForAll(p => broker == Leader && p.FetchOffset == Log.Count)))
            await Time.DelayAsync(TimeSpan.FromMilliseconds(request.MaxWaitMs));
        var response = new FetchResponse();
        foreach (var topic in request.Topics)
        {
            var answered = new FetchableTopicResponse { Topic = topic.Topic };
            response.Responses.Add(answered);
            foreach (var partition in topic.Partitions) answered.Partitions.Add(Fetch(broker, partition));
        }
        if (Slow.TryGetValue(broker, out var delay)) await Time.DelayAsync(delay);
        return response;
    }

    private FetchResponse.PartitionData Fetch(int broker, FetchPartition asked)
    {
        var data = new FetchResponse.PartitionData { PartitionIndex = asked.Partition, HighWatermark = Log.Count, ErrorCode = LeaderError(broker, asked.CurrentLeaderEpoch) };
        if (data.ErrorCode is not ErrorCode.None) return data;
        if (asked.FetchOffset > Log.Count || asked.FetchOffset < LogStartOffset) data.ErrorCode = ErrorCode.OffsetOutOfRange;
        else if (asked.Partition == 0) data.Records = Batches(asked.FetchOffset);
        return data;
    }

    private ErrorCode LeaderError(int broker, int claimedEpoch) =>
        broker != Leader ? ErrorCode.NotLeaderOrFollower
        : claimedEpoch >= 0 && claimedEpoch < LeaderEpoch ? ErrorCode.FencedLeaderEpoch
        : claimedEpoch > LeaderEpoch ? ErrorCode.UnknownLeaderEpoch
        : ErrorCode.None;

    private ReadOnlyMemory<byte> Batches(long from)
    {
        var bytes = new List<byte>();
        foreach (var entry in Log.Where(e => e.Offset >= from))
            bytes.AddRange(new RecordBatchBuilder { BaseOffset = entry.Offset, PartitionLeaderEpoch = entry.Epoch }.Append(0, null, Bytes(entry.Value)).ToArray());
        return bytes.ToArray();
    }

    private ListOffsetsResponse ListOffsets(ListOffsetsRequest request)
    {
        var asked = request.Topics[0].Partitions[0];
        var offset = asked.Timestamp == -2 ? LogStartOffset : Log.Count;
        return new ListOffsetsResponse
        {
            Topics = [new ListOffsetsTopicResponse { Name = Topic, Partitions = [new ListOffsetsPartitionResponse { PartitionIndex = asked.PartitionIndex, Offset = offset, LeaderEpoch = LeaderEpoch }] }],
        };
    }

    private OffsetForLeaderEpochResponse EpochEnd(OffsetForLeaderEpochRequest request)
    {
        var asked = request.Topics[0].Partitions[0];
        var epochs = Log.Where(e => e.Epoch <= asked.LeaderEpoch).ToList();
        var end = epochs.Count > 0 ? (Epoch: epochs[^1].Epoch, Offset: epochs[^1].Offset + 1) : (Epoch: -1, Offset: -1L);
        return new OffsetForLeaderEpochResponse
        {
            Topics = [new OffsetForLeaderTopicResult { Topic = Topic, Partitions = [new OffsetForLeaderEpochResponse.EpochEndOffset { Partition = asked.Partition, LeaderEpoch = end.Epoch, EndOffset = end.Offset }] }],
        };
    }

    private CreateTopicsResponse? CreateTopic(CreateTopicsRequest request) =>
        OnCreateTopic!(request) is { } error ? new CreateTopicsResponse { Topics = [new CreatableTopicResult { Name = request.Topics[0].Name, ErrorCode = error }] } : null;

    public static byte[] Bytes(string text) => System.Text.Encoding.UTF8.GetBytes(text);

    public static string Text(ReadOnlyMemory<byte>? bytes) => System.Text.Encoding.UTF8.GetString(bytes!.Value.Span);
}
