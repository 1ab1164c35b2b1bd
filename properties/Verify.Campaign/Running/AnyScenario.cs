using Broker.Runtime;
using Chaos.Faults;
using Verify.Promises;
using Verify.Workloads;

namespace Verify.Campaign.Running;

/// <summary>
/// Scenarios in which the seed draws the conditions too: the workload, the settings, and whether power may fail beyond the promise or disks fail. For whoever asks whether anything at all is wrong, and
/// compares nothing.
/// </summary>
public static class AnyScenario
{
    private const ulong ConditionStream = 4, CompactionStream = 6, GroupStream = 7, RareStream = 8;

    /// <summary>More power losses than min.insync.replicas tolerates: losses are seen then, and must be excused by the very life of each record.</summary>
    private static readonly FaultChoice BeyondThePromise = new(FaultWord.Default, LimitPower: false);

    /// <summary>Disks that fail honestly: full, slow, or refusing to flush.</summary>
    private static readonly FaultChoice WithDisks = new([.. FaultWord.Default, FaultWord.Disk], LimitPower: true);

    /// <summary>Each setting, how likely it is to be other than the default, and what it is then.</summary>
    private static readonly (string Name, double Chance, string[] Values)[] Drawn =
    [
        (SettingCatalogue.Acks, 0.3, ["0", "1"]),
        (SettingCatalogue.MinInsyncReplicas, 0.3, ["1", "3"]),
        (SettingCatalogue.ReplicationFactor, 0.1, ["1", "2", "5"]),
        (SettingCatalogue.UncleanLeaderElection, 0.3, ["true"]),
        (SettingCatalogue.EligibleLeaderReplicas, 0.2, ["0"]),
        (SettingCatalogue.FlushMessages, 0.3, ["1"]),
        (SettingCatalogue.ProcessRoles, 0.25, ["combined"]),
        (SettingCatalogue.MaxInFlight, 0.25, ["1"]),
        (SettingCatalogue.EnableIdempotence, 0.15, ["false"]),
        (SettingCatalogue.Retries, 0.1, ["0", "3"]),
        (SettingCatalogue.Preallocate, 0.2, ["true"]),
    ];

    /// <summary>Those drawn later than the others, from a stream of their own; what is not independent is drawn together.</summary>
    private static readonly (double Chance, KeyValuePair<string, string>[] Settings)[] DrawnTogether =
    [
        (0.15, [new(SettingCatalogue.DeliveryTimeout, "1200")]),       // deliveries time out behind each other
        (0.1, [new(SettingCatalogue.RequestTimeout, "250")]),          // and requests that are being served
        (0.2, [new(SettingCatalogue.OffsetsRetention, "1"), new(SettingCatalogue.OffsetsRetentionCheck, "500")]),
    ];

    /// <param name="length">Of the workload under faults, in virtual time.</param>
    public static Scenario Draw(ulong seed, TimeSpan length, string? mutant = null)
    {
        var chance = new Prng(seed).Split(ConditionStream);
        var workload = chance.Chance(0.75) ? WorkloadNames.Log : WorkloadNames.Metadata;
        if (workload == WorkloadNames.Log && new Prng(seed).Split(CompactionStream).Chance(0.3)) workload = WorkloadNames.Compaction;
        var faults = chance.Chance(0.5) ? FaultChoice.Default : chance.Pick([BeyondThePromise, WithDisks]);
        List<KeyValuePair<string, string>> settings = [];
        foreach (var (name, likely, values) in Drawn)
            if (chance.Chance(likely)) settings.Add(KeyValuePair.Create(name, chance.Pick(values)));
        if (workload == WorkloadNames.Log && new Prng(seed).Split(GroupStream) is var groups && groups.Chance(0.4)) settings.Add(KeyValuePair.Create(SettingCatalogue.Commit, groups.Pick(["before", "after", "auto"])));
        var rare = new Prng(seed).Split(RareStream);
        foreach (var (likely, together) in DrawnTogether)
            if (rare.Chance(likely)) settings.AddRange(together);
        if (workload == WorkloadNames.Log && rare.Chance(0.15) && !settings.Exists(static one => one is { Key: SettingCatalogue.Commit } or { Key: SettingCatalogue.Acks, Value: "0" }))
            settings.Add(KeyValuePair.Create(SettingCatalogue.RetentionBytes, "4096"));
        var scenario = ScenarioGenerator.Draw(seed, Configuration.Of(settings), workload, faults, length, mutant);
        return scenario with { Plan = scenario.Plan with { SeeksBack = WorkloadNames.SendsRecords(workload) && rare.Chance(0.3) } };
    }

    /// <summary>All that draws it again, in one line.</summary>
    public static string Describe(Scenario scenario) =>
        $"seed {scenario.Seed}, {scenario.Plan.Workload}, {string.Join(' ', scenario.Configuration.Given.Select(static given => $"{given.Key}={given.Value}").DefaultIfEmpty("defaults"))}, power limit {scenario.PowerLimit?.ToString() ?? "none"}";
}
