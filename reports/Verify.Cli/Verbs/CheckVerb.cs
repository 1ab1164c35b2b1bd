using System.CommandLine;
using Verify.Checkers;
using Verify.Cli.Options;
using Verify.Promises;
using Acks = Verify.Checkers.Acks;

namespace Verify.Cli.Verbs;

/// <summary><c>mqverify check HISTORY.jsonl</c>: judges a recorded history from anywhere.</summary>
internal static class CheckVerb
{
    private const int MostCasesShown = 3;

    public static Command Create(Streams streams)
    {
        var history = new Argument<string>("HISTORY.jsonl") { Description = "The history, one event per line; - reads standard input", Arity = ArgumentArity.ExactlyOne };
        var acks = Parsed.One("--acks", "0|1|all", "What producers waited for", Acks, () => Checkers.Acks.All, "all");
        var idempotence = Parsed.One<bool?>("--idempotence", "true|false", "Producers were idempotent (default: with acks=all)", Boolean, () => null);
        var isolation = Parsed.One("--isolation", "LEVEL", "read_committed or read_uncommitted", Isolation, () => Checkers.Isolation.ReadCommitted, "read_committed");
        var subscription = Parsed.One("--subscription", "assign|subscribe", "How consumers that do not say got their partitions", Subscription, () => Checkers.Subscription.Assign, "assign");
        var commit = Parsed.One("--commit", "after|before|apart", "When group members commit: after processing (at least once), before it (at most once), or apart from it (neither)", Commit, () => CommitMode.AfterProcessing, "after");
        var reset = Parsed.One("--offset-reset", "earliest|latest", "Where a group begins that has committed nothing", Reset, () => GroupStart.Earliest, "earliest");
        var compacted = new Option<bool>("--compacted") { Description = "The topics are compacted: of each record key the newest record must stay, older ones and tombstones may go" };
        var json = SharedOptions.Json();
        var verb = new Verb(
            "check",
            "Judges a recorded history: which guarantees held, which were violated, and by what",
            "mqverify check history.jsonl",
            "mqverify check --acks 1 --json history.jsonl",
            "mqverify check --subscription subscribe --commit before history.jsonl",
            "zcat history.jsonl.gz | mqverify check -")
        {
            history, acks, idempotence, isolation, subscription, commit, reset, compacted, json,
        };
        verb.SetAction(parsed =>
        {
            var asked = parsed.GetValue(acks);
            var contract = CheckContract.Default with
            {
                Acks = asked,
                Idempotence = parsed.GetValue(idempotence) ?? asked == Checkers.Acks.All,
                Isolation = parsed.GetValue(isolation),
                Subscription = parsed.GetValue(subscription),
                Commit = parsed.GetValue(commit),
                GroupStart = parsed.GetValue(reset),
                Compacted = parsed.GetValue(compacted),
            };
            var result = Check(parsed.GetValue(history)!, contract, streams);
            if (parsed.GetValue(json)) streams.Output.WriteLine(result.ToJson());
            else Print(result, streams.Output);
            return ExitCode.Of(result.Verdict);
        });
        return verb;
    }

    private static CheckResult Check(string path, CheckContract contract, Streams streams)
    {
        try
        {
            using var stream = path == "-" ? streams.Input() : InputFile.Open(path, "history");
            return HistoryCheck.Run(stream, contract);
        }
        catch (History.HistoryFormatException malformed)
        {
            throw new BadInputException($"{(path == "-" ? "standard input" : path)}: {malformed.Message}");
        }
    }

    private static void Print(CheckResult result, TextWriter output)
    {
        output.WriteLine($"{result.Events:N0} events: {CheckResult.Word(result.Verdict)}");
        output.WriteLine();
        var width = result.Findings.Select(f => f.Guarantee.Length).DefaultIfEmpty(0).Max();
        foreach (var finding in result.Findings)
        {
            var promised = result.Contract.Promises(finding.Guarantee) ? "" : " (not promised under this contract)";
            output.WriteLine($"{finding.Guarantee.PadRight(width)}  {CheckResult.Word(finding.Verdict),-8}  of {finding.Of:N0}{promised}{(finding.Why is null ? "" : $": {finding.Why}")}");
            foreach (var anomaly in finding.Anomalies)
            {
                output.WriteLine($"  {anomaly.Name}: {anomaly.Count:N0}{(anomaly.Breaks ? "" : " (reported only)")}");
                foreach (var found in anomaly.Cases.Take(MostCasesShown)) output.WriteLine($"    {found.Key}: {Reports.TextLayout.Printable(found.Note)}");
                if (anomaly.Count > MostCasesShown) output.WriteLine($"    … and {anomaly.Count - Math.Min(MostCasesShown, anomaly.Cases.Count):N0} more");
            }
        }
    }

    private static Acks Acks(string text) => Parsed.Word("value of --acks", text == "-1" ? "all" : text, ["0", "1", "all"]) switch
    {
        "0" => Checkers.Acks.None,
        "1" => Checkers.Acks.Leader,
        _ => Checkers.Acks.All,
    };

    private static bool? Boolean(string text) => Parsed.Word("value of --idempotence", text, ["true", "false"]) == "true";

    private static Isolation Isolation(string text) =>
        Parsed.Word("isolation level", text, ["read_committed", "read_uncommitted"]) == "read_committed" ? Checkers.Isolation.ReadCommitted : Checkers.Isolation.ReadUncommitted;

    private static Subscription Subscription(string text) =>
        Parsed.Word("subscription", text, ["assign", "subscribe"]) == "assign" ? Checkers.Subscription.Assign : Checkers.Subscription.Subscribe;

    private static CommitMode Commit(string text) => Parsed.Word("value of --commit", text, ["after", "before", "apart"]) switch
    {
        "after" => CommitMode.AfterProcessing,
        "before" => CommitMode.BeforeProcessing,
        _ => CommitMode.Apart,
    };

    private static GroupStart Reset(string text) => Parsed.Word("value of --offset-reset", text, ["earliest", "latest"]) == "earliest" ? GroupStart.Earliest : GroupStart.Latest;
}
