using System.Collections.Immutable;
using Verify.Promises;
using static Verify.Tests.Promises.Lives;

namespace Verify.Tests.Promises;

/// <summary>
/// The excuse for what an uncleanly elected leader lost with its power. Broker 1 leads epoch 1 and stores the record, which is committed; 2 is elected uncleanly at 100, holding it, loses power at 150 and
/// leads again at 180 as the last known leader, without it. One power loss is within min.insync.replicas=2: only the unclean election can excuse it. Each case lacks one thing.
/// </summary>
public sealed class UncleanLeaderLossTests
{
    private const string Excused = "unclean-election";

    private static readonly Configuration Unclean = With("acks=all", "min.insync.replicas=2", "unclean.leader.election.enable=true");

    private static readonly TermOfOffice OutOfSync = Elected(2, 2, ElectedFrom.OutOfSyncReplicas, 100);

    private static readonly TermOfOffice LastKnown = Elected(3, 2, ElectedFrom.LastKnownLeader, 180, eligibleBefore: 0);

    private static readonly Placement Lost = Placed(true, Cut(1, 3), Burnt(2, at: 150), Cut(3, 3));

    private static RecordEvidence Story => Life(Lost, OutOfSync, LastKnown).Power((2, 150));

    [Fact]
    public void What_the_unclean_leader_lost_with_its_power_is_excused() => Assert.Equal(Excused, ExcuseOfLoss(Unclean, Story));

    [Fact]
    public void Not_without_an_unclean_election() =>
        Assert.Null(ExcuseOfLoss(Unclean, Story with { Terms = [First, OutOfSync with { From = ElectedFrom.InSyncReplicas }, LastKnown] }));

    [Fact]
    public void Not_where_an_eligible_replica_was_up() =>
        Assert.Null(ExcuseOfLoss(Unclean, Story with { Terms = [First, OutOfSync with { EligibleUp = 1 }, LastKnown] }));

    [Fact]
    public void Not_where_unclean_elections_are_off() => Assert.Null(ExcuseOfLoss(With("acks=all", "min.insync.replicas=2"), Story));

    [Fact]
    public void Not_where_the_run_saw_no_unclean_election() => Assert.Null(ExcuseOfLoss(Unclean, Story, Anything(Unclean) with { UncleanElections = 0 }));

    [Fact]
    public void Not_where_the_power_was_lost_before_that_election()
    {
        // 1 lost the record at 50, and leads again after 2, which held it and lost nothing.
        var life = Life(Placed(true, Burnt(1), Cut(2, 3), Cut(3, 3)), OutOfSync, LastKnown with { Leader = 1 }).Power((1, 50));
        Assert.Null(ExcuseOfLoss(Unclean, life));
        Assert.Equal(Excused, ExcuseOfLoss(Unclean, life with { Placements = [Placed(true, Burnt(1, at: 150), Cut(2, 3), Cut(3, 3))], PowerLosses = [new PowerLoss(1, 150)] }));
    }

    [Fact]
    public void Not_where_the_ISR_was_full_again_before_the_power_was_lost()
    {
        Assert.Null(ExcuseOfLoss(Unclean, Story with { FullIsrAt = [0, 120] }));
        Assert.Equal(Excused, ExcuseOfLoss(Unclean, Story with { FullIsrAt = [0, 90, 170] }));
    }

    [Fact]
    public void Not_a_record_that_a_leader_elected_cleanly_stored_afterwards()
    {
        var committed = new Placement(3, 7, true, true, -1, [Burnt(2, at: 150, storedAt: 130), Cut(1, 4, storedAt: 130), Cut(3, 4, storedAt: 130)]);
        ImmutableArray<TermOfOffice> terms = [First, OutOfSync, Elected(3, 1, ElectedFrom.InSyncReplicas, 120, 2, 2, [1, 2]), LastKnown with { Epoch = 4 }];
        Assert.Null(ExcuseOfLoss(Unclean, Story with { Placements = [committed], Terms = terms }));
    }

    [Fact]
    public void Not_where_the_unclean_election_came_after_the_leader_that_lacks_it()
    {
        // By its epoch it comes later; such a node may take office, and be seen, before the other.
        ImmutableArray<TermOfOffice> terms = [First, LastKnown with { Epoch = 2 }, OutOfSync with { Epoch = 3 }];
        Assert.Null(ExcuseOfLoss(Unclean, Story with { Terms = terms, Placements = [Placed(true, Cut(1, 2), Burnt(2, at: 150), Cut(3, 2))] }));
    }

    [Fact]
    public void Not_where_somebody_eligible_was_left() =>
        Assert.Null(ExcuseOfLoss(Unclean, Story with { Terms = [First, OutOfSync, LastKnown with { EligibleBefore = 1 }] }));

    [Theory]
    [InlineData(ElectedFrom.InSyncReplicas)]
    [InlineData(ElectedFrom.EligibleLeaderReplicas)]
    public void Not_where_the_leader_that_lacks_it_was_elected_cleanly(ElectedFrom from) =>
        Assert.Null(ExcuseOfLoss(Unclean, Story with { Terms = [First, OutOfSync, LastKnown with { From = from }] }));

    [Fact]
    public void Not_what_was_on_the_disk()
    {
        Assert.Null(ExcuseOfLoss(Unclean, Story with { Placements = [Placed(true, Cut(1, 3), Burnt(2, at: 150, flushed: true), Cut(3, 3))] }));
        Assert.Null(ExcuseOfLoss(With("acks=all", "min.insync.replicas=2", "unclean.leader.election.enable=true", "flush.messages=1"), Story));
    }

    [Fact]
    public void Not_what_merely_vanished() =>
        Assert.Null(ExcuseOfLoss(Unclean, Story with { Placements = [Placed(true, Cut(1, 3), new Copy(2, 10, false, CopyEnd.Vanished, 150), Cut(3, 3))] }));

    [Fact]
    public void Not_an_acknowledgement_before_the_high_watermark() => Assert.Null(ExcuseOfLoss(Unclean, Story with { Placements = [Lost with { ReachedHighWatermark = false }] }));
}
