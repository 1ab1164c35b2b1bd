using Broker.Core.Groups;
using Broker.Runtime;
using Chaos.Faults;
using Verify.Campaign.Judging;
using Verify.Campaign.Results;
using Verify.Campaign.Running;
using Verify.Promises;
using Verify.Workloads;

namespace Verify.Campaign.Stories.Telling;

/// <summary>A run seen from what a story is about: a partition or topic, and some records of it. Gathers all beats and puts them into lanes.</summary>
internal sealed class Scene
{
    private readonly RunRecord run;
    private readonly TimeSpan start;
    private readonly List<Beat> beats = [];
    private readonly ClientBeats clients;

    /// <param name="key">Partition or topic, as in the history; anything else: it is about the cluster as a whole.</param>
    /// <param name="conclusion">What it comes to; told at the end where no beat shows it by itself.</param>
    public Scene(RunRecord run, string key, IReadOnlyList<long> values, Violation? conclusion = null)
    {
        this.run = run;
        start = Reproduction.StartOf(run);
        var isLog = WorkloadNames.SendsRecords(run.Scenario.Plan.Workload);
        Cast = new Cast(run.Scenario.Plan.Workload, ClusterNodes.Brokers(run.Scenario.Configuration.Brokers));
        var tour = TourOf(run);
        var focus = (isLog ? run.History.Keys : run.History.Names).Find(key) < 0 ? null : key;
        Trails = isLog && focus is not null ? [.. values.Select(value => new Trail(value, NodeRef.ParsePartition(focus), Cast, start, tour))] : [];
        var cluster = new ClusterBeats(Cast, start, tellsTopics: focus is not null, partition => focus is null || partition.Topic == OffsetsTopic.Name && conclusion is not null && GuaranteeCatalogue.IsOfGroups(conclusion.Guarantee) || (isLog ? partition.ToString() == focus : partition.Topic == focus));
        foreach (var entry in run.Journal)
        {
            foreach (var trail in Trails) trail.Observe(entry);
            cluster.Observe(entry);
        }
        cluster.TellTheBeginning();
        beats.AddRange(cluster.Beats.Where(beat => beat.At < tour - start || !isLog && beat.Kind == StoryKind.Elect));
        foreach (var trail in Trails) beats.AddRange(trail.Beats);
        beats.AddRange(FaultBeats.Of(run, start, Cast, [.. Trails.SelectMany(trail => trail.LostToPower)]));
        TellDeaths();

        clients = new ClientBeats(run, start, Cast, values, focus);
        clients.Tell([.. beats.Where(beat => beat.IsTurn).Select(beat => beat.At).Order()]);
        beats.AddRange(clients.Beats);
        if (conclusion is { Anomaly: not (AnomalyWords.LostWrite or AnomalyWords.Unseen) })
            beats.Add(new Beat(run.Simulated - start, Beat.Nobody, StoryKind.Anomaly, Texts.Sentence(Cast.WithNames(conclusion.Note))) { Focus = true });
    }

    public Cast Cast { get; }

    public IReadOnlyList<Trail> Trails { get; }

    public RecordLife Life(Trail trail)
    {
        var steps = trail.Steps.Concat(clients.Steps.Where(step => step.Value == trail.Value).Select(step => (step.At, step.Text)));
        return new RecordLife(
            trail.Offset < 0 ? $"{trail.Name}" : $"{trail.Name} at offset {trail.Offset}",
            [.. steps.OrderBy(step => step.At).Select(step => new LifeStep(Ms(step.At), step.Text))]);
    }

    /// <summary>In order of time, the quietest left out where there are too many.</summary>
    public (IReadOnlyList<StoryLane> Lanes, IReadOnlyList<StoryEntry> Entries) Entries()
    {
        var chosen = beats.Where(beat => beat.At >= TimeSpan.Zero).OrderBy(beat => beat.At).ThenBy(beat => beat.Rank).ToList();
        var left = chosen.Count - StoryTeller.MostEntries;
        if (left > 0)
        {
            var loud = chosen.Select((beat, index) => (beat, index)).OrderBy(one => Loudness(one.beat)).ThenBy(one => one.index).Take(StoryTeller.MostEntries).OrderBy(one => one.index);
            chosen = [.. loud.Select(one => one.beat), new Beat(chosen[^1].At, Beat.Nobody, StoryKind.Note, $"{Texts.Counted(left, "quieter step")} left out.")];
        }
        int[] lanes = [.. Cast.InOrder(chosen.SelectMany(beat => new[] { beat.Node, beat.To ?? Beat.Nobody }).Concat(ClusterNodes.Brokers(run.Scenario.Configuration.Brokers).Ids()).Where(node => node >= 0))];
        return (
            [.. lanes.Select(node => new StoryLane(Cast.Name(node), Cast.Role(node)))],
            [.. chosen.Select(beat => new StoryEntry(
                Ms(beat.At), Array.IndexOf(lanes, beat.Node), beat.Kind, beat.Text, beat.To is { } to ? Array.IndexOf(lanes, to) : null, beat.Until is { } until ? Ms(until) : null, beat.Focus, beat.Arrives))]);
    }

    private static int Loudness(Beat beat) => beat switch
    {
        { Kind: StoryKind.Lost or StoryKind.Anomaly } => 0,
        { Focus: true } => 1,
        { IsTurn: true } => 2,
        { Kind: StoryKind.Note or StoryKind.InSync } => 4,
        _ => 3,
    };

    /// <summary>When the first complete read was over: from there an operator moves leaderships about and restarts brokers, which is no part of any story.</summary>
    private static TimeSpan TourOf(RunRecord run)
    {
        foreach (var e in run.History)
            if (e.Function == History.EventFunction.Final && e.Detail.Group < 0 || e is { Function: History.EventFunction.List, IsFinal: true, Type: History.EventType.Ok }) return TimeSpan.FromTicks(e.Time / TimeSpan.NanosecondsPerTick);
        return TimeSpan.MaxValue;
    }

    /// <summary>Processes that died of themselves: a broken invariant is a story of its own.</summary>
    private void TellDeaths()
    {
        foreach (var failure in run.Failures)
            beats.Add(new Beat(failure.At - start, failure.Node.Value, StoryKind.Anomaly, $"stops itself: {failure.Exception.Message.ReplaceLineEndings(" ")}"));
    }

    private static double Ms(TimeSpan time) => Math.Round(time.TotalMilliseconds, 3);
}
