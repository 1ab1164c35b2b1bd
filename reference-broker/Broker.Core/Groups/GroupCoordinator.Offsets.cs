using Broker.Protocol;

namespace Broker.Core.Groups;

/// <summary>This part: offsets, and groups as operators see them.</summary>
public sealed partial class GroupCoordinator
{
    private const string ClassicType = "classic";

    /// <summary>
    /// Errors: INVALID_GROUP_ID, ILLEGAL_GENERATION (also of a group that is not there, GROUP_ID_NOT_FOUND from version 9 on), UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, REBALANCE_IN_PROGRESS, what a write may give, and for one partition
    /// OFFSET_METADATA_TOO_LARGE.
    /// </summary>
    private void CommitOffsets(GroupCaller caller, OffsetCommitRequest request, GroupTime at)
    {
        var error = MayCommit(request, caller.Version, at);
        if (error != ErrorCode.None)
        {
            Answer(caller, GroupRefusal.Commit(request, (_, _) => error));
            return;
        }
        var group = groups[request.GroupId];
        List<GroupRecord> records = [];
        foreach (var topic in request.Topics)
            foreach (var partition in topic.Partitions)
                if (Fits(partition))
                    records.Add(new GroupRecord.Offset(request.GroupId, topic.Name, partition.PartitionIndex,
                        new CommittedOffset(partition.CommittedOffset, partition.CommittedLeaderEpoch, partition.CommittedMetadata ?? "", at.UtcMs)));
        if (records.Count == 0) Tell(ErrorCode.None);
        else Do(rules.OffsetCommitSteps().GetEnumerator(), at);

        void Do(IEnumerator<OffsetCommitStep> steps, GroupTime now)
        {
            while (steps.MoveNext())
                switch (steps.Current)
                {
                    case OffsetCommitStep.Append: Write(records, now, later => Do(steps, later), (refused, _) => Tell(refused)); break;
                    case OffsetCommitStep.AwaitReplication: return;    // the write's end goes on from here
                    case OffsetCommitStep.Show: Show(group, records); break;
                    case OffsetCommitStep.Answer: Tell(ErrorCode.None); break;
                    default: throw new InvalidOperationException($"unknown step {steps.Current}");
                }
        }

        void Tell(ErrorCode outcome) => Answer(caller, GroupRefusal.Commit(request, (_, partition) => Fits(partition) ? outcome : ErrorCode.OffsetMetadataTooLarge));

        bool Fits(OffsetCommitRequestPartition partition) => rules.MetadataFits((partition.CommittedMetadata ?? "").Length, settings.OffsetMetadataMaxBytes);
    }

    private ErrorCode MayCommit(OffsetCommitRequest request, short version, GroupTime at)
    {
        var generation = request.GenerationIdOrMemberEpoch;
        var known = groups.TryGetValue(request.GroupId, out var group);
        if (rules.MayCommitWithoutGeneration(generation, !known || group!.IsEmpty))
        {
            if (!known) Known(request.GroupId);
            return ErrorCode.None;
        }
        if (!known) return version >= 9 ? ErrorCode.GroupIdNotFound : ErrorCode.IllegalGeneration;
        if (group!.IsEmpty || generation < 0 && request.MemberId.Length == 0 && request.GroupInstanceId is null) return ErrorCode.UnknownMemberId;
        var error = Unfit(group, request.MemberId, request.GroupInstanceId, out var member);
        if (error != ErrorCode.None) return error;
        if (!rules.IsSameGeneration(generation, group.Generation)) return ErrorCode.IllegalGeneration;
        member!.LastContact = at.Monotonic;
        return rules.MayCommitIn(group.State) ? ErrorCode.None : ErrorCode.RebalanceInProgress;
    }

    /// <summary>Of a group that was deleted meanwhile, by a record behind these, nobody can ask any more.</summary>
    private static void Show(Group group, List<GroupRecord> records)
    {
        foreach (var record in records.OfType<GroupRecord.Offset>()) group.Offsets[(record.Topic, record.Partition)] = record.Value!;
    }

