using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Tests.Controller;

/// <summary>The codes are those that Kafka 4.3.1 answers.</summary>
public sealed class TopicAdministration
{
    private readonly Cluster cluster = new Cluster().Start(1, 2, 3);

    private static CreatableTopic Topic(string name, int partitions = 1, short replicas = 3) => new() { Name = name, NumPartitions = partitions, ReplicationFactor = replicas };

    [Fact]
    public void Leaders_go_round_the_brokers()
    {
        var answer = cluster.Create(Topic("t", partitions: 4));

        Assert.Equal((ErrorCode.None, 4, (short)3), (answer.ErrorCode, answer.NumPartitions, answer.ReplicationFactor));
        Assert.Equal([1, 2, 3, 1], Enumerable.Range(0, 4).Select(partition => cluster.State("t", partition).Leader));
        Assert.Equal([2, 3, 1], cluster.State("t", 1).Replicas.ToArray());
        Assert.Equal("1", answer.Configs!.Single(config => config.Name == "min.insync.replicas").Value);
    }

    [Fact]
    public void Fenced_brokers_get_replicas_last_and_start_outside_the_isr()
    {
        cluster.Silence(1);
        Assert.Equal(ErrorCode.None, cluster.Create(Topic("t")).ErrorCode);

        Assert.Equal((2, NodeSet.Of([2, 3])), (cluster.State().Leader, cluster.State().Isr));
        Assert.Equal([2, 3, 1], cluster.State().Replicas.ToArray());
    }

    [Theory]
    [InlineData("", 1, 1, ErrorCode.InvalidTopicException)]
    [InlineData(".", 1, 1, ErrorCode.InvalidTopicException)]
    [InlineData("no spaces", 1, 1, ErrorCode.InvalidTopicException)]
    [InlineData("a_b", 1, 1, ErrorCode.InvalidTopicException)]
    [InlineData("a.b", 1, 1, ErrorCode.TopicAlreadyExists)]
    [InlineData("t", 0, 1, ErrorCode.InvalidPartitions)]
    [InlineData("t", -2, 1, ErrorCode.InvalidPartitions)]
    [InlineData("t", 1_000_000, 1, ErrorCode.InvalidPartitions)]
    [InlineData("t", 1, 0, ErrorCode.InvalidReplicationFactor)]
    [InlineData("t", 1, 4, ErrorCode.InvalidReplicationFactor)]
    [InlineData("t", -1, -1, ErrorCode.None)]
    public void Creation_is_refused_with_kafkas_codes(string name, int partitions, short replicas, ErrorCode expected)
    {
        cluster.Create(Topic("a.b"));

        Assert.Equal(expected, cluster.Create(Topic(name, partitions, replicas)).ErrorCode);
        Assert.Equal(expected is ErrorCode.None, cluster.Machine.Image.Topic("t") is not null);
    }

    [Fact]
    public void A_name_of_250_letters_is_too_long()
    {
        Assert.Equal(ErrorCode.None, cluster.Create(Topic(new string('x', 249))).ErrorCode);
        Assert.Equal(ErrorCode.InvalidTopicException, cluster.Create(Topic(new string('x', 250))).ErrorCode);
    }

    [Theory]
    [InlineData("min.insync.replicas", "2", ErrorCode.None)]
    [InlineData("min.insync.replicas", "0", ErrorCode.InvalidConfig)]
    [InlineData("unclean.leader.election.enable", "perhaps", ErrorCode.InvalidConfig)]
    [InlineData("flush.messages", "1", ErrorCode.None)]
    [InlineData("retention.ms", "-1", ErrorCode.None)]
    [InlineData("cleanup.policy", "compact,delete", ErrorCode.None)]
    [InlineData("cleanup.policy", "shred", ErrorCode.InvalidConfig)]
    [InlineData("message.timestamp.difference.max.ms", "1", ErrorCode.InvalidConfig)]
    [InlineData("segment.bytes", null, ErrorCode.InvalidConfig)]
    public void Settings_are_known_and_in_range(string name, string? value, ErrorCode expected)
    {
        var topic = Topic("t");
        topic.Configs.Add(new CreatableTopicConfig { Name = name, Value = value });

        Assert.Equal(expected, cluster.Create(topic).ErrorCode);
        if (expected is ErrorCode.None) Assert.Equal(value, cluster.Machine.Image.Topic("t")!.Configs[name]);
        else Assert.Null(cluster.Machine.Image.Topic("t"));
    }

