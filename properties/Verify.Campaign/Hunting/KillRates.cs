using System.Text.Json;
using System.Text.Json.Serialization;
using Verify.Campaign.Campaigns;
using Verify.Campaign.Results;
using Verify.Campaign.Running;
using Verify.Promises;
using Verify.Zoo;

namespace Verify.Campaign.Hunting;

/// <summary>How soon one planted bug is found, as recorded by a hunt.</summary>
/// <param name="Anomalies">What may show it.</param>
/// <param name="Seeds">Played until the kill, or in vain.</param>
public sealed record KillRate(string Slug, string Workload, IReadOnlyList<string> Anomalies, bool Killed, long Seeds)
{
    /// <summary>Hunted with settings or faults of its own, so a campaign without them says nothing of it; null: with those of every campaign.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? OwnConditions { get; init; }
}

/// <summary>What a hunt recorded, kept to tell what campaigns can find: <c>benchmarks/baselines/kill-rates.json</c>.</summary>
public sealed record KillRates(string Commit, string Machine, IReadOnlyList<KillRate> Rates)
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>What a hunt by discovery recorded of the members of the zoo.</summary>
    public static KillRates Of(HuntResult hunt, IReadOnlyList<Mutant> mutants, string commit, string machine) => new(commit, machine,
        [.. from hunted in hunt.Mutants
            where hunted.By == HuntedBy.Discovery
            join mutant in mutants.Where(static mutant => mutant.Counts) on hunted.Slug equals mutant.Slug
            orderby hunted.Slug
            select new KillRate(hunted.Slug, mutant.Workload, mutant.Anomalies, hunted.Killed, hunted.Seeds) { OwnConditions = mutant.Faults is not null || mutant.Settings.Count > 0 ? true : null }]);

    /// <summary>What so many runs of a campaign would have found of the bugs planted for its workload.</summary>
    /// <param name="guarantee">Only bugs that break this one; null: all.</param>
    /// <returns>Null where the hunt's figures say nothing: other faults, shorter runs, or nothing planted.</returns>
    public CampaignPower? PowerOf(CampaignPlan plan, long runs, string? guarantee = null)
    {
        if (plan.Live is not null || plan.Recipe is not null || !plan.Faults.Words.ToHashSet().SetEquals(FaultChoice.Default.Words) || plan.Length < new HuntPlan().Length) return null;
        string[]? anomalies = guarantee is null ? null : [.. GuaranteeCatalogue.All.First(known => known.Name == guarantee).Anomalies];
        var planted = Rates.Where(rate => rate.Workload == plan.Workload && rate.OwnConditions is null && (anomalies is null || rate.Anomalies.Any(anomalies.Contains))).ToList();
        if (planted.Count == 0) return null;
        var found = planted.Count(rate => rate.Killed && rate.Seeds <= runs);
        return new CampaignPower(found, planted.Count, $"such a campaign finds {found} of the {planted.Count} planted bugs{(guarantee is null ? "" : " that break it")}.");
    }

    public string ToJson() => JsonSerializer.Serialize(this, Options) + "\n";

    /// <exception cref="JsonException">Not such a file.</exception>
    public static KillRates Parse(string json) => JsonSerializer.Deserialize<KillRates>(json, Options) ?? throw new JsonException("kill rates must be an object");
}
