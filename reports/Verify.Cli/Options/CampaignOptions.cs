using System.Collections.Immutable;
using System.CommandLine;
using Chaos.Faults;
using Chaos.Live;
using Verify.Campaign.Campaigns;
using Verify.Campaign.Live;
using Verify.Campaign.Results;
using Verify.Campaign.Running;
using Verify.Cli.Campaigns;
using Verify.Clients.Live;
using Verify.Promises;
using Verify.Workloads;
using Verify.Zoo;
using Command = System.CommandLine.Command;

namespace Verify.Cli.Options;

/// <summary>The options of every verb that runs a campaign, and the plan they ask for.</summary>
internal sealed class CampaignOptions
{
    private static readonly TimeSpan DefaultLength = TimeSpan.FromSeconds(25);

    private readonly Option<SeedRange> seeds;
    private readonly Option<ulong?> seed = SharedOptions.Seed();
    private readonly Option<TimeSpan> time = SharedOptions.Time(DefaultLength);
    private readonly Option<string> workload = SharedOptions.Workload(WorkloadNames.All, WorkloadNames.Log);
    private readonly Option<ImmutableArray<string>> faults = SharedOptions.Faults();
    private readonly Option<string?> schedule = Parsed.One<string?>("--schedule", "NAME", $"A named recipe instead of random faults: {string.Join(", ", Recipe.All.Select(static recipe => recipe.Name))}", static text => Parsed.Word("schedule", text, [.. Recipe.All.Select(static recipe => recipe.Name)]), static () => null);
    private readonly Option<IReadOnlyList<string>> set = SharedOptions.Set();
    private readonly Option<IReadOnlyList<Variation>>? vary;
    private readonly Option<string?> mutant = Parsed.One<string?>("--mutant", "SLUG", "Plant this bug of the zoo", static text => text, static () => null);
    private readonly Option<string?> mutants = Parsed.One<string?>("--mutants", "ASSEMBLY.dll", "Mutants from outside", static text => text, static () => null);
    private readonly Option<int> jobs = SharedOptions.Jobs();
    private readonly Option<Shard> shard = SharedOptions.Shard();
    private readonly Option<TimeSpan?> budget = SharedOptions.Budget();
    private readonly Option<string> system = Parsed.One("--system", "reference", "Which broker", static text => Parsed.Word("system", text, ["reference", "kafka"]), static () => "reference");
    private readonly Option<string> on = Parsed.One("--on", "sim", "Where it runs", static text => Parsed.Word("place to run", text, ["sim", "process"]), static () => "sim");

    private readonly Option<ClientProgram?> client = Parsed.One("--client", "own|exec:COMMAND", "Whose clients are tested, on processes: our own, or a program that speaks the lines of docs/clients.md", ClientOf, static () => null, "own");

    private readonly Option<string?> kafkaHome = Parsed.One<string?>("--kafka-home", "DIR", "An unpacked official download of Apache Kafka", static text => text, static () => null);

    /// <param name="varies">Whether the verb takes <c>--vary</c>.</param>
    public CampaignOptions(ulong seedsOtherwise, bool varies)
    {
        seeds = SharedOptions.Seeds(seedsOtherwise);
        vary = varies ? SharedOptions.Vary() : null;
    }

    public Option<string> Out { get; } = SharedOptions.Out();

    public Option<bool> Json { get; } = SharedOptions.Json();

    public Option<bool> Quiet { get; } = SharedOptions.Quiet();

    public Option<bool> Histories { get; } = new("--histories") { Description = "Export the history of every run as JSON lines" };

    public void AddTo(Command verb)
    {
        if (vary is not null) verb.Add(vary);
        foreach (Option option in new Option[] { set, seeds, seed, time, workload, faults, schedule, system, on, kafkaHome, client, mutant, mutants, jobs, shard, budget, Out, Histories, Json, Quiet }) verb.Add(option);
    }

