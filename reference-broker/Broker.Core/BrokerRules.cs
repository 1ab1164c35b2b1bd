using Broker.Core.Controller;
using Broker.Core.Fetching;
using Broker.Core.Groups;
using Broker.Core.Log;
using Broker.Core.Quorum;
using Broker.Core.Replication;

namespace Broker.Core;

/// <summary>All decisions a broker or controller makes, faithful unless said otherwise. A mutant replaces one of them by a subclass.</summary>
public sealed record BrokerRules
{
    public LogRules Log { get; init; } = new();

    public ProducerRules Producers { get; init; } = new();

    public CleanerRules Cleaner { get; init; } = new();

    public ReplicationRules Replication { get; init; } = new();

    public FetchSessionRules FetchSessions { get; init; } = new();

    public GroupRules Groups { get; init; } = new();

    public QuorumRules Quorum { get; init; } = new();

    public ControllerRuleBook Controller { get; init; } = new();
}