    [Fact]
    public void The_same_name_twice_in_a_request_creates_none()
    {
        var answer = cluster.Commit(cluster.Machine.CreateTopics(new CreateTopicsRequest { Topics = [Topic("t"), Topic("u"), Topic("t")] }));

        Assert.Equal([("t", ErrorCode.InvalidRequest), ("u", ErrorCode.None)], answer.Topics.Select(topic => (topic.Name, topic.ErrorCode)));
        Assert.Null(cluster.Machine.Image.Topic("t"));
    }

    [Fact]
    public void Validation_alone_creates_nothing()
    {
        var answer = cluster.Commit(cluster.Machine.CreateTopics(new CreateTopicsRequest { Topics = [Topic("t", 2)], ValidateOnly = true }));

        Assert.Equal((ErrorCode.None, 2), (answer.Topics[0].ErrorCode, answer.Topics[0].NumPartitions));
        Assert.Null(cluster.Machine.Image.Topic("t"));
    }

    [Fact]
    public void Assignments_must_name_registered_brokers_once_and_number_partitions_in_a_row()
    {
        ErrorCode Assigned(params (int Partition, int[] Brokers)[] assignments) => cluster.Create(new CreatableTopic
        {
            Name = "t",
            NumPartitions = -1,
            ReplicationFactor = -1,
            Assignments = [.. assignments.Select(it => new CreatableReplicaAssignment { PartitionIndex = it.Partition, BrokerIds = [.. it.Brokers] })],
        }).ErrorCode;

        Assert.Equal(ErrorCode.InvalidReplicaAssignment, Assigned((0, [1, 1])));
        Assert.Equal(ErrorCode.InvalidReplicaAssignment, Assigned((0, [1, 9])));
        Assert.Equal(ErrorCode.InvalidReplicaAssignment, Assigned((0, [1]), (2, [1])));
        Assert.Equal(ErrorCode.InvalidReplicaAssignment, Assigned((0, [1]), (1, [1, 2])));
        Assert.Equal(ErrorCode.None, Assigned((1, [3, 1]), (0, [2, 1])));
        Assert.Equal([2, 3], Enumerable.Range(0, 2).Select(partition => cluster.State("t", partition).Leader));
    }

    [Fact]
    public void Topics_are_deleted_by_name_or_id_and_come_back_under_another_id()
    {
        var first = cluster.Create(Topic("t")).TopicId;
        DeletableTopicResult Delete(DeleteTopicState it) => cluster.Commit(cluster.Machine.DeleteTopics(new DeleteTopicsRequest { Topics = [it] })).Responses[0];

        Assert.Equal((ErrorCode.None, first), (Delete(new DeleteTopicState { Name = "t" }).ErrorCode, first));
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, Delete(new DeleteTopicState { Name = "t" }).ErrorCode);
        Assert.Equal(ErrorCode.UnknownTopicId, Delete(new DeleteTopicState { TopicId = first }).ErrorCode);

