using System.CommandLine;
using System.Globalization;
using Verify.Campaign.Judging;
using Verify.Campaign.Stories;
using Verify.Cli.Options;
using Verify.Promises;
using Verify.Zoo;

namespace Verify.Cli.Verbs;

/// <summary><c>mqverify replay FILE</c>: runs a stored story again.</summary>
internal static class ReplayVerb
{
    public static Command Create(Streams streams)
    {
        var file = new Argument<string>("FILE.story.json") { Description = "The story", Arity = ArgumentArity.ExactlyOne };
        var trace = new Option<bool>("--trace") { Description = "Tell it step by step" };
        var record = Parsed.One<string?>("--record", "VALUE", "Tell one record's life: where it was appended, replicated, acknowledged, and what became of it", static text => text, static () => null);
        var mutant = Parsed.One<string?>("--mutant", "none", "Play it on the faithful broker", static text => Parsed.Word("choice of mutant", text, ["none"]), static () => null);
        var mutants = Parsed.One<string?>("--mutants", "ASSEMBLY.dll", "Mutants from outside", static text => text, static () => null);
        var json = SharedOptions.Json();
        var verb = new Verb(
            "replay",
            "Runs a stored story again; the same story gives the same trace hash, every time and everywhere",
            "mqverify replay mqverify-out/stories/NAME.story.json",
            "mqverify replay --trace NAME.story.json",
            "mqverify replay --mutant none --json NAME.story.json")
        {
            file, trace, record, mutant, mutants, json,
        };
        verb.SetAction(parsed =>
        {
            var path = parsed.GetValue(file)!;
            var story = StoryFile.Parse(InputFile.ReadText(path, "story"), path);
            var known = MutantCatalogue.Own.Concat(parsed.GetValue(mutants) is { } assembly ? OutsideMutants.Of(assembly) : []).ToArray();
            var result = Replay.Run(story, slug => Array.Find(known, candidate => candidate.Slug == slug), Judge.Of, faithful: parsed.GetValue(mutant) is not null);
            if (parsed.GetValue(json)) streams.Output.Write(result.ToJson());
            else if (parsed.GetValue(trace)) streams.Output.Write(Trace(result, path));
            else if (parsed.GetValue(record) is { } value) streams.Output.Write(TraceText.Of(Life(result, value)));
            else Print(result, streams.Output);
            if (result.Problem is not { } problem) return result.Judged.Broken.Any() ? ExitCode.Broken : ExitCode.Held;
            streams.Error.WriteLine($"mqverify: {problem}");
            return ExitCode.Failed;
        });
        return verb;
    }

    private static string Trace(ReplayResult result, string path) =>
        result.Tell(path) is { } telling ? TraceText.Of(telling) : $"In this run {result.Story.Point.Guarantee} is not violated by {result.Story.Point.Anomaly}: there is no such story to tell.\n";

    private static Campaign.Results.RecordLife Life(ReplayResult result, string value) =>
        long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && StoryTeller.LifeOf(result.Run, number) is { } life
            ? life
            : throw new BadInputException($"--record '{value}': no record of this story has that value");

    private static void Print(ReplayResult result, TextWriter output)
    {
        output.WriteLine(result.Story.Why);
        output.WriteLine();
        output.WriteLine($"trace hash  {StoryFile.Hex(result.TraceHash)}{(result.TraceHash == result.RecordedHash ? ", as recorded" : $", recorded {StoryFile.Hex(result.RecordedHash)}")}");
        foreach (var guarantee in result.Judged.Guarantees)
        {
            output.WriteLine($"{guarantee.Guarantee,-18}  {guarantee.Seen.ToString().ToLowerInvariant(),-8}  of {guarantee.Of:N0} {guarantee.OfWhat}");
            foreach (var same in guarantee.Violations.GroupBy(violation => (violation.Anomaly, Excuse: violation.Excuse?.Name)))
                output.WriteLine($"  {same.Key.Anomaly}: {same.Count():N0}, {(same.Key.Excuse is { } excuse ? $"permitted by {excuse}" : "permitted by nothing: a broken promise")}");
        }
        output.WriteLine();
        output.WriteLine("--trace tells it step by step, --record VALUE the life of one record.");
    }
}
