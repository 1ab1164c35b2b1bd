using Broker.Core.Controller;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Tests.Controller;

/// <summary>What Kafka 4.3.1 was seen doing when the last in-sync replica goes: V = 1 leads, F = 2, G = 3.</summary>
public sealed class RealKafkaElections
{
    private const int V = 1, F = 2, G = 3;

    private static readonly NodeSet OnlyV = NodeSet.Of([V]), OnlyF = NodeSet.Of([F]), Nobody = NodeSet.Empty;

    /// <summary>Recipe B: the followers' fetches are cut, the ISR shrinks to V, the followers live on.</summary>
    private static Cluster ShrunkToV(bool elr, bool unclean, int minIsr, ControllerRuleBook? rules = null)
    {
        var cluster = new Cluster(elr, unclean, minIsr, rules).Start(V, F, G).Create(V, F, G);
        Assert.Equal(ErrorCode.None, cluster.Alter(V));
        return cluster;
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 1)]
    [InlineData(false, 2)]
    public void Unclean_on_elects_a_follower_when_the_last_member_dies(bool elr, int minIsr)
    {
        var cluster = ShrunkToV(elr, unclean: true, minIsr).Silence(V);

        Assert.Equal((F, OnlyF, Nobody), (cluster.State().Leader, cluster.State().Isr, cluster.State().Elr));
        Assert.Equal(ElectionKind.Unclean, cluster.LastElection());
    }

    [Fact]
    public void With_eligible_replicas_and_min_1_the_last_member_leaves_for_the_eligible_ones()
    {
        var cluster = ShrunkToV(elr: true, unclean: false, minIsr: 1).Silence(V);

        Assert.Equal((-1, Nobody, OnlyV, V), (cluster.State().Leader, cluster.State().Isr, cluster.State().Elr, cluster.State().LastKnownLeader));
        Assert.Equal(ElectionKind.None, cluster.LastElection());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Without_eligible_replicas_the_last_member_stays_in_the_isr_and_nobody_leads(int minIsr)
    {
        var cluster = ShrunkToV(elr: false, unclean: false, minIsr).Silence(V);

        Assert.Equal((-1, OnlyV, Nobody, -1), (cluster.State().Leader, cluster.State().Isr, cluster.State().Elr, cluster.State().LastKnownLeader));
    }

    [Fact]
    public void With_min_2_the_followers_become_eligible_as_the_isr_shrinks_below_it()
    {
        var cluster = ShrunkToV(elr: true, unclean: false, minIsr: 2);

        Assert.Equal((V, OnlyV, NodeSet.Of([F, G])), (cluster.State().Leader, cluster.State().Isr, cluster.State().Elr));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void With_min_2_an_eligible_follower_is_elected_whatever_unclean_says(bool unclean)
    {
        var cluster = ShrunkToV(elr: true, unclean, minIsr: 2).Silence(V);

        Assert.Equal((F, OnlyF, NodeSet.Of([V, G])), (cluster.State().Leader, cluster.State().Isr, cluster.State().Elr));
        Assert.Equal(ElectionKind.Eligible, cluster.LastElection());
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(true, 2)]
    [InlineData(false, 2)]
    public void With_min_1_a_shrink_makes_nobody_eligible(bool elr, int shrunkTo)
    {
        var cluster = new Cluster(elr, minIsr: 1).Start(V, F, G).Create(V, F, G);
        cluster.Alter(shrunkTo == 1 ? [V] : [V, F]);

        Assert.Equal(Nobody, cluster.State().Elr);
    }

    [Fact]
    public void Last_replica_standing_returns_empty_and_leads_again_without_eligible_replicas()
    {
        var cluster = ShrunkToV(elr: false, unclean: false, minIsr: 2).Silence(V);
        cluster.Start(V);

        Assert.Equal((V, OnlyV), (cluster.State().Leader, cluster.State().Isr));
        Assert.Equal(ElectionKind.Clean, cluster.LastElection());
        Assert.Contains(cluster.Seen, seen => seen.Kind is ObservationKind.UncleanRegistration && seen.Other == V);
    }

    [Fact]
    public void Last_replica_standing_returns_empty_and_leads_as_last_known_leader_with_min_1()
    {
        var cluster = ShrunkToV(elr: true, unclean: false, minIsr: 1).Silence(V);

        cluster.Register(V);
        Assert.Equal((-1, Nobody, Nobody, V), (cluster.State().Leader, cluster.State().Isr, cluster.State().Elr, cluster.State().LastKnownLeader));

        cluster.Heartbeat(V);
        Assert.Equal((V, OnlyV, -1), (cluster.State().Leader, cluster.State().Isr, cluster.State().LastKnownLeader));
        Assert.Equal(ElectionKind.LastKnownLeader, cluster.LastElection());
    }

    [Fact]
    public void An_election_says_how_many_were_eligible_and_how_many_of_them_alive()
    {
        var shrunk = ShrunkToV(elr: true, unclean: true, minIsr: 2).Silence(V);
        Assert.Equal(new EligibleReplicas(3, 2), LastEligible(shrunk));                     // F and G for V
        Assert.Equal(new EligibleReplicas(1, 0), LastEligible(ShrunkToV(elr: true, unclean: true, minIsr: 1).Silence(V)));

        var returned = ShrunkToV(elr: true, unclean: false, minIsr: 1);
        returned.Pass(Cluster.Session);                                // V comes back before anybody missed it, and is eligible no more
        returned.Register(V);
        Assert.Equal((ElectionKind.None, new EligibleReplicas(0, 0)), (returned.LastElection(), LastEligible(returned)));

        static EligibleReplicas LastEligible(Cluster cluster) => EligibleReplicas.Of(cluster.Seen.Last(seen => seen.Kind is ObservationKind.Elected).EndOffset);
    }

    [Fact]
    public void The_last_member_leads_again_cleanly_after_a_clean_restart()
    {
        var cluster = ShrunkToV(elr: true, unclean: false, minIsr: 1).Silence(V);

        cluster.Register(V, clean: true);
        cluster.Heartbeat(V);

        Assert.Equal((V, OnlyV, Nobody), (cluster.State().Leader, cluster.State().Isr, cluster.State().Elr));
        Assert.Equal(ElectionKind.Eligible, cluster.LastElection());
        Assert.DoesNotContain(cluster.Seen, seen => seen.Kind is ObservationKind.UncleanRegistration);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_tool_elects_uncleanly_at_once_and_ignores_the_setting(bool elr)
    {
        var cluster = ShrunkToV(elr, unclean: false, minIsr: 1).Silence(V);

        Assert.Equal(ErrorCode.None, cluster.Elect(preferred: false));
        Assert.Equal((F, OnlyF, Nobody), (cluster.State().Leader, cluster.State().Isr, cluster.State().Elr));
        Assert.Equal(ElectionKind.Unclean, cluster.LastElection());
    }

    [Fact]
    public void The_setting_alone_waits_for_the_partitions_next_event()
    {
        var cluster = ShrunkToV(elr: true, unclean: false, minIsr: 1).Silence(V);

        cluster.Configure("unclean.leader.election.enable", "true");
        cluster.Tick();
        Assert.Equal(-1, cluster.State().Leader);

        cluster.Register(V);
        Assert.Equal((F, OnlyF), (cluster.State().Leader, cluster.State().Isr));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_setting_also_acts_at_the_periodic_check(bool elr)
    {
        var cluster = ShrunkToV(elr, unclean: false, minIsr: 1).Silence(V);
        cluster.Configure("unclean.leader.election.enable", "true");

        cluster.Pass(TimeSpan.FromMinutes(5));
        cluster.Heartbeat(F);
        cluster.Heartbeat(G);
        cluster.Tick();

        Assert.Equal(F, cluster.State().Leader);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void No_unclean_election_while_a_member_of_the_isr_is_up(bool elr)
    {
        var cluster = new Cluster(elr, unclean: true, minIsr: 1).Start(V, F, G).Create(V, F, G);
        cluster.Alter(V, G);
        cluster.Silence(V);

        Assert.Equal((G, NodeSet.Of([G])), (cluster.State().Leader, cluster.State().Isr));
        Assert.Equal(ElectionKind.Clean, cluster.LastElection());
    }

    [Fact]
    public void Changing_min_insync_replicas_makes_nobody_eligible()
    {
        var cluster = ShrunkToV(elr: true, unclean: false, minIsr: 2);
        Assert.Equal(NodeSet.Of([F, G]), cluster.State().Elr);

        cluster.Configure("min.insync.replicas", "3");

        Assert.Equal(Nobody, cluster.State().Elr);
    }

    [Fact]
    public void One_rule_forced_off_is_kafka_before_eligible_replicas()
    {
        var cluster = ShrunkToV(elr: true, unclean: false, minIsr: 2, new ControllerRuleBook { Election = new LastReplicaReelected() }).Silence(V);
        Assert.Equal((-1, OnlyV), (cluster.State().Leader, cluster.State().Isr));

        cluster.Start(V);
        Assert.Equal((V, OnlyV), (cluster.State().Leader, cluster.State().Isr));
    }

    [Fact]
    public void One_rule_forced_on_elects_outside_the_isr()
    {
        var cluster = ShrunkToV(elr: true, unclean: false, minIsr: 1, new ControllerRuleBook { Election = new OutsidersLead() }).Silence(V);

        Assert.Equal(F, cluster.State().Leader);
    }

    [Fact]
    public void One_rule_off_by_one_does_not_bump_the_leader_epoch()
    {
        var cluster = new Cluster(minIsr: 1, rules: new ControllerRuleBook { Election = new EpochStays() }).Start(V, F).Create(V, F).Silence(V);

        Assert.Equal((F, 0), (cluster.State().Leader, cluster.State().LeaderEpoch));
    }

    private sealed class LastReplicaReelected : ElectionRules
    {
        public override bool TracksEligibleReplicas(bool featureIsOn) => false;
    }

    private sealed class OutsidersLead : ElectionRules
    {
        public override bool OutsiderMayLead(bool uncleanElectionAllowed) => true;
    }

    private sealed class EpochStays : ElectionRules
    {
        public override int NextLeaderEpoch(int epoch) => epoch;
    }
}
