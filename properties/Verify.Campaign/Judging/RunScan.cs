using System.Collections.Immutable;
using Broker.Core.Groups;
using Broker.Runtime;
using Chaos.Faults;
using Chaos.Simulation;
using Verify.Campaign.Results;
using Verify.Campaign.Running;
using Verify.History;
using Verify.Promises;
using Verify.Workloads;

namespace Verify.Campaign.Judging;

/// <summary>What happened in a run as a whole, from one pass over its journal.</summary>
internal sealed class RunScan
{
    private readonly Dictionary<TopicPartition, int> lastEpoch = [];
    private readonly Dictionary<TopicPartition, int> isrSize = [];
    private readonly Dictionary<TopicPartition, ElectionLog> elections = [];
    private readonly Dictionary<TopicPartition, TimeSpan> leaderlessSince = [];
    private readonly HashSet<long> sent = [];
    private readonly HashSet<long> producerIds = [];
    private readonly Dictionary<int, int> sessionsOf = [];             // of idempotent producers
    private readonly RunRecord run;
    private readonly NodeSet brokers;
    private readonly PowerLimit power, offsetsPower;                  // of the topic under test, and of the one in which groups keep their offsets
    private readonly GroupFigures groups;
    private int refusals, retries, lostRequests, unknownOutcomes, leaderChanges;
    private int shrinks, expansions, truncations, tornTails, controllerChanges, powerLosses, brokerDeaths;
    private NodeSet down, lied, rotten, spoiled;               // brokers not running; nodes whose disk lied; on whose disk a bit flipped; that may have lost what was synced

    public RunScan(RunRecord run)
    {
        this.run = run;
        var configuration = run.Scenario.Configuration;
        brokers = ClusterNodes.Brokers(configuration.Brokers);
        power = new PowerLimit(null, brokers, partition => OffsetsPlan.ReplicasOf(configuration, partition));
        offsetsPower = new PowerLimit(null, brokers, partition => OffsetsPlan.ReplicasOf(configuration, partition));
        groups = GroupFigures.Of(run.History);
        var healed = HealedAt(run.History);
        for (var i = 0; i < run.Journal.Count; i++)
        {
            Observe(run.Journal[i].What);
            if (run.Journal[i].At < healed) LeaderChangesUnderFaults = leaderChanges;
            WithoutLeader(run.Journal[i]);
        }
        foreach (var since in leaderlessSince.Values) Leaderless += run.Simulated - since;
    }

    /// <summary>How long partitions under test had no leader, as the controller told it; added up over partitions. Not of the workload metadata, which restarts all brokers by itself.</summary>
    public TimeSpan Leaderless { get; private set; }

    /// <summary>Leader changes before the last fault healed: what the tour of leaderships does afterwards is none of the faults'.</summary>
    public int LeaderChangesUnderFaults { get; private set; }

    private Configuration Configuration => run.Scenario.Configuration;

    private NodeSet Voters => Configuration.CombinedRoles ? brokers : ClusterNodes.Controllers;

    /// <summary>All but what the lives of records and groups tell.</summary>
    public RunEvidence Evidence => new()
    {
        Faults = run.Bitten.ToImmutableSortedDictionary(StringComparer.Ordinal),
        ConnectionsDied = lostRequests + unknownOutcomes + brokerDeaths,
        Refusals = refusals,
        Retries = retries,
        ProducerSessions = sessionsOf.Values.DefaultIfEmpty(1).Max(),
        LeaderChanges = leaderChanges,
        UncleanElections = Elections(ElectionKind.Unclean),
        LastKnownLeaderElections = Elections(ElectionKind.LastKnownLeader),
        PowerLossesBeforeFullIsr = power.Worst,
        OffsetsPowerLossesBeforeFullIsr = offsetsPower.Worst,
        MemberCrashes = groups.Crashes,
        Rebalances = groups.Rebalances,
        CommitsUnconfirmed = groups.Unconfirmed,
        CommitsOvertaken = groups.Overtaken,
        ReplicasGone = new NodeSet(down.Bits & ~StoppedByThemselves.Bits).Count,
        NodesRotten = rotten.Count,
        Controllers = Voters.Count,
        ControllersGone = new NodeSet(spoiled.Bits & Voters.Bits).Count,
    };

    public Counts Events => Counts.Of(
        new("clean-elections", Elections(ElectionKind.Clean)), new("eligible-leader-elections", Elections(ElectionKind.Eligible)),
        new("last-known-leader-elections", Elections(ElectionKind.LastKnownLeader)), new("unclean-elections", Elections(ElectionKind.Unclean)),
        new("leaderless-moments", Elections(ElectionKind.None)), new("isr-shrinks", shrinks), new("isr-expansions", expansions), new("truncations", truncations), new("torn-tails", tornTails),
        new("controller-changes", controllerChanges), new("power-losses", powerLosses), new("power-losses-over-limit", power.Worst >= Configuration.EffectiveMinInsyncReplicas ? 1 : 0),
        new("refused-requests", refusals), new("lost-requests", lostRequests), new("retried-batches", retries));

