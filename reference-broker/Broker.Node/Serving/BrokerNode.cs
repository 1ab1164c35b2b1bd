using Broker.Core;
using Broker.Core.Fetching;
using Broker.Core.Metadata;
using Broker.Node.Groups;
using Broker.Node.Rpc;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Node.Serving;

/// <summary>One broker: registers, follows the metadata, serves clients and followers, follows leaders. One life, from start to stop or crash.</summary>
/// <remarks>It serves nobody, and leads nothing, before its metadata has reached its own registration: older metadata speaks of an earlier life.</remarks>
public sealed class BrokerNode
{
    private readonly Dictionary<int, ReplicaFetcher> fetchers = [];
    private readonly TaskScope scope = new();
    private readonly IHost host;
    private readonly BrokerSettings settings;
    private readonly BrokerRules rules;
    private readonly BrokerIdentity identity;
    private readonly PartitionTable partitions;
    private readonly Registration registration;
    private readonly RequestServer server;
    private readonly IsrKeeper isr;
    private readonly GroupService groups;
    private readonly CleanStop cleanStop;
    private bool serving;

    public BrokerNode(IHost host, BrokerSettings settings, TopicSettings topicDefaults, BrokerRules rules)
    {
        this.host = host;
        this.settings = settings;
        this.rules = rules;
        identity = new BrokerIdentity(rules.Replication, new MetadataImage(topicDefaults));
        var controller = new ControllerLink(host, settings.Controllers, settings.RequestTimeout);
        cleanStop = new CleanStop(host, settings.LogDirectory, rules.Log);
        partitions = new PartitionTable(host, settings, rules, scope);
        registration = new Registration(host, settings, identity, new ControllerLink(host, settings.Controllers, settings.HeartbeatTimeout ?? settings.RequestTimeout));   // a connection of its own: nothing delays a heartbeat
        isr = new IsrKeeper(host, settings, partitions, controller, identity, scope);
        new LogKeeper(host, settings, partitions, scope).Follow();
        groups = new GroupService(host, settings, rules.Groups, identity, partitions, controller, scope);
        server = new RequestServer(host, settings.Endpoint, Routes(controller), scope);
    }

    /// <summary>The metadata as this broker has it.</summary>
    public MetadataImage Image => identity.Image;

    public IReadOnlyList<HostedPartition> Partitions => partitions.All;

    /// <summary>Its metadata has reached its own registration, and it answers clients.</summary>
    public bool IsServing => serving;

    /// <summary>Lives until something fails; then throws it.</summary>
    /// <param name="followMetadata">Feeds <see cref="Apply"/> with committed records, in order from offset 0, for ever.</param>
    public async Task RunAsync(Func<Task> followMetadata)
    {
        var previous = registration.PreviousBrokerEpoch();
        host.Observe(new Observation(ObservationKind.NodeStarted, host.Id));
        try
        {
            partitions.ComesFrom = await cleanStop.TakeAsync();
            scope.Start(followMetadata);
            scope.Start(async () =>
            {
                await registration.RegisterAsync(previous);
                ServeWhenCaughtUp();
                scope.Start(isr.KeepAsync);
                await registration.KeepSessionAsync();
            });
            await scope.Failed;
        }
        catch (DiskException failure) when (!failure.IsFull)
        {
            registration.DisownLife();
            throw;
        }
    }

    /// <summary>Hands its leaderships over, flushes everything and leaves the marker of a clean shutdown.</summary>
    public async Task StopAsync(TimeSpan limit)
    {
        await registration.LeaveAsync(limit);
        server.Stop();
        var stop = cleanStop.Next();
        foreach (var partition in partitions.All.ToArray())            // others come and go meanwhile
        {
            partition.Core.Freeze();
            await partition.Core.FlushAsync();
            await partition.Core.Log.SaveSummaryAsync(stop);
        }
        await cleanStop.LeaveAsync(stop);
        await registration.EndInOrderAsync();
    }

    /// <summary>The next committed metadata record.</summary>
    public void Apply(MetadataRecord record, long offset)
    {
        Tell(record);
        Invariant.Holds(Image.Apply(record, offset));
        if (serving) Follow(record);
        else ServeWhenCaughtUp();
    }

    public void AssertInvariants()
    {
        partitions.AssertInvariants();
        groups.AssertInvariants();
    }

    private void ServeWhenCaughtUp()
    {
        if (serving || !identity.MayServe) return;
        serving = true;
        partitions.Apply(Image);
        foreach (var broker in Image.Brokers) FollowLeader(broker.Broker);
        server.Start();
    }

