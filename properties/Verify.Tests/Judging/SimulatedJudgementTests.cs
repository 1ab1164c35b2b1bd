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

    /// <summary>A sending of a closed connection reaches a leader two milliseconds before the last tour deposes it.</summary>
    [Fact]
    public void A_late_sending_of_acks_0_to_a_leader_about_to_be_deposed_is_cut_before_the_world_ends()
    {
        var configuration = Configuration.OfWords(["acks=0", "min.insync.replicas=1", "unclean.leader.election.enable=true", "process.roles=combined"]);
        var verdict = Judge.Of(SimulatedRun.Play(ScenarioGenerator.Draw(1919131254, configuration, "log", FaultChoice.Default, TimeSpan.FromSeconds(25))));
        Assert.Empty(verdict.Broken);
        Assert.Contains(verdict.All, seen => seen.Anomaly == "lost-write" && seen.Values.Contains("14") && seen.Excuse == Excuse.LeaderChangedBeforeReplication);
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
