using Verify.Campaign.Hunting;
using Xunit;

namespace Verify.Tests.Hunting;

public sealed class EquivalentsTests
{
    private static readonly string[] Mutants = [.. MechanicalMutants.All.Select(mutant => mutant.Planted.Slug)];

    [Fact]
    public void Every_explanation_names_a_mechanical_mutant_once_and_gives_a_reason()
    {
        Assert.NotEmpty(Equivalents.Recorded.Slugs);
        Assert.Empty(Equivalents.Recorded.Problems(Mutants));
        Assert.All(Equivalents.Recorded.Slugs, slug => Assert.True(Equivalents.Recorded.ReasonFor(slug)!.Length > 20, slug));
    }

    [Theory]
    [InlineData("LogRules.NoSuchRule:always — it only saves work", "LogRules.NoSuchRule:always is no mechanical mutant")]
    [InlineData("LogRules.StartsEpoch:more — it only saves work", "LogRules.StartsEpoch:more is no mechanical mutant")]
    [InlineData("LogRules.StartsEpoch:always", "line 3: LogRules.StartsEpoch:always has no reason")]
    [InlineData("LogRules.StartsEpoch:always — ", "line 3: LogRules.StartsEpoch:always — has no reason")]
    [InlineData("ReplicationRules.Moves:always — said again", "line 3: ReplicationRules.Moves:always is there twice")]
    public void A_wrong_line_is_noticed(string planted, string problem) =>
        Assert.Equal([problem], Equivalents.Parse($"# bookkeeping\nReplicationRules.Moves:always — told twice\n{planted}\n").Problems(Mutants));

    [Fact]
    public void A_survivor_is_explained_or_not_and_a_kill_refutes_its_explanation()
    {
        var equivalents = Equivalents.Parse("a — saves work\nb — saves work\n");
        var hunt = new HuntResult([Hunted("a", false, 7), Hunted("b", true, 7), Hunted("c", false, 0), Hunted("d", true, 7), Hunted("e", false, 7), Hunted("e", true, 7)]);
        var score = HuntScore.Of(hunt, equivalents);
        Assert.Equal((5, 3, 4, false), (score.All, score.Killed, score.CanBeTold, score.IsFull));
        Assert.Equal([new Survivor("a", "saves work", 7)], score.Explained);
        Assert.Equal([new Survivor("c", null, 0)], score.Unexplained);
        Assert.Equal(["b"], score.Refuted);
        Assert.True(HuntScore.Of(new HuntResult([Hunted("a", false, 7), Hunted("d", true, 7)]), equivalents).IsFull);
        Assert.False(HuntScore.Of(new HuntResult([Hunted("b", true, 7)]), equivalents).IsFull);
        Assert.False(HuntScore.Of(new HuntResult([Hunted("c", false, 7)]), equivalents).IsFull);
    }

    [Fact]
    public void A_hunt_tells_how_often_the_wrong_rule_was_asked()
    {
        Assert.True(Asked("LogRules.StartsEpoch:always") > 0);
        Assert.Equal(0, Asked("GroupRules.MayExpire:always"));        // retention is looked at every ten minutes, and no run is so long

        static long? Asked(string slug) => new Hunt(new HuntPlan { Budget = TimeSpan.FromTicks(1), Jobs = 1 }, HuntMeans.Usual(null, "hunt", shrink: false))
            .Discover(MechanicalMutants.All.Single(mutant => mutant.Planted.Slug == slug).Planted).Asked;
    }

    private static HuntedMutant Hunted(string slug, bool killed, long asked) => new(slug, killed, HuntedBy.Discovery, 1, 1, null, null) { Asked = asked };
}
