using Broker.Core.Log;
using Broker.Core.Quorum;
using Broker.Runtime;

namespace Broker.Tests.Quorum;

/// <summary>The machine in exact states: voter 0 of three (0, 1, 2), one idea per test.</summary>
public sealed class QuorumMachineTests
{
    private static readonly QuorumSettings Settings = QuorumSettings.Kafka;
    private static readonly NodeId Me = new(0), One = new(1), Two = new(2), Observer = new(10);
    private static readonly TimeSpan Wait = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Later = TimeSpan.FromMinutes(1);

    private static QuorumMachine Machine(QuorumState? state = null, int[]? epochs = null, int voters = 3)
    {
        var log = new QuorumLog();
        foreach (var epoch in epochs ?? []) log.Append(epoch, log.EndOffset + 1);
        var machine = new QuorumMachine(Me, NodeSet.Of(Enumerable.Range(0, voters)), Settings, UnderTest.Rules.Quorum, new Prng(1), state ?? QuorumState.Initial, log);
        machine.Start(TimeSpan.Zero);
        return machine;
    }

    /// <summary>A log of one entry per element, each of that epoch; then elected in the next epoch by the vote of voter 1.</summary>
    private static QuorumMachine LeaderOf(params int[] epochs)
    {
        var machine = Machine(new QuorumState(epochs.LastOrDefault(), NodeId.None, NodeId.None), epochs);
        machine.Step(QuorumInput.Tick.Now, Later);
        Grant(machine, One);
        Assert.Equal(QuorumRole.Leader, machine.Role);
        return machine;
    }

    private static QuorumMachine FollowerOf(NodeId leader, int epoch, params int[] epochs) =>
        Machine(new QuorumState(epoch, NodeId.None, leader), epochs);

    private static IReadOnlyList<QuorumEffect> Grant(QuorumMachine machine, NodeId from) =>
        machine.Step(new QuorumInput.Answered(from, 1, new QuorumAnswer.Vote(QuorumError.None, machine.Epoch, NodeId.None, true)), Later);

    private static IReadOnlyList<QuorumEffect> Ask(QuorumMachine machine, QuorumRequest request, TimeSpan? now = null) =>
        machine.Step(new QuorumInput.Asked(7, request), now ?? Later);

    private static IReadOnlyList<QuorumEffect> Fetch(QuorumMachine machine, NodeId from, long offset, int lastEpoch) =>
        Ask(machine, new QuorumRequest.Fetch(machine.Epoch, from, offset, lastEpoch, Wait));

    private static bool Granted(IReadOnlyList<QuorumEffect> effects) => ((QuorumAnswer.Vote)effects.OfType<QuorumEffect.Answer>().Single().Message).Granted;

    private static QuorumAnswer.Fetch FetchAnswer(IReadOnlyList<QuorumEffect> effects) =>
        (QuorumAnswer.Fetch)effects.OfType<QuorumEffect.Answer>().Single().Message;

    private static QuorumAnswer.Fetch Entries(QuorumMachine follower, long highWatermark, params (long Offset, int Epoch)[] entries) =>
        new(QuorumError.None, follower.Epoch, follower.Leader, highWatermark, 0, 0, null,
            [.. entries.Select(e => new QuorumBatch(e.Offset, e.Offset + 1, e.Epoch, new byte[1]))]);

    [Fact]
    public void A_single_voter_elects_itself_and_commits_alone()
    {
        var machine = Machine(voters: 1);
        machine.Step(QuorumInput.Tick.Now, Later);
        var effects = machine.Step(new QuorumInput.Propose(5, 3, new byte[9]), Later);
        Assert.Contains(new QuorumEffect.ProposalCommitted(5, 1), effects);
        Assert.Equal(4, machine.HighWatermark);
    }

    [Fact]
    public void A_vote_is_persisted_before_it_is_answered()
    {
        var effects = Ask(Machine(), new QuorumRequest.Vote(3, One, 0, 0));
        Assert.Equal(new QuorumEffect.Persist(new QuorumState(3, One, NodeId.None)), effects[0]);
        Assert.True(Granted(effects));
    }

    [Fact]
    public void One_vote_per_epoch_and_the_same_candidate_may_ask_again()
    {
        var machine = Machine();
        Assert.True(Granted(Ask(machine, new QuorumRequest.Vote(3, One, 0, 0))));
        Assert.False(Granted(Ask(machine, new QuorumRequest.Vote(3, Two, 0, 0))));
        Assert.True(Granted(Ask(machine, new QuorumRequest.Vote(3, One, 0, 0))));
    }

