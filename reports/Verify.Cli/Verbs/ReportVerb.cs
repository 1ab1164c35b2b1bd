using System.CommandLine;
using Verify.Campaign.Results;
using Verify.Cli.Options;
using Verify.Promises;
using Verify.Reports;
using Verify.Reports.Terminal;

namespace Verify.Cli.Verbs;

/// <summary><c>mqverify report DIR…</c>: renders again, or merges several result folders into one.</summary>
internal static class ReportVerb
{
    public static Command Create(Streams streams)
    {
        var folders = new Argument<string[]>("DIR") { Description = "Result folders; several (the shards of one campaign) become one", Arity = ArgumentArity.OneOrMore };
        var into = SharedOptions.Out();
        var json = SharedOptions.Json();
        var verb = new Verb(
            "report",
            "Renders a result again, or merges the shards of a campaign into one result",
            "mqverify report mqverify-out",
            "mqverify report shard-1 shard-2 --out whole")
        {
            folders, into, json,
        };
        verb.SetAction(parsed =>
        {
            var directory = OutFolder.Ready(parsed.GetValue(into)!);
            var merged = Merge(parsed.GetValue(folders)!);
            ReportWriter.Write(merged.Result, merged.Stories, directory);
            if (parsed.GetValue(json)) streams.Output.WriteLine(ResultJson.Write(merged.Result));
            else streams.Output.Write(TerminalReport.Render(merged.Result, new TerminalStyle(Width: 80, Colour: streams.IsTerminal, Directory: directory)));
            return ExitCode.Of(merged.Result.Verdict);
        });
        return verb;
    }

    private static ReportFolder Merge(string[] directories)
    {
        try
        {
            var read = directories.Select(ReportReader.Read).ToArray();
            return read.Length == 1 ? read[0] : ReportFolder.Merge(read);
        }
        catch (Exception refused) when (refused is ReportUnreadableException or ResultsDisagreeException)
        {
            throw new BadInputException(refused.Message);
        }
    }
}
