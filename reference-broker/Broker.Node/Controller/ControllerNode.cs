using Broker.Core.Controller;
using Broker.Core.Metadata;
using Broker.Core.Quorum;
using Broker.Node.Quorum;
using Broker.Node.Rpc;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Node.Controller;

/// <summary>
/// The controller of one voter: while this voter leads the metadata quorum it decides, writes its decisions to the metadata log and answers once they are
/// committed; otherwise it answers NOT_CONTROLLER. Sources: KIP-500, KIP-631.
/// </summary>
/// <remarks>Create it before the voter starts, or it misses the start of the voter's term.</remarks>
public sealed class ControllerNode
{
    private readonly IHost host;
    private readonly ControllerRuleBook rules;
    private readonly ControllerSettings settings;
    private readonly TopicSettings topicDefaults;
    private readonly QuorumNode quorum;
    private readonly TaskScope scope;
    private readonly Prng topicIds;
    private QuorumEffect.BecameLeader? elected;                            // won, but not everything committed before is known
    private ControllerTerm? term;

    /// <param name="topicDefaults">Settings of topics that have none of their own; the same on every node of the cluster.</param>
    /// <param name="scope">Gets the failures: the node must stop then.</param>
    public ControllerNode(IHost host, ControllerSettings settings, TopicSettings topicDefaults, ControllerRuleBook rules, QuorumNode quorum, TaskScope scope)
    {
        this.host = host;
        this.rules = rules;
        this.settings = settings;
        this.topicDefaults = topicDefaults;
        this.quorum = quorum;
        this.scope = scope;
        topicIds = host.Random.Split(0x746F706963);
        quorum.BecameLeader += won =>
        {
            elected = won;
            TakeOffice();
        };
        quorum.Committed += _ => TakeOffice();
        quorum.Resigned += _ => (elected, term) = (null, null);
    }

    /// <summary>This voter leads and knows everything committed before its time.</summary>
    public bool IsActive => term is not null;

    /// <summary>Serves the controller's APIs: brokers' own, and those of administrators.</summary>
    public void Serve(RequestRouter router)
    {
        router.On<BrokerRegistrationRequest, BrokerRegistrationResponse>((asked, context) => DecideAsync(context, (it, now) => it.RegisterBroker(asked, now), () => NotController.Answer(asked)));
        router.On<BrokerHeartbeatRequest, BrokerHeartbeatResponse>((asked, context) => DecideAsync(context, (it, now) => it.Heartbeat(asked, now), () => NotController.Answer(asked)));
        router.On<AlterPartitionRequest, AlterPartitionResponse>((asked, context) => DecideAsync(context, (it, _) => it.AlterPartition(asked), () => NotController.Answer(asked)));
        router.On<AllocateProducerIdsRequest, AllocateProducerIdsResponse>((asked, context) => DecideAsync(context, (it, _) => it.AllocateProducerIds(asked), () => NotController.Answer(asked)));
        router.On<CreateTopicsRequest, CreateTopicsResponse>((asked, context) => DecideAsync(context, (it, _) => it.CreateTopics(asked), () => NotController.Answer(asked)));
        router.On<DeleteTopicsRequest, DeleteTopicsResponse>((asked, context) => DecideAsync(context, (it, _) => it.DeleteTopics(asked), () => NotController.Answer(asked)));
        router.On<CreatePartitionsRequest, CreatePartitionsResponse>((asked, context) => DecideAsync(context, (it, _) => it.CreatePartitions(asked), () => NotController.Answer(asked)));
        router.On<ElectLeadersRequest, ElectLeadersResponse>((asked, context) => DecideAsync(context, (it, _) => it.ElectLeaders(asked), () => NotController.Answer(asked)));
        router.On<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>((asked, context) =>
            DecideAsync(context, (it, _) => it.AlterPartitionReassignments(asked), () => NotController.Answer(asked)));
        router.On<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>((asked, context) =>
            DecideAsync(context, (it, _) => it.IncrementalAlterConfigs(asked), () => NotController.Answer(asked)));
        router.On<AlterConfigsRequest, AlterConfigsResponse>((asked, context) => DecideAsync(context, (it, _) => it.AlterConfigs(asked), () => NotController.Answer(asked)));
    }

    /// <summary>
    /// The one path of every request: decide, write, wait, answer. NOT_CONTROLLER is said only where nothing was written: what was written and lost sight of may still be committed, so whoever
    /// asked is told nothing, and must not ask the next controller for the same change. Kafka says NOT_CONTROLLER there too.
    /// </summary>
    private async ValueTask<TResponse?> DecideAsync<TResponse>(RequestContext context, Func<ControllerMachine, TimeSpan, Decision<TResponse>> decide, Func<TResponse> otherwise)
        where TResponse : class
    {
        if (term is not { } mine) return otherwise();
        var decision = decide(mine.Machine, host.Time.Monotonic());
        if (await mine.CommitAsync(decision)) return decision.Answer;
        if (decision.Records.Count == 0) return otherwise();
        context.CloseConnection = true;
        return null;
    }

    /// <summary>Begins to serve as soon as the log is known to hold everything that was ever committed.</summary>
    private void TakeOffice()
    {
        if (elected is not { } won || !rules.Controller.MayServe(quorum.HighWatermark, won.EpochStartOffset)) return;
        elected = null;
        var machine = new ControllerMachine(rules, settings, Replay(), topicIds, won.EpochStartOffset + 1, host.Time.Monotonic());
        var begun = new ControllerTerm(host, won.Epoch, rules.Controller, machine, quorum.ProposeAsync, LeaveOffice);
        term = begun;
        scope.Start(() => WatchSessionsAsync(begun));
    }

    /// <summary>A decision was lost, so the term is over; normally the quorum said so before.</summary>
    private void LeaveOffice(ControllerTerm ended)
    {
        if (!ReferenceEquals(term, ended)) return;
        term = null;
        quorum.Resign();
    }

    private MetadataImage Replay()
    {
        var image = new MetadataImage(topicDefaults);
        foreach (var batch in new RecordBatches(quorum.ReadCommitted(0)))
            foreach (var (offset, record) in MetadataBatch.Read(batch))
            {
                var fits = image.Apply(record, offset);
                Invariant.Holds(fits);
            }
        return image;
    }

    /// <summary>Brokers that fall silent cause no event of their own.</summary>
    private async Task WatchSessionsAsync(ControllerTerm watched)
    {
        while (true)
        {
            await host.Time.DelayAsync(watched.Machine.UntilNextTick(host.Time.Monotonic()));
            if (!ReferenceEquals(term, watched)) return;
            var decision = watched.Machine.Tick(host.Time.Monotonic());
            if (decision.Records.Count > 0) await watched.CommitAsync(decision);
        }
    }
}
