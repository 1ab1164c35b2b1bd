using Broker.Protocol;

namespace Broker.Core.Groups;

/// <summary>This part: members take their share, stay and go.</summary>
public sealed partial class GroupCoordinator
{
    /// <summary>Errors: INVALID_GROUP_ID, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION, INCONSISTENT_GROUP_PROTOCOL, REBALANCE_IN_PROGRESS, and what the write of the assignment may give.</summary>
    private void Sync(GroupCaller caller, SyncGroupRequest request, GroupTime at)
    {
        var error = Belongs(request.GroupId, request.GenerationId, request.MemberId, request.GroupInstanceId, out var group, out var member);
        if (error == ErrorCode.None && (request.ProtocolType is { } type && type != group!.ProtocolType || request.ProtocolName is { } name && name != group!.Protocol))
            error = ErrorCode.InconsistentGroupProtocol;
        if (error == ErrorCode.None && group!.State is GroupState.PreparingRebalance) error = ErrorCode.RebalanceInProgress;
        if (error != ErrorCode.None)
        {
            Answer(caller, new SyncGroupResponse { ErrorCode = error });
            return;
        }
        member!.HasSynced = true;
        member.LastContact = at.Monotonic;
        if (group!.State is GroupState.Stable)
        {
            Answer(caller, Share(group, member));
            return;
        }
        if (member.Syncing is { } before) Answer(before, new SyncGroupResponse { ErrorCode = ErrorCode.RebalanceInProgress });
        member.Syncing = caller;
        if (rules.IsSameMember(member.Id, group.Leader!)) Assign(group, request, at);
    }

    private void Assign(Group group, SyncGroupRequest request, GroupTime at)
    {
        var generation = group.Generation;
        var shares = group.Members.ConvertAll(member => (Member: member, Share: (ReadOnlyMemory<byte>)(request.Assignments.Find(given => given.MemberId == member.Id)?.Assignment.ToArray() ?? [])));
        var stored = group.ToMetadata() with { StateTimestampMs = at.UtcMs };
        stored = stored with { Members = [.. stored.Members.Zip(shares, static (member, given) => member with { Assignment = given.Share })] };
        Do(rules.AssignmentSteps().GetEnumerator(), at);

        void Do(IEnumerator<AssignmentStep> steps, GroupTime now)
        {
            while (steps.MoveNext())
                switch (steps.Current)
                {
                    case AssignmentStep.Append: Write([new GroupRecord.Metadata(group.Id, stored)], now, later => Do(steps, later), Refused); break;
                    case AssignmentStep.AwaitReplication: return;      // the write's end goes on from here
                    case AssignmentStep.HandOut when IsAwaited(): HandOut(group, shares, now); break;
                    case AssignmentStep.HandOut: break;
                    default: throw new InvalidOperationException($"unknown step {steps.Current}");
                }
        }

        void Refused(ErrorCode error, GroupTime now)
        {
            if (!IsAwaited()) return;
            foreach (var member in group.Members)
            {
                if (member.Syncing is { } waiting) Answer(waiting, new SyncGroupResponse { ErrorCode = error });
                (member.Syncing, member.LastContact) = (null, now.Monotonic);
            }
            Prepare(group, now);
            EndJoiningIfComplete(group, now);
        }

        bool IsAwaited() => group.State is GroupState.CompletingRebalance && rules.IsSameGeneration(generation, group.Generation);
    }

    private void HandOut(Group group, List<(Member Member, ReadOnlyMemory<byte> Share)> shares, GroupTime at)
    {
        group.Become(GroupState.Stable, at);
        foreach (var (member, share) in shares)
        {
            member.Assignment = share;
            if (member.Syncing is not { } waiting) continue;
            (member.Syncing, member.LastContact) = (null, at.Monotonic);
            Answer(waiting, Share(group, member));
        }
    }

    private static SyncGroupResponse Share(Group group, Member member) => new() { ProtocolType = group.ProtocolType, ProtocolName = group.Protocol, Assignment = member.Assignment };

