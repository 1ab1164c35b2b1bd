using Broker.Protocol;

namespace Broker.Core.Groups;

/// <summary>This part: members join, and a generation comes about.</summary>
public sealed partial class GroupCoordinator
{
    /// <summary>
    /// Errors: INVALID_GROUP_ID, INVALID_SESSION_TIMEOUT, UNKNOWN_MEMBER_ID, INCONSISTENT_GROUP_PROTOCOL, MEMBER_ID_REQUIRED, FENCED_INSTANCE_ID, GROUP_MAX_SIZE_REACHED, and what a write of a static
    /// member's new id may give.
    /// </summary>
    private void Join(GroupCaller caller, JoinGroupRequest request, GroupTime at)
    {
        var session = TimeSpan.FromMilliseconds(request.SessionTimeoutMs);
        if (request.GroupId.Length == 0) RefuseJoin(caller, request, ErrorCode.InvalidGroupId);
        else if (!rules.SessionTimeoutIsAllowed(session, settings.MinSessionTimeout, settings.MaxSessionTimeout)) RefuseJoin(caller, request, ErrorCode.InvalidSessionTimeout);
        else if (request.MemberId.Length > 0) JoinAgain(caller, request, at);
        else JoinFirst(caller, request, at);
    }

    private void RefuseJoin(GroupCaller caller, JoinGroupRequest request, ErrorCode error) => Answer(caller, GroupRefusal.Join(caller.Version, request.MemberId, error));

    private void JoinFirst(GroupCaller caller, JoinGroupRequest request, GroupTime at)
    {
        var group = Known(request.GroupId);                            // is there from now on, as in Kafka, whatever comes of this
        if (!group.Supports(request.ProtocolType, request.Protocols))
        {
            RefuseJoin(caller, request, ErrorCode.InconsistentGroupProtocol);
            return;
        }
        var predecessor = group.Instance(request.GroupInstanceId);
        if (predecessor is null && !rules.HasRoom(group.Members.Count + group.ToCome.Count, settings.MaxSize))
        {
            RefuseJoin(caller, request, ErrorCode.GroupMaxSizeReached);
            return;
        }
        var id = NewMemberId(request.GroupInstanceId ?? caller.ClientId);
        if (predecessor is not null) Replace(group, predecessor, id, caller, request, at);
        else if (rules.MustComeAgain(caller.Version, request.GroupInstanceId is not null))
        {
            group.ToCome[id] = (at.Monotonic, TimeSpan.FromMilliseconds(request.SessionTimeoutMs));
            Answer(caller, GroupRefusal.Join(caller.Version, id, ErrorCode.MemberIdRequired));
        }
        else Enter(group, id, caller, request, at);
    }

    private void JoinAgain(GroupCaller caller, JoinGroupRequest request, GroupTime at)
    {
        if (!groups.TryGetValue(request.GroupId, out var group)) RefuseJoin(caller, request, ErrorCode.UnknownMemberId);
        else if (!group.Supports(request.ProtocolType, request.Protocols)) RefuseJoin(caller, request, ErrorCode.InconsistentGroupProtocol);
        else if (group.ToCome.ContainsKey(request.MemberId)) Enter(group, request.MemberId, caller, request, at);
        else if (Unfit(group, request.MemberId, request.GroupInstanceId, out var member) is var error and not ErrorCode.None) RefuseJoin(caller, request, error);
        else JoinAgain(group, member!, caller, request, at);
    }

    private void JoinAgain(Group group, Member member, GroupCaller caller, JoinGroupRequest request, GroupTime at)
    {
        var isLeader = rules.IsSameMember(member.Id, group.Leader ?? "");
        var stays = group.State switch
        {
            GroupState.CompletingRebalance => member.Knows(request.Protocols),
            GroupState.Stable => !rules.JoiningRebalances(isLeader, member.Knows(request.Protocols)),
            _ => false,
        };
        if (stays) TellGeneration(group, member, caller, withMembers: isLeader && group.State is GroupState.CompletingRebalance);
        else
        {
            Renew(member, caller, request, at);
            Await(member, caller);
            if (group.State is not GroupState.PreparingRebalance) Prepare(group, at);
            EndJoiningIfComplete(group, at);
        }
    }

    /// <summary>UNKNOWN_MEMBER_ID or FENCED_INSTANCE_ID, or the member.</summary>
    private ErrorCode Unfit(Group group, string memberId, string? instanceId, out Member? member)
    {
        member = null;
        if (instanceId is not null)
        {
            if (group.Instance(instanceId) is not { } instance) return ErrorCode.UnknownMemberId;
            if (!rules.IsSameMember(memberId, instance.Id)) return ErrorCode.FencedInstanceId;
            member = instance;
            return ErrorCode.None;
        }
        member = group.Find(memberId);
        return member is null ? ErrorCode.UnknownMemberId : ErrorCode.None;
    }

