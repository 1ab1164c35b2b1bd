using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Broker.Runtime;

namespace Verify.Workloads;

/// <summary>One member of a consumer group: a program that polls and processes. Where its process dies it is started again.</summary>
/// <param name="Number">Names its node and its process, from 0; unique among all members.</param>
/// <param name="Group">Number of its group, from 0.</param>
/// <param name="Joins">Since the start of the workload.</param>
/// <param name="Processing">How long it handles one record.</param>
/// <param name="Batch">max.poll.records.</param>
/// <param name="Leaves">When it stops in good order; null: when the group has processed everything.</param>
/// <param name="Instance">Number of its group.instance.id in the group; null: a dynamic member.</param>
public sealed record MemberPlan(int Number, int Group, TimeSpan Joins, TimeSpan Processing, int Batch, TimeSpan? Leaves = null, int? Instance = null)
{
    [JsonIgnore]
    public string GroupId => $"g{Group}";

    [JsonIgnore]
    public string? InstanceId => Instance is { } number ? $"i{number}" : null;
}

/// <summary>Draws the groups of a plan: who joins when, who leaves, who comes in whose place, and how long they take over a record.</summary>
public static class GroupGenerator
{
    /// <summary>So many members have nodes.</summary>
    public const int Most = 8;

    public const int MostGroups = 2;

    /// <summary>Over what one poll hands out. Who takes longer than max.poll.interval.ms each time is put out of its group each time, before it can commit, and never gets on; in Kafka, too.</summary>
    private static readonly TimeSpan MostPerPoll = TimeSpan.FromSeconds(1.5);

    /// <param name="partitions">As asked for; null: to be drawn. More than without groups, so that there is something to share.</param>
    public static WorkloadPlan AddTo(WorkloadPlan plan, Prng random, TimeSpan length, int? partitions)
    {
        var count = partitions ?? random.Between(2, 4);
        var commands = plan.Commands.Select(command => command is Command.Send send ? send with { Partition = send.Key is { } key ? key % count : random.Below(count) } : command);
        plan = plan with { Partitions = count, Commands = [.. commands] };
        var members = ImmutableArray.CreateBuilder<MemberPlan>();
        var groups = random.Chance(0.3) ? MostGroups : 1;
        for (var group = 0; group < groups; group++) AddGroup(members, group, random, length, Most / groups);
        return plan with { Members = members.ToImmutable() };
    }

    private static void AddGroup(ImmutableArray<MemberPlan>.Builder members, int group, Prng random, TimeSpan length, int most)
    {
        var isStatic = random.Chance(0.35);
        var processing = TimeSpan.FromMilliseconds(Math.Round(Math.Pow(60, random.NextDouble())));
        var batch = Math.Min(random.Pick([1, 3, 10, 50]), (int)(MostPerPoll / processing));
        var (first, later) = (random.Between(1, 3), members.Count + most);
        for (var number = 0; number < first; number++)
        {
            var joins = number == 0 || random.Chance(0.5) ? TimeSpan.Zero : Within(TimeSpan.Zero, 0.7);
            TimeSpan? leaves = random.Chance(0.3) ? Within(joins, 0.9) : null;
            Add(joins, leaves, number);
            // Another in its place: after it has left, with a pause or none; or, under the same instance, while it still runs somewhere and is believed dead: it has to be fenced.
            if (leaves is { } left ? random.Chance(0.7) : isStatic && random.Chance(0.3)) Add(leaves is null ? Within(joins, 0.9) : leaves.Value + TimeSpan.FromMilliseconds(random.Below(3000)), null, number);
        }

        void Add(TimeSpan joins, TimeSpan? leaves, int number)
        {
            if (members.Count < later) members.Add(new MemberPlan(members.Count, group, joins, processing, batch, leaves, isStatic ? number : null));
        }

        TimeSpan Within(TimeSpan from, double share) => from + TimeSpan.FromMilliseconds(Math.Round((length * share - from).TotalMilliseconds * random.NextDouble()));
    }
}
