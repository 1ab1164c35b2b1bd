using System.Collections.Immutable;
using Broker.Runtime;
using Chaos.Faults;
using Chaos.Live;
using Verify.Campaign.Running;
using Verify.Clients.Live;
using Verify.Promises;
using Verify.Workloads;

namespace Verify.Campaign.Live;

/// <summary>Where live runs take place: which broker, whose clients, and how scenarios are drawn for them.</summary>
/// <param name="Client">Whose producers, readers and members are tested; null: our own.</param>
public sealed record LivePlace(ILiveSystem System, ClientProgram? Client = null)
{
    private const ulong LoadStream = 11, FaultStream = 12, GroupStream = 13;

    /// <summary>The clients' commands come in slices of this length, each drawn as a whole simulated workload is.</summary>
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(1);

    /// <summary>Time-outs between those of simulation and Kafka's own: short enough for several elections in a minute, long enough for a busy machine.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> Defaults { get; } =
    [
        new(SettingCatalogue.ProcessRoles, "combined"), new(SettingCatalogue.SessionTimeout, "3000"), new(SettingCatalogue.ReplicaLagTime, "3000"),
        new(SettingCatalogue.ElectionTimeout, "1000"), new(SettingCatalogue.QuorumFetchTimeout, "2000"), new(SettingCatalogue.RequestTimeout, "3000"), new(SettingCatalogue.DeliveryTimeout, "20000"),
    ];

    /// <summary>The fault words that can be done on this machine.</summary>
    public static IReadOnlyList<string> WordsHere => [.. LiveCluster.Words.Where(static word => Missing([word]) is null)];

    /// <summary>What faults need and this machine lacks, in one line; null: nothing.</summary>
    public static string? Missing(IReadOnlyList<string> words) => 
        words.Contains(FaultWord.Partition) && LiveNetwork.Missing() is { } network ? $"{FaultWord.Partition} needs a network of the run's own: {network}"
        : words.Contains(FaultWord.Power) && (LiveNetwork.Missing() ?? LiveDisk.Missing()) is { } disk ? $"{FaultWord.Power} needs disks of the run's own: {disk}" : null;

    /// <summary>What the producers send, second by second, and what happens to the nodes meanwhile; all from the seed.</summary>
    /// <exception cref="BadInputException">A fault word that cannot be done to processes, or a protocol that our clients do not have.</exception>
    public Scenario Draw(ulong seed, Configuration configuration, FaultChoice faults, TimeSpan length)
    {
        if (faults.Words.FirstOrDefault(static word => !LiveCluster.Words.Contains(word)) is { } word)
            throw new BadInputException($"--faults {word}: cannot be done to processes; there are {string.Join(", ", LiveCluster.Words)}");
        var chance = new Prng(seed);
        var plan = Load(chance.Split(LoadStream), configuration, length);
        var schedule = Disturb(chance.Split(FaultStream), plan, configuration.Brokers, faults.Words, length);
        var groups = chance.Split(GroupStream);
        if (configuration.HasGroups) plan = plan with { Members = Members(groups, length) };
        if (Client is not null && faults.Words.Contains(FaultWord.Crash)) schedule = new FaultSchedule(schedule.Concat(Kill(groups, plan, length)));
        return new Scenario(seed, configuration, plan, schedule, WorldShape.Plain, length, faults.LimitPower ? PowerLimitOf(configuration) : null);
    }

    private static int PowerLimitOf(Configuration configuration) =>
        (configuration.HasGroups ? Math.Min(configuration.EffectiveMinInsyncReplicas, OffsetsPlan.MinInSyncReplicas) : configuration.EffectiveMinInsyncReplicas) - 1;

    /// <summary>Two members, as slow as the load is fast while one of them is away: there is always something in their hands. Ours cannot be killed: one leaves, and another comes in its place.</summary>
    private ImmutableArray<MemberPlan> Members(Prng chance, TimeSpan length)
    {
        var (processing, batch) = (TimeSpan.FromMilliseconds(chance.Between(8, 12)), chance.Pick([10, 20, 50]));
        MemberPlan[] two = [.. Enumerable.Range(0, 2).Select(number => new MemberPlan(number, Group: 0, Joins: TimeSpan.Zero, processing, batch))];
        return Client is not null ? [.. two] : [two[0], two[1] with { Leaves = length * 0.4 }, two[1] with { Number = 2, Joins = length * 0.5 }];
    }

