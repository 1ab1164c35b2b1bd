using System.Collections.Immutable;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Chaos.Faults;
using Verify.Campaign.Running;
using Verify.Promises;
using Verify.Workloads;

namespace Verify.Campaign.Stories;

/// <summary>
/// Stories as text: one field per line, one fault per line, one command per line, times in milliseconds. The same story gives the same bytes.
/// </summary>
internal static partial class StoryJson
{
    private static readonly JsonSerializerOptions Compact = FaultJson.Configure(new JsonSerializerOptions
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        RespectRequiredConstructorParameters = true,
        WriteIndented = false,
    });

    /// <summary>The fields, as they stand in the file.</summary>
    private sealed record Document(
        string Tool, string System, string On, string Why, string Guarantee, string Anomaly, string? Excuse, SortedDictionary<string, string> Configuration, string? Mutant,
        ulong Seed, WorldShape World, TimeSpan Length, int? PowerLimit, Shape Workload, FaultSchedule Faults, ImmutableArray<Command> Commands, string TraceHash, StoryOrigin Found, string? Mended = null, ImmutableArray<MemberPlan> Members = default);

    /// <summary>So many numbers there are for producers, and for readers (see <see cref="ClusterNodes"/>).</summary>
    private const int MostClients = 9, MostReaders = 19;

    private sealed record Shape(string Name, int Partitions, int Clients, int Readers, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool SeeksBack = false);

    public static string Write(StoryFile story)
    {
        var (scenario, plan) = (story.Scenario, story.Scenario.Plan);
        string[] fields =
        [
            Field("tool", story.Tool), Field("system", story.System), Field("on", story.On), Field("why", story.Why),
            Field("guarantee", story.Point.Guarantee), Field("anomaly", story.Point.Anomaly), Field("excuse", story.Point.Excuse),
            Field("configuration", new SortedDictionary<string, string>(scenario.Configuration.Given.ToDictionary(), StringComparer.Ordinal)),
            Field("mutant", scenario.Mutant), Field("seed", scenario.Seed), Field("world", scenario.World), Field("length", scenario.Length), Field("powerLimit", scenario.PowerLimit),
            Field("workload", new Shape(plan.Workload, plan.Partitions, plan.Clients, plan.Readers, plan.SeeksBack)),
            Lines("faults", scenario.Faults), .. plan.Members.IsEmpty ? Array.Empty<string>() : [Lines("members", plan.Members)], Lines("commands", plan.Commands),
            Field("traceHash", StoryFile.Hex(story.TraceHash)), Field("found", story.Found), .. story.Mended is { } mended ? [Field("mended", mended)] : Array.Empty<string>(),
        ];
        return $"{{\n{string.Join(",\n", fields)}\n}}\n";
    }

    private static string Field<T>(string name, T value) => $"  \"{name}\": {JsonSerializer.Serialize(value, Compact)}";

    private static string Lines<T>(string name, IReadOnlyCollection<T> items) =>
        items.Count == 0 ? $"  \"{name}\": []" : $"  \"{name}\": [\n{string.Join(",\n", items.Select(item => "    " + JsonSerializer.Serialize(item, Compact)))}\n  ]";

    /// <exception cref="BadInputException">Not a story; names the file and the field.</exception>
    public static StoryFile Read(string json, string file)
    {
        Document document;
        try
        {
            document = JsonSerializer.Deserialize<Document>(json, Compact) ?? throw new BadInputException($"{file}: a story is an object, not null");
        }
        catch (JsonException wrong)
        {
            throw new BadInputException($"{file}: {Explain(wrong)}");
        }
        catch (NotSupportedException)                                  // how the serializer says that a command lacks its word
        {
            throw new BadInputException($"{file}: commands: a command names what it does: \"do\": send, create-topic, delete-topic or list-topics");
        }
        return Understand(document, file);
    }

    private static string Explain(JsonException wrong)
    {
        var message = wrong.Message.Split(" Path: ")[0].Split(" LineNumber: ")[0];
        var nested = wrong.Path?.StartsWith("$[", StringComparison.Ordinal) is true;   // the schedule reads itself, and counts lines from its own beginning
        var path = nested ? "faults" + wrong.Path![1..] : wrong.Path?.TrimStart('$').TrimStart('.') ?? "";
        var where = (path.Length == 0 ? "" : $"{path}: ") + (!nested && wrong.LineNumber is { } line ? $"line {line + 1}: " : "");
        return Missing().Match(message) is { Success: true } missing ? $"{where}missing: {missing.Groups[1].Value}" : where + message;
    }

    [GeneratedRegex("missing required properties including: (.*?)\\.?$")]
    private static partial Regex Missing();

    private static StoryFile Understand(Document document, string file)
    {
        var seen = GuaranteeCatalogue.All.FirstOrDefault(known => known.Name == document.Guarantee)
            ?? throw Bad("guarantee", BadInputException.Unknown("guarantee", document.Guarantee, [.. GuaranteeCatalogue.All.Select(known => known.Name)]).Message);
        if (!seen.Anomalies.Contains(document.Anomaly)) throw Bad("anomaly", BadInputException.Unknown($"anomaly of {seen.Name}", document.Anomaly, seen.Anomalies).Message);
        if (document.Excuse is { } excuse && Excuse.All.All(known => known.Name != excuse)) throw Bad("excuse", BadInputException.Unknown("excuse", excuse, [.. Excuse.All.Select(known => known.Name)]).Message);
        if (document.Length <= TimeSpan.Zero) throw Bad("length", "a run takes longer than 0 ms");
        if (document.World is not { Latency.Ticks: > 0, Flush.Ticks: > 0, QuorumPace: > 0, FetchBytes: > 0 }) throw Bad("world", "paces and sizes are more than 0");
        if (!ulong.TryParse(document.TraceHash, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hash)) throw Bad("traceHash", $"'{document.TraceHash}' is not a hexadecimal number");

        var scenario = new Scenario(document.Seed, Settings(), Plan(), document.Faults, document.World, document.Length, document.PowerLimit, document.Mutant);
        return new StoryFile(document.Tool, document.System, document.On, document.Why, new StoryPoint(document.Guarantee, document.Anomaly, document.Excuse), scenario, hash, document.Found) { Mended = document.Mended };

        BadInputException Bad(string field, string says) => new($"{file}: {field}: {says}");

        Configuration Settings()
        {
            try
            {
                return Configuration.Of(document.Configuration);
            }
            catch (BadInputException wrong)
            {
                throw Bad("configuration", wrong.Message);
            }
        }

        WorkloadPlan Plan()
        {
            var shape = document.Workload;
            if (!WorkloadNames.All.Contains(shape.Name)) throw Bad("workload.name", BadInputException.Unknown("workload", shape.Name, WorkloadNames.All).Message);
            Within("workload.partitions", shape.Partitions, 1, 64);
            Within("workload.clients", shape.Clients, 0, MostClients);
            Within("workload.readers", shape.Readers, 0, MostReaders);
            for (var i = 0; i < document.Commands.Length; i++)
            {
                Check(document.Commands[i], $"commands[{i}]");
                if (i > 0 && document.Commands[i].At < document.Commands[i - 1].At) throw Bad($"commands[{i}].at", "commands stand in the order of their times");
            }
            return new WorkloadPlan(shape.Name, shape.Partitions, shape.Clients, shape.Readers, document.Commands) { Members = Members(), SeeksBack = shape.SeeksBack };
        }

        ImmutableArray<MemberPlan> Members()
        {
            if (document.Members.IsDefaultOrEmpty) return [];
            if (!Settings().HasGroups) throw Bad("members", "there are groups only where the configuration says when they commit: commit");
            if (document.Workload.Name != WorkloadNames.Log) throw Bad("members", $"the {document.Workload.Name} workload has no groups");
            for (var i = 0; i < document.Members.Length; i++)
            {
                var (member, field) = (document.Members[i], $"members[{i}]");
                Within($"{field}.number", member.Number, 0, GroupGenerator.Most - 1);
                Within($"{field}.group", member.Group, 0, GroupGenerator.MostGroups - 1);
                Within($"{field}.batch", member.Batch, 1, int.MaxValue);
                if (document.Members.Take(i).Any(other => other.Number == member.Number)) throw Bad($"{field}.number", $"{member.Number} is another member's");
                if (member.Joins < TimeSpan.Zero || member.Leaves < member.Joins || member.Processing < TimeSpan.Zero) throw Bad(field, "times are not negative, and nobody leaves before it joins");
            }
            return document.Members;
        }

        void Check(Command command, string field)
        {
            if (command is Command.Send != WorkloadNames.SendsRecords(document.Workload.Name)) throw Bad(field, $"the {document.Workload.Name} workload has no such command: {command}");
            if (command.At < TimeSpan.Zero) throw Bad($"{field}.at", "a time is not negative");
            Within($"{field}.client", command.Client, 0, document.Workload.Clients - 1);
            if (command is Command.Send send) Within($"{field}.partition", send.Partition, 0, document.Workload.Partitions - 1);
        }

        void Within(string field, int value, int least, int most)
        {
            if (value < least || value > most) throw Bad(field, $"{value} is out of range, allowed: {least}..{most}");
        }
    }
}
