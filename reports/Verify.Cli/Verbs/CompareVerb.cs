using System.CommandLine;
using Verify.Cli.Campaigns;
using Verify.Cli.Options;

namespace Verify.Cli.Verbs;

/// <summary><c>mqverify compare</c>: a matrix of configurations, each cell with what was promised, what was seen and what it cost.</summary>
internal static class CompareVerb
{
    public static Command Create(Streams streams)
    {
        var options = new CampaignOptions(seedsOtherwise: 100, varies: true);
        var verb = new Verb(
            "compare",
            "Compares configurations under the same faults: promised, seen, cost",
            "mqverify compare --vary acks=0,1,all --vary unclean.leader.election.enable=false,true --seeds 200",
            "mqverify compare --vary min.insync.replicas=1,2 --faults crash,power --out results",
            "mqverify compare --vary flush.messages=1,9223372036854775807 --faults all,power --json");
        options.AddTo(verb);
        verb.SetAction((parsed, stop) => Task.FromResult(CampaignVerb.Run(parsed, options, streams, scenario: null, stop)));
        return verb;
    }
}
