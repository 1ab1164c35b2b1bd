using Verify.Campaign.Hunting;

namespace Verify.Cli.Campaigns;

/// <summary>The kill rates that came with this build: <c>benchmarks/baselines/kill-rates.json</c>.</summary>
internal static class RecordedRates
{
    public static KillRates All { get; } = Load();

    private static KillRates Load()
    {
        using var stream = typeof(RecordedRates).Assembly.GetManifestResourceStream("kill-rates.json")!;
        using var reader = new StreamReader(stream);
        return KillRates.Parse(reader.ReadToEnd());
    }
}
