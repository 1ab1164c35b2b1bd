using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

// Confluent.Kafka behind JSON lines: one call a line in, one answer a line out.
foreach (var name in new[] { "librdkafka.so.1", "librdkafka.1.dylib", "librdkafka" })
    if (NativeLibrary.TryLoad(name, out var handle))
    {
        NativeLibrary.SetDllImportResolver(typeof(Message<,>).Assembly, (wanted, _, _) => wanted == "librdkafka" ? handle : 0);
        break;
    }

var client = new Calls(Environment.GetEnvironmentVariable("BOOTSTRAP") ?? "127.0.0.1:9092");
while (Console.ReadLine() is { } line)
{
    var answer = new JsonObject();
    try
    {
        answer["result"] = client.Answer(JsonNode.Parse(line)!);
    }
    catch (NotSupportedException reason)
    {
        answer["notOffered"] = reason.Message;
    }
    catch (Exception error) when (error is KafkaException or TimeoutException or AggregateException)
    {
        var cause = error is AggregateException many ? many.InnerException! : error;
        answer["error"] = $"{cause.GetType().Name}: {cause.Message} {(cause as DeleteRecordsException)?.Results[0].Error}".Trim();
    }
    Console.WriteLine(answer.ToJsonString());
}

/// <summary>What the script asks for, in Confluent.Kafka's words.</summary>
internal sealed class Calls(string bootstrap)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);
    private readonly Dictionary<string, IProducer<string?, string?>> producers = [];
    private readonly List<Member> members = [];

    private sealed class Member(IConsumer<string?, string?> consumer)
    {
        public IConsumer<string?, string?> Consumer => consumer;

        public int Rebalances { get; set; }
    }

    public JsonNode? Answer(JsonNode call) => (string)call["call"]! switch
    {
        "version" => $"{typeof(Message<,>).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0]} with librdkafka {Library.VersionString}",
        "create" => Admin(admin => admin.CreateTopicsAsync([new TopicSpecification { Name = Topic(call), NumPartitions = (int)call["partitions"]!, ReplicationFactor = 3, Configs = call["configs"].Deserialize<Dictionary<string, string>>() }])),
        "describe" => Describe(Topic(call)),
        "delete" => Admin(admin => admin.DeleteTopicsAsync([Topic(call)])),
        "grow" => Admin(admin => admin.CreatePartitionsAsync([new PartitionsSpecification { Topic = Topic(call), IncreaseTo = (int)call["partitions"]! }])),
        "produce" => Produce(call),
        "transact" => Transact(call),
        "read" => Read(call),
        "offsetAt" => OffsetAt(call),
        "ends" => Ends(call),
        "join" => Join(call),
        "poll" => Poll(members[(int)call["member"]!], TimeSpan.FromMilliseconds((int)call["ms"]!)),
        "commit" => Commit(members[(int)call["member"]!]),
        "leave" => Leave(members[(int)call["member"]!]),
        "groups" => Asked(admin => new JsonArray([.. admin.ListGroups(Patience).Select(static group => (JsonNode)group.Group)])),
        "group" => Asked(admin => admin.ListGroup((string)call["group"]!, Patience) is var group ? new JsonArray(group.State, group.Members.Count) : null),
        "deleteGroup" => Admin(admin => admin.DeleteGroupsAsync([(string)call["group"]!])),
        "reset" => Reset(call),
        "deleteRecords" => Admin(admin => admin.DeleteRecordsAsync([new TopicPartitionOffset(Topic(call), (int)call["partition"]!, (long)call["before"]!)])),
        "configs" => Asked(admin => new JsonObject(admin.DescribeConfigsAsync([Resource(call)]).Result[0].Entries.Select(static entry => KeyValuePair.Create(entry.Key, (JsonNode?)entry.Value.Value)))),
        "alter" => Admin(admin => admin.AlterConfigsAsync(new() { [Resource(call)] = [new ConfigEntry { Name = (string)call["name"]!, Value = (string)call["value"]! }] })),
        var other => throw new NotSupportedException(other),
    };

    private static string Topic(JsonNode call) => (string)call["topic"]!;

    private static TopicPartition Partition(JsonNode call) => new(Topic(call), (int)call["partition"]!);

    private static ConfigResource Resource(JsonNode call) => new() { Type = ResourceType.Topic, Name = Topic(call) };

    private JsonNode? Admin(Func<IAdminClient, Task> ask) => Asked(admin =>
    {
        ask(admin).Wait();
        return null;
    });

    private JsonNode? Asked(Func<IAdminClient, JsonNode?> ask)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = bootstrap }).Build();
        return ask(admin);
    }

    private JsonNode? Describe(string name) => Asked(admin => admin.GetMetadata(Patience).Topics.SingleOrDefault(topic => topic.Topic == name) is not { } found ? null
        : new JsonArray([.. found.Partitions.Select(static p => new JsonObject { ["partition"] = p.PartitionId, ["leader"] = p.Leader, ["replicas"] = Numbers(p.Replicas), ["isr"] = Numbers(p.InSyncReplicas) })]));

    private static JsonArray Numbers(IEnumerable<int> numbers) => new([.. numbers.Select(static number => (JsonNode)number)]);

    private JsonArray Produce(JsonNode call)
    {
        var (acks, idempotent, compression) = ((string)call["acks"]!, (bool)call["idempotent"]!, (string)call["compression"]!);
        if (!producers.TryGetValue($"{acks} {idempotent} {compression}", out var producer))
        {
            var settings = new ProducerConfig { BootstrapServers = bootstrap, Acks = acks switch { "0" => Acks.None, "1" => Acks.Leader, _ => Acks.All }, EnableIdempotence = idempotent, CompressionType = Enum.Parse<CompressionType>(compression, ignoreCase: true), LingerMs = 5 };
            producers[$"{acks} {idempotent} {compression}"] = producer = new ProducerBuilder<string?, string?>(settings).Build();
        }
        var sent = call["records"]!.AsArray().Select(one =>
        {
            var message = new Message<string?, string?> { Key = (string?)one!["key"], Value = (string?)one["value"], Headers = [] };
            foreach (var header in one["headers"]!.AsArray()) message.Headers.Add((string)header![0]!, Encoding.UTF8.GetBytes((string)header[1]!));
            if (one["timestamp"] is { } at) message.Timestamp = new Timestamp((long)at, TimestampType.CreateTime);
            return producer.ProduceAsync(new TopicPartition(Topic(call), (int)one["partition"]!), message);
        }).ToArray();
        Task.WaitAll(sent, Patience);
        return new([.. sent.Select(static one => (JsonNode)one.Result.Offset.Value)]);
    }

    private JsonNode? Transact(JsonNode call)
    {
        var patience = Patience / 2;
        if (!producers.TryGetValue("transactional", out var producer))
        {
            producers["transactional"] = producer = new ProducerBuilder<string?, string?>(new ProducerConfig { BootstrapServers = bootstrap, TransactionalId = Topic(call), TransactionTimeoutMs = 20_000 }).Build();
            producer.InitTransactions(patience);
        }
        producer.BeginTransaction();
        foreach (var one in call["records"]!.AsArray()) producer.Produce(new TopicPartition(Topic(call), (int)one!["partition"]!), new Message<string?, string?> { Value = (string?)one["value"] });
        if ((bool)call["commit"]!) producer.CommitTransaction(patience);
        else producer.AbortTransaction(patience);
        return null;
    }

    private IConsumer<string?, string?> Consumer(string group = "unused by assign", string? instance = null, Action? assigned = null) => new ConsumerBuilder<string?, string?>(new ConsumerConfig
    {
        BootstrapServers = bootstrap,
        GroupId = group,
        GroupInstanceId = instance,
        EnableAutoCommit = false,
        AutoOffsetReset = AutoOffsetReset.Earliest,
        SessionTimeoutMs = 10_000,
    }).SetPartitionsAssignedHandler((_, _) => assigned?.Invoke()).Build();

    private static JsonObject Record(ConsumeResult<string?, string?> read) => new()
    {
        ["value"] = read.Message.Value,
        ["key"] = read.Message.Key,
        ["headers"] = new JsonArray([.. read.Message.Headers.Select(static header => new JsonArray(header.Key, Encoding.UTF8.GetString(header.GetValueBytes())))]),
        ["partition"] = read.Partition.Value,
        ["timestamp"] = read.Message.Timestamp.UnixTimestampMs,
        ["offset"] = read.Offset.Value,
    };

    private JsonArray Read(JsonNode call)
    {
        using var consumer = Consumer();
        consumer.Assign(new TopicPartitionOffset(Partition(call), (long)call["start"]!));
        var read = new JsonArray();
        while (read.Count < (int)call["count"]! && consumer.Consume(Patience) is { } consumed) read.Add(Record(consumed));
        return read;
    }

    private JsonNode? OffsetAt(JsonNode call)
    {
        using var consumer = Consumer();
        var found = consumer.OffsetsForTimes([new TopicPartitionTimestamp(Partition(call), new Timestamp((long)call["ms"]!, TimestampType.CreateTime))], Patience)[0];
        return found.Offset.Value < 0 ? null : found.Offset.Value;
    }

    private JsonArray Ends(JsonNode call)
    {
        using var consumer = Consumer();
        var ends = consumer.QueryWatermarkOffsets(Partition(call), Patience);
        return new(ends.Low.Value, ends.High.Value);
    }

    private JsonNode Join(JsonNode call)
    {
        Member? member = null;
        var consumer = Consumer((string)call["group"]!, (string?)call["instance"], () => member!.Rebalances++);
        member = new(consumer);
        consumer.Subscribe(Topic(call));
        members.Add(member);
        return members.Count - 1;
    }

    private static JsonObject Poll(Member member, TimeSpan patience)
    {
        var (records, end) = (new JsonArray(), DateTime.UtcNow + patience);
        while (end - DateTime.UtcNow is { Ticks: > 0 } left)
            if (member.Consumer.Consume(left) is { } consumed) records.Add(Record(consumed));
        return new() { ["records"] = records, ["assignment"] = Numbers(member.Consumer.Assignment.Select(static p => p.Partition.Value)), ["rebalances"] = member.Rebalances };
    }

    private static JsonNode? Commit(Member member)
    {
        member.Consumer.Commit();
        return null;
    }

    private static JsonNode? Leave(Member member)
    {
        member.Consumer.Close();
        member.Consumer.Dispose();
        return null;
    }

    private JsonNode? Reset(JsonNode call)
    {
        using var consumer = Consumer((string)call["group"]!);
        consumer.Commit([new TopicPartitionOffset(Partition(call), (long)call["offset"]!)]);
        return null;
    }
}
