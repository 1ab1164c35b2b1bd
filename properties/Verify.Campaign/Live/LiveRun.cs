using System.Globalization;
using Broker.Hosting;
using Broker.Protocol;
using Broker.Runtime;
using Chaos.Faults;
using Chaos.Live;
using Chaos.Simulation;
using Verify.Campaign.Running;
using Verify.Clients;
using Verify.History;
using Verify.Promises;
using Verify.Workloads;

namespace Verify.Campaign.Live;

/// <summary>
/// Plays a scenario on real processes: starts a cluster of its own, lets the same clients and the same nemesis loose as in simulation, heals, waits for recovery, tours the leaderships and reads everything again.
/// </summary>
/// <remarks>All clients and the nemesis share one loop, since a history has one writer. Its journal tells what can be seen from outside: lives, faults, leaders and ISRs.</remarks>
public sealed class LiveRun : IDisposable
{
    /// <summary>A fault of a recipe that comes later than this was not the one that was planned; when random ones come does not matter.</summary>
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Boot = TimeSpan.FromSeconds(90), Read = TimeSpan.FromSeconds(120);

    private readonly Journal journal = new();
    private readonly TaskScope scope = new();
    private readonly Scenario scenario;
    private readonly HistoryRecorder recorder;
    private readonly RealHost host;
    private readonly LiveCluster cluster;
    private readonly Nemesis nemesis;
    private readonly PowerLimit limit;                                // nobody outside sees a broker register again: one that lost power counts as away to the end
    private readonly LiveClients clients;
    private readonly LogWorkload tested, own;
    private readonly LiveGroups? groups;
    private readonly ClusterOperator cares;
    private readonly StallWatch stalls;
    private readonly long began;
    private bool isReady;
    private TimeSpan? recoveredAfter;

    private LiveRun(Scenario scenario, LivePlace place, HistoryLog history)
    {
        this.scenario = scenario;
        host = new RealHost(ClusterNodes.Operator, new MemoryDisk(), new Prng(scenario.Seed), Note);
        began = host.Time.GetTimestamp();
        recorder = new HistoryRecorder(history, () => Now.Ticks * TimeSpan.NanosecondsPerTick);
        var (cuts, power) = (scenario.Faults.Any(static fault => fault is Fault.Partition), scenario.Faults.Any(static fault => fault is Fault.Power));
        var network = cuts || power ? new LiveNetwork(ClusterNodes.Brokers(scenario.Configuration.Brokers).Ids()) : null;
        cluster = new LiveCluster(place.System, scenario.Configuration.Brokers, ServerSettings(scenario.Configuration), scenario.Configuration.EligibleLeaderReplicas, Note, network, disks: power) { MoveLeadership = MoveLeadership };
        limit = new PowerLimit(scenario.PowerLimit, ClusterNodes.Brokers(scenario.Configuration.Brokers), partition => OffsetsPlan.ReplicasOf(scenario.Configuration, partition));
        clients = new LiveClients(host, scope, scenario, cluster.Bootstrap, place.Client);
        var plan = scenario.Plan;
        tested = new LogWorkload(plan, ClusterNodes.Topic, recorder, clients.Tested);
        own = new LogWorkload(plan, ClusterNodes.Topic, recorder, clients.Own);
        if (!plan.Members.IsEmpty) groups = new LiveGroups(host, plan, own, new GroupWorkload(tested, plan, recorder, clients.Tested), clients.Own);
        if (groups is not null) clients.MemberMade = groups.Note;
        nemesis = new Nemesis(scenario.Faults, new Victims(this), host.Time) { Veto = limit.Forbids };
        stalls = new StallWatch(host.Time, () => Now);
        cares = new ClusterOperator(scenario, clients.Own) { Patience = Boot, TopicSettings = TopicSettings(scenario.Configuration) };
    }

    private TimeSpan Now => host.Time.GetElapsedTime(began);

    /// <param name="mustBite">Each fault of the scenario is part of what it is to show. Otherwise one that finds its node down by another changes nothing.</param>
    /// <exception cref="LiveException">The cluster could not be made.</exception>
    /// <exception cref="OperationCanceledException">Somebody asked to stop; nothing is left behind.</exception>
    public static RunRecord Play(Scenario scenario, LivePlace place, bool mustBite, HistoryLog into, CancellationToken stop)
    {
        using var run = new LiveRun(scenario, place, into);
        var played = run.host.Loop.RunAsync(async () =>
        {
            run.cluster.EnterAsClient();
            run.scope.Start(run.stalls.WatchAsync);
            var playing = run.PlayAsync();
            await await Task.WhenAny(playing, run.scope.Failed);
            run.stalls.MayStop = true;
        });
        try
        {
            played.Wait(stop);
        }
        catch (AggregateException several) when (several.InnerException is LiveException refused)
        {
            throw refused;
        }
        return new RunRecord(scenario, into, run.journal, run.nemesis.Outcomes, run.nemesis.Bitten, run.Failures, 0, run.Now, run.isReady, run.recoveredAfter) { IsTraced = false, HidesCommits = place.Client is not null, Missed = run.Missed(mustBite), Stalls = run.stalls.Stalls };
    }

    public void Dispose()
    {
        host.Dispose();
        clients.Dispose();
        groups?.Dispose();
        cluster.Dispose();
    }

