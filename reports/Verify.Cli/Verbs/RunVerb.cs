using System.CommandLine;
using Verify.Cli.Campaigns;
using Verify.Cli.Options;

namespace Verify.Cli.Verbs;

/// <summary><c>mqverify run [SCENARIO.yaml]</c>: one configuration.</summary>
internal static class RunVerb
{
    public static Command Create(Streams streams)
    {
        var options = new CampaignOptions(seedsOtherwise: 100, varies: false);
        var file = new Argument<string?>("SCENARIO.yaml") { Description = "Workload, time, seeds, faults and settings; options go before it", Arity = ArgumentArity.ZeroOrOne };
        var verb = new Verb(
            "run",
            "Runs one configuration: brokers, workload, faults, checks, report",
            "mqverify run --set acks=all --seeds 100",
            "mqverify run --workload metadata --faults crash,partition --seeds 1..500",
            "mqverify run scenario.yaml")
        {
            file,
        };
        options.AddTo(verb);
        verb.SetAction((parsed, stop) => Task.FromResult(CampaignVerb.Run(parsed, options, streams, parsed.GetValue(file) is { } path ? ScenarioFile.Read(path) : null, stop)));
        return verb;
    }
}
