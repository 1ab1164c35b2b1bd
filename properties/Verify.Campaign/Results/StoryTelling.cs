namespace Verify.Campaign.Results;

/// <summary>A shrunk story as people see it: who did what when, and what became of the record it is about. The replayable data is the file it names.</summary>
public sealed record StoryTelling
{
    /// <summary>Relative to the result's folder: <c>stories/….story.json</c>. Guarantees refer to it.</summary>
    public required string File { get; init; }

    /// <summary>One sentence a stranger understands: "A leader acknowledged value 17 alone, lost power, and another replica took over without it."</summary>
    public required string Title { get; init; }

    public required string Guarantee { get; init; }

    public required string Anomaly { get; init; }

    /// <summary>What permitted it in this run; null when nothing did: then it is a bug.</summary>
    public string? Excuse { get; init; }

    public required IReadOnlyDictionary<string, string> Configuration { get; init; }

    public required string System { get; init; }

    public required ulong Seed { get; init; }

    public string? Mutant { get; init; }

    /// <summary>The fault schedule in words, one line per fault.</summary>
    public required IReadOnlyList<string> Faults { get; init; }

    /// <summary>How many client commands are left after shrinking.</summary>
    public int Commands { get; init; }

    /// <summary>Left to right as drawn: clients, brokers, controllers.</summary>
    public required IReadOnlyList<StoryLane> Lanes { get; init; }

    /// <summary>In order of time.</summary>
    public required IReadOnlyList<StoryEntry> Entries { get; init; }

    /// <summary>The record in focus; null when the story is about something else (a topic, a group).</summary>
    public RecordLife? Record { get; init; }

    /// <summary>The command line that runs it again.</summary>
    public required string Replay { get; init; }

    public required string TraceHash { get; init; }
}

public enum LaneRole
{
    Client,
    Broker,
    Controller,
}

/// <param name="Name">As in the entries' texts: "producer 1", "broker 2".</param>
public sealed record StoryLane(string Name, LaneRole Role);

/// <summary>What an entry is, for colour and shape. In JSON in kebab-case.</summary>
public enum StoryKind
{
    /// <summary>A fault hit the lane and lasts until <see cref="StoryEntry.UntilMs"/>: drawn as a band.</summary>
    Fault,

    /// <summary>A fault ended.</summary>
    Heal,

    /// <summary>A node came back up.</summary>
    Restart,

    /// <summary>A leader was chosen, or took office.</summary>
    Elect,

    /// <summary>A broker was fenced or let in again.</summary>
    Fence,

    /// <summary>The set of in-sync replicas changed.</summary>
    InSync,

    /// <summary>A client sent records.</summary>
    Send,

    /// <summary>A send was acknowledged.</summary>
    Ack,

    /// <summary>A send was refused.</summary>
    Refuse,

    /// <summary>A client gave up without learning the outcome.</summary>
    Unknown,

    /// <summary>A leader appended.</summary>
    Append,

    /// <summary>A follower appended what it fetched.</summary>
    Replicate,

    /// <summary>A log became durable.</summary>
    Flush,

    /// <summary>A log was cut.</summary>
    Truncate,

    /// <summary>A high watermark moved.</summary>
    Watermark,

    /// <summary>A client read.</summary>
    Read,

    /// <summary>The moment the record is gone, or is found missing.</summary>
    Lost,

    /// <summary>A record appears once too often, or out of place.</summary>
    Anomaly,

    /// <summary>Anything else worth a line.</summary>
    Note,
}

/// <summary>One thing that happened.</summary>
/// <param name="TimeMs">Since the start of the run.</param>
/// <param name="Lane">Index into <see cref="StoryTelling.Lanes"/>; -1 for the world as a whole.</param>
/// <param name="To">Index of the lane that an arrow points to; null for none.</param>
/// <param name="UntilMs">When a fault healed, or a message arrived; null: never, or at once.</param>
/// <param name="Focus">It concerns the record in focus: part of its highlighted path.</param>
/// <param name="Arrives">False: the message was lost on the way; its arrow ends in a cross.</param>
public sealed record StoryEntry(
    double TimeMs,
    int Lane,
    StoryKind Kind,
    string Text,
    int? To = null,
    double? UntilMs = null,
    bool Focus = false,
    bool Arrives = true);

/// <summary>What became of one record, in words.</summary>
/// <param name="Name">"value 17 of log-0 at offset 42".</param>
/// <param name="Steps">"appended by broker 1 (leader, epoch 3) at offset 42", "acknowledged to producer 1", "truncated by broker 1, following broker 2".</param>
public sealed record RecordLife(string Name, IReadOnlyList<LifeStep> Steps);

public sealed record LifeStep(double TimeMs, string Text);
