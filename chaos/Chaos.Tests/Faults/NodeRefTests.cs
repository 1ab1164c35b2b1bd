using Broker.Runtime;
using Chaos.Faults;

namespace Chaos.Tests.Faults;

public sealed class NodeRefTests
{
    [Theory]
    [InlineData("t", 0)]
    [InlineData("a-b", 12)]
    [InlineData("m55", -1)]
    public void A_partition_is_read_as_it_is_written(string topic, int partition) =>
        Assert.Equal(new TopicPartition(topic, partition), NodeRef.ParsePartition(new TopicPartition(topic, partition).ToString()));
}
