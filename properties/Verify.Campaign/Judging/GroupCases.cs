using Chaos.Faults;
using Verify.Campaign.Running;
using Verify.Checkers;
using Verify.History;
using Verify.Promises;

namespace Verify.Campaign.Judging;

/// <summary>Asks, for what befell a consumer group, what its members did and suffered, and what became of its offsets.</summary>
internal sealed class GroupCases(RunRecord run, RunEvidence evidence, Lazy<RecordLives> lives, Lazy<OffsetLives> offsets, Lazy<StaleCoordinators> coordinators)
{
    private readonly GroupLives members = new(run.History);

    private Configuration Configuration => run.Scenario.Configuration;

    /// <summary>The case names its group by the event that passed the record; where there is none, each group that had the partition must have its excuse.</summary>
    public Excuse? ForLoss(AnomalyCase instance)
    {
        var key = run.History.Keys.Find(instance.Key);
        var named = instance.Events[^1] >= 0 ? run.History[(int)instance.Events[^1]].Detail.Group : -1;
        var excuses = (named >= 0 ? [named] : members.GroupsOf(key)).Select(group => members.Of(group, key, instance.Offsets[0])).Where(static group => group.Tenures.All(static tenure => tenure.Processed.IsEmpty))
            .Select(group => GroupExcuses.For(AnomalyWords.GroupLoss, Configuration, evidence, group)).ToList();
        return excuses.Contains(null) ? null : excuses.FirstOrDefault();
    }

    /// <summary>Where another record stood at the offset before, that one must have been lost by right; what was processed again itself, by what its members did.</summary>
    public Excuse? ForRepetition(AnomalyCase instance, LastRead last)
    {
        var (key, offset, group) = (run.History.Keys.Find(instance.Key), instance.Offsets[0], run.History[(int)instance.Events[0]].Detail.Group);
        var values = members.ValuesAt(group, key, offset);
        var there = last.ValueAt(key, offset);
        var excuses = values.Distinct().Where(value => values.Distinct().Count() > 1 && value != there)
            .Select(value => Excuses.For(AnomalyWords.GroupDoubleConsume, Configuration, evidence, lives.Value.Of(NodeRef.ParsePartition(instance.Key), value) with { Offset = offset }))
            .Concat(values.GroupBy(static value => value).Where(static same => same.Count() > 1).Select(same => ForSame(group, key, offset, same.Key, values.Distinct().Count() > 1 ? SentAt(key, same.Key) : 0, instance.Events[0]))).ToList();
        return excuses.Contains(null) ? null : excuses.FirstOrDefault();
    }

    /// <summary>The record stood where it stands: the group was behind it by right, or what it had committed past it was lost by right.</summary>
    private Excuse? ForSame(int group, int key, long offset, long value, long since, long again)
    {
        if (GroupExcuses.For(AnomalyWords.GroupDoubleConsume, Configuration, evidence, members.Of(group, key, offset, value, since)) is { } excuse) return excuse;
        if (members.WasSetBack(group, key, offset, run.History[(int)again].Process, again) && IsPossible(AnomalyWords.GroupDoubleConsume, Excuse.CommitOvertaken)) return Excuse.CommitOvertaken;
        var lost = members.ConfirmedPast(group, key, offset).Select(commit => ForCommit(AnomalyWords.GroupDoubleConsume, key, commit.Committed, commit.Ended, again)).ToList();
        return lost.FirstOrDefault(static one => one is not null);
    }

    /// <summary>Where the history tells that the value was sent; 0 where it does not.</summary>
    private int SentAt(int key, long value)
    {
        for (var i = 0; i < run.History.Count; i++)
            if (run.History[i] is { Function: EventFunction.Send, Type: EventType.Invoke } e && e.Operations[0].Key == key && e.Operations[0].Value == value) return i;
        return 0;
    }

    /// <param name="confirmed">The event by which the member was told that the offset is committed.</param>
    /// <param name="asked">The event by which another was told that it is not, or a record below it was processed again.</param>
    public Excuse? ForCommit(string anomaly, int key, long committed, long confirmed, long asked)
    {
        var e = run.History[(int)confirmed];
        var (group, partition, told) = (run.History.Names[e.Detail.Group], NodeRef.ParsePartition(run.History.Keys[key]), At(confirmed));
        var commit = offsets.Value.Of(group, partition, committed, told);
        if (Excuses.ForCommit(anomaly, Configuration, evidence, commit) is { } excuse) return excuse;
        return offsets.Value.HasExpired(group, partition, told, At(asked)) && IsPossible(anomaly, Excuse.OffsetsExpired) ? Excuse.OffsetsExpired
            : IsPossible(anomaly, Excuse.StaleCoordinator) && HadNotHeard(group, commit, asked) ? Excuse.StaleCoordinator
            : null;
    }

    /// <summary>When the member asked, a broker that took itself for the coordinator had never got the commit.</summary>
    private bool HadNotHeard(string group, RecordEvidence commit, long asked) =>
        members.AnswerBefore(run.History[(int)asked].Process, asked) is { } answer
        && coordinators.Value.Between(group, At(answer.Asked), At(answer.Told)).Any(node => !commit.Placements.Any(placement => placement.Copies.Any(copy => copy.Node == node && run.Journal[(int)copy.StoredAt].At <= At(answer.Told))));

    private bool IsPossible(string anomaly, Excuse excuse) => PromiseMatrix.PossibleExcuses(Configuration, evidence, anomaly).Contains(excuse);

    private TimeSpan At(long position) => TimeSpan.FromTicks(run.History[(int)position].Time / TimeSpan.NanosecondsPerTick);
}
