using System.Globalization;
using Broker.Runtime;
using Verify.Campaign.Judging;
using Verify.Campaign.Results;
using Verify.Campaign.Running;
using Verify.Campaign.Stories.Telling;
using Verify.Promises;
using Verify.Workloads;

namespace Verify.Campaign.Stories;

/// <summary>Tells what happened in a run around one violation: who did what when, and what became of the record it is about. Pure: the same run gives the same words.</summary>
public static class StoryTeller
{
    /// <summary>More entries than this nobody reads; of longer stories the quietest are left out.</summary>
    public const int MostEntries = 160;

    /// <summary>More records than this are not followed at once.</summary>
    private const int MostRecords = 3;

    /// <summary>The settings that decide most, told even at their defaults.</summary>
    private static readonly string[] AlwaysTold = [SettingCatalogue.Acks, SettingCatalogue.MinInsyncReplicas, SettingCatalogue.UncleanLeaderElection];

    /// <param name="file">Where the story is kept, relative to the results: <c>stories/….story.json</c>.</param>
    public static StoryTelling Tell(RunRecord run, Violation violation, string file)
    {
        var scene = new Scene(run, violation.Key, [.. Values(violation).Take(MostRecords)], violation);
        var (lanes, entries) = scene.Entries();
        var scenario = run.Scenario;
        return new StoryTelling
        {
            File = file,
            Title = Title(run, violation, scene),
            Guarantee = violation.Guarantee,
            Anomaly = violation.Anomaly,
            Excuse = violation.Excuse?.Name,
            Configuration = new SortedDictionary<string, string>(
                AlwaysTold.Concat(scenario.Configuration.Given.Keys).Distinct().ToDictionary(name => name, scenario.Configuration.Value), StringComparer.Ordinal),
            System = StoryFile.ReferenceSystem,
            Seed = scenario.Seed,
            Mutant = scenario.Mutant,
            Faults = FaultBeats.Sentences(run, scene.Cast),
            Commands = scenario.Plan.Commands.Length,
            Lanes = lanes,
            Entries = entries,
            Record = scene.Trails is [var trail, ..] ? scene.Life(trail) : null,
            Replay = $"mqverify replay {file}",
            TraceHash = StoryFile.Hex(run.TraceHash),
        };
    }

    /// <summary>One sentence for a stranger.</summary>
    public static string Title(RunRecord run, Violation violation) => Title(run, violation, new Scene(run, violation.Key, [.. Values(violation).Take(MostRecords)]));

    /// <summary>The life of any record of a run; null when no client sent this value.</summary>
    public static RecordLife? LifeOf(RunRecord run, long value)
    {
        if (!WorkloadNames.SendsRecords(run.Scenario.Plan.Workload)) return null;
        foreach (var e in run.History)
        {
            if (e.Function != History.EventFunction.Send || e.Operations[0].Value != value) continue;
            var scene = new Scene(run, e.KeyNames[e.Operations[0].Key], [value]);
            return scene.Life(scene.Trails[0]);
        }
        return null;
    }

    private static IEnumerable<long> Values(Violation violation) =>
        violation.Values.Select(text => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : -1).Where(value => value >= 0).Distinct();

    private static string Title(RunRecord run, Violation violation, Scene scene)
    {
        if (violation.Anomaly is AnomalyWords.LostWrite or AnomalyWords.Unseen && scene.Trails is [{ LastLoss: { } loss, Appender: { } appender } trail, ..])
        {
            var wrote = run.Scenario.Configuration.Acks == Acks.Zero ? "appended" : "acknowledged";
            var then = loss.Node == appender ? "and then" : $"but {scene.Cast.Name(loss.Node)}";
            return Texts.Sentence($"{scene.Cast.Name(appender)} {wrote} {trail.Name} {then} {loss.How}");
        }
        if (violation is { Anomaly: AnomalyWords.GroupLoss, Excuse.Says: { } why, Values: [var skipped, ..] }) return Texts.Sentence($"value {skipped} was never processed: {why}");
        if (violation is { Anomaly: AnomalyWords.GroupDoubleConsume, Excuse.Says: { } again, Values: [var repeated, ..] }) return Texts.Sentence($"value {repeated} was processed twice: {again}");
        return Texts.Sentence(violation is { Anomaly: AnomalyWords.LostWrite or AnomalyWords.Unseen, Excuse.Says: { } says, Values: [var value, ..] } ? $"value {value} was lost: {says}" : scene.Cast.WithNames(violation.Note));
    }
}
