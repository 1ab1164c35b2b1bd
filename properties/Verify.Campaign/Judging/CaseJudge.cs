using System.Globalization;
using Broker.Runtime;
using Chaos.Faults;
using Verify.Campaign.Running;
using Verify.Checkers;
using Verify.History;
using Verify.Promises;
using Verify.Workloads;

namespace Verify.Campaign.Judging;

/// <summary>Turns what a checker found in one run into violations, each with its excuse or without one.</summary>
internal sealed class CaseJudge(RunRecord run, RunEvidence evidence, Lazy<RecordLives> lives, Lazy<OffsetLives> offsets, Lazy<StaleCoordinators> coordinators)
{
    private readonly Lazy<LastRead> lastRead = new(() => new LastRead(run.History), isThreadSafe: false);
    private readonly Lazy<GroupCases> groups = new(() => new GroupCases(run, evidence, lives, offsets, coordinators), isThreadSafe: false);

    private Configuration Configuration => run.Scenario.Configuration;

    public IReadOnlyList<Violation> Judge(Finding finding)
    {
        var violations = new List<Violation>();
        var lost = new HashSet<(string, string)>();
        foreach (var anomaly in finding.Anomalies)
        {
            if (!anomaly.Breaks) continue;
            foreach (var instance in anomaly.Cases)
            {
                if (anomaly.Name is AnomalyWords.LostWrite or AnomalyWords.Unseen && (!lost.Add((instance.Key, instance.Values[0])) || ArrivedLater(instance))) continue;
                violations.Add(new Violation(finding.Guarantee, anomaly.Name, instance.Key, instance.Values, instance.Offsets, instance.Note, ExcuseFor(anomaly.Name, instance)));
            }
        }
        if (finding.Guarantee == Guarantee.Recovery) AddWhatStoodStill(violations);
        if (finding.Guarantee == Guarantee.ConsistentPolls && !PromiseMatrix.IsPromised(Configuration, evidence, AnomalyWords.PollSkip)) violations.AddRange(SilentCuts.Find(run, lastRead.Value, lives.Value));
        return violations;
    }

    /// <summary>With acks=0 ok says only that it was sent: a read can begin before it has arrived and is committed. It is lost only if it is not there when all is over.</summary>
    private bool ArrivedLater(AnomalyCase instance)
    {
        if (!run.IsTraced || Configuration.Acks != Promises.Acks.Zero || lastRead.Value.Began is not { } began) return false;
        var value = Number(instance.Values[0]);
        return lastRead.Value.Has(run.History.Keys.Find(instance.Key), value) || lives.Value.ThereSince(PartitionOf(instance), value) >= began;
    }

    private Excuse? ExcuseFor(string anomaly, AnomalyCase instance) => anomaly switch
    {
        _ when !run.IsTraced => PromiseMatrix.PossibleExcuses(Configuration, evidence, anomaly).FirstOrDefault(),   // nobody saw the record's life: what happened in the run must do
        AnomalyWords.LostWrite or AnomalyWords.Unseen or AnomalyWords.Duplicate => Ask(anomaly, lives.Value.Of(PartitionOf(instance), Number(instance.Values[0]))),
        AnomalyWords.CompactedNewest => Ask(anomaly, lives.Value.Of(PartitionOf(instance), Number(instance.Values[0]))) ?? ForSuperseded(anomaly, instance),
        AnomalyWords.InconsistentOffsets or AnomalyWords.DivergentReplicas => ForReusedOffset(anomaly, instance),
        AnomalyWords.NonmonotonicSend or AnomalyWords.IntNonmonotonicSend or AnomalyWords.RealtimeSendOrder or AnomalyWords.KeyOrder =>
            Ask(anomaly, lives.Value.OfPair(PartitionOf(instance), Number(instance.Values[0]), Number(instance.Values[1]))),
        AnomalyWords.NonmonotonicPoll or AnomalyWords.IntNonmonotonicPoll or AnomalyWords.PollSkip or AnomalyWords.IntPollSkip =>
            LastHandedOver(instance) is { } value ? Ask(anomaly, lives.Value.Of(PartitionOf(instance), value)) : null,
        AnomalyWords.GroupLoss => groups.Value.ForLoss(instance),
        AnomalyWords.GroupDoubleConsume => groups.Value.ForRepetition(instance, lastRead.Value),
        AnomalyWords.OffsetRegression or AnomalyWords.LostCommit => groups.Value.ForCommit(anomaly, run.History.Keys.Find(instance.Key), instance.Offsets[0], instance.Events[0], instance.Events[1]),
        _ => Ask(anomaly, null),
    };