    /// <summary>What was committed and is replicated. All of it when no topics are named; what was never committed is -1.</summary>
    public List<OffsetFetchResponseTopic> Offsets(string groupId, IReadOnlyList<OffsetFetchRequestTopic>? topics)
    {
        var known = groups.GetValueOrDefault(groupId)?.Offsets;
        var asked = topics ?? [.. (known?.Keys ?? Enumerable.Empty<(string Topic, int Partition)>()).GroupBy(static key => key.Topic)
            .Select(static topic => new OffsetFetchRequestTopic { Name = topic.Key, PartitionIndexes = [.. topic.Select(static key => key.Partition)] })];
        return [.. asked.Select(topic => new OffsetFetchResponseTopic { Name = topic.Name, Partitions = topic.PartitionIndexes.ConvertAll(partition => Told(known?.GetValueOrDefault((topic.Name, partition)), partition)) })];

        static OffsetFetchResponsePartition Told(CommittedOffset? value, int partition) => value is null
            ? new OffsetFetchResponsePartition { PartitionIndex = partition }
            : new OffsetFetchResponsePartition { PartitionIndex = partition, CommittedOffset = value.Offset, CommittedLeaderEpoch = value.LeaderEpoch, Metadata = value.Metadata };
    }

    /// <summary>Errors: GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP, and for one partition GROUP_SUBSCRIBED_TO_TOPIC.</summary>
    private void DeleteOffsets(GroupCaller caller, OffsetDeleteRequest request, GroupTime at)
    {
        if (!groups.TryGetValue(request.GroupId, out var group)) Refuse(ErrorCode.GroupIdNotFound);
        else if (!group.IsEmpty && group.ProtocolType != ConsumerProtocol.Type) Refuse(ErrorCode.NonEmptyGroup);
        else
        {
            var deleted = request.Topics.Where(topic => !IsInUse(group, topic.Name)).SelectMany(topic => topic.Partitions.Select(partition => (topic.Name, partition.PartitionIndex)))
                .Where(group.Offsets.ContainsKey).Distinct().ToList();
            if (deleted.Count == 0) Answer(caller, Deleted(request, group));
            else
                Write([.. deleted.Select(key => new GroupRecord.Offset(group.Id, key.Name, key.PartitionIndex, null))], at, _ =>
                {
                    foreach (var key in deleted) group.Offsets.Remove(key);
                    Answer(caller, Deleted(request, group));
                }, (error, _) => Refuse(error));
        }

        void Refuse(ErrorCode error) => Answer(caller, new OffsetDeleteResponse { ErrorCode = error });
    }

    private static bool IsInUse(Group group, string topic) => !group.IsEmpty && group.Subscribes(topic);

    private static OffsetDeleteResponse Deleted(OffsetDeleteRequest request, Group group) => new()
    {
        Topics = request.Topics.ConvertAll(topic => new OffsetDeleteResponseTopic
        {
            Name = topic.Name,
            Partitions = topic.Partitions.ConvertAll(partition => new PartitionError { PartitionIndex = partition.PartitionIndex, ErrorCode = IsInUse(group, topic.Name) ? ErrorCode.GroupSubscribedToTopic : ErrorCode.None }),
        }),
    };

    /// <summary>Errors: GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP, and what a write may give.</summary>
    private void DeleteGroup(GroupCaller caller, DeleteGroupsRequest request, GroupTime at)
    {
        var id = request.GroupsNames[0];
        if (!groups.TryGetValue(id, out var group)) Tell(ErrorCode.GroupIdNotFound);
        else if (!group.IsEmpty) Tell(ErrorCode.NonEmptyGroup);
        else
        {
            Write(Tombstones(group, group.Offsets.Keys), at, _ => Tell(ErrorCode.None), (error, _) => Tell(error), () => Forget(group));
        }

        void Tell(ErrorCode error) => Answer(caller, new DeleteGroupsResponse.DeletableGroupResult { GroupId = id, ErrorCode = error });
    }

    private static List<GroupRecord> Tombstones(Group group, IEnumerable<(string Topic, int Partition)> offsets) =>
        [.. offsets.Select(key => new GroupRecord.Offset(group.Id, key.Topic, key.Partition, null)), new GroupRecord.Metadata(group.Id, null)];