    /// <summary>Members die with records in their hands, and are back after a moment or after their session. Nobody knows how long a process takes to begin.</summary>
    private static IEnumerable<Fault> Kill(Prng chance, WorkloadPlan plan, TimeSpan length)
    {
        if (plan.Members.IsEmpty) yield break;
        foreach (var member in plan.Members)
        {
            var seen = new ObservationPattern(ObservationKind.MemberStep, ClusterNodes.Member(member.Number), Other: (int)MemberMoment.Processed);
            for (var records = chance.Between(20, 200); records < length.TotalSeconds * 30; records += chance.Between(100, 300))
                yield return new Fault.Crash(new Trigger.After(seen, records, TimeSpan.Zero), Seconds(chance, 0.1, 4), new NodeRef.Fixed(ClusterNodes.Member(member.Number)));
        }
    }

    private static WorkloadPlan Load(Prng chance, Configuration configuration, TimeSpan length)
    {
        var partitions = configuration.WasGiven(SettingCatalogue.Partitions) ? configuration.Partitions : 2;
        var clients = 2;
        var commands = new List<Command>();
        long last = 0;
        for (var slice = 0; Slice * slice < length; slice++)
        {
            var drawn = WorkloadGenerator.Draw(WorkloadNames.Log, chance.Split((ulong)slice), Slice);
            var before = last;
            foreach (var send in drawn.Commands.Cast<Command.Send>())
            {
                commands.Add(send with { At = send.At + Slice * slice, Client = send.Client % clients, Partition = send.Partition % partitions, Value = send.Value + before, Key = null });
                last = Math.Max(last, send.Value + before);
            }
        }
        return new WorkloadPlan(WorkloadNames.Log, partitions, clients, Readers: 2, [.. commands.OrderBy(static command => command.At)]);
    }

    /// <summary>One fault after the other, aimed at a node or at whoever leads; now and then two at once. A process takes seconds to come back, so faults come seconds apart.</summary>
    private static FaultSchedule Disturb(Prng chance, WorkloadPlan plan, int brokers, IReadOnlyList<string> words, TimeSpan length)
    {
        if (words.Count == 0) return FaultSchedule.Empty;
        var faults = new List<Fault>();
        for (var at = Seconds(chance, 0.5, 2); at < length * 0.95; at += chance.Chance(0.15) ? TimeSpan.FromMilliseconds(chance.Below(500)) : Seconds(chance, 2, 7))
        {
            var when = new Trigger.At(at);
            var partition = new TopicPartition(ClusterNodes.Topic, chance.Below(plan.Partitions));
            NodeRef victim = chance.Chance(0.5) ? new NodeRef.LeaderOf(partition) : NodeRef.Of(1 + chance.Below(brokers));
            faults.Add(chance.Pick(words) switch
            {
                FaultWord.Crash => new Fault.Crash(when, Seconds(chance, 0.1, 5), victim),
                FaultWord.Pause => new Fault.Pause(when, Seconds(chance, 0.2, 8), victim),
                FaultWord.Restart => new Fault.Restart(when, Seconds(chance, 0.1, 3), victim),
                FaultWord.MoveLeader => new Fault.MoveLeader(when, partition, NodeRef.Of(1 + chance.Below(brokers))),
                FaultWord.Power => new Fault.Power(when, Seconds(chance, 0.1, 5), victim, UnsyncedTail.Lost),
                FaultWord.Partition => Cut(when, Seconds(chance, 0.5, 8), victim, NodeRef.Of(1 + chance.Below(brokers))),
                var word => throw new InvalidOperationException($"unknown fault {word}"),
            });
        }
        return new FaultSchedule(faults);

        // From one other node, from all other nodes, or from the clients too; mostly both ways.
        Fault.Partition Cut(Trigger when, TimeSpan howLong, NodeRef victim, NodeRef other)
        {
            var kind = chance.Below(3);
            var peers = kind == 0 ? new NodeGroup([other]) : kind == 1 ? NodeGroup.Of([.. Enumerable.Range(1, brokers)]) : NodeGroup.None;
            return new Fault.Partition(when, howLong, new NodeGroup([victim]), peers, chance.Chance(0.6) ? CutWay.Both : chance.Pick([CutWay.Out, CutWay.In]));
        }
    }

    private static TimeSpan Seconds(Prng chance, double from, double to) => TimeSpan.FromMilliseconds(Math.Round(1000 * (from + (to - from) * chance.NextDouble())));
}
