using Broker.Core.Quorum;
using Broker.Runtime;
using FsCheck;
using FsCheck.Fluent;
using Xunit.Abstractions;

namespace Broker.Tests.Quorum;

/// <summary>Raft safety under random schedules, and the harness's own test: planted defects that it must find.</summary>
public sealed class QuorumSafetyTests(ITestOutputHelper output)
{
    private static readonly Arbitrary<QuorumSchedule> Schedules = Arb.From(
        from seed in Gen.Choose(0, int.MaxValue - 1)
        from voters in Gen.Choose(3, 5)
        from steps in Gen.Choose(50, 400)
        select new QuorumSchedule(seed, voters, steps),
        schedule => schedule.Steps > 10 ? [schedule with { Steps = schedule.Steps / 2 }, schedule with { Steps = schedule.Steps - 10 }] : []);

    [Fact]
    public void Raft_is_safe_and_recovers_under_random_schedules() =>
        Prop.ForAll(Schedules, schedule =>
        {
            var outcome = QuorumWorld.Play(schedule, UnderTest.Rules.Quorum);
            return (outcome.Violation is null).Label(outcome.Violation ?? "").Collect(outcome.Committed > 3 ? "committed" : "quiet");
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(400));

    [Fact]
    public void Schedules_elect_and_commit()
    {
        var outcomes = Enumerable.Range(0, 100).Select(seed => QuorumWorld.Play(new QuorumSchedule(seed, 3, 300), UnderTest.Rules.Quorum)).ToList();
        Assert.True(outcomes.Average(o => o.Elections) > 2);
        Assert.True(outcomes.Average(o => o.Committed) > 4);
    }

    [Fact]
    public void A_schedule_played_twice_is_the_same() =>
        Assert.Equal(QuorumWorld.Play(new QuorumSchedule(7, 5, 400), UnderTest.Rules.Quorum), QuorumWorld.Play(new QuorumSchedule(7, 5, 400), UnderTest.Rules.Quorum));

    public static TheoryData<string, int> PlantedDefects => new()
    {
        { nameof(CommitsPriorEpoch), 20_000 },
        { nameof(ForgetsItsVote), 2_000 },
        { nameof(ReportsCurrentEpoch), 2_000 },
        { nameof(FetchesBeforeFlush), 2_000 },
        { nameof(CountsItselfUnflushed), 2_000 },
        { nameof(CutsOnStaleAppend), 2_000 },
    };

    [Theory]
    [MemberData(nameof(PlantedDefects))]
    public void A_planted_defect_is_found_within_a_bounded_number_of_schedules(string defect, int schedules)
    {
        var rules = (QuorumRules)Activator.CreateInstance(GetType().GetNestedType(defect, System.Reflection.BindingFlags.NonPublic)!)!;
        for (var seed = 0; seed < schedules; seed++)
        {
            var schedule = new QuorumSchedule(seed, 3 + seed % 2 * 2, 300);
            if (QuorumWorld.Play(schedule, rules).Violation is not { } violation || violation == QuorumWorld.NoProgress) continue;
            output.WriteLine($"seed {seed}: {violation}");
            Assert.Null(QuorumWorld.Play(schedule, UnderTest.Rules.Quorum).Violation);
            return;
        }
        Assert.Fail($"{defect} survived {schedules} schedules");
    }

    private sealed class CommitsPriorEpoch : QuorumRules
    {
        public override bool MayCommit(long majorityOffset, long epochStartOffset) => true;
    }

    private sealed class ForgetsItsVote : QuorumRules
    {
        public override IReadOnlyList<VoteStep> VoteSteps() => [VoteStep.Answer];
    }

    private sealed class ReportsCurrentEpoch : QuorumRules
    {
        public override int LastEpochInVoteRequest(int lastEpoch, int currentEpoch) => currentEpoch;
    }

    private sealed class FetchesBeforeFlush : QuorumRules
    {
        public override IReadOnlyList<FollowerAppendStep> FollowerAppendSteps() => [FollowerAppendStep.Append, FollowerAppendStep.Fetch];
    }

    private sealed class CountsItselfUnflushed : QuorumRules
    {
        public override IReadOnlyList<LeaderAppendStep> LeaderAppendSteps() => [LeaderAppendStep.Append, LeaderAppendStep.Count, LeaderAppendStep.Offer];
    }

    private sealed class CutsOnStaleAppend : QuorumRules
    {
        public override long? CutBeforeAppend(long firstOffset, long endOffset, long? conflictOffset) => Math.Min(firstOffset, endOffset);
    }
}