    /// <param name="scenario">Values from a scenario file; what is given on the command line goes before them.</param>
    public (CampaignPlan Plan, Cells Cells) Plan(ParseResult parsed, string command, ScenarioFile? scenario = null)
    {
        var settings = (scenario?.Set ?? []).Concat(EachOnce(parsed.GetValue(set)!)).ToArray();
        var live = Live(parsed);
        var cells = Cells.Of(Configuration.Usually(live is null ? [] : LivePlace.Defaults).With(settings.Select(static word => Configuration.Assignment(word, "--set"))), vary is null ? [] : parsed.GetValue(vary)!);
        var one = parsed.GetValue(seed);
        var part = parsed.GetValue(shard);
        var range = one is { } only ? new SeedRange(only, only) : live is not null && !WasGiven(parsed, seeds) ? scenario?.Seeds ?? new SeedRange(1, 1) : Given(parsed, seeds, scenario?.Seeds);
        var words = live is not null && !WasGiven(parsed, faults) && scenario?.Faults is null ? LivePlace.WordsHere : Given(parsed, faults, scenario?.Faults);
        var plan = new CampaignPlan
        {
            Cells = cells.Possible,
            Varied = vary is null ? [] : [.. parsed.GetValue(vary)!.Select(variation => variation.Name)],
            Workload = Given(parsed, workload, scenario?.Workload),
            Seeds = range,
            Shard = part == Shard.Whole ? null : new SeedShard(range.From, range.To, part.Index, part.Of),
            Faults = new FaultChoice(words, LimitPower: !NamesPower(parsed, scenario)),
            Length = Given(parsed, time, scenario?.Time),
            Mutant = MutantOf(parsed),
            Live = live,
            Recipe = Recipe.All.FirstOrDefault(recipe => recipe.Name == parsed.GetValue(schedule)),
            Jobs = live is null ? parsed.GetValue(jobs) : 1,
            Budget = parsed.GetValue(budget),
            Command = command,
        };
        if (plan.Recipe is not null && WasGiven(parsed, faults)) throw new BadInputException("--schedule and --faults exclude each other: a recipe has its own faults");
        if (plan.Recipe is { HurtsMembers: true } && (live?.Client is null || plan.Cells.Any(static cell => !cell.Configuration.HasGroups)))
            throw new BadInputException($"--schedule {plan.Recipe.Name}: it kills members of groups that are processes; add --on process, --client {ClientProgram.Prefix}COMMAND and --set {SettingCatalogue.Commit}=auto (or before, after)");
        if (live is not null) Demand(plan);
        else if (plan.Cells.Any(static cell => !cell.Configuration.HasClassicGroups)) throw new BadInputException($"{SettingCatalogue.GroupProtocol}=consumer: in simulation there is the classic protocol alone; add --on process and --client {ClientProgram.Prefix}COMMAND");
        return (plan, cells);
    }

    /// <summary>Null: in simulation.</summary>
    private LivePlace? Live(ParseResult parsed)
    {
        var isKafka = parsed.GetValue(system) == "kafka";
        var home = parsed.GetValue(kafkaHome) is { } given ? Path.GetFullPath(given) : null;
        var tested = parsed.GetValue(client);
        if (parsed.GetValue(on) == "sim")
            return !isKafka && home is null && tested is null ? null : throw new BadInputException(tested is not null ? "--client: other clients than our own run on processes; add --on process" : $"{(isKafka ? "--system kafka" : "--kafka-home")}: only the reference broker runs in simulation; add --on process");
        if (home is not null && tested is not null) tested = tested with { Environment = new Dictionary<string, string> { ["KAFKA_HOME"] = home } };
        if (!isKafka) return home is null || tested is not null ? new LivePlace(new ReferenceSystem(ThisTool.Program, ThisTool.Info.Version), tested) : throw new BadInputException("--kafka-home goes with --system kafka, or with clients of Kafka's that need it");
        return home is null ? throw new BadInputException("--system kafka needs --kafka-home DIR, an unpacked official download") : new LivePlace(new KafkaSystem(home), tested);
    }

