using Broker.Runtime;
using Chaos.Faults;
using Verify.Promises;
using Verify.Workloads;

namespace Verify.Campaign.Running;

/// <summary>One run as plain data: the same scenario gives the same trace hash on every machine. Shrinking changes everything but the seed.</summary>
/// <param name="Seed">Of the world: latencies, torn writes, election time-outs, who goes first.</param>
/// <param name="Length">Of the workload under faults, in virtual time; healing, recovery and the final reads follow.</param>
/// <param name="PowerLimit">Most brokers that may lose power between two moments of full ISR; null: no limit.</param>
/// <param name="Mutant">Slug of the planted bug, null for the faithful broker.</param>
/// <param name="World">How fast its networks, disks and voters are.</param>
public sealed record Scenario(
    ulong Seed, Configuration Configuration, WorkloadPlan Plan, FaultSchedule Faults, WorldShape World, TimeSpan Length, int? PowerLimit, string? Mutant = null);

/// <summary>The pace of a world. Which messages meet which flushes and elections depends on it more than on the faults, so it is drawn anew for each seed.</summary>
/// <param name="Latency">Slowest message; the fastest takes a tenth.</param>
/// <param name="Flush">Slowest flush; the fastest takes a fifth.</param>
/// <param name="QuorumPace">Of the quorum's time-outs: 1 is as configured, smaller is faster.</param>
/// <param name="FetchBytes">The most one fetch brings, of a partition or of the metadata log; always at least one batch.</param>
public sealed record WorldShape(TimeSpan Latency, TimeSpan Flush, double QuorumPace, int FetchBytes)
{
    public static readonly WorldShape Plain = new(TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(0.3), 1, 1 << 20);

    /// <summary>A tight quorum costs many more elections, so only the workload that looks at metadata draws one.</summary>
    public static WorldShape Draw(Prng chance, string workload)
    {
        var metadata = workload == WorkloadNames.Metadata;
        return new WorldShape(
            LogUniform(chance, 0.5, 5),
            LogUniform(chance, 0.2, 5),
            metadata && chance.Chance(0.7) ? chance.Pick([0.2, 0.06]) : 1,
            chance.Chance(metadata ? 0.6 : 0.3) ? 1 : 1 << 20);
    }

    private static TimeSpan LogUniform(Prng chance, double fromMs, double toMs) =>
        TimeSpan.FromMicroseconds(Math.Round(1000 * fromMs * Math.Pow(toMs / fromMs, chance.NextDouble())));
}

/// <summary>Which faults a campaign draws from.</summary>
/// <param name="Words">Fault words; empty for none.</param>
/// <param name="LimitPower">At most min.insync.replicas - 1 power losses between two moments of full ISR.</param>
public sealed record FaultChoice(IReadOnlyList<string> Words, bool LimitPower)
{
    /// <summary>All that an honest world does by itself, power losses within what min.insync.replicas tolerates.</summary>
    public static readonly FaultChoice Default = new(FaultWord.Default, LimitPower: true);
}

/// <summary>Draws scenarios from seeds. Workload and faults depend on the seed and the number of brokers alone, so the cells of a comparison, and all mutants, face the same.</summary>
public static class ScenarioGenerator
{
    private const ulong WorkloadStream = 1, FaultStream = 2, WorldStream = 3, GroupStream = 4, GroupFaultStream = 5;

    public static Scenario Draw(ulong seed, Configuration configuration, string workload, FaultChoice faults, TimeSpan length, string? mutant = null)
    {
        var chance = new Prng(seed);
        var plan = WorkloadGenerator.Draw(workload, chance.Split(WorkloadStream), length);
        if (configuration.WasGiven(SettingCatalogue.Partitions) && WorkloadNames.SendsRecords(workload))
            plan = plan with { Partitions = configuration.Partitions, Commands = [.. plan.Commands.Select(command => command is Command.Send send ? send with { Partition = send.Partition % configuration.Partitions } : command)] };
        int? limit = faults.LimitPower ? configuration.EffectiveMinInsyncReplicas - 1 : null;
        var hasGroups = configuration.HasGroups && workload == WorkloadNames.Log;
        if (hasGroups) plan = GroupGenerator.AddTo(plan, chance.Split(GroupStream), length, configuration.WasGiven(SettingCatalogue.Partitions) ? configuration.Partitions : null);
        var schedule = DrawFaults(chance.Split(FaultStream), plan, configuration.Brokers, faults, length);
        if (hasGroups)
        {
            schedule = new FaultSchedule(schedule.Concat(GroupFaults.Draw(chance.Split(GroupFaultStream), plan, configuration.Brokers, faults, length)));
            if (limit is { } most) limit = Math.Min(most, OffsetsPlan.MinInSyncReplicas - 1);
        }
        return new Scenario(seed, configuration, plan, schedule, WorldShape.Draw(chance.Split(WorldStream), workload), length, limit, mutant);
    }

    private static FaultSchedule DrawFaults(Prng chance, WorkloadPlan plan, int brokers, FaultChoice faults, TimeSpan length)
    {
        if (faults.Words.Count == 0) return FaultSchedule.Empty;
        var scope = new ScheduleScope
        {
            Words = faults.Words,
            Brokers = ClusterNodes.Brokers(brokers),
            Controllers = ClusterNodes.Controllers,
            Clients = ClusterNodes.Clients(plan),
            Partitions = [.. Enumerable.Range(0, WorkloadNames.SendsRecords(plan.Workload) ? plan.Partitions : 0).Select(index => new TopicPartition(ClusterNodes.Topic, index))],
            Focus = plan.Workload == WorkloadNames.Metadata ? ClusterNodes.Controllers : NodeSet.Empty,
            Span = length * 0.9,
            PowerBudget = int.MaxValue,
        };
        // Half of the seeds spread their faults evenly, half by weights that leave most of them out (swarm); each finds what the other does not.
        return chance.Chance(0.5) ? ScheduleGenerator.Uniform(chance, scope) : ScheduleGenerator.Swarm(chance, scope);
    }
}

/// <summary>Who is who in a simulated world; numbers below 64 (see <see cref="NodeSet"/>).</summary>
public static class ClusterNodes
{
    public const string Topic = "t";

    public static readonly NodeId Operator = new(60);

    public static readonly NodeSet Controllers = NodeSet.Of([11, 12, 13]);

    public static NodeSet Brokers(int count) => NodeSet.Of(Enumerable.Range(1, count));

    public static NodeId Client(int number) => new(21 + number);

    public static NodeId Member(int number) => new(30 + number);

    public static NodeId Reader(int number) => new(41 + number);

    public static NodeSet Members(WorkloadPlan plan) => NodeSet.Of(plan.Members.Select(static member => Member(member.Number).Value));

    public static NodeSet Clients(WorkloadPlan plan) =>
        NodeSet.Of([.. Enumerable.Range(0, plan.Clients).Select(number => Client(number).Value), .. Enumerable.Range(0, plan.Readers).Select(number => Reader(number).Value)]);
}
