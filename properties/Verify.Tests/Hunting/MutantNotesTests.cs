using Verify.Campaign.Hunting;
using Xunit;

namespace Verify.Tests.Hunting;

public sealed class MutantNotesTests
{
    private static readonly string[] Mutants = [.. MechanicalMutants.All.Select(mutant => mutant.Planted.Slug)];

    [Fact]
    public void Every_explanation_names_a_mechanical_mutant_once_and_gives_a_reason()
    {
        Assert.NotEmpty(MutantNotes.Equivalents.Slugs);
        Assert.Empty(MutantNotes.Equivalents.Problems(Mutants));
        Assert.All(MutantNotes.Equivalents.Slugs, slug => Assert.True(MutantNotes.Equivalents.Of(slug)!.Length > 20, slug));
    }

    [Fact]
    public void What_a_test_kills_is_a_mechanical_mutant_and_not_explained_as_equivalent()
    {
        Assert.Empty(MutantNotes.KillingTests.Problems(Mutants));
        Assert.Empty(MutantNotes.KillingTests.Slugs.Intersect(MutantNotes.Equivalents.Slugs));
    }

    [Theory]
    [InlineData("LogRules.NoSuchRule:always — it only saves work", "LogRules.NoSuchRule:always is no mechanical mutant")]
    [InlineData("LogRules.StartsEpoch:more — it only saves work", "LogRules.StartsEpoch:more is no mechanical mutant")]
    [InlineData("LogRules.StartsEpoch:always", "line 3: LogRules.StartsEpoch:always has no note")]
    [InlineData("LogRules.StartsEpoch:always — ", "line 3: LogRules.StartsEpoch:always — has no note")]
    [InlineData("ReplicationRules.Moves:always — said again", "line 3: ReplicationRules.Moves:always is there twice")]
    public void A_wrong_line_is_noticed(string planted, string problem) =>
        Assert.Equal([problem], MutantNotes.Parse($"# bookkeeping\nReplicationRules.Moves:always — told twice\n{planted}\n").Problems(Mutants));

    [Fact]
    public void A_survivor_is_killed_by_a_test_explained_or_neither_and_a_kill_refutes_an_explanation()
    {
        var equivalents = MutantNotes.Parse("A.a — saves work\nA.b — saves work\n");
        var tests = MutantNotes.Parse("B.h — Tests.Fails\nB.e — Tests.Fails\n");
        var hunt = new HuntResult([Hunted("A.a", false, new(7, 7)), Hunted("A.b", true, new(7, 7)), Hunted("B.c", false, new(0, 0)), Hunted("A.d", true, new(7, 7)), Hunted("B.e", false, new(7, 7)), Hunted("B.e", true, new(7, 7)), Hunted("B.f", false, new(7, 0)), Hunted("B.g", false, null), Hunted("B.h", false, null)]);
        var score = HuntScore.Of(hunt, equivalents, tests);
        Assert.Equal((8, 3, 1, 7, false), (score.All, score.Killed.Count, score.KilledByTests, score.CanBeTold, score.IsFull));
        Assert.Equal([new Survivor("A.a", null, "saves work", new(7, 7)), new("B.c", null, null, new(0, 0)), new("B.f", null, null, new(7, 0)), new("B.g", null, null, null), new("B.h", "Tests.Fails", null, null)], score.Alive);
        Assert.Equal([Survival.Explained, Survival.NeverAsked, Survival.NeverDiffers, Survival.Untold, Survival.KilledByTest], score.Alive.Select(static survivor => survivor.How));
        Assert.Equal(["A.b"], score.Refuted);
        Assert.Equal([("A", "3 2 0 1 0 0 0"), ("B", "5 1 1 0 1 1 1"), ("all", "8 3 1 1 1 1 1")], score.Table().Select(static line => (line.Rules, string.Join(' ', line.Counts))));
        Assert.True(IsFull(Hunted("A.a", false, null), Hunted("A.d", true, null), Hunted("B.h", false, null)));
        Assert.False(IsFull(Hunted("A.b", true, null)));
        Assert.False(IsFull(Hunted("B.c", false, null)));

        bool IsFull(params HuntedMutant[] hunted) => HuntScore.Of(new HuntResult(hunted), equivalents, tests).IsFull;
    }

    private static HuntedMutant Hunted(string slug, bool killed, Reach? reach) => new(slug, killed, HuntedBy.Discovery, 1, 1, null, null) { Reach = reach };
}
