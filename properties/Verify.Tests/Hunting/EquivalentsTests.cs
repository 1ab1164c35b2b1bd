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
        var equivalents = Equivalents.Parse("A.a — saves work\nA.b — saves work\n");
        var hunt = new HuntResult([Hunted("A.a", false, new(7, 7)), Hunted("A.b", true, new(7, 7)), Hunted("B.c", false, new(0, 0)), Hunted("A.d", true, new(7, 7)), Hunted("B.e", false, new(7, 7)), Hunted("B.e", true, new(7, 7)), Hunted("B.f", false, new(7, 0)), Hunted("B.g", false, null)]);
        var score = HuntScore.Of(hunt, equivalents);
        Assert.Equal((7, 3, 6, false), (score.All, score.Killed.Count, score.CanBeTold, score.IsFull));
        Assert.Equal([new Survivor("A.a", "saves work", new(7, 7)), new("B.c", null, new(0, 0)), new("B.f", null, new(7, 0)), new("B.g", null, null)], score.Alive);
        Assert.Equal([Survival.Explained, Survival.NeverAsked, Survival.NeverDiffers, Survival.Untold], score.Alive.Select(static survivor => survivor.How));
        Assert.Equal(["A.b"], score.Refuted);
        Assert.Equal([("A", "3 2 1 0 0 0"), ("B", "4 1 0 1 1 1"), ("all", "7 3 1 1 1 1")], score.Table().Select(static line => (line.Rules, string.Join(' ', line.Counts))));
        Assert.True(HuntScore.Of(new HuntResult([Hunted("A.a", false, null), Hunted("A.d", true, null)]), equivalents).IsFull);
        Assert.False(HuntScore.Of(new HuntResult([Hunted("A.b", true, null)]), equivalents).IsFull);
        Assert.False(HuntScore.Of(new HuntResult([Hunted("B.c", false, null)]), equivalents).IsFull);
    }

    private static HuntedMutant Hunted(string slug, bool killed, Reach? reach) => new(slug, killed, HuntedBy.Discovery, 1, 1, null, null) { Reach = reach };
}