    private Excuse? Ask(string anomaly, RecordEvidence? record) => Excuses.For(anomaly, Configuration, evidence, record);

    /// <summary>
    /// Each record that was said to be at the offset, and is not the one found there when all is over, must have been lost from there by right: also one
    /// that a leader which did not know yet that it was deposed committed after its successor had.
    /// </summary>
    private Excuse? ForReusedOffset(string anomaly, AnomalyCase instance)
    {
        var offset = instance.Offsets[0];
        var there = lastRead.Value.ValueAt(run.History.Keys.Find(instance.Key), offset)
            ?? instance.Values.Select(value => (long?)Number(value)).FirstOrDefault(value => lives.Value.IsKeptAt(PartitionOf(instance), value!.Value, offset));   // compacted away where it stood, and not lost
        var excuses = instance.Values.Select(Number).Where(value => value != there)
            .Select(value => Ask(anomaly, lives.Value.Of(PartitionOf(instance), value) with { Offset = offset })).ToList();
        return excuses.Contains(null) ? null : excuses.FirstOrDefault();
    }

    /// <summary>A replica that held a later record of the key compacted this one away, and lost the later one by right: it keeps neither.</summary>
    private Excuse? ForSuperseded(string anomaly, AnomalyCase instance)
    {
        var sends = run.Scenario.Plan.Commands.OfType<Command.Send>().ToList();
        if (sends.FirstOrDefault(send => send.Value == Number(instance.Values[0])) is not { Key: { } key } superseded) return null;
        return sends.Where(send => send.Partition == superseded.Partition && send.Key == key && send.Value != superseded.Value)
            .Select(send => lives.Value.Of(PartitionOf(instance), send.Value)).Where(later => later.Placements.Any(placement => placement.Offset > instance.Offsets[0]))
            .Select(later => Ask(AnomalyWords.PollSkip, later)).FirstOrDefault(excuse => excuse is not null && PromiseMatrix.PossibleExcuses(Configuration, evidence, anomaly).Contains(excuse));
    }

    /// <summary>The record that the reader had been handed last before it went back or skipped.</summary>
    private long? LastHandedOver(AnomalyCase instance)
    {
        var key = run.History.Keys.Find(instance.Key);
        for (var i = (int)instance.Events[0]; i >= 0; i--)
        {
            var e = run.History[i];
            if (e.Process != instance.Processes[0] || e.Function != EventFunction.Poll || e.Type != EventType.Ok) continue;
            foreach (ref readonly var operation in e.Operations)
                foreach (ref readonly var record in e.Records(operation))
                    if (record.Key == key && record.Offset == instance.Offsets[0]) return record.Value;
        }
        return null;
    }

    /// <summary>A cluster that did not come up or did not recover, and nodes that stopped by themselves: for the latter there is no excuse.</summary>
    private void AddWhatStoodStill(List<Violation> violations)
    {
        foreach (var failure in run.Failures)
            violations.Add(Stuck($"node {failure.Node}", $"node {failure.Node} stopped by itself: {failure.Exception.GetType().Name}: {failure.Exception.Message}", null));
        if (violations.Count > 0) return;
        if (!run.Ready && !run.IsTraced) return;                       // a real machine may be too slow for that; what it missed is told
        if (!run.Ready) violations.Add(Stuck("cluster", "the cluster did not come up before the first fault", Ask(AnomalyWords.NoProgress, null)));
        else if (run.RecoveredAfter is null) violations.Add(Stuck("cluster", "the cluster did not recover after the last fault healed: an ISR was not full, or a write was not accepted", Ask(AnomalyWords.NoProgress, null)));
    }

    private static Violation Stuck(string key, string note, Excuse? excuse) => new(Guarantee.Recovery, AnomalyWords.NoProgress, key, [], [], note, excuse);

    private static TopicPartition PartitionOf(AnomalyCase instance) => NodeRef.ParsePartition(instance.Key);

    private static long Number(string value) => long.Parse(value, CultureInfo.InvariantCulture);
}