    /// <summary>Errors: INVALID_GROUP_ID, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS.</summary>
    private void Heartbeat(GroupCaller caller, HeartbeatRequest request, GroupTime at)
    {
        var error = Belongs(request.GroupId, request.GenerationId, request.MemberId, request.GroupInstanceId, out var group, out var member);
        if (error == ErrorCode.None)
        {
            member!.LastContact = at.Monotonic;
            if (group!.State is GroupState.PreparingRebalance) error = ErrorCode.RebalanceInProgress;
        }
        Answer(caller, new HeartbeatResponse { ErrorCode = error });
    }

    private ErrorCode Belongs(string groupId, int generation, string memberId, string? instanceId, out Group? group, out Member? member)
    {
        (group, member) = (null, null);
        if (groupId.Length == 0) return ErrorCode.InvalidGroupId;
        if (!groups.TryGetValue(groupId, out group) || group.IsEmpty) return ErrorCode.UnknownMemberId;
        var error = Unfit(group, memberId, instanceId, out member);
        if (error != ErrorCode.None) return error;
        return rules.IsSameGeneration(generation, group.Generation) ? ErrorCode.None : ErrorCode.IllegalGeneration;
    }

    /// <summary>Errors: INVALID_GROUP_ID; for each member UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, which up to v2 are the answer's own.</summary>
    private void Leave(GroupCaller caller, LeaveGroupRequest request, GroupTime at)
    {
        if (request.GroupId.Length == 0)
        {
            Answer(caller, new LeaveGroupResponse { ErrorCode = ErrorCode.InvalidGroupId });
            return;
        }
        var leaving = caller.Version <= 2 ? [new LeavingMember { MemberId = request.MemberId }] : request.Members;
        var left = leaving.ConvertAll(member => new LeaveGroupResponse.LeftMember { MemberId = member.MemberId, GroupInstanceId = member.GroupInstanceId, ErrorCode = Leave(request.GroupId, member, at) });
        Answer(caller, caller.Version <= 2 ? new LeaveGroupResponse { ErrorCode = left[0].ErrorCode } : new LeaveGroupResponse { Members = left });
    }

    private ErrorCode Leave(string groupId, LeavingMember leaving, GroupTime at)
    {
        if (!groups.TryGetValue(groupId, out var group)) return ErrorCode.UnknownMemberId;
        if (group.ToCome.Remove(leaving.MemberId))
        {
            if (group.State is GroupState.PreparingRebalance) EndJoiningIfComplete(group, at);
            return ErrorCode.None;
        }
        var memberId = leaving.MemberId.Length > 0 ? leaving.MemberId : group.Instance(leaving.GroupInstanceId)?.Id ?? "";   // an operator removes an instance by its name
        var error = Unfit(group, memberId, leaving.GroupInstanceId, out var member);
        if (error == ErrorCode.None) Remove(group, member!, at);
        return error;
    }

    /// <summary>A member left, or is held for dead: the others share anew.</summary>
    private void Remove(Group group, Member member, GroupTime at)
    {
        Dismiss(member, ErrorCode.UnknownMemberId);
        group.Members.Remove(member);
        if (group.Leader == member.Id) group.Leader = group.Members.Count > 0 ? group.Members[0].Id : null;
        if (group.State is GroupState.Stable or GroupState.CompletingRebalance) Prepare(group, at);
        if (group.State is GroupState.PreparingRebalance) EndJoiningIfComplete(group, at);
    }

    private static bool IsAwaitingSync(Group group) =>
        group.State is GroupState.CompletingRebalance or GroupState.Stable && group.Members.Exists(static member => !member.HasSynced);

    /// <summary>Who was told of the generation and never asked for its share is gone.</summary>
    private void ExpireSync(Group group, GroupTime at)
    {
        if (!rules.SyncIsLate(at.Monotonic - group.PhaseStart, group.PhaseLimit)) return;
        foreach (var member in group.Members.Where(static member => !member.HasSynced).ToArray())
        {
            Dismiss(member, ErrorCode.UnknownMemberId);
            group.Members.Remove(member);
            if (group.Leader == member.Id) group.Leader = null;
        }
        Prepare(group, at);
        EndJoiningIfComplete(group, at);
    }
}
