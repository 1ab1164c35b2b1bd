using Broker.Protocol;

namespace Broker.Core.Groups;

/// <summary>Both clocks at one moment: time-outs go by the first, timestamps in records by the second.</summary>
public readonly record struct GroupTime(TimeSpan Monotonic, long UtcMs);

/// <summary>Who asks, and how its answer finds it.</summary>
public sealed record GroupCaller(long Ticket, short Version, string ClientId, string ClientHost);

/// <summary>What happens to a group coordinator.</summary>
public abstract record GroupInput
{
    /// <summary>
    /// A request to one group: JoinGroup, SyncGroup, Heartbeat, LeaveGroup, OffsetCommit, OffsetDelete, or DeleteGroups with one name, which is answered by that group's result alone.
    /// </summary>
    public sealed record Request(GroupCaller Caller, IMessage Body) : GroupInput;

    /// <summary>A write lies in the log, up to here (exclusive).</summary>
    public sealed record Appended(long Write, long NextOffset) : GroupInput;

    /// <summary>A write was refused; nothing of it lies in the log.</summary>
    public sealed record Refused(long Write, ErrorCode Error) : GroupInput;

    /// <summary>The partition's high watermark.</summary>
    public sealed record Committed(long HighWatermark) : GroupInput;

    /// <summary>Topics were deleted; what was committed for them goes with them.</summary>
    public sealed record TopicsGone(Predicate<string> IsGone) : GroupInput;

    /// <summary>Time has passed.</summary>
    public sealed record Tick : GroupInput;
}

/// <summary>What a group coordinator wants done, in this order.</summary>
public abstract record GroupEffect
{
    /// <summary>Answers whoever holds the ticket; nobody may, if it was answered before.</summary>
    public sealed record Answer(long Ticket, IMessage Message) : GroupEffect;

    /// <summary>Appends the records as one batch, at once: <see cref="GroupInput.Appended"/> or <see cref="GroupInput.Refused"/> is the next input.</summary>
    public sealed record Append(long Write, IReadOnlyList<GroupRecord> Records) : GroupEffect;
}
