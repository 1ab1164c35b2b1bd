using Broker.Node.Rpc;
using Broker.Protocol;

namespace Broker.Node.Serving;

/// <summary>Tells who is in the cluster, as this broker's own image has it (KIP-700). Errors: MISMATCHED_ENDPOINT_TYPE for controllers, which brokers do not tell, UNSUPPORTED_ENDPOINT_TYPE.</summary>
public sealed class ClusterHandler(BrokerSettings settings, BrokerIdentity identity)
{
    private const sbyte BrokerEndpoints = 1, ControllerEndpoints = 2;

    public ValueTask<DescribeClusterResponse?> HandleAsync(DescribeClusterRequest request, RequestContext context)
    {
        var answer = request.EndpointType switch
        {
            BrokerEndpoints => new DescribeClusterResponse { ClusterId = MetadataHandler.ClusterId, ControllerId = settings.Id.Value, ErrorMessage = null },
            ControllerEndpoints => new DescribeClusterResponse { ErrorCode = ErrorCode.MismatchedEndpointType, ErrorMessage = "The request was sent to an endpoint of the wrong type." },
            _ => new DescribeClusterResponse { ErrorCode = ErrorCode.UnsupportedEndpointType, ErrorMessage = $"Unsupported endpoint type {request.EndpointType}" },
        };
        if (answer.ErrorCode != ErrorCode.None) return ValueTask.FromResult<DescribeClusterResponse?>(answer);
        foreach (var broker in identity.Image.Brokers)
            if (!broker.Fenced || request.IncludeFencedBrokers)
                answer.Brokers.Add(new DescribeClusterResponse.DescribeClusterBroker { BrokerId = broker.Broker, Host = broker.Endpoint.Host, Port = broker.Endpoint.Port, IsFenced = broker.Fenced });
        return ValueTask.FromResult<DescribeClusterResponse?>(answer);
    }
}