        var second = cluster.Create(Topic("t")).TopicId;
        Assert.NotEqual(first, second);
        Assert.Equal("t", Delete(new DeleteTopicState { TopicId = second }).Name);
        Assert.Empty(cluster.Machine.Image.Topics);
    }

    [Fact]
    public void An_operator_moves_leadership_by_another_order_and_a_preferred_election()
    {
        cluster.Create(1, 2, 3);
        Assert.Equal(ErrorCode.ElectionNotNeeded, cluster.Elect(preferred: true));

        Assert.Equal(ErrorCode.None, Reassign(3, 1, 2));
        Assert.Equal((1, 0), (cluster.State().Leader, cluster.State().LeaderEpoch));
        Assert.Equal(ErrorCode.None, cluster.Elect(preferred: true));
        Assert.Equal((3, 1), (cluster.State().Leader, cluster.State().LeaderEpoch));
    }

    [Fact]
    public void A_preferred_leader_outside_the_isr_is_not_available()
    {
        cluster.Create(1, 2, 3);
        cluster.Alter(1, 2);
        Reassign(3, 1, 2);

        Assert.Equal(ErrorCode.PreferredLeaderNotAvailable, cluster.Elect(preferred: true));
        Assert.Equal(1, cluster.State().Leader);
    }

    [Fact]
    public void Replicas_do_not_move_to_other_brokers()
    {
        cluster.Create(1, 2);

        Assert.Equal(ErrorCode.InvalidReplicaAssignment, Reassign(1, 3));
        Assert.Equal(ErrorCode.InvalidReplicaAssignment, Reassign(1, 2, 3));
        Assert.Equal(ErrorCode.InvalidReplicaAssignment, Reassign(1, 1));
        Assert.Equal(ErrorCode.NoReassignmentInProgress, Reassign(null));
    }

    [Fact]
    public void Settings_change_alone_or_with_all_others_of_the_request()
    {
        cluster.Create(1, 2, 3);

        Assert.Equal(ErrorCode.None, cluster.Configure("flush.messages", "1").ErrorCode);
        Assert.Equal(1, cluster.Machine.Image.Topic("t")!.Settings.FlushMessages);
        Assert.Equal(ErrorCode.None, cluster.Configure("flush.messages", null, operation: 1).ErrorCode);
        Assert.Equal(long.MaxValue, cluster.Machine.Image.Topic("t")!.Settings.FlushMessages);
        Assert.Equal(ErrorCode.None, cluster.Configure("cleanup.policy", "compact", operation: 2).ErrorCode);
        Assert.Equal("delete,compact", cluster.Machine.Image.Topic("t")!.Configs["cleanup.policy"]);
        Assert.Equal(ErrorCode.None, cluster.Configure("cleanup.policy", "delete", operation: 3).ErrorCode);
        Assert.Equal("compact", cluster.Machine.Image.Topic("t")!.Configs["cleanup.policy"]);
        Assert.Equal(ErrorCode.InvalidConfig, cluster.Configure("flush.messages", "1", operation: 2).ErrorCode);
        Assert.Equal(ErrorCode.InvalidConfig, cluster.Configure("flush.message", "1").ErrorCode);
        Assert.Equal(ErrorCode.InvalidConfig, cluster.Configure("flush.messages", "none").ErrorCode);
    }

    [Fact]
    public void Settings_given_as_a_whole_replace_all_that_were_there()
    {
        cluster.Create(1, 2, 3);
        cluster.Configure("flush.messages", "1");
        cluster.Configure("min.insync.replicas", "2");
        var before = cluster.Log.Count;

        Assert.Equal(ErrorCode.None, Replace(("min.insync.replicas", "2"), ("retention.ms", "1000")));
        Assert.Equal(["min.insync.replicas=2", "retention.ms=1000"], Configs());
        Assert.Equal(before + 2, cluster.Log.Count);
        Assert.Equal(ErrorCode.InvalidRequest, Replace(("flush.messages", "1"), ("retention.ms", null)));
        Assert.Equal(ErrorCode.InvalidConfig, Replace(("flush.messages", "1"), ("retention.ms", "none")));
        Assert.Equal(["min.insync.replicas=2", "retention.ms=1000"], Configs());
        Assert.Equal(ErrorCode.None, Replace());
        Assert.Empty(Configs());
    }

    private IEnumerable<string> Configs() => cluster.Machine.Image.Topic("t")!.Configs.Select(static config => $"{config.Key}={config.Value}").Order(StringComparer.Ordinal);

    private ErrorCode Replace(params (string Name, string? Value)[] settings) => cluster.Commit(cluster.Machine.AlterConfigs(new AlterConfigsRequest
    {
        Resources =
        [
            new AlterConfigsRequest.AlterConfigsResource
            {
                ResourceType = 2,
                ResourceName = "t",
                Configs = [.. settings.Select(static setting => new AlterConfigsRequest.AlterableConfig { Name = setting.Name, Value = setting.Value })],
            },
        ],
    })).Responses[0].ErrorCode;

    private ErrorCode Reassign(params int[]? replicas) => cluster.Commit(cluster.Machine.AlterPartitionReassignments(new AlterPartitionReassignmentsRequest
    {
        Topics = [new ReassignableTopic { Name = "t", Partitions = [new ReassignablePartition { PartitionIndex = 0, Replicas = replicas?.ToList() }] }],
    })).Responses[0].Partitions[0].ErrorCode;

    [Fact]
    public void New_partitions_go_round_the_brokers_from_where_the_last_ones_ended()
    {
        cluster.Create(Topic("t", partitions: 2, replicas: 2));

        var answer = cluster.Commit(cluster.Machine.CreatePartitions(new CreatePartitionsRequest { Topics = [new() { Name = "t", Count = 4, Assignments = null }] }));

        Assert.Equal(ErrorCode.None, answer.Results.Single().ErrorCode);
        Assert.Equal([1, 2, 3, 1], Enumerable.Range(0, 4).Select(partition => cluster.State("t", partition).Leader));
        Assert.All(Enumerable.Range(0, 4), partition => Assert.Equal(2, cluster.State("t", partition).Replicas.Length));
    }

    [Fact]
    public void A_topic_does_not_grow_beyond_what_a_cluster_may_have()
    {
        cluster.Create(Topic("t"));

        var answer = cluster.Commit(cluster.Machine.CreatePartitions(new CreatePartitionsRequest { Topics = [new() { Name = "t", Count = int.MaxValue, Assignments = null }] }));

        Assert.Equal(ErrorCode.InvalidPartitions, answer.Results.Single().ErrorCode);
        Assert.Single(cluster.Machine.Image.Topic("t")!.Partitions);
    }
}
