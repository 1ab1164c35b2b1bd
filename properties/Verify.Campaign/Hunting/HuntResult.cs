using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Verify.Campaign.Hunting;

/// <summary>How a mutant was found.</summary>
public enum HuntedBy
{
    /// <summary>By fresh seeds.</summary>
    Discovery,

    /// <summary>By a story stored earlier.</summary>
    Regression,
}

/// <summary>The shrunk proof of a kill.</summary>
/// <param name="File">Null when no story was written.</param>
public sealed record HuntStory(string? File, int Faults, int Commands);

/// <summary>What became of one mutant.</summary>
/// <param name="Seeds">Seeds, or stories, played up to and with the one that killed it; all that were played when none did.</param>
/// <param name="CpuSeconds">Processor time of the search; neither shrinking nor the control runs are in it.</param>
/// <param name="Anomaly">By which it was killed.</param>
public sealed record HuntedMutant(string Slug, bool Killed, HuntedBy By, long Seeds, double CpuSeconds, HuntStory? Story, string? Anomaly)
{
    /// <summary>The seed that killed it.</summary>
    [JsonIgnore]
    public ulong? Seed { get; init; }

    /// <summary>Runs that the simulation itself gave up, and kills that did not count because the faithful broker fell too.</summary>
    [JsonIgnore]
    public long Aborted { get; init; }

    [JsonIgnore]
    public long NotClean { get; init; }

    /// <summary>Of mechanical ones: where the rule that is wrong matters at all; null where no census was taken.</summary>
    [JsonIgnore]
    public Reach? Reach { get; init; }
}

/// <summary>How far a wrong rule gets.</summary>
/// <param name="Asked">Runs of the census that ask the rule.</param>
/// <param name="Differing">Those in which the wrong rule would answer otherwise.</param>
public sealed record Reach(int Asked, int Differing);

/// <summary>Everything a hunt has to say; its JSON is what <c>hunt --json</c> prints.</summary>
public sealed record HuntResult(IReadOnlyList<HuntedMutant> Mutants)
{
    private static readonly HuntJsonContext Context = new(new JsonSerializerOptions(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter<HuntedBy>(JsonNamingPolicy.KebabCaseLower) },
    });

    public string ToJson() => JsonSerializer.Serialize(this, Context.HuntResult) + "\n";

    /// <exception cref="JsonException">Not a hunt's result; the message says where.</exception>
    public static HuntResult Parse(string json) => JsonSerializer.Deserialize(json, Context.HuntResult) ?? throw new JsonException("a hunt's result must be an object");
}

[JsonSerializable(typeof(HuntResult))]
internal sealed partial class HuntJsonContext : JsonSerializerContext;