    private void Enter(Group group, string id, GroupCaller caller, JoinGroupRequest request, GroupTime at)
    {
        group.ToCome.Remove(id);
        var member = new Member(id, request.GroupInstanceId);
        Renew(member, caller, request, at);
        Await(member, caller);
        if (group.Members.Count == 0) group.ProtocolType = request.ProtocolType;
        group.Members.Add(member);
        group.Leader ??= id;
        if (group.DelayLeft is not null) group.NewcomerJoined = true;
        if (group.State is not GroupState.PreparingRebalance) Prepare(group, at);
        EndJoiningIfComplete(group, at);
    }

    /// <summary>A static member came back under a new id: the old id is fenced, its share goes over (KIP-345). In a stable group nothing else need change (KIP-814).</summary>
    private void Replace(Group group, Member old, string id, GroupCaller caller, JoinGroupRequest request, GroupTime at)
    {
        var (oldId, oldLeader) = (old.Id, group.Leader);
        Dismiss(old, ErrorCode.FencedInstanceId);
        if (group.Leader == oldId) group.Leader = id;
        old.Id = id;
        Renew(old, caller, request, at);
        var common = group.CommonProtocols();
        var next = common.Count > 0 ? rules.ChooseProtocol(common, Votes(group, common)) : null;
        if (group.State is not GroupState.Stable || next != group.Protocol)
        {
            Await(old, caller);
            if (group.State is not GroupState.PreparingRebalance) Prepare(group, at);
            EndJoiningIfComplete(group, at);
            return;
        }
        if (!rules.StoresReplacement())
        {
            TellReplacement(group, old, oldLeader!, caller);
            return;
        }
        var generation = group.Generation;
        Write([new GroupRecord.Metadata(group.Id, group.ToMetadata())], at, _ =>
        {
            if (group.State is GroupState.Stable && rules.IsSameGeneration(generation, group.Generation) && old.Id == id) TellReplacement(group, old, oldLeader!, caller);
            else Answer(caller, GroupRefusal.Join(caller.Version, id, ErrorCode.RebalanceInProgress));
        }, (error, _) => Answer(caller, GroupRefusal.Join(caller.Version, id, error)));
    }

    /// <summary>Old clients that lead are told the leader's old id, so that they take themselves for followers and assign nothing.</summary>
    private void TellReplacement(Group group, Member member, string oldLeader, GroupCaller caller)
    {
        var isLeader = rules.IsSameMember(member.Id, group.Leader!);
        var skips = caller.Version >= 9 && isLeader;
        Answer(caller, Generation(group, member, caller, withMembers: skips, leader: caller.Version >= 9 ? group.Leader! : oldLeader, skips));
    }

    private static void Renew(Member member, GroupCaller caller, JoinGroupRequest request, GroupTime at)
    {
        (member.ClientId, member.ClientHost) = (caller.ClientId, caller.ClientHost);
        member.SessionTimeout = TimeSpan.FromMilliseconds(request.SessionTimeoutMs);
        member.RebalanceTimeout = TimeSpan.FromMilliseconds(request.RebalanceTimeoutMs < 0 ? request.SessionTimeoutMs : request.RebalanceTimeoutMs);
        member.Protocols = request.Protocols.ConvertAll(static protocol => new JoinGroupProtocol { Name = protocol.Name, Metadata = protocol.Metadata.ToArray() });
        member.LastContact = at.Monotonic;
    }

    /// <summary>The member waits for the next generation. If it asked before, that answer is void.</summary>
    private void Await(Member member, GroupCaller caller)
    {
        if (member.Joining is { } before) Answer(before, GroupRefusal.Join(before.Version, member.Id, ErrorCode.RebalanceInProgress));
        member.Joining = caller;
    }

    /// <summary>Whoever waits in the member's name is told why it waits no longer.</summary>
    private void Dismiss(Member member, ErrorCode error)
    {
        if (member.Joining is { } joining) Answer(joining, GroupRefusal.Join(joining.Version, member.Id, error));
        if (member.Syncing is { } syncing) Answer(syncing, new SyncGroupResponse { ErrorCode = error });
        (member.Joining, member.Syncing) = (null, null);
    }

