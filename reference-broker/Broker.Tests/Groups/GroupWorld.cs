using Broker.Core.Groups;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Tests.Groups;

/// <summary>A coordinator with its log and its clocks, and no node around it: what is appended is replicated when the test says so, and a successor reads what was.</summary>
internal sealed class GroupWorld(GroupRules? rules = null, GroupSettings? settings = null)
{
    public const string Group = "g";

    private static readonly GroupSettings Quick = new() { InitialRebalanceDelay = TimeSpan.Zero };

    private static readonly GroupTime Start = new(TimeSpan.FromHours(1), 1_700_000_000_000);

    private readonly Dictionary<long, IMessage> answers = [];
    private readonly Prng chance = new(7);
    private long lastTicket;

    public GroupCoordinator Coordinator { get; private set; } = NewCoordinator(rules, settings, new Prng(1), []);

    public List<GroupRecord> Log { get; } = [];

    public int Replicated { get; private set; }

    /// <summary>Whether replicas follow at once.</summary>
    public bool Replicates { get; set; } = true;

    /// <summary>What every append is answered with.</summary>
    public ErrorCode Refusal { get; set; }

    /// <summary>Counts coordinators.</summary>
    public int Term { get; private set; }

    public GroupTime Now { get; private set; } = Start;

    /// <summary>The ticket of a request, which may be answered later.</summary>
    public long Ask(IMessage body, short version = 9)
    {
        Step(new GroupInput.Request(new GroupCaller(++lastTicket, version, "client", "/host"), body));
        return lastTicket;
    }

    /// <summary>Null: not answered yet.</summary>
    public T? Answer<T>(long ticket) where T : class, IMessage => (T?)answers.GetValueOrDefault(ticket);

    public T Get<T>(IMessage body, short version = 9) where T : class, IMessage =>
        Answer<T>(Ask(body, version)) ?? throw new InvalidOperationException($"{body} is not answered at once");

    /// <summary>Lets time pass, in the steps in which the coordinator wants to be woken.</summary>
    public void Pass(TimeSpan time)
    {
        for (var end = Now.Monotonic + time; Now.Monotonic < end;)
        {
            var step = Coordinator.UntilNextTick(Now.Monotonic);
            if (step > end - Now.Monotonic) step = end - Now.Monotonic;
            Now = new GroupTime(Now.Monotonic + step, Now.UtcMs + (long)Math.Ceiling(step.TotalMilliseconds));
            Step(new GroupInput.Tick());
        }
    }

    public void Replicate()
    {
        Replicated = Log.Count;
        Step(new GroupInput.Committed(Replicated));
    }

    /// <summary>Another broker takes over: it has what was replicated, and of the rest as much as is said.</summary>
    public void FailOver(int keeping = 0)
    {
        Log.RemoveRange(Replicated + Math.Min(keeping, Log.Count - Replicated), Log.Count - Replicated - Math.Min(keeping, Log.Count - Replicated));
        Replicated = Log.Count;
        Coordinator = NewCoordinator(rules, settings, chance.Split((ulong)++Term), Log.ConvertAll(Reread));
        foreach (var record in Log) Coordinator.Replay(Reread(record), Now);
        Coordinator.Loaded(Now);
    }

    public long Offset(int partition, string group = Group) =>
        Coordinator.Offsets(group, [new OffsetFetchRequestTopic { Name = "t", PartitionIndexes = [partition] }]).Single().Partitions.Single().CommittedOffset;

    public DescribedGroup Describe() => Coordinator.Describe(Group, 6);

    private static GroupCoordinator NewCoordinator(GroupRules? rules, GroupSettings? settings, Prng prng, List<GroupRecord> log)
    {
        var made = new GroupCoordinator(rules ?? UnderTest.Rules.Groups, settings ?? Quick, prng);
        if (log.Count == 0) made.Loaded(Start);
        return made;
    }

    /// <summary>As it would come back from the disk.</summary>
    private static GroupRecord Reread(GroupRecord record)
    {
        var (key, value) = GroupRecordCodec.Encode(record);
        ReadOnlyMemory<byte>? read = value is null ? (ReadOnlyMemory<byte>?)null : value;   // without the cast null would be empty
        return GroupRecordCodec.Decode(key, read)!;
    }

    private void Step(GroupInput input)
    {
        foreach (var effect in Coordinator.Step(input, Now))
            switch (effect)
            {
                case GroupEffect.Answer it: answers.TryAdd(it.Ticket, it.Message); break;
                case GroupEffect.Append it when Refusal != ErrorCode.None: Step(new GroupInput.Refused(it.Write, Refusal)); break;
                case GroupEffect.Append it:
                    Log.AddRange(it.Records);
                    Step(new GroupInput.Appended(it.Write, Log.Count));
                    break;
            }
        Coordinator.AssertInvariants();
        if (Replicates && Replicated < Log.Count) Replicate();
    }

    // Requests

    public static JoinGroupRequest Join(string member, string? instance = null, int sessionMs = 10_000, int rebalanceMs = 20_000, params string[] protocols) => new()
    {
        GroupId = Group, MemberId = member, GroupInstanceId = instance, SessionTimeoutMs = sessionMs, RebalanceTimeoutMs = rebalanceMs, ProtocolType = ConsumerProtocol.Type,
        Protocols = [.. (protocols.Length == 0 ? ["range"] : protocols).Select(static name => new JoinGroupProtocol { Name = name, Metadata = ConsumerProtocol.Subscription(["t"]) })],
    };

    public static SyncGroupRequest Sync(string member, int generation, string? instance = null, params (string Member, byte[] Share)[] shares) => new()
    {
        GroupId = Group, MemberId = member, GenerationId = generation, GroupInstanceId = instance,
        Assignments = [.. shares.Select(static share => new SyncGroupAssignment { MemberId = share.Member, Assignment = share.Share })],
    };

    public static OffsetCommitRequest Commit(long offset, int generation = -1, string member = "", string? instance = null, int partition = 0) => new()
    {
        GroupId = Group, GenerationIdOrMemberEpoch = generation, MemberId = member, GroupInstanceId = instance,
        Topics = [new OffsetCommitRequestTopic { Name = "t", Partitions = [new OffsetCommitRequestPartition { PartitionIndex = partition, CommittedOffset = offset }] }],
    };

    public static HeartbeatRequest Beat(string member, int generation, string? instance = null) => new() { GroupId = Group, MemberId = member, GenerationId = generation, GroupInstanceId = instance };

    public static LeaveGroupRequest Leave(string member, string? instance = null) => new() { GroupId = Group, Members = [new LeavingMember { MemberId = member, GroupInstanceId = instance }] };

    public static ErrorCode ErrorOf(OffsetCommitResponse answer) => answer.Topics.Single().Partitions.Single().ErrorCode;

    /// <summary>A member by the way that clients take: it is given an id and comes again.</summary>
    public JoinGroupResponse Enter(int rebalanceMs = 20_000, params string[] protocols)
    {
        var id = Get<JoinGroupResponse>(Join("", rebalanceMs: rebalanceMs, protocols: protocols)).MemberId;
        return Get<JoinGroupResponse>(Join(id, rebalanceMs: rebalanceMs, protocols: protocols));
    }

    /// <summary>A stable group of one, and its member's id.</summary>
    public string StableAlone(byte[]? share = null)
    {
        var id = Enter().MemberId;
        Get<SyncGroupResponse>(Sync(id, 1, shares: (id, share ?? [1])));
        return id;
    }
}
