using System.Globalization;
using Broker.Core.Controller;
using Broker.Core.Metadata;
using Broker.Node.Rpc;
using Broker.Protocol;

namespace Broker.Node.Serving;

/// <summary>Describes the settings of topics, as this broker's metadata has them, and of this very broker.</summary>
/// <remarks>Errors, for each resource: INVALID_TOPIC_EXCEPTION, UNKNOWN_TOPIC_OR_PARTITION, and INVALID_REQUEST for other brokers and other kinds of resources.</remarks>
public sealed class ConfigHandler(BrokerSettings settings, BrokerIdentity identity)
{
    private const sbyte TopicResource = 2, BrokerResource = 4;

    public ValueTask<DescribeConfigsResponse?> HandleAsync(DescribeConfigsRequest request, RequestContext context)
    {
        var description = new ConfigDescription(identity.Image.Defaults, settings.Configured);
        var answer = new DescribeConfigsResponse();
        foreach (var resource in request.Resources.DistinctBy(static resource => (resource.ResourceType, resource.ResourceName)))
        {
            var result = new DescribeConfigsResponse.DescribeConfigsResult { ResourceType = resource.ResourceType, ResourceName = resource.ResourceName };
            switch (resource.ResourceType)
            {
                case TopicResource: DescribeTopic(resource, request.IncludeSynonyms, description, result); break;
                case BrokerResource: DescribeBroker(resource, request.IncludeSynonyms, description, result); break;
                default: (result.ErrorCode, result.ErrorMessage) = (ErrorCode.InvalidRequest, $"Unsupported resource type: {resource.ResourceType}"); break;
            }
            answer.Results.Add(result);
        }
        return ValueTask.FromResult<DescribeConfigsResponse?>(answer);
    }

    private void DescribeTopic(
        DescribeConfigsRequest.DescribeConfigsResource asked, bool withSynonyms, ConfigDescription description, DescribeConfigsResponse.DescribeConfigsResult result)
    {
        if (TopicNames.Refuse(asked.ResourceName) is { } reason) (result.ErrorCode, result.ErrorMessage) = (ErrorCode.InvalidTopicException, reason);
        else if (identity.Image.Topic(asked.ResourceName) is { } topic) result.Configs = description.OfTopic(topic, asked.ConfigurationKeys, withSynonyms);
        else result.ErrorCode = ErrorCode.UnknownTopicOrPartition;
    }

    private void DescribeBroker(
        DescribeConfigsRequest.DescribeConfigsResource asked, bool withSynonyms, ConfigDescription description, DescribeConfigsResponse.DescribeConfigsResult result)
    {
        if (asked.ResourceName.Length == 0) result.Configs = description.OfAllBrokers(asked.ConfigurationKeys, withSynonyms);
        else if (int.TryParse(asked.ResourceName, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var broker) && broker == settings.Id.Value)
            result.Configs = description.OfBroker(asked.ConfigurationKeys, withSynonyms);
        else
            (result.ErrorCode, result.ErrorMessage) = (ErrorCode.InvalidRequest, $"Unexpected broker id, expected {settings.Id.Value} or empty string, but received {asked.ResourceName}");
    }
}