    private string NewMemberId(string prefix)
    {
        Span<byte> bytes = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes, prng.NextUInt64());
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], prng.NextUInt64());
        return $"{prefix}-{new Guid(bytes, bigEndian: true)}";
    }

    // Generations

    /// <summary>Everybody is to join. Members that waited for their share are told so; the others hear of it by their heartbeats.</summary>
    private void Prepare(Group group, GroupTime at)
    {
        foreach (var member in group.Members)
            if (member.Syncing is { } syncing)
            {
                Answer(syncing, new SyncGroupResponse { ErrorCode = ErrorCode.RebalanceInProgress });
                (member.Syncing, member.LastContact) = (null, at.Monotonic);
            }
        if (group.State is GroupState.CompletingRebalance)
            foreach (var member in group.Members) member.Assignment = ReadOnlyMemory<byte>.Empty;
        group.PhaseStart = at.Monotonic;
        group.PhaseLimit = group.LongestRebalance;
        if (group.IsEmpty && settings.InitialRebalanceDelay > TimeSpan.Zero)
        {
            var delay = rules.NextDelay(settings.InitialRebalanceDelay, group.LongestRebalance);
            (group.PhaseLimit, group.DelayLeft, group.NewcomerJoined) = (delay, group.LongestRebalance - delay, false);
        }
        group.Become(GroupState.PreparingRebalance, at);
    }

    private void ExpireJoining(Group group, GroupTime at)
    {
        if (!rules.JoiningIsOver(at.Monotonic - group.PhaseStart, group.PhaseLimit)) return;
        if (group.DelayLeft is { } left && group.NewcomerJoined && left > TimeSpan.Zero)
        {
            var delay = rules.NextDelay(settings.InitialRebalanceDelay, left);
            (group.PhaseStart, group.PhaseLimit, group.DelayLeft, group.NewcomerJoined) = (at.Monotonic, delay, left - delay, false);
            return;
        }
        EndJoining(group, at);
    }

    private void EndJoiningIfComplete(Group group, GroupTime at)
    {
        if (group.DelayLeft is not null) return;                       // the initial delay passes whoever has come
        if (rules.AllHaveJoined(group.Members.Count(static member => member.Joining is not null), group.Members.Count, group.ToCome.Count)) EndJoining(group, at);
    }

    private void EndJoining(Group group, GroupTime at)
    {
        group.DelayLeft = null;
        group.Members.RemoveAll(member => member.Joining is null && !rules.StaysWithoutJoining(member.IsStatic));
        if (group.Members.Count == 0)
        {
            EndEmpty(group, at);
            return;
        }
        List<string> joined = [.. group.Members.Where(static member => member.Joining is not null).Select(static member => member.Id)];
        if (joined.Count == 0)
        {
            (group.PhaseStart, group.PhaseLimit) = (at.Monotonic, group.LongestRebalance);   // static members may be on their way
            return;
        }
        group.Leader = rules.ChooseLeader(joined, group.Leader);
        group.Generation = rules.NextGeneration(group.Generation);
        var common = group.CommonProtocols();
        group.Protocol = rules.ChooseProtocol(common, Votes(group, common));
        group.Become(GroupState.CompletingRebalance, at);
        (group.PhaseStart, group.PhaseLimit) = (at.Monotonic, group.LongestRebalance);
        foreach (var member in group.Members)
        {
            member.HasSynced = false;
            if (member.Joining is not { } caller) continue;
            (member.Joining, member.LastContact) = (null, at.Monotonic);
            TellGeneration(group, member, caller, withMembers: rules.IsSameMember(member.Id, group.Leader));
        }
    }

    private void EndEmpty(Group group, GroupTime at)
    {
        group.Generation = rules.NextGeneration(group.Generation);
        (group.Protocol, group.Leader) = (null, null);
        group.Become(GroupState.Empty, at);
        Write([new GroupRecord.Metadata(group.Id, group.ToMetadata())], at, static _ => { }, static (_, _) => { });   // without it a successor only believes longer in members
    }

    private static List<int> Votes(Group group, List<string> candidates)
    {
        var votes = new int[candidates.Count];
        foreach (var member in group.Members)
            if (member.Protocols.Find(known => candidates.Contains(known.Name)) is { } preferred) votes[candidates.IndexOf(preferred.Name)]++;
        return [.. votes];
    }

    private void TellGeneration(Group group, Member member, GroupCaller caller, bool withMembers) => Answer(caller, Generation(group, member, caller, withMembers, group.Leader!, skips: false));

    private static JoinGroupResponse Generation(Group group, Member member, GroupCaller caller, bool withMembers, string leader, bool skips) => new()
    {
        GenerationId = group.Generation,
        ProtocolType = caller.Version >= 7 ? group.ProtocolType : null,
        ProtocolName = group.Protocol,
        Leader = leader,
        SkipAssignment = skips,
        MemberId = member.Id,
        Members = withMembers ? group.Members.ConvertAll(other => new JoinGroupResponseMember { MemberId = other.Id, GroupInstanceId = other.InstanceId, Metadata = other.MetadataOf(group.Protocol) }) : [],
    };
}
