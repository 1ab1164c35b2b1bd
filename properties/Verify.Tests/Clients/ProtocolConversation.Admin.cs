using Broker.Protocol;
using Verify.Clients;

namespace Verify.Tests.Clients;

/// <summary>This part: settings told, topics that grow, logs whose start moves.</summary>
public sealed partial class ProtocolConversation
{
    private const string GrowingTopic = "growing", CompactedTopic = "compacted", TrimmedTopic = "trimmed";
    private const sbyte BrokerResource = 4;

    private async Task SettingsToldAsync()
    {
        await CreateAsync("create with a setting of its own", new CreatableTopic { Name = GrowingTopic, NumPartitions = 1, ReplicationFactor = 1, Configs = [new() { Name = "retention.ms", Value = "3600000" }] });
        await UntilAsync(() => DescribeAsync(GrowingTopic), static answer => answer is { ErrorCode: ErrorCode.None, Partitions: [{ LeaderId: >= 0 }, ..] });
        var all = await TellAsync(new() { ResourceType = TopicResource, ResourceName = GrowingTopic, ConfigurationKeys = null }, 4);
        foreach (var config in all.Configs.OrderBy(static config => config.Name, StringComparer.Ordinal)) Saw("tell a setting", $"{Told(config)}");

        foreach (short version in new short[] { 1, 2, 3 })
            await TellAsync($"tell a setting, v{version}", TopicResource, GrowingTopic, ["retention.ms", "flush.messages"], version);
        await TellAsync("tell settings without what they hide", TopicResource, GrowingTopic, ["retention.ms", "min.insync.replicas"], synonyms: false);
        await TellAsync("tell an unknown setting", TopicResource, GrowingTopic, ["no.such.setting"]);
        Saw("tell no settings", $"{(await TellAsync(new() { ResourceType = TopicResource, ResourceName = GrowingTopic, ConfigurationKeys = [] }, 4)).Configs.Count == all.Configs.Count}");
        await TellAsync("tell the settings of an unknown topic", TopicResource, "nowhere", null);
        await TellAsync("tell the settings of an ill-formed name", TopicResource, "a b", null);
        await TellAsync("tell the settings of an unknown kind of resource", 77, GrowingTopic, null);
        await TellAsync("tell settings of a broker", BrokerResource, "1", ["log.segment.bytes", "log.roll.ms", "log.roll.hours", "log.flush.interval.ms", "min.insync.replicas", "unclean.leader.election.enable"]);
        await TellAsync("tell settings of all brokers", BrokerResource, "", null);
        await TellAsync("tell settings of another broker", BrokerResource, "77", null);
        await TellAsync("tell settings of a broker without a number", BrokerResource, "x", null);

        await AlterAsync("alter a setting to be told", GrowingTopic, [("retention.ms", Delete, null), ("cleanup.policy", Append, "compact")]);
        var altered = await UntilAsync(
            () => TellAsync(new() { ResourceType = TopicResource, ResourceName = GrowingTopic, ConfigurationKeys = ["retention.ms", "cleanup.policy"] }, 4),
            static answer => answer.Configs.Exists(static config => config is { Name: "retention.ms", ConfigSource: 5 }));
        Saw("tell the altered settings", $"{Join(altered.Configs.OrderBy(static config => config.Name, StringComparer.Ordinal).Select(Told))}");
        await AlterAsync("alter it back", GrowingTopic, [("cleanup.policy", Delete, null)]);
    }

    private async Task TellAsync(string step, sbyte kind, string name, List<string>? keys, short version = 4, bool synonyms = true)
    {
        var told = await TellAsync(new() { ResourceType = kind, ResourceName = name, ConfigurationKeys = keys }, version, synonyms);
        var readOnly = kind == BrokerResource;                         // brokers' settings cannot be altered here, some of Kafka's can
        foreach (var config in told.Configs) config.ReadOnly |= readOnly;
        Saw(step, $"{told.ErrorCode}, says something {told.ErrorMessage is { Length: > 0 }}, {Join(told.Configs.OrderBy(static config => config.Name, StringComparer.Ordinal).Select(Told))}");
    }

