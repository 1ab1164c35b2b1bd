using Broker.Protocol;
using Broker.Runtime;
using Chaos.Live;
using Verify.Campaign.Running;
using Verify.Clients;
using Verify.Clients.Live;
using Verify.Workloads;

namespace Verify.Campaign.Live;

/// <summary>Whose clients a live run tests: our own, or processes of somebody else's. What looks after the run, probes and reads finally is always our own.</summary>
internal sealed class LiveClients : IDisposable
{
    private readonly LiveFolder? folder;
    private readonly ExecClients? others;
    private readonly Queue<IProducer> producers = [];
    private readonly Queue<ILogReader> readers = [];
    private readonly KitSettings settings;

    public LiveClients(IHost host, TaskScope scope, Scenario scenario, IReadOnlyList<Endpoint> bootstrap, ClientProgram? program)
    {
        settings = new KitSettings(scenario.Configuration, bootstrap, MemberPace.Live);
        var own = settings.Own(scope, static () => ClientRules.Faithful);
        Own = own with { Producer = at => new Watched(at, own.Producer(at)) };
        if (program is null)
        {
            Tested = Own;
            return;
        }
        folder = new LiveFolder();
        others = new ExecClients(host, scope, program, folder);
        Tested = Own with
        {
            Producer = at => new Watched(at, producers.Dequeue()),
            Follower = _ => readers.Dequeue(),
            Member = (_, member, watcher) =>
            {
                var made = others.Member(settings.MemberOf(member), scenario.Configuration.HasClassicGroups, watcher);
                MemberMade?.Invoke(member, made);
                return made;
            },
        };
    }

    public ClientKit Own { get; }

    public ClientKit Tested { get; }

    /// <summary>Hears of each process of a member.</summary>
    public Action<MemberPlan, ExecMember>? MemberMade { get; set; }

    /// <summary>Starts the processes of producers and readers, so that the workload does not begin without them.</summary>
    public async Task OpenAsync(WorkloadPlan plan)
    {
        if (others is null) return;
        var opening = Enumerable.Range(0, plan.Clients).Select(_ => others.ProducerAsync(settings.Producer)).ToArray();
        var reading = Enumerable.Range(0, plan.Readers).Select(_ => others.ReaderAsync(settings.Reader)).ToArray();
        foreach (var producer in opening) producers.Enqueue(await producer);
        foreach (var reader in reading) readers.Enqueue(await reader);
    }

    public void Dispose()
    {
        others?.Dispose();
        folder?.Dispose();
    }

    /// <summary>A producer that tells when a record may have left more than once: what a duplicate without idempotence may be owed to.</summary>
    private sealed class Watched(IHost host, IProducer producer) : IProducer
    {
        public async Task<SendOutcome> SendAsync(TopicPartition partition, byte[]? key, byte[]? value, params RecordHeader[] headers)
        {
            var outcome = await producer.SendAsync(partition, key, value, headers);
            if (outcome.WasRetried) host.Observe(new Observation(ObservationKind.SentAgain, host.Id, partition));
            return outcome;
        }

        public Task CloseAsync() => producer.CloseAsync();
    }
}
