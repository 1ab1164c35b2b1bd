using Broker.Runtime;
using Chaos.Faults;
using Verify.Campaign.Running;
using Verify.Clients;
using Verify.Clients.Live;
using Verify.Workloads;

namespace Verify.Campaign.Live;

/// <summary>The consumer groups of a live run: members that are processes can be killed, and come back; when all is healed they run until their groups have seen everything.</summary>
internal sealed class LiveGroups(IHost host, WorkloadPlan plan, LogWorkload log, GroupWorkload workload, ClientKit clients) : IDisposable
{
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(200), Read = TimeSpan.FromSeconds(10);

    private readonly SortedDictionary<int, Life> lives = [];
    private readonly SortedDictionary<int, MemberPlan> killed = [];    // by fault
    private bool isOver;

    /// <summary>The member of that node, or null.</summary>
    public MemberPlan? Find(NodeId node) => plan.Members.FirstOrDefault(member => ClusterNodes.Member(member.Number) == node);

    public void Start(TaskScope scope)
    {
        foreach (var member in plan.Members) scope.Start(() => ComeAsync(member));
    }

    /// <summary>The process of the member that is now made is this one; a client of our own has none.</summary>
    public void Note(MemberPlan member, ExecMember process) => lives[member.Number].Process = process;

    /// <summary>Kills the member's process; false when it has none.</summary>
    public bool Kill(int index, MemberPlan member)
    {
        if (!lives.TryGetValue(member.Number, out var life) || life.Process is not { } process || !lives.Remove(member.Number)) return false;
        life.Died.Cancel();                                            // first: what waits for the process goes on at once when it dies
        workload.Crashed(member.Number);
        process.Die();
        killed[index] = member;
        return true;
    }

    /// <summary>Starts again who was killed by the fault of that index.</summary>
    public bool Return(int index)
    {
        if (!killed.Remove(index, out var member)) return false;
        if (!isOver) Start(member);
        return true;
    }

    /// <summary>Lets the members run on until their groups have processed and committed everything, and ends them; false when it took too long.</summary>
    public async Task<bool> DrainAsync(TimeSpan limit)
    {
        var drained = await AwaitEndsAsync(host.Time.Monotonic() + limit);
        isOver = true;
        workload.MembersMayStop = true;
        foreach (var life in lives.Values.ToArray()) await life.Running;
        foreach (var group in plan.Groups) workload.End(group, drained.Contains(group));
        return drained.Count == plan.Groups.Count();
    }

    public void Dispose()
    {
        foreach (var life in lives.Values) life.Died.Dispose();
    }

    private async Task ComeAsync(MemberPlan member)
    {
        await host.Time.DelayAsync(member.Joins);
        Start(member);
        if (member.Leaves is not { } leaves) return;
        await host.Time.DelayAsync(leaves - member.Joins);
        workload.Leave(member.Number);
    }

    private void Start(MemberPlan member)
    {
        var life = lives[member.Number] = new Life();
        life.Running = workload.RunAsync(host, ClusterNodes.Member(member.Number), member, life.Died.Token);
    }

    /// <summary>The groups that came to the end of every partition.</summary>
    private async Task<List<int>> AwaitEndsAsync(TimeSpan deadline)
    {
        var reader = clients.Reader(host);
        var ends = new List<long>();
        foreach (var partition in log.Partitions) ends.Add((await reader.ListOffsetAsync(partition, OffsetAt.Latest, Read)) is { IsKnown: true } end ? end.Value.Offset : long.MaxValue);
        reader.Close();
        var drained = new List<int>();
        foreach (var group in plan.Groups)
        {
            var asker = clients.Asker!(host, plan.Members.First(member => member.Group == group));
            while (host.Time.Monotonic() < deadline && !drained.Contains(group))
            {
                if (await workload.IsAtEndAsync(asker, ends)) drained.Add(group);
                else await host.Time.DelayAsync(Glance);
            }
            await asker.CloseAsync(TimeSpan.Zero);
        }
        return drained;
    }

    private sealed class Life
    {
        public CancellationTokenSource Died { get; } = new();

        public Task Running { get; set; } = Task.CompletedTask;

        public ExecMember? Process { get; set; }
    }
}
