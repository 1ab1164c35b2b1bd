using System.Collections.Immutable;
using Verify.Campaign.Results;
using Verify.Promises;
using Verify.Workloads;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Verify.Cli.Options;

/// <summary>A scenario as people write it: the options of <c>mqverify run</c> under their own names, in YAML.</summary>
/// <remarks>Keys: workload, time, seeds, faults (a list, or one text as on the command line), set (a map of settings under Kafka's names).</remarks>
internal sealed record ScenarioFile
{
    private static readonly string[] Keys = ["workload", "time", "seeds", "faults", "set"];

    public string? Workload { get; private init; }

    public TimeSpan? Time { get; private init; }

    public SeedRange? Seeds { get; private init; }

    public ImmutableArray<string>? Faults { get; private init; }

    /// <summary>The faults name power themselves, not by "all".</summary>
    public bool NamesPower { get; private init; }

    public IReadOnlyList<string> Set { get; private init; } = [];

    /// <exception cref="BadInputException">Not readable, not YAML, an unknown key, or a value that its option would refuse; the message names file and key.</exception>
    public static ScenarioFile Read(string path)
    {
        var scenario = new ScenarioFile();
        foreach (var (key, value) in Root(path).Children)
        {
            var name = (key as YamlScalarNode)?.Value ?? "";
            try
            {
                scenario = name switch
                {
                    "workload" => scenario with { Workload = Parsed.Word("workload", Text(value), WorkloadNames.All) },
                    "time" => scenario with { Time = OptionText.Duration("time", Text(value)) },
                    "seeds" => scenario with { Seeds = OptionText.Seeds(Text(value)) },
                    "faults" => scenario with { Faults = OptionText.Faults(Words(value)), NamesPower = Words(value).Split(',').Contains(Chaos.Faults.FaultWord.Power) },
                    "set" => scenario with { Set = [.. Settings(value)] },
                    _ => throw BadInputException.Unknown("scenario key", name, Keys),
                };
            }
            catch (BadInputException refused)
            {
                throw new BadInputException($"{path}, line {key.Start.Line}: {refused.Message}");
            }
        }
        return scenario;
    }

    private static YamlMappingNode Root(string path)
    {
        try
        {
            using var stream = InputFile.Open(path, "scenario");
            using var reader = new StreamReader(stream);
            var yaml = new YamlStream();
            yaml.Load(reader);
            if (yaml.Documents.Count == 1 && yaml.Documents[0].RootNode is YamlMappingNode root) return root;
        }
        catch (YamlException malformed)
        {
            throw new BadInputException($"{path}, line {malformed.Start.Line}: not YAML: {malformed.Message}");
        }
        throw new BadInputException($"{path}: a scenario is one map with the keys {string.Join(", ", Keys)}");
    }

    private static string Words(YamlNode node) => node is YamlSequenceNode list ? string.Join(',', list.Children.Select(Text)) : Text(node);

    private static IEnumerable<string> Settings(YamlNode node) => node is YamlMappingNode map
        ? map.Children.Select(pair => Setting(Text(pair.Key), Text(pair.Value)))
        : throw new BadInputException("set must be a map of settings");

    /// <summary>Whether settings go together is for the whole configuration to say; what is wrong with one of them is told with its line.</summary>
    private static string Setting(string name, string value) => $"{name}={SettingCatalogue.Get(name).Canonical(value)}";

    private static string Text(YamlNode node) => (node as YamlScalarNode)?.Value ?? throw new BadInputException("a plain value is expected");
}
