using Broker.Protocol;

namespace Verify.Tests.Clients;

/// <summary>This part: fetch sessions (KIP-227). Their ids are drawn; it is only seen whether one is given, and whether it is the one before.</summary>
public sealed partial class ProtocolConversation
{
    private const string SessionTopic = "sessions";

    private async Task SessionsAsync()
    {
        await CreateAsync("create for sessions", new CreatableTopic { Name = SessionTopic, NumPartitions = 3, ReplicationFactor = 1 });
        var described = await UntilAsync(() => DescribeAsync(SessionTopic), static answer => answer.Partitions.Count(static partition => partition.LeaderId >= 0) == 3);
        foreach (var partition in new[] { 0, 1 }) await UntilAsync(() => ProduceAsync(SessionTopic, partition, Batch("a")), static answer => answer.ErrorCode is ErrorCode.None);
        await UntilAsync(() => ListAsync(SessionTopic, 2, -1), static answer => answer.ErrorCode is ErrorCode.None);   // its leader may take office last

        var id = await InSessionAsync("a session begins", 0, 0, Of((0, 0), (1, 1), (2, 0)));
        await InSessionAsync("it goes on: the same again", id, 1, []);
        await InSessionAsync("it goes on: nothing new", id, 2, Of((0, 1)));
        await InSessionAsync("an epoch twice", id, 2, []);
        await InSessionAsync("an epoch too many", id, 4, []);
        await SawProduceAsync("produce for the session", SessionTopic, 1, Batch("b"));
        await InSessionAsync("it goes on: news", id, 3, []);
        await InSessionAsync("it goes on: read, so nothing new", id, 4, Of((1, 2)));
        await InSessionAsync("it goes on: forgets a partition", id, 5, [], Forget(1));
        await SawProduceAsync("produce to what is forgotten", SessionTopic, 1, Batch("c"));
        await InSessionAsync("it goes on: nothing of what is forgotten", id, 6, []);
        await InSessionAsync("it goes on: takes it up again", id, 7, Of((1, 3)));
        await InSessionAsync("it goes on: an unknown partition", id, 8, Of((7, 0)));
        await InSessionAsync("it goes on: still unknown", id, 9, []);
        await InSessionAsync("it goes on: past the end", id, 10, Of((0, 9)), Forget(7));
        await InSessionAsync("it goes on: from the end again", id, 11, Of((0, 1)));
        await InSessionAsync("it goes on: nothing new again", id, 12, []);
        await TrimAsync("delete records under the session", SessionTopic, 1, 2);
        await InSessionAsync("it goes on: a start has moved", id, 13, []);
        await InSessionAsync("it goes on: no start has moved", id, 14, []);
        await InSessionAsync("by id in a session by names", id, 15, [new FetchTopic { TopicId = described.TopicId, Partitions = [new FetchPartition { Partition = 0, FetchOffset = 0, PartitionMaxBytes = 1 << 20 }] }], version: 13);
        await InSessionAsync("it goes on after that", id, 15, []);
        await InSessionAsync("it goes on: forgets what it never had", id, 16, [], Forget(9));
        var last = await InSessionAsync("it forgets all", id, 17, [], Forget(0, 1, 2));
        await InSessionAsync("it is over", id, 18, []);
        Saw("a session that is over", $"id {last}");

        var second = await InSessionAsync("a second session", 0, 0, Of((0, 0)));
        var third = await InSessionAsync("a session begins over another", second, 0, Of((0, 1)));
        Saw("it is another", $"{third != second}");
        await InSessionAsync("the other is over", second, 1, []);
        await InSessionAsync("a session ends", third, -1, Of((0, 0)));
        await InSessionAsync("it has ended", third, 1, []);
        await InSessionAsync("a session of nothing", 0, 0, []);
        var unlucky = await InSessionAsync("a session begins with an unknown partition", 0, 0, Of((7, 0), (0, 1)));
        await InSessionAsync("it goes on with it", unlucky, 1, []);

        var byId = await InSessionAsync("a session by ids", 0, 0, [ById(described.TopicId), ById(NoSuchId)], version: 13);
        await InSessionAsync("it goes on by ids", byId, 1, [], version: 13);
        await InSessionAsync("it goes on by names", byId, 2, Of((0, 0)));

        static FetchTopic ById(Guid id) => new() { TopicId = id, Partitions = [new FetchPartition { Partition = 0, FetchOffset = 1, PartitionMaxBytes = 1 << 20 }] };
        static List<FetchTopic> Of(params (int Partition, long Offset)[] partitions) =>
            [new FetchTopic { Topic = SessionTopic, Partitions = [.. partitions.Select(static asked => new FetchPartition { Partition = asked.Partition, FetchOffset = asked.Offset, PartitionMaxBytes = 1 << 20 })] }];
        static ForgottenTopic Forget(params List<int> partitions) => new() { Topic = SessionTopic, Partitions = partitions };
    }

    private async Task<int> InSessionAsync(string step, int id, int epoch, List<FetchTopic> topics, ForgottenTopic? forgotten = null, short version = 12)
    {
        var request = new FetchRequest { MaxWaitMs = 50, MinBytes = 1, MaxBytes = 1 << 20, SessionId = id, SessionEpoch = epoch, Topics = topics, ForgottenTopicsData = forgotten is null ? [] : [forgotten] };
        var answer = await AskAsync<FetchRequest, FetchResponse>(request, version);
        var session = answer.SessionId == 0 ? "none" : answer.SessionId == id ? "the same" : "a new one";
        Saw(step, $"{answer.ErrorCode}, session {session}, {Join(answer.Responses.SelectMany(static found => found.Partitions).OrderBy(static data => data.PartitionIndex).Select(static data => $"{data.PartitionIndex} {data.ErrorCode} high watermark {data.HighWatermark} start {data.LogStartOffset} {(data.Records is { Length: > 0 } ? "records" : "no records")}"))}");
        return answer.SessionId;
    }
}