    /// <summary>Nobody is told of them from here on, whatever becomes of the write: a topic of the same name that comes later is another one.</summary>
    private void DropOffsets(Predicate<string> isGone, GroupTime at)
    {
        foreach (var group in groups.Values.ToArray())
        {
            var gone = group.Offsets.Keys.Where(key => isGone(key.Topic)).ToList();
            if (gone.Count == 0) continue;
            Drop();
            Write([.. gone.Select(key => new GroupRecord.Offset(group.Id, key.Topic, key.Partition, null))], at, _ => Drop(), static (_, _) => { });

            void Drop() => gone.ForEach(key => group.Offsets.Remove(key));
        }
    }

    private void ExpireOffsets(Group group, GroupTime at)
    {
        var isBeingWritten = writes.Exists(write => write.Group == group.Id);
        var expired = group.Offsets.Where(offset => MayExpire(group, offset.Key.Topic, isBeingWritten) && HasExpired(group, offset.Value, at)).Select(static offset => offset.Key).ToList();
        if (rules.MayForget(group.IsEmpty, group.ToCome.Count, group.Offsets.Count - expired.Count, isBeingWritten))
        {
            Write(Tombstones(group, expired), at, static _ => { }, static (_, _) => { }, () => Forget(group));
        }
        else if (expired.Count > 0)
        {
            Write([.. expired.Select(key => new GroupRecord.Offset(group.Id, key.Topic, key.Partition, null))], at, static _ => { }, static (_, _) => { }, () => expired.ForEach(key => group.Offsets.Remove(key)));
        }
    }

    private bool MayExpire(Group group, string topic, bool isBeingWritten) =>
        rules.MayExpire(group.IsEmpty, group.State is GroupState.Stable && group.ProtocolType == ConsumerProtocol.Type, group.Subscribes(topic), isBeingWritten);

    private bool HasExpired(Group group, CommittedOffset value, GroupTime at)
    {
        var start = rules.RetentionStart(group.IsEmpty && group.ProtocolType is not null, group.StateTimestampMs, value.CommitTimestampMs);
        return rules.HasExpired(at.UtcMs - start, (long)settings.OffsetsRetention.TotalMilliseconds);
    }

    /// <summary>Error: GROUP_ID_NOT_FOUND from version 6 on; before, the group is said to be dead.</summary>
    public DescribedGroup Describe(string groupId, short version)
    {
        if (!groups.TryGetValue(groupId, out var group))
            return version >= 6
                ? new DescribedGroup { GroupId = groupId, GroupState = nameof(GroupState.Dead), ErrorCode = ErrorCode.GroupIdNotFound, ErrorMessage = $"Group {groupId} not found." }
                : new DescribedGroup { GroupId = groupId, GroupState = nameof(GroupState.Dead) };
        var isStable = group.State is GroupState.Stable;
        return new DescribedGroup
        {
            GroupId = groupId,
            GroupState = group.State.ToString(),
            ProtocolType = group.ProtocolType ?? "",
            ProtocolData = isStable ? group.Protocol! : "",
            Members = group.Members.ConvertAll(member => new DescribedGroupMember
            {
                MemberId = member.Id,
                GroupInstanceId = version >= 4 ? member.InstanceId : null,
                ClientId = member.ClientId,
                ClientHost = member.ClientHost,
                MemberMetadata = isStable ? member.MetadataOf(group.Protocol) : default,
                MemberAssignment = member.Assignment,
            }),
        };
    }

    /// <summary>The groups in any of these states (none: all), of any of these types (none: all); case does not matter.</summary>
    public IEnumerable<ListGroupsResponse.ListedGroup> List(IReadOnlyList<string> states, IReadOnlyList<string> types) =>
        from it in groups.Values
        where (states.Count == 0 || states.Contains(it.State.ToString(), StringComparer.OrdinalIgnoreCase)) && (types.Count == 0 || types.Contains(ClassicType, StringComparer.OrdinalIgnoreCase))
        select new ListGroupsResponse.ListedGroup { GroupId = it.Id, ProtocolType = it.ProtocolType ?? "", GroupState = it.State.ToString(), GroupType = ClassicType };
}
