using System.Text.Json;
using Verify.Zoo;

namespace Verify.Campaign.Hunting;

/// <summary>How often one planted bug is found, as recorded by a hunt.</summary>
/// <param name="Seeds">Played until the kill, or in vain.</param>
public sealed record KillRate(string Slug, string Workload, bool Killed, long Seeds);

/// <summary>Rates of a hunt, kept to tell what campaigns can find.</summary>
public sealed record KillRates(string Commit, string Machine, IReadOnlyList<KillRate> Rates)
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>What a hunt by discovery recorded of the members of the zoo.</summary>
    public static KillRates Of(HuntResult hunt, IReadOnlyList<Mutant> mutants, string commit, string machine) => new(commit, machine,
        [.. from hunted in hunt.Mutants
            where hunted.By == HuntedBy.Discovery
            join mutant in mutants.Where(static mutant => mutant.Counts) on hunted.Slug equals mutant.Slug
            orderby hunted.Slug
            select new KillRate(hunted.Slug, mutant.Workload, hunted.Killed, hunted.Seeds)]);

    public string ToJson() => JsonSerializer.Serialize(this, Options) + "\n";

    /// <exception cref="JsonException">Not such a file.</exception>
    public static KillRates Parse(string json) => JsonSerializer.Deserialize<KillRates>(json, Options) ?? throw new JsonException("kill rates must be an object");
}

/// <summary>What a campaign of so many runs would have found of the bugs planted for its workload.</summary>
/// <param name="Found">Bugs whose recorded kill took no more seeds than the campaign has runs.</param>
/// <param name="Planted">Bugs hunted on this workload.</param>
public sealed record CampaignPower(int Found, int Planted)
{
    public override string ToString() => $"such a campaign finds {Found} of the {Planted} planted bugs";
}

public static class Power
{
    /// <returns>Null when no rate is recorded for the workload.</returns>
    public static CampaignPower? Of(string workload, long runs, KillRates rates)
    {
        var planted = rates.Rates.Where(rate => rate.Workload == workload).ToList();
        return planted.Count == 0 ? null : new CampaignPower(planted.Count(rate => rate.Killed && rate.Seeds <= runs), planted.Count);
    }
}
