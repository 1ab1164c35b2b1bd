using Verify.Campaign.Results;

namespace Reports.Tests;

/// <summary>Made-up results of a plausible shape. They exist in tests only: nothing here was measured.</summary>
internal static class Fixtures
{
    private static readonly string[] Others = ["no-phantom-writes", "no-duplicates", "stable-offsets", "ordering", "consistent-polls", "recovery", "replica-agreement"];

    public static CampaignResult SixCells() => Campaign(
        [
            Cell("0", "false", Lost(1310, 20114, 140, 0, "sent", ("leader-changed-before-replication", 904), ("sent-to-a-dead-leader", 406)), 420, "stories/acks-0-unclean-false.story.json"),
            Cell("0", "true", Lost(1422, 20087, 144, 0, "sent", ("leader-changed-before-replication", 951), ("sent-to-a-dead-leader", 411), ("unclean-election", 60)), 430, null),
            Cell("1", "false", Lost(312, 19840, 41, 0, "acknowledged", ("leader-changed-before-replication", 312)), 3120, "stories/acks-1-unclean-false.story.json"),
            Cell("1", "true", Lost(377, 19771, 47, 0, "acknowledged", ("leader-changed-before-replication", 301), ("unclean-election", 76)), 2980, null),
            Cell("all", "false", Lost(0, 18002, 0, 200, "acknowledged"), 6410, null),
            Cell("all", "true", Lost(25, 18317, 4, 181, "acknowledged", ("unclean-election", 25)), 3050, null),
        ],
        ["acks", "unclean.leader.election.enable"],
        [Story("stories/acks-1-unclean-false.story.json"), Story("stories/acks-0-unclean-false.story.json")]);

    /// <summary>A mutant drops records: losses without an excuse, in a cell that permits loss and in one that does not.</summary>
    public static CampaignResult BrokenPromise()
    {
        var story = Story("stories/acks-all.story.json") with { Excuse = null, Mutant = "drop-every-50th" };
        var lost = Lost(402, 20114, 200, 200, "acknowledged") with { ViolationsPromised = 402, ViolationsPermitted = 0, Story = story.File };
        var mixed = Lost(700, 19840, 200, 200, "acknowledged", ("leader-changed-before-replication", 298)) with { RunsPromised = 120, RunsPromisedExercised = 120, ViolationsPromised = 402, ViolationsPermitted = 298 };
        return Campaign(
            [Cell("1", "false", mixed, 3120, null) with { Mutant = "drop-every-50th" }, Cell("all", "false", lost, 6410, story.File) with { Mutant = "drop-every-50th" }],
            ["acks"],
            [story]);
    }

    public static CampaignResult Interrupted()
    {
        var six = SixCells();
        return six with
        {
            Interrupted = new Interruption("stopped by Ctrl-C after 431 of 1,200 runs"),
            Cells = [.. six.Cells.Take(4), NotRun(six.Cells[4]), NotRun(six.Cells[5])],
        };
    }

    public static CampaignResult Campaign(IReadOnlyList<CellResult> cells, IReadOnlyList<string> varied, IReadOnlyList<StoryTelling> stories) => new()
    {
        Tool = new ToolInfo("0.1.0", "0123abc"),
        Machine = new MachineInfo("Linux 6.1", "Example CPU", 2, 8L << 30, ".NET 10.0.0"),
        Command = "mqverify compare --vary acks=0,1,all --vary unclean.leader.election.enable=false,true --seeds 200",
        Seeds = new SeedRange(1, 200),
        Shards = [new SeedShard(1, 200, 1, 1)],
        Varied = varied,
        Cells = cells,
        Stories = stories,
        Power = new CampaignPower(10, 12, "a campaign of 200 seeds finds 10 of the 12 planted bugs."),
        SimulatedSeconds = 36_000,
        WallSeconds = 62.4,
    };

    public static CellResult Cell(string acks, string unclean, GuaranteeResult lost, double outage, string? story) => new()
    {
        Configuration = new Dictionary<string, string> { ["acks"] = acks, ["unclean.leader.election.enable"] = unclean },
        System = "reference",
        On = "sim",
        Workload = "log",
        Exercised = new Exercised
        {
            Runs = 200,
            Operations = 61_200,
            Acknowledged = lost.Of,
            Indeterminate = 1_207,
            Failed = 212,
            LeaderChanges = 316,
            Faults = Counts.Empty.Add("crash", 237).Add("partition", 335).Add("pause", 133).Add("power", 40).Add("delay", 210).Add("clock", 77),
            Events = Counts.Empty.Add("unclean-elections", unclean == "true" ? 31 : 0).Add("in-sync-shrinks", 690).Add("controller-changes", 58).Add("truncations", 77),
        },
        Guarantees = [lost with { Story = story ?? lost.Story }, .. Others.Select(name => Other(name, acks))],
        Availability = new Availability(outage, outage * 0.6, 117, outage / 3, 200),
        LatencyMs = new Latency(true, 2_950, new Dictionary<int, long> { [140] = 9_000, [165] = 9_000, [250] = 400, [340] = 12 }),
        DefaultsThatDiffer =
        [
            new("broker.session.timeout.ms", "1500", "9000", "a short run must see several elections"),
            new("replica.lag.time.max.ms", "1000", "30000", "a short run must see in-sync replicas come and go"),
        ],
    };

