using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using Verify.Promises;
using static Verify.Tests.Promises.Lives;

namespace Verify.Tests.Promises;

public class PromiseMatrixTests
{
    [Theory]
    [InlineData("perm perm perm perm perm", "acks=0")]
    [InlineData("perm perm perm perm perm", "acks=1")]
    [InlineData("hold hold perm perm perm", "replication.factor=1")]
    [InlineData("keep hold perm perm perm", "min.insync.replicas=1")]
    [InlineData("hold hold perm perm perm", "eligible.leader.replicas.version=0")]
    [InlineData("hold hold keep perm keep", "acks=all")]
    [InlineData("hold hold keep hold keep", "flush.messages=1")]
    [InlineData("hold hold keep perm keep", "min.insync.replicas=3")]
    [InlineData("perm perm perm perm perm", "unclean.leader.election.enable=true")]
    public void Durability_is_promised_per_fault_class_as_the_catalogue_says(string expected, params string[] words)
    {
        var durability = PromiseText.Of(With(words)).Guarantees.Single(g => g.Guarantee.Name == "no-lost-writes");
        Assert.Equal(expected, string.Join(' ', durability.ByClass.Take(5).Select(p => p.Level.ToString().ToLowerInvariant()[..4])));
    }

    [Theory]
    [InlineData("kept kept", "acks=all")]
    [InlineData("perm perm", "enable.idempotence=false")]
    [InlineData("perm perm", "acks=1")]
    [InlineData("kept perm", "enable.idempotence=false", "retries=0")]
    [InlineData("kept perm", "acks=0")]
    public void Duplicates_and_order_under_network_faults(string expected, params string[] words)
    {
        string Of(string guarantee) => PromiseText.Of(With(words)).Guarantees.Single(g => g.Guarantee.Name == guarantee).ByClass[0].Level == PromiseLevel.Permitted ? "perm" : "kept";
        Assert.Equal(expected, $"{Of("no-duplicates")} {Of("ordering")}");
    }

    [Fact]
    public void A_quiet_run_promises_everything_in_every_configuration() =>
        Prop.ForAll(AnyConfiguration.ToArbitrary(), c => PromiseMatrix.Decide(c, RunEvidence.Quiet).All(p => p.Promised)).QuickCheckThrowOnFailure();

    [Fact]
    public void Only_what_the_run_permits_is_excused_and_each_permission_belongs_to_known_words()
    {
        foreach (var permission in PromiseMatrix.Permissions)
        {
            Assert.Contains(permission.Excuse, Verify.Promises.Excuse.All);
            Assert.All(permission.Anomalies, a => Assert.NotNull(GuaranteeCatalogue.Of(a)));
        }

        Assert.Equal(Verify.Promises.Excuse.All.Order(ByName), PromiseMatrix.Permissions.Select(p => p.Excuse).Distinct().Order(ByName));
        Assert.All(TradeOffCatalogue.All.SelectMany(t => t.Excuses), e => Assert.Contains(e, Verify.Promises.Excuse.All));
    }

    private static readonly Comparer<Excuse> ByName = Comparer<Excuse>.Create((a, b) => string.CompareOrdinal(a.Name, b.Name));

    [Fact]
    public void Guarantees_and_anomalies_have_the_names_that_checkers_use()
    {
        Assert.Equal(Verify.Checkers.Guarantee.All.Order(StringComparer.Ordinal), GuaranteeCatalogue.All.Select(g => g.Name).Order(StringComparer.Ordinal));
        var words = typeof(Verify.Checkers.AnomalyName).GetFields().Select(f => (string)f.GetValue(null)!).ToList();
        Assert.All(GuaranteeCatalogue.All.SelectMany(g => g.Anomalies), a => Assert.Contains(a, words));
    }

    [Fact]
    public void A_promised_anomaly_never_finds_an_excuse() =>
        Prop.ForAll(AnyStory.ToArbitrary(), s => GuaranteeCatalogue.All.SelectMany(g => g.Anomalies).All(a =>
            !PromiseMatrix.IsPromised(s.Configuration, s.Run, a) || Excuses.For(a, s.Configuration, s.Run, s.Record) is null)).QuickCheckThrowOnFailure();

    // Soundness: what a right broker never does is excused in no configuration, run or company.

    [Fact]
    public void A_record_taken_and_silently_dropped_is_excused_nowhere() =>
        Excused(Nowhere, r => r with { Placements = [], Transmissions = [.. r.Transmissions, Received()] });

    [Fact]
    public void A_record_stored_and_never_shown_is_excused_nowhere() =>
        Excused(Nowhere, r => r with { Placements = [.. r.Placements, Placed(true, Kept(2))] });

