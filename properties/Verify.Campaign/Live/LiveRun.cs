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
    /// <summary>A fault that comes later than this was not the one that was planned.</summary>
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
    private readonly ClientKit kit;
    private readonly ClusterOperator cares;
    private readonly StallWatch stalls;
    private readonly long began;
    private bool isReady;
    private TimeSpan? recoveredAfter;

    private LiveRun(Scenario scenario, ILiveSystem system, HistoryLog history)
    {
        this.scenario = scenario;
        host = new RealHost(ClusterNodes.Operator, new MemoryDisk(), new Prng(scenario.Seed), Note);
        began = host.Time.GetTimestamp();
        recorder = new HistoryRecorder(history, () => Now.Ticks * TimeSpan.NanosecondsPerTick);
        var (cuts, power) = (scenario.Faults.Any(static fault => fault is Fault.Partition), scenario.Faults.Any(static fault => fault is Fault.Power));
        var network = cuts || power ? new LiveNetwork(ClusterNodes.Brokers(scenario.Configuration.Brokers).Ids()) : null;
        cluster = new LiveCluster(system, scenario.Configuration.Brokers, ServerSettings(scenario.Configuration), scenario.Configuration.EligibleLeaderReplicas, Note, network, disks: power) { MoveLeadership = MoveLeadership };
        limit = new PowerLimit(scenario.PowerLimit, ClusterNodes.Brokers(scenario.Configuration.Brokers), partition => OffsetsPlan.ReplicasOf(scenario.Configuration, partition));
        nemesis = new Nemesis(scenario.Faults, cluster, host.Time) { Veto = limit.Forbids };
        var plain = SimulatedSettings.Kit(scenario, cluster.Bootstrap, scope, static () => ClientRules.Faithful);
        kit = plain with { Producer = at => new Watched(at, plain.Producer(at)) };
        stalls = new StallWatch(host.Time, () => Now);
        cares = new ClusterOperator(scenario, kit) { Patience = Boot, TopicSettings = TopicSettings(scenario.Configuration) };
    }

    private TimeSpan Now => host.Time.GetElapsedTime(began);

    /// <param name="mustBite">Each fault of the scenario is part of what it is to show. Otherwise one that finds its node down by another changes nothing.</param>
    /// <exception cref="LiveException">The cluster could not be made.</exception>
    /// <exception cref="OperationCanceledException">Somebody asked to stop; nothing is left behind.</exception>
    public static RunRecord Play(Scenario scenario, ILiveSystem system, bool mustBite, HistoryLog into, CancellationToken stop)
    {
        using var run = new LiveRun(scenario, system, into);
        var played = run.host.Loop.RunAsync(async () =>
        {
            run.cluster.EnterAsClient();
            run.scope.Start(run.stalls.WatchAsync);
            var playing = run.PlayAsync();
            await await Task.WhenAny(playing, run.scope.Failed);
            run.stalls.MayStop = true;
        });
        played.Wait(stop);
        return new RunRecord(scenario, into, run.journal, run.nemesis.Outcomes, run.nemesis.Bitten, run.Failures, 0, run.Now, run.isReady, run.recoveredAfter) { IsTraced = false, Missed = run.Missed(mustBite), Stalls = run.stalls.Stalls };
    }

    public void Dispose()
    {
        host.Dispose();
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
        : fault is { Fault.When: Trigger.At(var planned), At: { } came } && came - planned > Late ? string.Create(CultureInfo.InvariantCulture, $"it came {(came - planned).TotalSeconds:0.0} s late")
        : null;

    private NodeFailure[] Failures => [.. cluster.Deaths.Select(death => new NodeFailure(death.Node, default, new LiveException($"exit code {death.ExitCode}: {death.LastWords}")))];

    private async Task PlayAsync()
    {
        var plan = scenario.Plan;
        cluster.Start();
        isReady = await cares.CreateTopicAsync(host, plan.Partitions);
        if (!isReady) return;
        cluster.Sync();
        var watch = new LiveWatch(host, cluster, kit.Admin(host));
        var watching = watch.WatchAsync();
        var workload = new LogWorkload(plan, ClusterNodes.Topic, recorder, kit);
        Task[] readers = [.. Enumerable.Range(0, plan.Readers).Select(reader => workload.ReadAsync(host, reader))];
        Task[] producers = [.. Enumerable.Range(0, plan.Clients).Select(client => workload.ProduceAsync(host, client))];

        nemesis.Start();
        await host.Time.DelayAsync(scenario.Length);
        nemesis.HealAll();
        cluster.Watch();
        cluster.Start();
        recorder.Heal();
        foreach (var producer in producers) await producer;

        var healed = Now;
        var recovered = await cares.InSyncAsync(host, workload.Partitions, cares.Everybody) & await workload.ProbeAsync(host, Boot);
        if (recovered) recoveredAfter = Now - healed;
        workload.ReadersMayStop = true;
        foreach (var reader in readers) await reader;
        await TourAsync(workload);
        watch.MayStop = true;
        await watching;
    }

    private async Task TourAsync(LogWorkload workload)
    {
        await workload.ReadFinallyAsync(host, Read);
        foreach (var broker in ClusterNodes.Brokers(scenario.Configuration.Brokers).Ids())
        {
            var moved = false;
            foreach (var partition in workload.Partitions) moved |= await cares.MakeLeadAsync(host, partition, new NodeId(broker));
            if (moved) await workload.ReadFinallyAsync(host, Read);
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
    ];

    private static KeyValuePair<string, string>[] TopicSettings(Configuration settings) =>
    [
        .. new[] { SettingCatalogue.MinInsyncReplicas, SettingCatalogue.UncleanLeaderElection, SettingCatalogue.FlushMessages, SettingCatalogue.Preallocate }.Select(name => KeyValuePair.Create(name, settings.Value(name))),
    ];

    /// <summary>A producer that tells when a record left more than once: what a duplicate without idempotence may be owed to.</summary>
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