    [Fact]
    public void A_vote_survives_a_restart() =>
        Assert.False(Granted(Ask(Machine(new QuorumState(3, One, NodeId.None)), new QuorumRequest.Vote(3, Two, 0, 0))));

    [Theory]
    [InlineData(2, 3, true)]
    [InlineData(2, 2, false)]
    [InlineData(1, 9, false)]
    [InlineData(3, 1, true)]
    public void A_vote_goes_only_to_a_log_that_is_as_up_to_date(int lastEpoch, long endOffset, bool granted) =>
        Assert.Equal(granted, Granted(Ask(Machine(new QuorumState(4, NodeId.None, NodeId.None), [1, 1, 2]), new QuorumRequest.Vote(5, One, lastEpoch, endOffset))));

    [Fact]
    public void A_candidate_reports_the_epoch_of_its_last_entry()
    {
        var machine = Machine(new QuorumState(8, NodeId.None, NodeId.None), [1, 2]);
        var vote = machine.Step(QuorumInput.Tick.Now, Later).OfType<QuorumEffect.Send>().First().Request;
        Assert.Equal(new QuorumRequest.Vote(9, Me, 2, 2), vote);
    }

    [Fact]
    public void An_old_epoch_is_fenced_and_told_the_new_one()
    {
        var answer = (QuorumAnswer.Vote)Ask(FollowerOf(Two, 6), new QuorumRequest.Vote(5, One, 0, 0)).OfType<QuorumEffect.Answer>().Single().Message;
        Assert.Equal(new QuorumAnswer.Vote(QuorumError.FencedEpoch, 6, Two, false), answer);
    }

    [Fact]
    public void A_candidates_own_vote_is_persisted_before_it_asks_for_others()
    {
        var effects = Machine().Step(QuorumInput.Tick.Now, Later);
        Assert.Equal(new QuorumEffect.Persist(new QuorumState(1, Me, NodeId.None)), effects[0]);
        Assert.Equal(2, effects.OfType<QuorumEffect.Send>().Count());
    }

    [Fact]
    public void What_a_leader_counts_as_committed_is_flushed_before_anybody_hears_of_it()
    {
        var machine = Machine(voters: 1);
        machine.Step(QuorumInput.Tick.Now, Later);
        var effects = machine.Step(new QuorumInput.Propose(5, 3, new byte[9]), Later).ToList();
        var flushed = effects.FindIndex(static effect => effect is QuorumEffect.Flush);
        Assert.InRange(flushed, 0, effects.FindIndex(static effect => effect is QuorumEffect.CommitAdvanced or QuorumEffect.ProposalCommitted));
    }

    [Fact]
    public void A_winner_stores_an_entry_of_its_epoch_before_it_announces_itself()
    {
        var machine = Machine(new QuorumState(1, NodeId.None, NodeId.None), [1]);
        machine.Step(QuorumInput.Tick.Now, Later);
        var effects = Grant(machine, Two).ToList();
        var append = effects.FindIndex(e => e is QuorumEffect.Append { Batches: [{ IsLeaderChange: true, Epoch: 2, BaseOffset: 1 }] });
        var flush = effects.FindIndex(e => e is QuorumEffect.Flush);
        var announce = effects.FindIndex(e => e is QuorumEffect.Send { Request: QuorumRequest.BeginEpoch });
        Assert.True(effects.FindIndex(e => e is QuorumEffect.Persist) < append && append < flush && flush < announce);
        Assert.Contains(new QuorumEffect.BecameLeader(2, 1), effects);
    }

    [Fact]
    public void Entries_of_older_epochs_are_not_committed_by_counting()
    {
        var machine = LeaderOf(1, 2);                                      // Raft figure 8: entry 1, of epoch 2, now reaches a majority
        Fetch(machine, One, 2, 2);
        Assert.Equal(0, machine.HighWatermark);
        var effects = Fetch(machine, One, 3, 3);                           // and now the leader's own opening entry does
        Assert.Contains(new QuorumEffect.CommitAdvanced(3), effects);
    }

    [Fact]
    public void A_leader_commits_what_a_majority_has_flushed_and_says_so()
    {
        var machine = LeaderOf();
        Fetch(machine, One, 1, 1);
        machine.Step(new QuorumInput.Propose(5, 2, new byte[1]), Later);
        Assert.Equal(1, machine.HighWatermark);
        Assert.Contains(new QuorumEffect.ProposalCommitted(5, 1), Fetch(machine, Two, 3, 1));
    }

