using Broker.Runtime;
using Chaos.Faults;
using Verify.Campaign.Running;
using Verify.Promises;
using Verify.Workloads;

namespace Verify.Campaign.Stories;

/// <summary>Smaller or plainer forms of the parts of a scenario. None of them knows whether it still fails.</summary>
internal static class Reductions
{
    /// <summary>Further from its trigger an event explains nothing.</summary>
    private static readonly TimeSpan Nearby = TimeSpan.FromMilliseconds(300);

    /// <summary>Counting further than this is no easier to read than a time.</summary>
    private const int MostCounted = 20;

    /// <summary>So much time a run may have before its first fault. Several, since heartbeats and elections fall differently after each.</summary>
    public static readonly TimeSpan[] Preludes = [.. new[] { 500, 300, 700, 1000, 1300, 2000 }.Select(ms => TimeSpan.FromMilliseconds(ms))];

    /// <summary>The fault as it was injected, where it was: at its time, on its nodes.</summary>
    public static Fault Pinned(Fault fault, FaultOutcome? outcome) => outcome is { Resolved: { } resolved, At: { } at } ? resolved with { When = new Trigger.At(at) } : fault;

    /// <summary>By the shortest time there is.</summary>
    public static Fault JustLater(Fault fault) => fault.When is Trigger.At(var at) ? fault with { When = new Trigger.At(at + TimeSpan.FromTicks(1)) } : fault;

    /// <summary>The same scenario without its first part; all times count from there.</summary>
    /// <param name="keepEarlier">The commands of the first part are crowded into the prelude; else they are left out.</param>
    public static Scenario From(Scenario scenario, TimeSpan skipped, TimeSpan prelude, bool keepEarlier)
    {
        var commands = scenario.Plan.Commands.Where(command => keepEarlier || command.At >= skipped).Select(command => command with { At = Later(command.At) });
        return scenario with
        {
            Length = scenario.Length - skipped,
            Plan = scenario.Plan with { Commands = [.. commands], Members = [.. scenario.Plan.Members.Select(Sooner)] },
            Faults = new FaultSchedule(scenario.Faults.Select(fault => fault.When is Trigger.At(var at) ? fault with { When = new Trigger.At(at - skipped) } : fault)),
        };

        MemberPlan Sooner(MemberPlan member) => member with { Joins = Since(member.Joins), Leaves = member.Leaves is { } leaves ? Since(leaves) : null };

        TimeSpan Since(TimeSpan at) => at > skipped ? at - skipped : TimeSpan.Zero;

        TimeSpan Later(TimeSpan at) => !keepEarlier ? at - skipped : at >= skipped + prelude ? at - skipped : at * (prelude / (skipped + prelude));
    }

    public static WorkloadPlan WithoutIdleClients(WorkloadPlan plan)
    {
        var busy = plan.Commands.Select(command => command.Client).Distinct().Order().ToList();
        return plan with { Clients = Math.Max(1, busy.Count), Commands = [.. plan.Commands.Select(command => command with { Client = busy.IndexOf(command.Client) })] };
    }

    /// <summary>What makes a member plainer, one thing at a time.</summary>
    public static IReadOnlyList<Func<MemberPlan, MemberPlan>> PlainerMembers { get; } =
    [
        static member => member with { Leaves = null },
        static member => member with { Joins = TimeSpan.Zero },
        static member => member with { Instance = null },
        static member => Rounded(member, 100),
        static member => Rounded(member, 10),
    ];

    private static MemberPlan Rounded(MemberPlan member, int unit) => member with { Joins = Rounded(member.Joins, unit), Leaves = member.Leaves is { } leaves ? Rounded(leaves, unit) : null };

    /// <summary>Everything that was about another partition is about one of these.</summary>
    public static Scenario OnPartitions(Scenario scenario, int count) => scenario with
    {
        Plan = scenario.Plan with
        {
            Partitions = count,
            Commands = [.. scenario.Plan.Commands.Select(command => command is Command.Send send ? send with { Partition = send.Partition % count } : command)],
        },
        Faults = new FaultSchedule(scenario.Faults.Select(fault => OnPartitions(fault, count))),
    };

    private static Fault OnPartitions(Fault fault, int count)
    {
        if (fault.When is Trigger.After { What.Partition: { Partition: >= 0 } partition } after)
            fault = fault with { When = after with { What = after.What with { Partition = Within(partition) } } };
        return fault is Fault.MoveLeader move ? move with { TopicPartition = Within(move.TopicPartition) } : fault;

        TopicPartition Within(TopicPartition of) => of.Topic == ClusterNodes.Topic ? of with { Partition = of.Partition % count } : of;
    }