    private void Follow(MetadataRecord record)
    {
        partitions.Apply(Image, record);
        if (record is MetadataRecord.RegisterBroker it) FollowLeader(it.Registration.Broker);
    }

    private void FollowLeader(int broker)
    {
        if (broker == settings.Id.Value || fetchers.ContainsKey(broker)) return;
        var fetcher = new ReplicaFetcher(host, settings, broker, partitions, identity, rules.Replication);
        fetchers.Add(broker, fetcher);
        scope.Start(fetcher.FetchAsync);
    }

    private void Tell(MetadataRecord record)
    {
        switch (record)
        {
            case MetadataRecord.CreateTopic it: host.Observe(new Observation(ObservationKind.TopicChanged, host.Id, new TopicPartition(it.Name, -1), Other: 1)); break;
            case MetadataRecord.RemoveTopic it when Image.Topic(it.Topic) is { } topic:
                host.Observe(new Observation(ObservationKind.TopicChanged, host.Id, new TopicPartition(topic.Name, -1), Other: 0));
                groups.TopicDeleted(topic.Name);
                break;
        }
    }

    private RequestRouter Routes(ControllerLink controller)
    {
        var router = new RequestRouter();
        var offsets = new OffsetHandlers(partitions, rules.Replication);
        router.On<ProduceRequest, ProduceResponse>(new ProduceHandler(host, partitions, identity, rules.Replication).HandleAsync);
        router.On<FetchRequest, FetchResponse>(new FetchHandler(host, partitions, identity, isr, new FetchSessions(rules.FetchSessions, settings.FetchSessionSlots, host.Random.Split(0x66657463))).HandleAsync);
        router.On<ListOffsetsRequest, ListOffsetsResponse>(offsets.ListAsync);
        router.On<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>(offsets.EndOfEpochAsync);
        router.On<MetadataRequest, MetadataResponse>(new MetadataHandler(host, settings, identity, controller, scope).HandleAsync);
        router.On<DescribeClusterRequest, DescribeClusterResponse>(new ClusterHandler(settings, identity).HandleAsync);
        router.On<DeleteRecordsRequest, DeleteRecordsResponse>(new DeleteRecordsHandler(host, partitions, identity, rules.Replication).HandleAsync);
        router.On<DescribeConfigsRequest, DescribeConfigsResponse>(new ConfigHandler(settings, identity).HandleAsync);
        router.On<InitProducerIdRequest, InitProducerIdResponse>(new ProducerIdHandler(settings, identity, controller).HandleAsync);
        new GroupHandlers(groups, identity).Serve(router);
        Forward<CreateTopicsRequest, CreateTopicsResponse>(router, controller, answer => answer.Topics.Exists(topic => topic.ErrorCode == ErrorCode.NotController));
        Forward<DeleteTopicsRequest, DeleteTopicsResponse>(router, controller, answer => answer.Responses.Exists(topic => topic.ErrorCode == ErrorCode.NotController));
        Forward<CreatePartitionsRequest, CreatePartitionsResponse>(router, controller, answer => answer.Results.Exists(topic => topic.ErrorCode == ErrorCode.NotController));
        Forward<ElectLeadersRequest, ElectLeadersResponse>(router, controller, answer => answer.ErrorCode == ErrorCode.NotController);
        Forward<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>(router, controller, answer => answer.ErrorCode == ErrorCode.NotController);
        Forward<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(router, controller, answer => answer.Responses.Exists(resource => resource.ErrorCode == ErrorCode.NotController));
        Forward<AlterConfigsRequest, AlterConfigsResponse>(router, controller, answer => answer.Responses.Exists(resource => resource.ErrorCode == ErrorCode.NotController));
        return router;
    }

    /// <summary>Administration is the controller's: it is asked the same, and executes it once at most. Without an answer from it the connection is closed, and the client cannot know.</summary>
    private void Forward<TRequest, TResponse>(RequestRouter router, ControllerLink controller, Func<TResponse, bool> isNotController)
        where TRequest : class, IRequest<TResponse>, new()
        where TResponse : class, IResponse, new() =>
        router.On<TRequest, TResponse>(async (request, context) =>
        {
            var answer = await controller.AskActiveAsync(request, context.Header.Version, isNotController, settings.Backoff);
            context.CloseConnection = answer is null;
            return answer;
        });
}