    [Fact]
    public void Observers_do_not_count_and_read_only_what_is_committed()
    {
        var machine = LeaderOf();
        Assert.Empty(Fetch(machine, Observer, 0, 0));
        Assert.Equal(0, machine.HighWatermark);
        var effects = Fetch(machine, One, 1, 1);
        Assert.Contains(effects, e => e is QuorumEffect.Answer { Message: QuorumAnswer.Fetch { FromOffset: 0, ToOffset: 1, HighWatermark: 1 } });
    }

    [Fact]
    public void A_fetch_without_news_waits_for_an_append()
    {
        var machine = LeaderOf();
        Fetch(machine, One, 1, 1);
        Assert.Empty(Fetch(machine, One, 1, 1).OfType<QuorumEffect.Answer>());
        var answer = FetchAnswer(machine.Step(new QuorumInput.Propose(5, 1, new byte[1]), Later));
        Assert.Equal((1, 2), (answer.FromOffset, answer.ToOffset));
    }

    [Fact]
    public void A_fetch_without_news_is_answered_after_its_longest_wait()
    {
        var machine = LeaderOf();
        Fetch(machine, One, 1, 1);
        Fetch(machine, One, 1, 1);
        Assert.Empty(machine.Step(QuorumInput.Tick.Now, Later + Wait / 2).OfType<QuorumEffect.Answer>());
        Assert.True(machine.NextWake <= Later + Wait);
        Assert.Equal(QuorumError.None, FetchAnswer(machine.Step(QuorumInput.Tick.Now, Later + Wait)).Error);
    }

    [Fact]
    public void A_leader_that_no_majority_fetches_from_resigns_and_loses_its_proposals()
    {
        var machine = LeaderOf();
        machine.Step(new QuorumInput.Propose(5, 1, new byte[1]), Later);
        Assert.Equal(QuorumRole.Leader, machine.Role);
        var effects = machine.Step(QuorumInput.Tick.Now, Later + Settings.CheckQuorumTimeout);
        Assert.Equal(QuorumRole.Resigned, machine.Role);
        Assert.Contains(new QuorumEffect.ProposalLost(5), effects);
        Assert.Contains(new QuorumEffect.Resigned(1), effects);
    }

    [Fact]
    public void One_fetching_follower_of_two_keeps_the_leader()
    {
        var machine = LeaderOf();
        Ask(machine, new QuorumRequest.Fetch(1, One, 1, 1, Wait), Later + Settings.CheckQuorumTimeout / 2);
        machine.Step(QuorumInput.Tick.Now, Later + Settings.CheckQuorumTimeout);
        Assert.Equal(QuorumRole.Leader, machine.Role);
    }

    [Fact]
    public void A_newer_epoch_deposes_the_leader()
    {
        var machine = LeaderOf();
        Assert.Contains(new QuorumEffect.Resigned(1), Ask(machine, new QuorumRequest.BeginEpoch(2, Two)));
        Assert.Equal((QuorumRole.Follower, 2, Two), (machine.Role, machine.Epoch, machine.Leader));
    }

    [Fact]
    public void A_second_leader_of_one_epoch_is_not_believed()
    {
        var machine = FollowerOf(One, 4);
        var answer = Ask(machine, new QuorumRequest.BeginEpoch(4, Two)).OfType<QuorumEffect.Answer>().Single().Message;
        Assert.Equal(QuorumError.Inconsistent, answer.Error);
        Assert.Equal(One, machine.Leader);
    }

    [Fact]
    public void A_restarted_leader_does_not_lead_its_epoch_again()
    {
        var machine = Machine(new QuorumState(3, Me, Me), [3]);
        Assert.Equal(QuorumRole.Resigned, machine.Role);
        Assert.Equal(QuorumError.NotLeader, FetchAnswer(Fetch(machine, One, 0, 0)).Error);
    }

    [Fact]
    public void What_a_restart_finds_is_made_durable_first()
    {
        var log = new QuorumLog();
        log.Append(1, 1);
        var machine = new QuorumMachine(Me, NodeSet.Of([0, 1, 2]), Settings, UnderTest.Rules.Quorum, new Prng(1), new QuorumState(1, NodeId.None, One), log);
        var effects = machine.Start(TimeSpan.Zero).Take(2);
        Assert.Equal([new QuorumEffect.Persist(new QuorumState(1, NodeId.None, One)), new QuorumEffect.Flush(1)], effects);
    }

