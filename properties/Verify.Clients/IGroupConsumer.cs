using Broker.Protocol;
using Broker.Runtime;

namespace Verify.Clients;

/// <summary>Reads, as a member of a group, what the group assigns to it, and commits as it is set.</summary>
public interface IGroupMember
{
    /// <summary>From the next poll on.</summary>
    void Subscribe(IReadOnlyList<string> topics);

    /// <summary>Returns as soon as there is something to tell: records, an incident, a change of assignment; otherwise when the time is up. A call says that what the last one returned is processed.</summary>
    Task<GroupPollResult> PollAsync(TimeSpan timeout);

    /// <summary>Commits where the settings say so, leaves the group unless a static member, and closes the connections.</summary>
    Task CloseAsync(TimeSpan timeout);
}

/// <summary>A member that also commits on demand, and asks where its group stands.</summary>
public interface IGroupConsumer : IGroupMember
{
    /// <summary>Commits the positions behind all that was returned.</summary>
    Task<CommitOutcome> CommitAsync(TimeSpan timeout);

    /// <summary>Commits these offsets, of the records to process next.</summary>
    Task<CommitOutcome> CommitAsync(IReadOnlyDictionary<TopicPartition, long> offsets, TimeSpan timeout);

    /// <summary>What the group has committed; -1 where nothing.</summary>
    Task<Answer<IReadOnlyDictionary<TopicPartition, long>>> CommittedAsync(IReadOnlyList<TopicPartition> partitions, TimeSpan timeout);
}

/// <summary>What happened to a member's assignment, in the order in which it happened; before the records of the same poll.</summary>
/// <param name="IsAssigned">False: the partitions were given up.</param>
public sealed record AssignmentChange(bool IsAssigned, string Member, int Generation, IReadOnlyList<TopicPartition> Partitions);

/// <param name="Commits">Commits that the consumer made by itself in this poll.</param>
/// <param name="Error">Why the consumer has given up on the group; <see cref="ErrorCode.None"/> as a rule.</param>
public sealed record GroupPollResult(PollResult Records, IReadOnlyList<AssignmentChange> Changes, IReadOnlyList<CommitOutcome> Commits, ErrorCode Error);

/// <summary>The fate of one commit.</summary>
public sealed record CommitOutcome(OutcomeKind Kind, ErrorCode Error, string Member, int Generation, IReadOnlyDictionary<TopicPartition, long> Offsets);

/// <summary>When a consumer commits by itself.</summary>
public enum CommitPolicy : byte
{
    /// <summary>Never: the caller does.</summary>
    Manual,

    /// <summary>Before records are returned: a crash loses them (at most once). Records whose commit was not confirmed are not returned, but read again from where the group stands.</summary>
    BeforeProcessing,

    /// <summary>At the next poll, awaited: a crash repeats them (at least once).</summary>
    AfterProcessing,

    /// <summary>At the first poll after auto.commit.interval.ms, and before shares are given up (enable.auto.commit).</summary>
    Automatic,
}

/// <summary>A member's settings under Kafka's meanings and defaults.</summary>
public sealed record GroupConsumerSettings(ConsumerSettings Consumer, string GroupId)
{
    /// <summary>group.instance.id: static membership.</summary>
    public string? InstanceId { get; init; }

    public TimeSpan SessionTimeout { get; init; } = TimeSpan.FromSeconds(45);

    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>max.poll.interval.ms, also the rebalance time-out.</summary>
    public TimeSpan MaxPollInterval { get; init; } = TimeSpan.FromMinutes(5);

    public CommitPolicy Commits { get; init; } = CommitPolicy.Automatic;

    public TimeSpan AutoCommitInterval { get; init; } = TimeSpan.FromSeconds(5);
}
