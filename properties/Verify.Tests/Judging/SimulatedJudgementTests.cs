using Verify.Campaign.Judging;
using Verify.Campaign.Results;
using Verify.Campaign.Running;
using Verify.Promises;
using Verify.Zoo;
using Verify.Zoo.Mutants;

namespace Verify.Tests.Judging;

public sealed class SimulatedJudgementTests
{
    public static TheoryData<string, string> Cells => new() { { "0", "false" }, { "0", "true" }, { "1", "false" }, { "1", "true" }, { "all", "false" }, { "all", "true" } };

    [Theory]
    [MemberData(nameof(Cells))]
    public void A_planted_loss_hides_in_no_cell(string acks, string unclean)
    {
        var runs = Enumerable.Range(1, 4).Select(seed => Play((ulong)seed, acks, unclean, DropEveryFiftieth.Planted)).ToList();
        Assert.Contains(runs, run => run.Broken.Any(broken => broken.Guarantee == "no-lost-writes"));   // a life with fewer than fifty requests drops nothing
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void The_faithful_broker_breaks_no_promise(string acks, string unclean)
    {
        for (var seed = 1ul; seed <= 4; seed++) Assert.Empty(Play(seed, acks, unclean, null).Broken.Select(broken => $"seed {seed}: {broken.Anomaly} {broken.Note}"));
    }

    /// <summary>With acks=0 a sending of a closed connection may reach a leader just before the last tour deposes it: the world goes on for long enough to see it cut.</summary>
    [Theory]
    [InlineData("0", true)]
    [InlineData("all", false)]
    public void After_the_last_read_of_acks_0_the_world_goes_on_until_late_sendings_have_met_their_end(string acks, bool goesOn)
    {
        var run = SimulatedRun.Play(ScenarioGenerator.Draw(1, Configuration.OfWords([$"acks={acks}"]), "log", FaultChoice.Default, TimeSpan.FromSeconds(5)));
        var lastRead = TimeSpan.FromTicks(run.History[run.History.Count - 1].Time / TimeSpan.NanosecondsPerTick);
        Assert.Equal(goesOn, run.Simulated - lastRead >= TimeSpan.FromSeconds(1.5));
    }

    [Fact]
    public void The_metadata_workload_is_judged_by_its_own_guarantees()
    {
        var scenario = ScenarioGenerator.Draw(1, Configuration.Default, "metadata", FaultChoice.Default, TimeSpan.FromSeconds(10));
        var verdict = Judge.Of(SimulatedRun.Play(scenario));
        Assert.Equal(["metadata-agreement", "recovery"], verdict.Guarantees.Select(guarantee => guarantee.Guarantee));
        Assert.All(verdict.Guarantees, guarantee => Assert.Equal(ResultVerdict.Held, guarantee.Seen));
    }

    private static RunVerdict Play(ulong seed, string acks, string unclean, Mutant? mutant)
    {
        var configuration = Configuration.OfWords([$"acks={acks}", $"unclean.leader.election.enable={unclean}"]);
        var scenario = ScenarioGenerator.Draw(seed, configuration, "log", FaultChoice.Default, TimeSpan.FromSeconds(25), mutant?.Slug);
        return Judge.Of(SimulatedRun.Play(scenario, mutant));
    }
}