    private async Task<DescribeConfigsResponse.DescribeConfigsResult> TellAsync(DescribeConfigsRequest.DescribeConfigsResource resource, short version, bool synonyms = true) =>
        (await AskAsync<DescribeConfigsRequest, DescribeConfigsResponse>(new DescribeConfigsRequest { Resources = [resource], IncludeSynonyms = synonyms }, version)).Results.Single();

    /// <remarks>Whether min.insync.replicas stands in a broker's own file as well may differ: all brokers together have set it in any case.</remarks>
    private static string Told(DescribeConfigsResponse.DescribeConfigsResourceResult config) =>
        $"{config.Name}={config.Value ?? "null"} from {config.ConfigSource} read-only {config.ReadOnly} sensitive {config.IsSensitive} type {config.ConfigType} {Join(config.Synonyms.Where(static synonym => synonym is not { Name: "min.insync.replicas", Source: 4 }).Select(static synonym => $"{synonym.Source} {synonym.Name}={synonym.Value}"))}";

    private async Task GrowthAsync()
    {
        foreach (short version in new short[] { 0, 1, 2, 3 }) await GrowAsync($"grow to as many, v{version}", new() { Name = GrowingTopic, Count = 1 }, version: version);
        await GrowAsync("grow to none", new() { Name = GrowingTopic, Count = 0 });
        await GrowAsync("grow to fewer than none", new() { Name = GrowingTopic, Count = -1 });
        await GrowAsync("grow, only to see", new() { Name = GrowingTopic, Count = 3 }, onlyToSee: true);
        await GrowAsync("grow to three", new() { Name = GrowingTopic, Count = 3 });
        await GrowAsync("grow to fewer", new() { Name = GrowingTopic, Count = 2 });
        await GrowAsync("grow an unknown topic", new() { Name = "nowhere", Count = 2 });
        await GrowAsync("grow an ill-formed name", new() { Name = "a b", Count = 2 });
        await GrowAsync("grow by an assignment", Assigned(4, [1]));
        await GrowAsync("grow by too few assignments", Assigned(6, [1]));
        await GrowAsync("grow by too many assignments", Assigned(5, [1], [1]));
        await GrowAsync("grow to an unknown broker", Assigned(5, [77]));
        await GrowAsync("grow to one broker twice", Assigned(5, [1, 1]));
        await GrowAsync("grow to no broker", Assigned(5, new List<int>()));
        var twice = await AskAsync<CreatePartitionsRequest, CreatePartitionsResponse>(new CreatePartitionsRequest { Topics = [Plain(9), Plain(9)], TimeoutMs = 10_000 });
        Saw("grow twice in one request", $"{Join(twice.Results.Select(static result => $"{result.Name} {result.ErrorCode}"))}");
        var grown = await UntilAsync(() => DescribeAsync(GrowingTopic), static answer => answer.Partitions.Count(static partition => partition.LeaderId >= 0) == 4);
        Saw("describe what has grown", $"{Join(grown.Partitions.OrderBy(static p => p.PartitionIndex).Select(static p => $"{p.PartitionIndex} {p.ErrorCode} epoch {p.LeaderEpoch} in sync {p.IsrNodes.Count}"))}");
        await SawProduceAsync("produce to a new partition", GrowingTopic, 3, Batch("n"));

        static CreatePartitionsRequest.CreatePartitionsTopic Plain(int count) => new() { Name = GrowingTopic, Count = count, Assignments = null };
        static CreatePartitionsRequest.CreatePartitionsTopic Assigned(int count, params List<int>[] brokers) =>
            new() { Name = GrowingTopic, Count = count, Assignments = [.. brokers.Select(static ids => new CreatePartitionsRequest.CreatePartitionsAssignment { BrokerIds = ids })] };
    }

    private async Task GrowAsync(string step, CreatePartitionsRequest.CreatePartitionsTopic topic, bool onlyToSee = false, short? version = null)
    {
        if (topic.Assignments is { Count: 0 }) topic.Assignments = null;
        var answer = await AskAsync<CreatePartitionsRequest, CreatePartitionsResponse>(new CreatePartitionsRequest { Topics = [topic], TimeoutMs = 10_000, ValidateOnly = onlyToSee }, version);
        Saw(step, $"{Join(answer.Results.Select(static result => $"{result.Name} {result.ErrorCode} has a message {result.ErrorMessage is not null}"))}");
    }

