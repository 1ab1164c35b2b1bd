using Broker.Core;
using Broker.Core.Controller;
using Broker.Core.Metadata;
using Broker.Node.Controller;
using Broker.Node.Quorum;
using Broker.Node.Rpc;
using Broker.Node.Serving;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Node;

/// <summary>The roles of one process (process.roles). Each that is given is taken; both make a combined node with a listener for each role.</summary>
/// <param name="Broker">Null: this process is no broker.</param>
/// <param name="Voter">Null: this process is no controller.</param>
/// <param name="Voters">All voters of the metadata quorum.</param>
public sealed record ServerSettings(BrokerSettings? Broker, QuorumNodeSettings? Voter, IReadOnlyList<QuorumVoter> Voters)
{
    public ControllerSettings Controller { get; init; } = new();

    /// <summary>Where the controller listens; null: where the voters' list says it is.</summary>
    public Endpoint? ControllerListener { get; init; }

    public TopicSettings TopicDefaults { get; init; } = TopicSettings.KafkaDefaults;

    /// <summary>How brokers follow the metadata log.</summary>
    public required Core.Quorum.QuorumSettings QuorumTimes { get; init; }
}

/// <summary>One process: a broker, a controller, or both.</summary>
public sealed class ServerNode(IHost host, ServerSettings settings, BrokerRules rules)
{
    private readonly TaskScope scope = new();
    private BrokerNode? broker;
    private QuorumNode? quorum;

    public BrokerNode? Broker => broker;

    /// <summary>Null until its log is recovered, and where this process is no controller.</summary>
    public QuorumNode? Quorum => started ? quorum : null;

    /// <summary>Lives until something fails; then throws it.</summary>
    public async Task RunAsync()
    {
        if (settings.Voter is { } voter) await StartVoterAsync(voter);
        if (settings.Broker is { } serving)
        {
            broker = new BrokerNode(host, serving, settings.TopicDefaults, rules);
            scope.Start(() => broker.RunAsync(Follower()));
        }
        await scope.Failed;
    }

    /// <summary>Leaves in good order: leaderships of partitions first, then that of the quorum.</summary>
    public async Task StopAsync(TimeSpan limit)
    {
        if (broker is not null) await broker.StopAsync(limit);
        if (quorum is not { IsLeader: true }) return;
        quorum.Resign();
        await host.Time.DelayAsync(TimeSpan.FromMilliseconds(50));        // so that the others hear of it
    }

    public void AssertInvariants()
    {
        broker?.AssertInvariants();
        Quorum?.AssertInvariants();
    }

    private bool started;

    private async Task StartVoterAsync(QuorumNodeSettings voter)
    {
        quorum = new QuorumNode(host, voter, rules.Quorum, scope);
        var controller = new ControllerNode(host, settings.Controller, settings.TopicDefaults, rules.Controller, quorum, scope);
        var router = new RequestRouter();
        quorum.Serve(router);
        controller.Serve(router);
        await quorum.StartAsync();
        started = true;
        var endpoint = settings.ControllerListener ?? voter.Voters.First(other => other.Id == voter.Id).Endpoint;
        new RequestServer(host, endpoint, router, scope).Start();
    }

    /// <summary>A voter hears from itself, any other broker from whichever voter leads.</summary>
    private Func<Task> Follower() =>
        quorum is { } voter ? new LocalFollower(voter, Apply).FollowAsync : new MetadataFollower(host, settings.Voters, settings.QuorumTimes, rules.Quorum, Apply).FollowAsync;

    private void Apply(RecordBatch batch)
    {
        if (batch.IsControl) return;
        foreach (var record in batch.Records) broker!.Apply(MetadataRecordCodec.Decode(record.Value!.Value.ToArray()), record.Offset);
    }
}