    /// <summary>A broker that stopped by a failure of its own excuses nothing by being away.</summary>
    private NodeSet StoppedByThemselves => NodeSet.Of(run.Failures.Select(failure => failure.Node.Value));

    private static TimeSpan HealedAt(HistoryLog history)
    {
        foreach (var e in history)
            if (e.Function == EventFunction.Heal) return TimeSpan.FromTicks(e.Time / TimeSpan.NanosecondsPerTick);
        return TimeSpan.MaxValue;
    }

    private void Observe(in Observation seen)
    {
        var ofOffsets = seen.Partition.Topic == OffsetsTopic.Name;
        if (!ofOffsets) power.Observe(seen);
        if (ofOffsets || seen.Partition.Topic is null) offsetsPower.Observe(seen);
        switch (seen.Kind)
        {
            case ObservationKind.ProduceReceived: Received(seen); break;
            case ObservationKind.FrameLost: LostOnTheWay(seen); break;
            case ObservationKind.SentAgain: retries++; break;
            case ObservationKind.ClientAnswered when seen.Other == -1: unknownOutcomes++; break;
            case ObservationKind.BecameLeader: ElectionsOf(seen.Partition).Observe(seen); TookOffice(seen); break;
            case ObservationKind.Elected or ObservationKind.ElectionDecided: ElectionsOf(seen.Partition).Observe(seen); break;
            case ObservationKind.IsrCommitted: Isr(seen); break;
            case ObservationKind.Truncated: truncations++; break;
            case ObservationKind.LogRecovered when seen.EndOffset > 0: tornTails++; break;
            case ObservationKind.QuorumLeader: controllerChanges++; break;
            case ObservationKind.FaultBit: Bit(seen); break;
            case ObservationKind.NodeStarted: down = down.Without(seen.Node.Value); break;
            case ObservationKind.Crashed or ObservationKind.PowerLost: Died(seen); break;
        }
    }

    private void Received(in Observation seen)
    {
        if (seen.Other != 0) refusals++;
        var value = BatchValues.First(seen.Bytes, out var producerId);
        if (!sent.Add(value)) retries++;
        if (producerId < 0 || !producerIds.Add(producerId)) return;
        var producer = ProducerOf(value);
        sessionsOf[producer] = sessionsOf.GetValueOrDefault(producer) + 1;
    }

    private void LostOnTheWay(in Observation seen)
    {
        lostRequests++;
        foreach (var (_, batch) in BatchValues.OfRequest(seen.Bytes))
            if (!sent.Add(BatchValues.First(batch, out _))) retries++;
    }

    private int ProducerOf(long value)
    {
        foreach (var command in run.Scenario.Plan.Commands)
            if (command is Command.Send send && send.Value == value) return send.Client;
        return Processes.Prober;
    }

    private void TookOffice(in Observation seen)
    {
        var known = lastEpoch.TryGetValue(seen.Partition, out var epoch);
        if (known && seen.Epoch <= epoch) return;
        if (known) leaderChanges++;
        lastEpoch[seen.Partition] = seen.Epoch;
    }

    private void WithoutLeader(in JournalEntry entry)
    {
        if (entry.What.Kind != ObservationKind.Elected || !WorkloadNames.SendsRecords(run.Scenario.Plan.Workload) || entry.What.Partition.Topic != ClusterNodes.Topic) return;
        if ((ElectionKind)entry.What.Offset == ElectionKind.None) leaderlessSince.TryAdd(entry.What.Partition, entry.At);
        else if (leaderlessSince.Remove(entry.What.Partition, out var since)) Leaderless += entry.At - since;
    }

    private int Elections(ElectionKind kind) => elections.Values.Sum(log => log.All.Count(election => election.Kind == kind));

    private ElectionLog ElectionsOf(TopicPartition partition)
    {
        if (!elections.TryGetValue(partition, out var log)) elections.Add(partition, log = new ElectionLog());
        return log;
    }

    private void Isr(in Observation seen)
    {
        if (isrSize.TryGetValue(seen.Partition, out var before))
        {
            if (seen.Nodes.Count < before) shrinks++;
            else if (seen.Nodes.Count > before) expansions++;
        }
        isrSize[seen.Partition] = seen.Nodes.Count;
    }

    private void Bit(in Observation seen)
    {
        if ((uint)seen.Other >= (uint)run.Faults.Count) return;
        var fault = run.Faults[seen.Other].Fault;
        if (fault is Fault.DiskLies) lied = lied.With(seen.Node.Value);
        else if (fault is Fault.BitRot) (rotten, spoiled) = (rotten.With(seen.Node.Value), spoiled.With(seen.Node.Value));
    }

    private void Died(in Observation seen)
    {
        if (seen.Kind == ObservationKind.PowerLost) powerLosses++;
        if (seen.Kind == ObservationKind.PowerLost && lied.Contains(seen.Node.Value)) spoiled = spoiled.With(seen.Node.Value);
        if (!brokers.Contains(seen.Node.Value)) return;
        brokerDeaths++;
        down = down.With(seen.Node.Value);
    }
}