    [Fact]
    public void A_copy_that_vanishes_is_excused_nowhere() =>
        Excused(Nowhere, r => r with { Placements = [.. r.Placements, Placed(true, Burnt(1), new Copy(2, 10, false, CopyEnd.Vanished, 60))] });

    [Fact]
    public void A_copy_cut_by_the_leader_that_wrote_it_is_excused_nowhere() =>
        Excused(Nowhere, r => r with { Placements = [.. r.Placements, Placed(false, Cut(1, 1))] });

    [Fact]
    public void A_committed_record_that_only_a_clean_election_lost_is_excused_nowhere() =>
        Excused(Nowhere, r => r with
        {
            Placements = [Placed(true, Cut(1, 2), Cut(3, 2))], Terms = [First, Elected(2, 2, ElectedFrom.InSyncReplicas, 100, 3, 2, [2, 3])],
        });

    [Fact]
    public void The_stories_drawn_do_contain_excused_losses()
    {
        var excused = Gen.Sample(AnyStory, 2000).Count(s => Excuses.For(AnomalyWords.LostWrite, s.Configuration, s.Run, s.Record) is not null);
        Assert.InRange(excused, 20, 1900);
    }

    private static bool Nowhere(Story story) => Excuses.For(AnomalyWords.LostWrite, story.Configuration, story.Run, story.Record) is null;

    private static void Excused(Func<Story, bool> holds, Func<RecordEvidence, RecordEvidence> plant) =>
        Prop.ForAll(AnyStory.ToArbitrary(), s => holds(s with { Record = plant(s.Record) })).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));

    private sealed record Story(Configuration Configuration, RunEvidence Run, RecordEvidence Record);

    private static readonly Gen<Configuration> AnyConfiguration =
        from acks in Gen.Elements("0", "1", "all")
        from min in Gen.Choose(1, 3)
        from rf in Gen.Elements(1, 3)
        from unclean in Gen.Elements("false", "true")
        from elr in Gen.Elements("0", "1")
        from flush in Gen.Elements("1", "100", "9223372036854775807")
        select With($"acks={acks}", $"min.insync.replicas={min}", $"replication.factor={rf}", $"unclean.leader.election.enable={unclean}", $"eligible.leader.replicas.version={elr}", $"flush.messages={flush}");

    private static readonly Gen<Copy> AnyCopy =
        from node in Gen.Choose(1, 3)
        from end in Gen.Elements(CopyEnd.Truncated, CopyEnd.Truncated, CopyEnd.LostToPower, CopyEnd.LostToPower, CopyEnd.LostToDisk, CopyEnd.Kept, CopyEnd.Vanished)
        from at in Gen.Choose(20, 300)
        from epoch in Gen.Choose(1, 4)
        from flushed in Gen.Elements(false, false, true)
        select new Copy(node, 10, flushed, end, end == CopyEnd.Kept ? long.MaxValue : at, end == CopyEnd.Truncated ? epoch : -1);

    private static readonly Gen<TermOfOffice> AnyTerm =
        from epoch in Gen.Choose(2, 4)
        from leader in Gen.Choose(1, 3)
        from kind in Gen.Elements(Enum.GetValues<ElectedFrom>())
        from eligible in Gen.Elements(0, 0, 2)
        select Elected(epoch, leader, kind, epoch * 50, eligible, eligible == 0 ? 0 : 1);

    private static readonly Gen<Placement> AnyPlacement =
        from copies in AnyCopy.ListOf(2)
        from committed in Gen.Elements(false, true)
        from acknowledged in Gen.Elements(false, true, true)
        select new Placement(1, 7, acknowledged, committed, -1, [.. copies]);

    private static readonly Gen<Transmission> AnyTransmission =
        from delivery in Gen.Elements(Enum.GetValues<Delivery>())
        from refusal in Gen.Elements(0, 0, 6, 87)
        select new Transmission(1, delivery, delivery == Delivery.Received ? refusal : 0);

    private static readonly Gen<Story> AnyStory =
        from configuration in AnyConfiguration
        from anything in Gen.Elements(true, true, false)
        from placements in Gen.Elements(0, 1, 1, 1, 2).SelectMany(n => AnyPlacement.ListOf(n))
        from transmissions in Gen.Choose(1, 2).SelectMany(n => AnyTransmission.ListOf(n))
        from terms in Gen.Choose(0, 2).SelectMany(n => AnyTerm.ListOf(n))
        from losses in Gen.Choose(0, 3)
        select new Story(
            configuration,
            anything ? Anything(configuration) : RunEvidence.Quiet,
            new RecordEvidence
            {
                Acknowledged = true, Placements = [.. placements], Transmissions = [.. transmissions], Terms = [First, .. terms], FullIsrAt = [0],
                PowerLosses = [.. Enumerable.Range(1, losses).Select(n => new PowerLoss(n, 15 + n))],
            });
}
