using Broker.Runtime;
using Verify.Clients;
using Verify.Promises;
using Verify.Workloads;

namespace Verify.Campaign.Running;

/// <summary>The consumer groups of a run of the workload log: each member on a node of its own, started again when it crashed; when all is healed they run until their groups have seen everything.</summary>
internal sealed class GroupRun
{
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(200), Farewell = TimeSpan.FromSeconds(10);

    private readonly RunStage stage;
    private readonly LogWorkload log;
    private readonly GroupWorkload workload;
    private readonly MemberPlan[] members;

    public GroupRun(RunStage stage, LogWorkload log)
    {
        (this.stage, this.log) = (stage, log);
        var plan = stage.Scenario.Plan;
        workload = new GroupWorkload(log, plan, stage.Recorder, stage.Clients);
        // One more of each group, who comes in the end if nobody else is left.
        members = [.. plan.Members, .. plan.Groups.Select(group => plan.Members.First(member => member.Group == group) with { Number = GroupGenerator.Most + group, Instance = null, Leaves = null })];
        foreach (var member in members)
            stage.World.AddNode(ClusterNodes.Member(member.Number), $"member-{member.Number}", $"member-{member.Number}", host => workload.RunAsync(host, host.Id, member));
        stage.World.Subscribe((in Observation seen, TimeSpan _) =>
        {
            if (seen.Kind != ObservationKind.Crashed) return;
            foreach (var member in members)
                if (ClusterNodes.Member(member.Number) == seen.Node) workload.Crashed(member.Number);
        });
    }

    private IEnumerable<int> Groups => stage.Scenario.Plan.Groups;

    /// <summary>Members come and go at their times from here.</summary>
    public void Start()
    {
        foreach (var member in stage.Scenario.Plan.Members)
        {
            _ = ComeAsync(member);
            _ = GoAsync(member);
        }
    }

    /// <summary>Lets the members run on until their groups have processed and committed everything, and ends them; false when it took too long.</summary>
    public async Task<bool> DrainAsync()
    {
        // With acks=0 what was sent counts, and may still be on its way to a leader: where it comes to lie is no end yet.
        if (stage.Scenario.Configuration.Acks == Acks.Zero) await stage.World.Time.DelayAsync(RunLimits.Settling);
        var drained = await stage.OperateAsync(AwaitEndAsync);
        workload.MembersMayStop = true;
        for (var waited = TimeSpan.Zero; waited < Farewell && Array.Exists(members, IsUp); waited += Glance) await stage.World.Time.DelayAsync(Glance);
        foreach (var group in Groups) workload.End(group, drained.Contains(group));
        return drained.Count == Groups.Count();
    }

    private bool IsUp(MemberPlan member) => stage.World[ClusterNodes.Member(member.Number)].IsUp;

    private async Task ComeAsync(MemberPlan member)
    {
        await stage.World.Time.DelayAsync(member.Joins);
        stage.World.Start(ClusterNodes.Member(member.Number));
    }

    private async Task GoAsync(MemberPlan member)
    {
        if (member.Leaves is not { } leaves) return;
        await stage.World.Time.DelayAsync(leaves);
        workload.Leave(member.Number);
    }

    /// <summary>The groups that came to the end of every partition.</summary>
    private async Task<List<int>> AwaitEndAsync(IHost host)
    {
        var deadline = host.Time.Monotonic() + RunLimits.Recovery;
        var reader = stage.Clients.Reader(host);
        var ends = new List<long>();
        foreach (var partition in log.Partitions) ends.Add((await reader.ListOffsetAsync(partition, OffsetAt.Latest, RunLimits.Read)) is { IsKnown: true } end ? end.Value.Offset : long.MaxValue);
        reader.Close();
        var drained = new List<int>();
        foreach (var group in Groups)
        {
            var reserve = members.Last(member => member.Group == group);
            var asker = stage.Clients.Asker!(host, reserve);
            while (host.Time.Monotonic() < deadline)
            {
                if (!members.Any(member => member.Group == group && IsUp(member))) stage.World.Start(ClusterNodes.Member(reserve.Number));
                if (await workload.IsAtEndAsync(asker, ends))
                {
                    drained.Add(group);
                    break;
                }
                await host.Time.DelayAsync(Glance);
            }
            await asker.CloseAsync(TimeSpan.Zero);
        }
        return drained;
    }
}