    private async Task TrimmingAsync()
    {
        await CreateAsync("create to be trimmed", new CreatableTopic { Name = TrimmedTopic, NumPartitions = 1, ReplicationFactor = 1 });
        await CreateAsync("create to be compacted", new CreatableTopic { Name = CompactedTopic, NumPartitions = 1, ReplicationFactor = 1, Configs = [new() { Name = "cleanup.policy", Value = "compact" }] });
        foreach (var topic in new[] { TrimmedTopic, CompactedTopic })
            await UntilAsync(() => DescribeAsync(topic), static answer => answer is { ErrorCode: ErrorCode.None, Partitions: [{ LeaderId: >= 0 }, ..] });
        foreach (var values in new string[][] { ["a"], ["b"], ["c", "d", "e"], ["f"] }) await UntilAsync(() => ProduceAsync(TrimmedTopic, 0, Batch(values)), static answer => answer.ErrorCode is ErrorCode.None);

        await TrimAsync("delete no records", TrimmedTopic, 0, 0);
        await TrimAsync("delete records below 2", TrimmedTopic, 0, 2, version: 0);
        await SawTrimmedAsync("at 2");
        await TrimAsync("delete records below what is deleted", TrimmedTopic, 0, 1, version: 1);
        await TrimAsync("delete records below the middle of a batch", TrimmedTopic, 0, 3, version: 2);
        await SawTrimmedAsync("at 3");
        await TrimAsync("delete records past the end", TrimmedTopic, 0, 7);
        await TrimAsync("delete records below -2", TrimmedTopic, 0, -2);
        await TrimAsync("delete records of an unknown partition", TrimmedTopic, 7, 0);
        await TrimAsync("delete records of an unknown topic", "nowhere", 0, 0);
        await TrimAsync("delete records of an ill-formed name", "a b", 0, 0);
        await TrimAsync("delete records of groups", "__consumer_offsets", 0, 0);
        await TrimAsync("delete records of a compacted topic", CompactedTopic, 0, 0);
        await TrimAsync("delete all records", TrimmedTopic, 0, -1);
        await SawTrimmedAsync("at 6");
        await EpochEndAsync("end of epoch 0 where all is deleted", TrimmedTopic, 0, current: 0, epoch: 0);
        await SawProduceAsync("produce where all is deleted", TrimmedTopic, 0, Batch("g"));
        await FetchAsync("fetch where all before is deleted", TrimmedTopic, 0, 6);
        await TrimAsync("delete nothing more", TrimmedTopic, 0, 6);
    }

    private async Task SawTrimmedAsync(string where)
    {
        await SawOffsetAsync($"earliest, trimmed {where}", TrimmedTopic, 0, OffsetAt.Earliest.Timestamp);
        await SawOffsetAsync($"latest, trimmed {where}", TrimmedTopic, 0, OffsetAt.Latest.Timestamp);
        await SawOffsetAsync($"by time, trimmed {where}", TrimmedTopic, 0, recordTime);
        for (var offset = 1; offset <= 6; offset++) await FetchAsync($"fetch from {offset}, trimmed {where}", TrimmedTopic, 0, offset);
    }

    private async Task TrimAsync(string step, string topic, int partition, long offset, short? version = null)
    {
        var asked = new DeleteRecordsRequest.DeleteRecordsPartition { PartitionIndex = partition, Offset = offset };
        var answer = await AskAsync<DeleteRecordsRequest, DeleteRecordsResponse>(
            new DeleteRecordsRequest { Topics = [new DeleteRecordsRequest.DeleteRecordsTopic { Name = topic, Partitions = [asked] }], TimeoutMs = 10_000 }, version);
        Saw(step, $"{Join(answer.Topics.SelectMany(static topic => topic.Partitions).Select(static result => $"{result.PartitionIndex} {result.ErrorCode} low watermark {result.LowWatermark}"))}");
    }
}