    /// <summary>Null: our own.</summary>
    private static ClientProgram? ClientOf(string text) =>
        text == "own" ? null
        : text.StartsWith(ClientProgram.Prefix, StringComparison.Ordinal) && text.Length > ClientProgram.Prefix.Length ? new ClientProgram(text[ClientProgram.Prefix.Length..], new Dictionary<string, string>(), Directory.GetCurrentDirectory())
        : throw new BadInputException($"--client '{text}': expected own or {ClientProgram.Prefix}COMMAND");

    /// <summary>What live runs cannot do yet is refused before anything is started.</summary>
    private static void Demand(CampaignPlan plan)
    {
        if (plan.Workload != WorkloadNames.Log) throw new BadInputException($"--workload {plan.Workload}: on processes there is the workload {WorkloadNames.Log}");
        if (plan.Mutant is { } mutant) throw new BadInputException($"--mutant {mutant.Slug}: planted bugs are in the simulated broker; leave out --on process");
        if (plan.Recipe?.Words.FirstOrDefault(static word => !LiveCluster.Words.Contains(word)) is { } word)
            throw new BadInputException($"--schedule {plan.Recipe.Name}: it needs {word}, which cannot be done to processes; there are {string.Join(", ", LiveCluster.Words)}");
        foreach (var cell in plan.Cells)
        {
            if (!cell.Configuration.HasClassicGroups && plan.Live!.Client is null) throw new BadInputException($"{SettingCatalogue.GroupProtocol}=consumer: our own client has the classic protocol alone; give another one, --client {ClientProgram.Prefix}COMMAND");
            if (!cell.Configuration.CombinedRoles) throw new BadInputException("process.roles=separate: on processes every node is both broker and controller");
            _ = plan.ScenarioOf(cell, plan.Seeds.From);
        }
        if (LivePlace.Missing(plan.Recipe?.Words ?? plan.Faults.Words) is { } missing) throw new BadInputException($"{(plan.Recipe is { Name: var name } ? $"--schedule {name}" : "--faults")}: {missing}");
    }

    private static IReadOnlyList<string> EachOnce(IReadOnlyList<string> words)
    {
        var twice = words.GroupBy(static word => word.Split('=')[0]).FirstOrDefault(static same => same.Distinct().Count() > 1);
        return twice is null ? words : throw new BadInputException($"--set {twice.Key} is given more than once: {string.Join(" and ", twice.Distinct())}; to compare values write --vary {twice.Key}={string.Join(',', twice.Select(static word => word[(word.IndexOf('=') + 1)..]).Distinct())}");
    }

    /// <summary>Power losses are kept within what min.insync.replicas tolerates unless somebody asks for power by name.</summary>
    private bool NamesPower(ParseResult parsed, ScenarioFile? scenario) =>
        WasGiven(parsed, faults) ? parsed.GetResult(faults)!.Tokens.Any(token => token.Value.Split(',').Contains(FaultWord.Power)) : scenario is { NamesPower: true };

    private Mutant? MutantOf(ParseResult parsed)
    {
        var known = MutantCatalogue.Own.Concat(parsed.GetValue(mutants) is { } assembly ? OutsideMutants.Of(assembly) : []).ToArray();
        if (parsed.GetValue(mutant) is not { } slug || slug == "none") return null;
        return Array.Find(known, candidate => candidate.Slug == slug) ?? throw BadInputException.Unknown("mutant", slug, [.. known.Select(candidate => candidate.Slug)]);
    }

    private static T Given<T>(ParseResult parsed, Option<T> option, T? inFile) where T : class => WasGiven(parsed, option) || inFile is null ? parsed.GetValue(option)! : inFile;

    private static T Given<T>(ParseResult parsed, Option<T> option, T? inFile) where T : struct => WasGiven(parsed, option) || inFile is null ? parsed.GetValue(option) : inFile.Value;

    private static bool WasGiven(ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };
}