    public static GuaranteeResult Lost(long lost, long of, long runsViolated, long promised, string ofWhat, params (string Name, long Count)[] excuses) => new()
    {
        Name = "no-lost-writes",
        Runs = 200,
        RunsPromised = promised,
        RunsExercised = 200,
        RunsPromisedExercised = promised,
        RunsViolated = runsViolated,
        ViolationsPermitted = lost,
        Of = of,
        OfWhat = ofWhat,
        Anomalies = Counts.Empty.Add("lost-write", lost),
        Excuses = Counts.Of(excuses.Select(excuse => KeyValuePair.Create(excuse.Name, excuse.Count))),
    };

    /// <summary>Duplicates are permitted and seen without idempotence, which acks=1 implies; everything else is promised and held.</summary>
    private static GuaranteeResult Other(string name, string acks)
    {
        var duplicated = name == "no-duplicates" && acks == "1";
        return new GuaranteeResult
        {
            Name = name,
            Runs = 200,
            RunsPromised = duplicated ? 0 : 200,
            RunsExercised = 200,
            RunsPromisedExercised = duplicated ? 0 : 200,
            RunsViolated = duplicated ? 9 : 0,
            ViolationsPermitted = duplicated ? 61 : 0,
            Of = name == "recovery" ? 200 : 19_840,
            OfWhat = name == "recovery" ? "runs" : "read",
            Anomalies = Counts.Empty.Add("duplicate", duplicated ? 61 : 0),
            Excuses = Counts.Empty.Add("retry-without-idempotence", duplicated ? 61 : 0),
        };
    }

    private static CellResult NotRun(CellResult cell) => cell with
    {
        Exercised = new Exercised { Runs = 0 },
        Guarantees = [.. cell.Guarantees.Select(guarantee => new GuaranteeResult { Name = guarantee.Name, Runs = 0, RunsPromised = 0, RunsExercised = 0, RunsPromisedExercised = 0 })],
        Availability = new Availability(null, null),
        LatencyMs = null,
    };

    public static StoryTelling Story(string file) => new()
    {
        File = file,
        Title = "Broker 1 acknowledged value 17 before anyone had copied it, was cut off, and broker 2 took over without it.",
        Guarantee = "no-lost-writes",
        Anomaly = "lost-write",
        Excuse = "leader-changed-before-replication",
        Configuration = new Dictionary<string, string> { ["acks"] = "1", ["unclean.leader.election.enable"] = "false" },
        System = "reference",
        Seed = 117,
        Faults = ["cut broker 1 from brokers 2 and 3, both ways, 40 ms after the 4th acknowledgement, for 3.2 s"],
        Commands = 6,
        Lanes =
        [
            new("producer 7", LaneRole.Client), new("reader 8", LaneRole.Client),
            new("broker 1", LaneRole.Broker), new("broker 2", LaneRole.Broker), new("broker 3", LaneRole.Broker),
            new("controller 4", LaneRole.Controller),
        ],
        Entries =
        [
            new(812, 5, StoryKind.Elect, "broker 1 leads log-0 in epoch 3, in-sync replicas [1,2,3]", 2),
            new(1_204, 0, StoryKind.Send, "send value 16 to log-0", 2, 1_206),
            new(1_206, 2, StoryKind.Append, "append value 16 at offset 41"),
            new(1_207, 2, StoryKind.Ack, "acknowledge value 16, offset 41", 0, 1_209),
            new(1_211, 2, StoryKind.Replicate, "broker 2 and 3 fetch up to offset 42", 3, 1_214),
            new(1_244, 2, StoryKind.Fault, "broker 1 is cut off from brokers 2 and 3", null, 4_444),
            new(1_250, 0, StoryKind.Send, "send value 17 to log-0", 2, 1_252, true),
            new(1_252, 2, StoryKind.Append, "append value 17 at offset 42; nobody can fetch it", null, null, true),
            new(1_253, 2, StoryKind.Ack, "acknowledge value 17, offset 42: acks=1 asks nobody else", 0, 1_255, true),
            new(1_300, 3, StoryKind.Note, "fetch from broker 1 goes nowhere", 2, null, false, false),
            new(2_744, 5, StoryKind.Fence, "broker 1 is fenced: no heartbeat for 1.5 s", 2, null, false, false),
            new(2_746, 5, StoryKind.Elect, "broker 2 leads log-0 in epoch 4, in-sync replicas [2,3]", 3),
            new(2_790, 0, StoryKind.Send, "send value 18 to log-0", 3, 2_792),
            new(2_793, 3, StoryKind.Append, "append value 18 at offset 42, where value 17 was"),
            new(2_795, 3, StoryKind.Ack, "acknowledge value 18, offset 42", 0, 2_797),
            new(4_444, 2, StoryKind.Heal, "broker 1 reaches the others again"),
            new(4_460, 2, StoryKind.Truncate, "broker 1 follows broker 2 in epoch 4 and cuts its log from 43 to 42: value 17 is gone", null, null, true),
            new(9_100, 1, StoryKind.Read, "final read from the start to offset 43", 3, 9_104),
            new(9_105, 1, StoryKind.Lost, "value 17 was acknowledged and is nowhere", null, null, true),
        ],
        Record = new RecordLife("value 17 of log-0 at offset 42",
        [
            new(1_250, "sent by producer 7 to broker 1"),
            new(1_252, "appended by broker 1 (leader, epoch 3) at offset 42; replicated to nobody"),
            new(1_253, "acknowledged to producer 7"),
            new(4_460, "truncated by broker 1, following broker 2 in epoch 4"),
            new(9_105, "missing in the final read"),
        ]),
        Replay = $"mqverify replay mqverify-out/{file}",
        TraceHash = "9f2c41d07be5a813",
    };
}