    [Fact]
    public void The_leader_points_out_where_a_log_diverges()
    {
        var machine = LeaderOf(1, 1, 3);
        Assert.Equal(new EpochEnd(1, 2), FetchAnswer(Fetch(machine, One, 5, 2)).Diverging);
        Assert.Equal(new EpochEnd(1, 2), FetchAnswer(Fetch(machine, One, 3, 1)).Diverging);
    }

    [Fact]
    public void A_diverging_follower_cuts_flushes_and_fetches_again()
    {
        var machine = FollowerOf(One, 4, 1, 1, 2, 2);
        var effects = machine.Step(new QuorumInput.Answered(One, 1, new QuorumAnswer.Fetch(QuorumError.None, 4, One, 0, 4, 4, new EpochEnd(1, 3), [])), TimeSpan.Zero);
        Assert.Equal(new QuorumEffect.Truncate(2), effects[0]);
        Assert.IsType<QuorumEffect.Flush>(effects[1]);
        Assert.Equal(new QuorumEffect.Send(One, 2, new QuorumRequest.Fetch(4, Me, 2, 1, Settings.FetchMaxWait)), effects[2]);
    }

    [Fact]
    public void A_late_answer_neither_cuts_nor_fetches()
    {
        var machine = FollowerOf(One, 4, 1);
        machine.Step(new QuorumInput.Answered(One, 1, Entries(machine, 0, (1, 4), (2, 4))), TimeSpan.Zero);
        Assert.Equal(3, machine.EndOffset);
        Assert.Empty(machine.Step(new QuorumInput.Answered(One, 1, Entries(machine, 0, (1, 4))), TimeSpan.Zero));
        Assert.Empty(machine.Step(new QuorumInput.Answered(One, 1, Entries(machine, 0) with { Diverging = new EpochEnd(1, 1) }), TimeSpan.Zero));
        Assert.Equal(3, machine.EndOffset);
    }

    [Fact]
    public void A_follower_flushes_before_its_next_fetch_acknowledges()
    {
        var machine = FollowerOf(One, 4);
        var effects = machine.Step(new QuorumInput.Answered(One, 1, Entries(machine, 1, (0, 4))), TimeSpan.Zero);
        Assert.Collection(effects,
            e => Assert.IsType<QuorumEffect.Append>(e),
            e => Assert.IsType<QuorumEffect.Flush>(e),
            e => Assert.Equal(1, Assert.IsType<QuorumRequest.Fetch>(Assert.IsType<QuorumEffect.Send>(e).Request).FetchOffset),
            e => Assert.Equal(new QuorumEffect.CommitAdvanced(1), e));
    }

    [Fact]
    public void A_follower_without_answers_stands_for_election()
    {
        var machine = FollowerOf(One, 4);
        machine.Step(QuorumInput.Tick.Now, Settings.FetchTimeout / 2);
        Assert.Equal(QuorumRole.Follower, machine.Role);
        machine.Step(QuorumInput.Tick.Now, Settings.FetchTimeout * 1.5);
        Assert.Equal((QuorumRole.Candidate, 5), (machine.Role, machine.Epoch));
    }

    [Fact]
    public void A_graceful_leader_names_the_longest_log_as_its_successor_which_stands_at_once()
    {
        var leader = LeaderOf();
        Fetch(leader, Two, 1, 1);
        var end = leader.Step(new QuorumInput.Resign(), Later).OfType<QuorumEffect.Send>().First().Request;
        Assert.Equal<NodeId>([Two, One], [.. Assert.IsType<QuorumRequest.EndEpoch>(end).PreferredSuccessors]);

        var follower = FollowerOf(One, 4);
        Ask(follower, new QuorumRequest.EndEpoch(4, One, [Me, Two]), TimeSpan.Zero);
        follower.Step(QuorumInput.Tick.Now, TimeSpan.Zero);
        Assert.Equal(QuorumRole.Candidate, follower.Role);
    }

    [Fact]
    public void Only_a_leader_takes_proposals() =>
        Assert.Equal([new QuorumEffect.ProposalLost(5)], Machine().Step(new QuorumInput.Propose(5, 1, new byte[1]), TimeSpan.Zero));
}
