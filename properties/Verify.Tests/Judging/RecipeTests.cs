using Chaos.Faults;
using Verify.Campaign.Campaigns;
using Verify.Campaign.Judging;
using Verify.Campaign.Results;
using Verify.Campaign.Running;
using Verify.Promises;
using Verify.Workloads;

namespace Verify.Tests.Judging;

/// <summary>Each named schedule brings out what it says, where the settings permit it, and nothing where they do not.</summary>
public sealed class RecipeTests
{
    [Theory]
    [InlineData("kill-before-replication", "acks=1", "leader-changed-before-replication")]
    [InlineData("kill-before-replication", "acks=all", null)]
    [InlineData("pause-leader", "acks=1 request.timeout.ms=20000", "leader-changed-before-replication")]
    [InlineData("pause-leader", "acks=all request.timeout.ms=20000", null)]
    [InlineData("isolate-leader", "acks=1", "leader-changed-before-replication")]
    [InlineData("isolate-leader", "acks=all", null)]
    [InlineData("unclean-election", "min.insync.replicas=1 unclean.leader.election.enable=true", "unclean-election")]
    [InlineData("unclean-election", "min.insync.replicas=1 unclean.leader.election.enable=true process.roles=combined", "unclean-election")]
    [InlineData("unclean-election", "min.insync.replicas=1", null)]
    [InlineData("unclean-election", "min.insync.replicas=2 unclean.leader.election.enable=true", null)]
    [InlineData("last-replica-standing", "min.insync.replicas=1", "last-replica-standing")]
    [InlineData("last-replica-standing", "min.insync.replicas=2 eligible.leader.replicas.version=0", "last-replica-standing")]
    [InlineData("last-replica-standing", "min.insync.replicas=2 eligible.leader.replicas.version=0 process.roles=combined", "last-replica-standing")]
    [InlineData("last-replica-standing", "min.insync.replicas=2", null)]
    [InlineData("last-replica-standing", "min.insync.replicas=1 flush.messages=1", null)]
    [InlineData("power-all", "acks=all", "power-loss-of-min-isr")]
    [InlineData("power-all", "acks=all flush.messages=1", null)]
    [InlineData("kill-all", "acks=all", null)]
    [InlineData("kill-leader", "acks=all", null)]
    public void A_recipe_loses_what_the_settings_permit_and_names_why(string name, string settings, string? excuse)
    {
        var recipe = Recipe.All.Single(recipe => recipe.Name == name);
        var plan = new CampaignPlan { Cells = [new Cell([], Configuration.OfWords(settings.Split(' ')))], Workload = WorkloadNames.Log, Seeds = new SeedRange(1, 2), Command = "", Recipe = recipe };
        var excuses = new HashSet<string>();
        foreach (var seed in plan.SeedsOfShard())
        {
            var run = SimulatedRun.Play(plan.ScenarioOf(plan.Cells[0], seed));
            var verdict = Judge.Of(run);
            Assert.Empty(verdict.Broken);
            Assert.Equal(recipe.Words.Order(), run.Bitten.Keys.Order());
            excuses.UnionWith(verdict.All.Where(violation => violation.Guarantee == "no-lost-writes").Select(violation => violation.Excuse!.Name));
        }
        Assert.Equal(excuse is null ? [] : [excuse], excuses);         // a run with little to send may lose nothing
    }

    [Fact]
    public void A_schedule_fills_the_run_with_rounds_and_has_one_in_the_shortest()
    {
        foreach (var recipe in Recipe.All)
        {
            var once = recipe.Faults(new RecipePace(TimeSpan.FromSeconds(1.5), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)));
            var often = recipe.Faults(new RecipePace(TimeSpan.FromSeconds(1.5), TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(2)));
            Assert.True(once.Count > 0 && often.Count >= 4 * once.Count, recipe.Name);
            Assert.Equal(often, FaultSchedule.FromJson(often.ToJson()));
        }
    }
}