    /// <summary>The same fault without what complicates it, one thing at a time.</summary>
    public static IEnumerable<Fault> Plainer(Fault fault)
    {
        if (fault is Fault.Power { Tail: not UnsyncedTail.Lost } power) yield return power with { Tail = UnsyncedTail.Lost };
        if (fault is Fault.Partition { Way: not CutWay.Both } cut) yield return cut with { Way = CutWay.Both };
        if (fault is Fault.Delay { Jitter.Ticks: > 0 } delay) yield return delay with { Jitter = TimeSpan.Zero };
        if (fault.When is Trigger.After { Delay.Ticks: > 0 } after) yield return fault with { When = after with { Delay = TimeSpan.Zero } };
    }

    /// <summary>Half as long, or null when that makes no difference worth trying.</summary>
    public static Fault? Shorter(Fault fault) =>
        fault.HowLong < TimeSpan.FromMilliseconds(20) ? null : fault with { HowLong = Rounded(fault.HowLong / 2, fault.HowLong > TimeSpan.FromMilliseconds(400) ? 100 : 10) };

    /// <summary>Rounded down to a whole number of units, never to nothing.</summary>
    /// <param name="unit">In milliseconds.</param>
    public static TimeSpan Rounded(TimeSpan time, int unit)
    {
        var ticks = unit * TimeSpan.TicksPerMillisecond;
        return time.Ticks < ticks ? time : TimeSpan.FromTicks(time.Ticks / ticks * ticks);
    }

    public static Fault Rounded(Fault fault, int unit) => fault with
    {
        HowLong = Rounded(fault.HowLong, unit),
        When = fault.When switch
        {
            Trigger.At(var at) => new Trigger.At(Rounded(at, unit)),
            Trigger.After after => after with { Delay = Rounded(after.Delay, unit) },
            _ => throw new InvalidOperationException($"unknown trigger {fault.When.GetType().Name}"),
        },
    };

    /// <summary>The fault at the same moment, but told by the last thing that was seen before it; null when nothing near tells it.</summary>
    public static Fault? AfterAnEvent(Fault fault, int index, Sighting sighting)
    {
        if (fault.When is not Trigger.At || sighting.Faults.FirstOrDefault(outcome => outcome.Index == index)?.At is not { } elapsed) return null;
        var moment = sighting.Start + elapsed;
        var last = sighting.Journal.LastOrDefault(entry => entry.At >= sighting.Start && entry.At <= moment && Describe(entry.What) is not null);
        if (moment - last.At > Nearby || Describe(last.What) is not { } pattern) return null;
        var count = sighting.Journal.Count(entry => entry.At >= sighting.Start && entry.At <= last.At && pattern.Matches(entry.What));
        return count is 0 or > MostCounted ? null : fault with { When = new Trigger.After(pattern, count, moment - last.At) };
    }

    /// <summary>The pattern by which a person would point to this observation; null for what goes on all the time.</summary>
    private static ObservationPattern? Describe(in Observation seen) => seen.Kind switch
    {
        ObservationKind.BecameLeader => new ObservationPattern(seen.Kind, seen.Node, seen.Partition, seen.Epoch),
        ObservationKind.Elected => new ObservationPattern(seen.Kind, Partition: seen.Partition, Epoch: seen.Epoch),
        ObservationKind.IsrCommitted => new ObservationPattern(seen.Kind, Partition: seen.Partition),
        ObservationKind.Appended or ObservationKind.Truncated or ObservationKind.Replicated => new ObservationPattern(seen.Kind, seen.Node, seen.Partition),
        ObservationKind.ClientAnswered => new ObservationPattern(seen.Kind, Partition: seen.Partition),
        ObservationKind.MemberStep => new ObservationPattern(seen.Kind, seen.Node, Other: seen.Other),
        ObservationKind.QuorumLeader => new ObservationPattern(seen.Kind, seen.Node),
        _ => null,
    };

    /// <summary>The same configuration without naming this setting, or null when it would be another one.</summary>
    public static Configuration? WithoutSetting(Configuration configuration, string name)
    {
        try
        {
            var fewer = Configuration.Of(configuration.Given.Where(setting => setting.Key != name));
            return fewer.Equals(configuration) ? fewer : null;
        }
        catch (BadInputException)                                      // the rest contradicts itself without it
        {
            return null;
        }
    }
}
