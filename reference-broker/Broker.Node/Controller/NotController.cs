using Broker.Protocol;

namespace Broker.Node.Controller;

/// <summary>NOT_CONTROLLER in each answer's own way: who does not lead the metadata quorum says so, for the whole request or for all that was asked.</summary>
internal static class NotController
{
    private const string Message = "This is not the correct controller for this cluster.";

    public static BrokerRegistrationResponse Answer(BrokerRegistrationRequest _) => new() { ErrorCode = ErrorCode.NotController, BrokerEpoch = -1 };

    public static BrokerHeartbeatResponse Answer(BrokerHeartbeatRequest _) => new() { ErrorCode = ErrorCode.NotController };

    public static AlterPartitionResponse Answer(AlterPartitionRequest _) => new() { ErrorCode = ErrorCode.NotController };

    public static AllocateProducerIdsResponse Answer(AllocateProducerIdsRequest _) => new() { ErrorCode = ErrorCode.NotController };

    public static ElectLeadersResponse Answer(ElectLeadersRequest _) => new() { ErrorCode = ErrorCode.NotController };

    public static AlterPartitionReassignmentsResponse Answer(AlterPartitionReassignmentsRequest _) => new() { ErrorCode = ErrorCode.NotController, ErrorMessage = Message };

    public static CreateTopicsResponse Answer(CreateTopicsRequest request) => new()
    {
        Topics = [.. request.Topics.Select(topic => new CreatableTopicResult { Name = topic.Name, ErrorCode = ErrorCode.NotController, ErrorMessage = Message })],
    };

    public static DeleteTopicsResponse Answer(DeleteTopicsRequest request) => new()
    {
        Responses =
        [
            .. request.TopicNames.Select(name => new DeletableTopicResult { Name = name, ErrorCode = ErrorCode.NotController, ErrorMessage = Message }),
            .. request.Topics.Select(topic => new DeletableTopicResult { Name = topic.Name, TopicId = topic.TopicId, ErrorCode = ErrorCode.NotController, ErrorMessage = Message }),
        ],
    };

    public static CreatePartitionsResponse Answer(CreatePartitionsRequest request) => new()
    {
        Results = [.. request.Topics.Select(topic => new CreatePartitionsResponse.CreatePartitionsTopicResult { Name = topic.Name, ErrorCode = ErrorCode.NotController, ErrorMessage = Message })],
    };

    public static IncrementalAlterConfigsResponse Answer(IncrementalAlterConfigsRequest request) =>
        new() { Responses = [.. request.Resources.Select(static resource => Altered(resource.ResourceType, resource.ResourceName))] };

    public static AlterConfigsResponse Answer(AlterConfigsRequest request) =>
        new() { Responses = [.. request.Resources.Select(static resource => Altered(resource.ResourceType, resource.ResourceName))] };

    private static IncrementalAlterConfigsResponse.AlterConfigsResourceResponse Altered(sbyte type, string name) =>
        new() { ResourceType = type, ResourceName = name, ErrorCode = ErrorCode.NotController, ErrorMessage = Message };
}
