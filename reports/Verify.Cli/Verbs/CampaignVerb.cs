using System.CommandLine;
using Verify.Cli.Campaigns;
using Verify.Cli.Options;

namespace Verify.Cli.Verbs;

/// <summary>What <c>run</c> and <c>compare</c> have in common.</summary>
internal static class CampaignVerb
{
    public static int Run(ParseResult parsed, CampaignOptions options, Streams streams, ScenarioFile? scenario, CancellationToken stop)
    {
        var command = "mqverify " + string.Join(' ', parsed.Tokens.Select(token => Quoted(token.Value)));
        var (plan, cells) = options.Plan(parsed, command, scenario);
        foreach (var impossible in cells.Impossible) streams.Error.WriteLine($"left out {impossible.Label}: {impossible.Why}");
        return new CampaignSession(plan, OutFolder.Ready(parsed.GetValue(options.Out)!), streams, parsed.GetValue(options.Json), parsed.GetValue(options.Quiet), parsed.GetValue(options.Histories)).Run(stop);
    }

    private static string Quoted(string word) => word.Contains(' ') ? $"'{word}'" : word;
}
