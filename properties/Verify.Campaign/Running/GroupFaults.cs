using Broker.Runtime;
using Chaos.Faults;
using Verify.Workloads;

namespace Verify.Campaign.Running;

/// <summary>Faults that aim at groups: at their members between polling, processing and committing, and at the brokers that coordinate them. Drawn beside the others, from a stream of their own.</summary>
internal static class GroupFaults
{
    /// <summary>OffsetCommit, OffsetFetch, FindCoordinator, JoinGroup, Heartbeat, LeaveGroup, SyncGroup.</summary>
    private static readonly short[] ApiKeys = [8, 9, 10, 11, 12, 13, 14];

    private static readonly string[] OfMembers = [FaultWord.Crash, FaultWord.Crash, FaultWord.Pause, FaultWord.Pause, FaultWord.Partition, FaultWord.Reset, FaultWord.Delay];

    private static readonly MemberMoment[] Moments = [MemberMoment.Assigned, MemberMoment.Polled, MemberMoment.Processed, MemberMoment.Commits, MemberMoment.Committed];

    public static IEnumerable<Fault> Draw(Prng chance, WorkloadPlan plan, int brokers, FaultChoice faults, TimeSpan length)
    {
        if (faults.Words.Count == 0 || plan.Members.IsEmpty) return [];
        var scope = new ScheduleScope
        {
            Words = faults.Words,
            Brokers = ClusterNodes.Brokers(brokers),
            Controllers = ClusterNodes.Controllers,
            Clients = ClusterNodes.Members(plan),
            Partitions = OffsetsPlan.Of(plan),
            Span = length * 0.9,
            MostFaults = 6,
            PowerBudget = int.MaxValue,
            UpsetChance = 0,
            ApiKeys = ApiKeys,
        };
        return ScheduleGenerator.Uniform(chance, scope).Concat(OfMember(chance, plan, faults, length)).Concat(OfReplaced(chance, plan, brokers, faults)).Concat(OfHeir(chance, plan, brokers, faults));
    }

    /// <summary>Who is replaced while it still runs was believed dead for a reason; at times its coordinator goes as well before it is back.</summary>
    private static List<Fault> OfReplaced(Prng chance, WorkloadPlan plan, int brokers, FaultChoice faults)
    {
        var drawn = new List<Fault>();
        foreach (var member in plan.Members)
        {
            if (plan.Members.FirstOrDefault(other => other.Number > member.Number && (other.Group, other.Instance) == (member.Group, member.Instance)) is not { } next) continue;
            if (member.Instance is null || member.Leaves is not null || chance.Chance(0.3)) continue;
            var (at, back) = (next.Joins - TimeSpan.FromMilliseconds(chance.Below(500)), TimeSpan.FromMilliseconds(chance.Between(300, 3000)));
            if (at < TimeSpan.Zero) continue;
            var node = new NodeRef.Fixed(ClusterNodes.Member(member.Number));
            if (faults.Words.Contains(FaultWord.Pause)) drawn.Add(new Fault.Pause(new Trigger.At(at), back, node));
            if (faults.Words.Contains(FaultWord.MoveLeader) && chance.Chance(0.6))
                drawn.Add(new Fault.MoveLeader(new Trigger.At(at + back * chance.NextDouble()), OffsetsPlan.PartitionOf(member.GroupId), NodeRef.Of(chance.Between(1, brokers))));
        }
        return drawn;
    }

    /// <summary>A coordinator takes over and is cut off from those who follow it: what it has to read first is not known to be committed until they hear each other again.</summary>
    private static IEnumerable<Fault> OfHeir(Prng chance, WorkloadPlan plan, int brokers, FaultChoice faults)
    {
        if (brokers < 2 || !faults.Words.Contains(FaultWord.Partition) || !faults.Words.Contains(FaultWord.MoveLeader) || chance.Chance(0.7)) return [];
        var partition = chance.Pick(OffsetsPlan.Of(plan));
        var heir = new NodeRef.FollowerOf(partition, chance.Below(Math.Min(2, brokers - 1)));
        var when = Trigger.AfterMs(new ObservationPattern(ObservationKind.Appended, Partition: partition), Math.Round(3 * chance.NextDouble(), 1), (int)Math.Pow(60, chance.NextDouble()));
        return
        [
            new Fault.Partition(when, TimeSpan.FromMilliseconds(chance.Between(500, 4000)), new NodeGroup([heir]), NodeGroup.Of([.. ClusterNodes.Brokers(brokers).Ids()])),
            new Fault.MoveLeader(when, partition, heir),
        ];
    }

    private static List<Fault> OfMember(Prng chance, WorkloadPlan plan, FaultChoice faults, TimeSpan length)
    {
        var words = OfMembers.Where(faults.Words.Contains).ToArray();
        var drawn = new List<Fault>();
        for (var left = words.Length == 0 ? 0 : chance.Between(0, 5); left > 0; left--)
        {
            var (when, node) = When(chance, ClusterNodes.Member(chance.Pick(plan.Members).Number), length);
            drawn.Add(Make(chance.Pick(words), when, HowLong(chance), node, chance));
        }
        return drawn;
    }

    /// <summary>At a time, or just after some member, or this one, came so far.</summary>
    private static (Trigger When, NodeRef Node) When(Prng chance, NodeId member, TimeSpan length)
    {
        if (chance.Chance(0.25)) return (Trigger.AtMs(chance.Below((int)(length * 0.9).TotalMilliseconds)), new NodeRef.Fixed(member));
        var any = chance.Chance(0.5);
        var pattern = new ObservationPattern(ObservationKind.MemberStep, any ? null : member, Other: (int)chance.Pick(Moments));
        var delay = chance.Chance(0.3) ? 0 : Math.Round(30 * chance.NextDouble(), 1);
        return (Trigger.AfterMs(pattern, delay, (int)Math.Pow(40, chance.NextDouble())), any ? new NodeRef.Observed() : new NodeRef.Fixed(member));
    }

    private static Fault Make(string word, Trigger when, TimeSpan howLong, NodeRef node, Prng chance) => word switch
    {
        FaultWord.Crash => new Fault.Crash(when, howLong, node),
        FaultWord.Pause => new Fault.Pause(when, howLong, node),
        FaultWord.Partition => new Fault.Partition(when, howLong, new NodeGroup([node]), NodeGroup.None, chance.Pick([CutWay.Both, CutWay.In, CutWay.Out])),
        FaultWord.Reset => new Fault.Reset(when, node, null),
        FaultWord.Delay => new Fault.Delay(when, howLong, node, null, TimeSpan.FromMilliseconds(chance.Between(5, 200)), TimeSpan.Zero),
        _ => throw new InvalidOperationException($"no member is hurt by '{word}'"),
    };

    /// <summary>From a blink to longer than a session.</summary>
    private static TimeSpan HowLong(Prng chance) => TimeSpan.FromMilliseconds(Math.Round(20 * Math.Pow(250, chance.NextDouble())));
}