    private string[] Missed(bool mustBite)
    {
        if (!isReady) return [string.Create(CultureInfo.InvariantCulture, $"the cluster did not come up in {Boot.TotalSeconds:0} s{string.Concat(ClusterNodes.Brokers(scenario.Configuration.Brokers).Ids().Select(id => $"; node {id} said last: {cluster.LastWords(new NodeId(id))}"))}")];
        var done = cluster.Missed.ToHashSet();
        return [.. nemesis.Outcomes.Select(fault => WhyMissed(fault, mustBite || done.Contains(fault.Index)) is { } why ? $"{FaultText.Sentence(fault.Fault, fault.Resolved)}: {why}" : null).OfType<string>()];
    }

    private static string? WhyMissed(FaultOutcome fault, bool mustBite) =>
        mustBite && fault.Resolved is null ? "it did not come to that"
        : mustBite && !fault.Bit ? "it changed nothing"
        : mustBite && fault is { Fault.When: Trigger.At(var planned), At: { } came } && came - planned > Late ? string.Create(CultureInfo.InvariantCulture, $"it came {(came - planned).TotalSeconds:0.0} s late")
        : null;

    private NodeFailure[] Failures => [.. cluster.Deaths.Select(death => new NodeFailure(death.Node, default, new LiveException($"exit code {death.ExitCode}: {death.LastWords}")))];

    private async Task PlayAsync()
    {
        var plan = scenario.Plan;
        cluster.Start();
        isReady = await cares.CreateTopicAsync(host, plan.Partitions) && (groups is null || await cares.CreateTopicAsync(host, OffsetsPlan.New));
        if (!isReady) return;
        cluster.Sync();
        await clients.OpenAsync(plan);
        var watch = new LiveWatch(host, cluster, clients.Own.Admin(host));
        var watching = watch.WatchAsync();
        Task[] readers = [.. Enumerable.Range(0, plan.Readers).Select(reader => tested.ReadAsync(host, reader))];
        Task[] producers = [.. Enumerable.Range(0, plan.Clients).Select(client => tested.ProduceAsync(host, client))];
        groups?.Start(scope);

        nemesis.Start();
        await host.Time.DelayAsync(scenario.Length);
        nemesis.HealAll();
        cluster.Watch();
        cluster.Start();
        recorder.Heal();
        foreach (var producer in producers) await producer;

        var healed = Now;
        var recovered = await cares.InSyncAsync(host, own.Partitions, cares.Everybody) & await own.ProbeAsync(host, Boot);
        if (groups is not null) recovered &= await cares.InSyncAsync(host, OffsetsPlan.All, cares.Everybody) & await groups.DrainAsync(Read);
        if (recovered) recoveredAfter = Now - healed;
        tested.ReadersMayStop = true;
        foreach (var reader in readers) await reader;
        await TourAsync();
        watch.MayStop = true;
        await watching;
    }

    private async Task TourAsync()
    {
        await own.ReadFinallyAsync(host, Read);
        foreach (var broker in ClusterNodes.Brokers(scenario.Configuration.Brokers).Ids())
        {
            var moved = false;
            foreach (var partition in own.Partitions) moved |= await cares.MakeLeadAsync(host, partition, new NodeId(broker));
            if (moved) await own.ReadFinallyAsync(host, Read);
        }
    }

    private void MoveLeadership(int index, TopicPartition partition, NodeId to) => scope.Start(async () =>
    {
        if (await cares.MoveLeaderAsync(host, partition, to)) cluster.Bit(index, to);
    });

    private void Note(Observation seen)
    {
        journal.Add(new JournalEntry(Now, seen));
        cluster?.Observe(seen);
        limit?.Observe(seen);
        nemesis?.Observe(seen);
    }

    private static KeyValuePair<string, string>[] ServerSettings(Configuration settings) =>
    [
        .. new[] { SettingCatalogue.SessionTimeout, SettingCatalogue.HeartbeatInterval, SettingCatalogue.ReplicaLagTime, SettingCatalogue.ElectionTimeout, SettingCatalogue.QuorumFetchTimeout }
            .Select(name => KeyValuePair.Create(name, settings.Value(name))),
        new("default.replication.factor", settings.Value(SettingCatalogue.ReplicationFactor)),
        new("offsets.topic.num.partitions", $"{OffsetsPlan.Partitions}"), new("group.min.session.timeout.ms", "1000"), new("group.initial.rebalance.delay.ms", "0"),
    ];

    private static KeyValuePair<string, string>[] TopicSettings(Configuration settings) =>
    [
        .. new[] { SettingCatalogue.MinInsyncReplicas, SettingCatalogue.UncleanLeaderElection, SettingCatalogue.FlushMessages, SettingCatalogue.Preallocate }.Select(name => KeyValuePair.Create(name, settings.Value(name))),
    ];

    /// <summary>Whom faults hurt: brokers, and members of groups that are processes.</summary>
    private sealed class Victims(LiveRun run) : IFaultTarget
    {
        public NodeId? Find(NodeRef role) => run.cluster.Find(role);

        public void Inject(int index, Fault fault)
        {
            if (fault.Subject is not { } subject || run.groups?.Find(Fault.NodeOf(subject)) is not { } member) run.cluster.Inject(index, fault);
            else if (run.groups.Kill(index, member)) run.Note(new Observation(ObservationKind.FaultBit, Fault.NodeOf(subject), Other: index));
        }

        public void Heal(int index)
        {
            if (run.groups?.Return(index) is not true) run.cluster.Heal(index);
        }
    }
}
