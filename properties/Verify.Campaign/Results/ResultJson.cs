using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Verify.Campaign.Results;

/// <summary>The text of <c>result.json</c>: the same result gives the same bytes.</summary>
public static class ResultJson
{
    private static readonly ResultJsonContext Context = new(new JsonSerializerOptions(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NumberHandling = JsonNumberHandling.Strict,
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter<ResultVerdict>(JsonNamingPolicy.KebabCaseLower), new JsonStringEnumConverter<LaneRole>(JsonNamingPolicy.KebabCaseLower), new JsonStringEnumConverter<StoryKind>(JsonNamingPolicy.KebabCaseLower) },
    });

    public static string Write(CampaignResult result) => JsonSerializer.Serialize(result, Context.CampaignResult) + "\n";

    /// <exception cref="JsonException">Not a result; the message says where.</exception>
    public static CampaignResult Read(string json) =>
        JsonSerializer.Deserialize(json, Context.CampaignResult) ?? throw new JsonException("a result must be an object");
}

[JsonSerializable(typeof(CampaignResult))]
internal sealed partial class ResultJsonContext : JsonSerializerContext;
