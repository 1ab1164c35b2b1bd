using Broker.Runtime;
using Verify.Campaign.Judging;
using Verify.Campaign.Running;
using Verify.Campaign.Stories;
using Verify.Checkers;
using Verify.Clients;
using Verify.History;
using Verify.Promises;
using Verify.Workloads;
using Verify.Zoo;

namespace Verify.Tests.Groups;

/// <summary>Consumer groups in simulation: what is drawn, what is seen, and what is said of it.</summary>
public sealed class GroupRunTests
{
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(25);

    private static Scenario Drawn(ulong seed, string commit) => ScenarioGenerator.Draw(seed, Configuration.OfWords([$"commit={commit}"]), WorkloadNames.Log, FaultChoice.Default, Length);

    [Fact]
    public void Groups_are_drawn_whole_and_keys_stay_in_their_partitions()
    {
        var plans = Enumerable.Range(1, 300).Select(seed => Drawn((ulong)seed, "after").Plan).ToList();
        Assert.All(plans, static plan =>
        {
            Assert.InRange(plan.Members.Length, 1, GroupGenerator.Most);
            Assert.Equal(Enumerable.Range(0, plan.Members.Length), plan.Members.Select(static member => member.Number));
            Assert.All(plan.Members, member => Assert.True(member.Leaves is null || member.Leaves >= member.Joins));
            Assert.All(plan.Commands.OfType<Command.Send>(), send => Assert.InRange(send.Partition, 0, plan.Partitions - 1));
            Assert.All(plan.Commands.OfType<Command.Send>().Where(static send => send.Key is not null).GroupBy(static send => send.Key), static same => Assert.Single(same.Select(static send => send.Partition).Distinct()));
        });
        Assert.Contains(plans, static plan => plan.Groups.Count() == 2);
        Assert.Contains(plans, static plan => plan.Members.Any(static member => member.Instance is not null));
        Assert.Contains(plans, static plan => plan.Members.Any(static member => member.Leaves is not null));
    }

    [Fact]
    public void What_groups_commit_when_changes_neither_the_commands_nor_the_faults()
    {
        var (before, after) = (Drawn(7, "before"), Drawn(7, "after"));
        Assert.Equal(before.Plan, after.Plan);
        Assert.Equal(before.Faults, after.Faults);
    }

    [Theory]
    [InlineData("before", AnomalyWords.GroupLoss)]
    [InlineData("after", AnomalyWords.GroupDoubleConsume)]
    [InlineData("auto", AnomalyWords.GroupDoubleConsume)]
    public void Each_way_of_committing_breaks_only_what_it_does_not_promise(string commit, string permitted)
    {
        var excused = 0;
        for (var seed = 1ul; seed <= 12; seed++)
        {
            var run = SimulatedRun.Play(Drawn(seed, commit));
            var verdict = Judge.Of(run);
            Assert.NotNull(run.RecoveredAfter);
            Assert.Empty(verdict.Broken);
            Assert.Equal([], verdict.All.Select(static violation => violation.Anomaly).Except([permitted]));
            Assert.True(Confirmed(run) > 0, $"nobody commits anything in seed {seed}");
            excused += verdict.All.Count(violation => violation.Anomaly == permitted);
        }
        Assert.True(excused > 0, $"twelve seeds of commit={commit} show no {permitted}");
    }

    private static int Confirmed(RunRecord run)
    {
        var confirmed = 0;
        foreach (var e in run.History)
            if (e is { Function: EventFunction.Commit, Type: EventType.Ok }) confirmed++;
        return confirmed;
    }

    /// <summary>Commits behind what was handed out are what at-least-once rests on.</summary>
    private sealed class CommitsAhead : ClientRules
    {
        public static readonly Mutant Planted = new("commits-ahead", "test", "A member commits beyond what it processed.", Rarity.Easy, [AnomalyWords.GroupLoss], WorkloadNames.Log)
        {
            Counts = false,
            Client = static _ => new CommitsAhead(),
        };

        public override long PositionAfter(long lastOffset) => lastOffset + (lastOffset % 10 == 5 ? 2 : 1);
    }

    [Fact]
    public void A_group_that_leaves_records_out_has_no_excuse()
    {
        var scenario = Drawn(3, "after") with { Mutant = CommitsAhead.Planted.Slug };
        Assert.Contains(Judge.Of(SimulatedRun.Play(scenario, CommitsAhead.Planted)).Broken, static violation => violation.Anomaly == AnomalyWords.GroupLoss);
    }

    [Fact]
    public void A_story_with_groups_survives_its_file_and_tells_of_members()
    {
        var (run, violation) = Enumerable.Range(1, 20).Select(seed => SimulatedRun.Play(Drawn((ulong)seed, "before")))
            .SelectMany(run => Judge.Of(run).All.Where(static violation => violation.Anomaly == AnomalyWords.GroupLoss).Select(violation => (run, violation))).First();
        var story = StoryFile.OfSimulation("why", StoryPoint.Of(violation), run, new StoryOrigin(run.Scenario.Seed, "test"));
        Assert.Equal(story, StoryFile.Parse(story.ToJson(), "x.story.json"));

        var telling = StoryTeller.Tell(run, violation, "stories/x.story.json");
        Assert.StartsWith($"Value {violation.Values[0]} was never processed: ", telling.Title, StringComparison.Ordinal);
        Assert.Contains(telling.Entries, static entry => entry.Text.StartsWith("commits offset ", StringComparison.Ordinal));
        Assert.Contains(telling.Lanes, static lane => lane.Name.StartsWith("member ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("\"batch\":", "\"batch\":-", "members[0].batch")]
    [InlineData("\"number\":0", "\"number\":8", "members[0].number")]
    [InlineData("\"commit\":\"before\"", "\"commit\":\"none\"", "members: there are groups only where")]
    public void Members_that_cannot_be_are_refused_with_the_field_named(string was, string becomes, string says)
    {
        var run = SimulatedRun.Play(Drawn(1, "before") with { Length = TimeSpan.FromSeconds(1) });
        var json = StoryFile.OfSimulation("why", new StoryPoint("at-least-once", AnomalyWords.GroupLoss, null), run, new StoryOrigin(1, "test")).ToJson();
        Assert.Contains(was, json, StringComparison.Ordinal);
        Assert.Contains(says, Assert.Throws<BadInputException>(() => StoryFile.Parse(json.Replace(was, becomes, StringComparison.Ordinal), "x.story.json")).Message, StringComparison.Ordinal);
    }
}
