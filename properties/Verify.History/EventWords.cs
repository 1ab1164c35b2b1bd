namespace Verify.History;

/// <summary>How far an operation got. <see cref="Info"/>: it may or may not have happened; a time-out is never <see cref="Fail"/>.</summary>
public enum EventType : byte
{
    Invoke,
    Ok,
    Fail,
    Info,
}

/// <summary>What an event is about (<c>f</c> in JSON). Words that this version does not know are <see cref="Other"/> and are kept by name.</summary>
public enum EventFunction : byte
{
    Other,
    Send,
    Poll,

    /// <summary>Sends and polls in one transaction (or, in a bare history, in one operation).</summary>
    Txn,

    /// <summary>Manual assignment of <c>keys</c>; replaces the old one, and keeps the position of keys that stay unless <c>seekToBeginning</c>.</summary>
    Assign,

    /// <summary>Group subscription; the broker chooses the partitions.</summary>
    Subscribe,

    /// <summary>Next offsets that a member of a group wants kept: <c>group</c>, <c>member</c>, <c>generation</c>, <c>offsets</c>. A completion without <c>offsets</c> is about those of its invocation.</summary>
    Commit,

    /// <summary>Ok: the handling of one record ended: <c>key</c> and <c>offset</c> (or, where that is not known, <c>value</c>), <c>group</c>.</summary>
    Process,

    /// <summary>
    /// A member has these <c>keys</c> now. <c>offsets</c>: where the group stood, as the member was answered; null or -1: the group had committed nothing. The invocation, where there is one, precedes the question.
    /// </summary>
    Assigned,
    Revoked,

    /// <summary>What a node showed (see <see cref="ObserveKind"/>).</summary>
    Observe,

    /// <summary>The process lost its client; the next one is a new session.</summary>
    Crash,

    /// <summary>Topics created: <c>topics</c>.</summary>
    Create,

    /// <summary>Topics deleted: <c>topics</c>.</summary>
    Delete,

    /// <summary>The topics a broker lists: <c>topics</c>, in the completion.</summary>
    List,

    /// <summary>The last fault healed: from here progress is demanded.</summary>
    Heal,

    /// <summary>
    /// Ok: this process has now read <c>keys</c> from log start to log end, by its polls since its last <c>assign</c>. Otherwise it could not.
    /// With <c>group</c>: the group's members have, all together, from where the group stood, after the last send had its outcome.
    /// </summary>
    Final,
}

/// <summary>What a node was seen doing, as far as checkers ask (<c>kind</c> in JSON).</summary>
public enum ObserveKind : byte
{
    Other,

    /// <summary>Node is up, its logs recovered.</summary>
    NodeStarted,

    /// <summary>A log was recovered: offset = log end offset found.</summary>
    LogRecovered,

    /// <summary>Leader appended <c>values</c> at offset.. in epoch.</summary>
    Appended,

    /// <summary>Follower appended <c>values</c> at offset.. ; epoch = leader epoch of the fetch.</summary>
    Replicated,

    /// <summary>Durable up to offset (exclusive).</summary>
    Flushed,

    /// <summary>A log was cut; offset = new end.</summary>
    Truncated,

    /// <summary>The local high watermark became offset, in leader epoch.</summary>
    HighWatermark,

    /// <summary>Epoch = leader epoch, offset = log end offset then.</summary>
    BecameLeader,
    BecameFollower,

    /// <summary>Epoch = leader epoch, nodes = ISR.</summary>
    IsrCommitted,

    /// <summary>The controller chose a leader: other = leader.</summary>
    Elected,
    QuorumLeader,
    TopicCreated,
    TopicDeleted,
    FaultBit,
    FaultHealed,
    PowerLost,
    Crashed,
}

/// <summary>The words of the JSON form.</summary>
public static class EventWords
{
    private static readonly string[] Types = ["invoke", "ok", "fail", "info"];

    private static readonly string[] Functions =
        ["other", "send", "poll", "txn", "assign", "subscribe", "commit", "process", "assigned", "revoked", "observe", "crash", "create", "delete", "list", "heal", "final"];

    private static readonly string[] Kinds =
    [
        "other", "node-started", "log-recovered", "appended", "replicated", "flushed", "truncated", "high-watermark", "became-leader", "became-follower", "isr-committed",
        "elected", "quorum-leader", "topic-created", "topic-deleted", "fault-bit", "fault-healed", "power-lost", "crashed",
    ];

    public static string Of(EventType type) => Types[(int)type];

    public static string Of(EventFunction function) => Functions[(int)function];

    public static string Of(ObserveKind kind) => Kinds[(int)kind];

    /// <summary>Null when the word names no type.</summary>
    public static EventType? Type(ReadOnlySpan<byte> utf8) => Index(Types, utf8) is var i and >= 0 ? (EventType)i : null;

    /// <summary><see cref="EventFunction.Other"/> when the word is not known.</summary>
    public static EventFunction Function(ReadOnlySpan<byte> utf8) => (EventFunction)Math.Max(0, Index(Functions, utf8));

    /// <summary><see cref="ObserveKind.Other"/> when the word is not known.</summary>
    public static ObserveKind Kind(ReadOnlySpan<byte> utf8) => (ObserveKind)Math.Max(0, Index(Kinds, utf8));

    private static int Index(string[] words, ReadOnlySpan<byte> utf8)
    {
        for (var i = 0; i < words.Length; i++)
            if (words[i].Length == utf8.Length && System.Text.Ascii.Equals(utf8, words[i])) return i;
        return -1;
    }
}
