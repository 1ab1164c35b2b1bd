using System.CommandLine;
using Verify.Cli.Options;
using Verify.Promises;

namespace Verify.Cli.Verbs;

/// <summary><c>mqverify promise [FILE.properties…]</c>: what a configuration promises, per fault class, without running anything.</summary>
internal static class PromiseVerb
{
    public static Command Create(Streams streams)
    {
        var files = new Argument<string[]>("FILE.properties") { Description = "Kafka's server, topic, producer and consumer property files; later ones override", Arity = ArgumentArity.ZeroOrMore };
        var set = SharedOptions.Set();
        var json = SharedOptions.Json();
        var verb = new Verb(
            "promise",
            "What a configuration promises, per fault class, without running anything",
            "mqverify promise server.properties topic.properties producer.properties",
            "mqverify promise --set acks=1",
            "mqverify promise --set min.insync.replicas=1 --set unclean.leader.election.enable=true --json")
        {
            files, set, json,
        };
        verb.SetAction(parsed =>
        {
            var texts = parsed.GetValue(files)!.Select(f => (f, InputFile.ReadText(f, "property file"))).ToList();
            var input = ConfigurationInput.Read(texts, parsed.GetValue(set)!);
            var promise = PromiseText.Of(input.Configuration);
            if (parsed.GetValue(json)) streams.Output.WriteLine(PromiseJson.Of(promise, input));
            else PromisePage.Write(promise, input, streams.Output);
            return ExitCode.Held;
        });
        return verb;
    }
}
