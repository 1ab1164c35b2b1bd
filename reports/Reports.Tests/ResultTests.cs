using FsCheck;
using FsCheck.Fluent;
using Verify.Campaign.Results;

namespace Reports.Tests;

public sealed class ResultTests
{
    [Fact]
    public void A_result_survives_its_json()
    {
        foreach (var result in (CampaignResult[])[Fixtures.SixCells(), Fixtures.BrokenPromise(), Fixtures.Interrupted()])
        {
            var json = ResultJson.Write(result);
            Assert.Equal(json, ResultJson.Write(ResultJson.Read(json)));
        }
    }

    [Fact]
    public void The_json_has_the_names_of_the_contract()
    {
        using var json = System.Text.Json.JsonDocument.Parse(ResultJson.Write(Fixtures.BrokenPromise()));
        var cell = json.RootElement.GetProperty("cells")[0];
        var guarantee = cell.GetProperty("guarantees")[0];
        Assert.Equal("violated", json.RootElement.GetProperty("verdict").GetString());
        Assert.Equal("violated", guarantee.GetProperty("verdict").GetString());
        Assert.False(guarantee.GetProperty("promised").GetBoolean());
        Assert.Equal(298, guarantee.GetProperty("excuses").GetProperty("leader-changed-before-replication").GetInt64());
        foreach (var name in (string[])["name", "runs", "runsPromised", "violations", "violationsPromised", "violationsPermitted", "of"]) Assert.True(guarantee.TryGetProperty(name, out _), name);
        foreach (var name in (string[])["configuration", "system", "on", "exercised", "availability", "latencyMs"]) Assert.True(cell.TryGetProperty(name, out _), name);
        foreach (var name in (string[])["runs", "operations", "acknowledged", "indeterminate", "faults", "leaderChanges"]) Assert.True(cell.GetProperty("exercised").TryGetProperty(name, out _), name);
        foreach (var name in (string[])["p50", "p99", "p999", "max", "simulated"]) Assert.True(cell.GetProperty("latencyMs").TryGetProperty(name, out _), name);
        foreach (var name in (string[])["tool", "machine", "command", "seeds", "simulatedSeconds", "wallSeconds"]) Assert.True(json.RootElement.TryGetProperty(name, out _), name);
    }

    [Fact]
    public void A_broken_promise_outweighs_an_untested_one_which_outweighs_a_kept_one()
    {
        var held = Guarantee(promised: 10, exercised: 10, broken: 0, permitted: 0);
        var permitted = Guarantee(promised: 0, exercised: 10, broken: 0, permitted: 5);
        var untested = Guarantee(promised: 10, exercised: 0, broken: 0, permitted: 0);
        var unpromised = Guarantee(promised: 0, exercised: 0, broken: 0, permitted: 0);
        var broken = Guarantee(promised: 10, exercised: 10, broken: 1, permitted: 0);
        Assert.Equal(ResultVerdict.Held, Verdict(held));
        Assert.Equal(ResultVerdict.Held, Verdict(held, permitted));
        Assert.Equal(ResultVerdict.Held, Verdict(held, unpromised));
        Assert.Equal(ResultVerdict.Unknown, Verdict(held, untested));
        Assert.Equal(ResultVerdict.Violated, Verdict(held, untested, broken));
        Assert.Equal(ResultVerdict.Unknown, Verdict());

        static ResultVerdict Verdict(params GuaranteeResult[] guarantees) => (Fixtures.SixCells().Cells[0] with { Guarantees = guarantees }).Verdict;
    }

    [Fact]
    public void Nothing_run_is_unknown()
    {
        Assert.Equal(ResultVerdict.Unknown, (Fixtures.SixCells() with { Cells = [] }).Verdict);
        Assert.Equal(ResultVerdict.Unknown, Fixtures.Interrupted().Verdict);
    }

    [Fact]
    public void What_is_seen_and_permitted_is_violated_but_breaks_no_promise()
    {
        var permitted = Guarantee(promised: 0, exercised: 10, broken: 0, permitted: 5);
        Assert.Equal(ResultVerdict.Violated, permitted.Verdict);
        Assert.Null(permitted.Bound);
        Assert.Equal("below 3/10", Guarantee(promised: 10, exercised: 10, broken: 0, permitted: 0).Bound);
    }

    [Fact]
    public void Quantiles_are_at_most_a_bucket_above_the_truth() =>
        Prop.ForAll(Gen.Choose(1, 60_000_000).NonEmptyListOf().ToArbitrary(), microseconds =>
        {
            var buckets = microseconds.GroupBy(one => Latency.BucketOf(TimeSpan.FromMicroseconds(one))).ToDictionary(same => same.Key, same => (long)same.Count());
            var latency = new Latency(true, microseconds.Max() / 1000.0, buckets);
            var median = microseconds.Order().ElementAt((int)Math.Ceiling(0.5 * microseconds.Count) - 1) / 1000.0;
            return latency.P50 >= median * 0.999 - 0.001 && latency.P50 <= median * 1.045 + 0.001 && latency.P50 <= latency.P99 && latency.P99 <= latency.P999 && latency.P999 <= latency.Max + 0.001;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Counts_add_up_and_forget_zeros()
    {
        var sum = Counts.Empty.Add("crash", 2).Add("pause", 0) + Counts.Empty.Add("crash").Add("clock", 4);
        Assert.Equal(["clock", "crash"], sum.Select(count => count.Key));
        Assert.Equal(3, sum["crash"]);
        Assert.Equal(0, sum["pause"]);
        Assert.Equal(7, sum.Total);
    }

    private static GuaranteeResult Guarantee(long promised, long exercised, long broken, long permitted) => new()
    {
        Name = "ordering",
        Runs = 10,
        RunsPromised = promised,
        RunsExercised = exercised,
        RunsPromisedExercised = Math.Min(promised, exercised),
        RunsViolated = Math.Min(exercised, broken + permitted),
        ViolationsPromised = broken,
        ViolationsPermitted = permitted,
    };
}
