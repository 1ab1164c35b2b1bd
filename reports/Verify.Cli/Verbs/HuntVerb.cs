using System.CommandLine;
using Verify.Campaign.Hunting;
using Verify.Cli.Campaigns;
using Verify.Cli.Options;
using Verify.Promises;
using Verify.Zoo;

namespace Verify.Cli.Verbs;

/// <summary><c>mqverify hunt</c>: runs the suite against each mutant of the bug zoo.</summary>
internal static class HuntVerb
{
    public static System.CommandLine.Command Create(Streams streams)
    {
        var slugs = new Argument<string[]>("SLUG") { Description = "Mutants to hunt; all of the zoo when none is named", Arity = ArgumentArity.ZeroOrMore };
        var rules = new Option<bool>("--rules") { Description = "List every rule of broker and client, and do nothing else" };
        var mechanical = new Option<bool>("--mechanical") { Description = "Hunt rules forced true, forced false, off by one, another choice, steps swapped; who survives is killed by a test, explained as equivalent, or neither" };
        var faithful = new Option<bool>("--faithful") { Description = "Look for bugs that nobody planted: the faithful broker under any workload and settings that a seed draws" };
        var seeds = SharedOptions.SomeSeeds();
        var regression = new Option<bool>("--regression") { Description = "Play the stored stories only" };
        var stories = Parsed.One("--stories", "DIR", "Where stories are stored", static text => text, static () => Path.Combine("properties", "seeds"));
        var mutants = Parsed.One<string?>("--mutants", "ASSEMBLY.dll", "Hunt the mutants of this assembly too", static text => text, static () => null);
        var budget = Parsed.One("--budget", "600s", "Processor time per mutant", static text => OptionText.Duration("--budget", text), static () => TimeSpan.FromMinutes(10));
        var record = Parsed.One<string?>("--record", "FILE", "Record how soon each was killed by discovery: what campaigns quote as their power", static text => text, static () => null);
        var jobs = SharedOptions.Jobs();
        var into = SharedOptions.Out();
        var json = SharedOptions.Json();
        var quiet = SharedOptions.Quiet();
        var verb = new Verb(
            "hunt",
            "The bug zoo: does the suite find each planted bug, how soon, and with how small a story",
            "mqverify hunt",
            "mqverify hunt isr-shrink-before-commit --budget 120s",
            "mqverify hunt --regression --json",
            "mqverify hunt --record benchmarks/baselines/kill-rates.json",
            "mqverify hunt --faithful --budget 120s",
            "mqverify hunt --rules")
        {
            slugs, rules, mechanical, faithful, regression, stories, mutants, seeds, budget, record, jobs, into, json, quiet,
        };
        verb.SetAction((parsed, stop) => Task.FromResult(parsed.GetValue(rules) ? PrintRules(streams) : parsed.GetValue(faithful) ? Session(parsed, [], shrink: true).RunFaithful(stop) : Run(parsed, stop)));
        return verb;

        int Run(ParseResult parsed, CancellationToken stop)
        {
            var isMechanical = parsed.GetValue(mechanical);
            return Session(parsed, Chosen(parsed.GetValue(slugs)!, isMechanical, parsed.GetValue(mutants)), shrink: !isMechanical).Run(stop);
        }

        HuntSession Session(ParseResult parsed, IReadOnlyList<Mutant> chosen, bool shrink) => new(streams)
        {
            Mutants = chosen,
            Plan = new HuntPlan
            {
                FirstSeed = parsed.GetValue(seeds)?.From ?? 1,
                LastSeed = parsed.GetValue(seeds)?.To ?? ulong.MaxValue,
                Budget = parsed.GetValue(budget),
                Jobs = parsed.GetValue(jobs),
            },
            Means = HuntMeans.Usual(shrink ? Path.Combine(OutFolder.Ready(parsed.GetValue(into)!), "stories") : null, "mqverify hunt", shrink),
            Stories = Stories(parsed.GetValue(stories)!, isNeeded: parsed.GetValue(regression) || parsed.GetResult(stories) is { Implicit: false }),
            Record = parsed.GetValue(record),
            RegressionOnly = parsed.GetValue(regression),
            Score = parsed.GetValue(mechanical),
            Json = parsed.GetValue(json),
            Quiet = parsed.GetValue(quiet),
        };
    }

    private static IReadOnlyList<Mutant> Chosen(string[] slugs, bool mechanical, string? assembly)
    {
        Mutant[] known = [.. MutantCatalogue.Own, .. assembly is null ? [] : OutsideMutants.Of(assembly), .. mechanical ? MechanicalMutants.All.Select(made => made.Planted) : []];
        if (slugs.Length == 0)
            return mechanical ? [.. MechanicalMutants.All.Select(made => made.Planted)] : [.. known.Where(mutant => mutant.Counts)];
        return [.. slugs.Select(slug => Array.Find(known, mutant => mutant.Slug == slug) ?? throw BadInputException.Unknown("mutant", slug, [.. known.Select(mutant => mutant.Slug)]))];
    }

    private static string Stories(string folder, bool isNeeded) => !isNeeded || Directory.Exists(folder)
        ? folder
        : throw new BadInputException($"--stories '{folder}': there is no such folder; the stored stories are in properties/seeds of the repository");

    private static int PrintRules(Streams streams)
    {
        foreach (var type in RuleBook.All.GroupBy(rule => rule.Type.Name))
        {
            streams.Output.WriteLine(type.Key);
            foreach (var rule in type)
            {
                streams.Output.WriteLine($"  {rule.Method.Name} ({rule.Kind.ToString().ToLowerInvariant()})");
                foreach (var line in Reports.TextLayout.Wrap($"{rule.Says} [{rule.Source}]", 74)) streams.Output.WriteLine($"      {line}");
            }
        }
        streams.Output.WriteLine($"{RuleBook.All.Count} rules");
        return ExitCode.Held;
    }
}
