using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Verify.Campaign.Judging;
using Verify.Campaign.Results;
using Verify.Campaign.Running;
using Verify.Promises;
using Verify.Zoo;

namespace Verify.Campaign.Stories;

/// <summary>What running a story again gave.</summary>
/// <param name="Seen">The story's point, if this run shows it.</param>
/// <param name="Problem">Why this is not the run that was recorded: an error of the tool (exit code 255); null when all is well.</param>
public sealed record ReplayResult(StoryFile Story, RunRecord Run, RunVerdict Judged, Violation? Seen, string? Problem)
{
    public ulong TraceHash => Run.TraceHash;

    public ulong RecordedHash => Story.TraceHash;

    /// <summary>Violated when the story's guarantee was, excused or not, or any promise was broken; else what is known of the story's guarantee.</summary>
    public ResultVerdict Verdict
    {
        get
        {
            var own = Judged.Guarantees.FirstOrDefault(guarantee => guarantee.Guarantee == Story.Point.Guarantee)?.Seen ?? ResultVerdict.Unknown;
            return Judged.Broken.Any() ? ResultVerdict.Violated : own;
        }
    }

    /// <summary>The run's story, told; null when it does not show the story's point (any more).</summary>
    /// <param name="file">As <see cref="StoryTelling.File"/>.</param>
    public StoryTelling? Tell(string file) => Seen is { } violation ? StoryTeller.Tell(Run, violation, file) : null;

    /// <summary><c>{"traceHash","recordedHash","verdict","guarantees":[…]}</c>, and <c>problem</c> where there is one.</summary>
    public string ToJson()
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("traceHash", StoryFile.Hex(TraceHash));
            json.WriteString("recordedHash", StoryFile.Hex(RecordedHash));
            json.WriteString("verdict", Word(Verdict));
            if (Problem is not null) json.WriteString("problem", Problem);
            json.WriteStartArray("guarantees");
            foreach (var guarantee in Judged.Guarantees) Write(json, guarantee);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    private static void Write(Utf8JsonWriter json, GuaranteeVerdict guarantee)
    {
        json.WriteStartObject();
        json.WriteString("name", guarantee.Guarantee);
        json.WriteString("verdict", Word(guarantee.Seen));
        json.WriteBoolean("promised", guarantee.Promised);
        json.WriteNumber("of", guarantee.Of);
        if (guarantee.Why is not null) json.WriteString("why", guarantee.Why);
        json.WriteStartArray("anomalies");
        foreach (var same in guarantee.Violations.GroupBy(violation => (violation.Anomaly, Excuse: violation.Excuse?.Name)))
        {
            json.WriteStartObject();
            json.WriteString("name", same.Key.Anomaly);
            json.WriteNumber("count", same.Count());
            if (same.Key.Excuse is { } excuse) json.WriteString("excuse", excuse);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static string Word(ResultVerdict verdict) => verdict switch
    {
        ResultVerdict.Held => "held",
        ResultVerdict.Violated => "violated",
        ResultVerdict.Unknown => "unknown",
        _ => throw new InvalidOperationException($"unknown verdict {verdict}"),
    };
}

/// <summary>Runs stored stories again.</summary>
public static class Replay
{
    /// <param name="mutants">Finds a planted bug by its slug.</param>
    /// <param name="faithful">Plays it on the faithful broker, whatever mutant the story names (<c>--mutant none</c>); then nothing is compared with what was recorded.</param>
    /// <exception cref="BadInputException">The story needs a mutant that is not at hand, or ran elsewhere than in simulation.</exception>
    public static ReplayResult Run(StoryFile story, Func<string, Mutant?> mutants, Func<RunRecord, RunVerdict> judge, bool faithful = false)
    {
        if (story.System != StoryFile.ReferenceSystem || story.On != StoryFile.Simulation)
            throw new BadInputException($"this story is of {story.System} on {story.On}: only those of {StoryFile.ReferenceSystem} on {StoryFile.Simulation} are replayed here");
        var mutant = faithful || story.Scenario.Mutant is not { } slug ? null
            : mutants(slug) ?? throw new BadInputException($"the story needs mutant '{slug}', which is not known here");
        var run = SimulatedRun.Play(story.Scenario with { Mutant = mutant?.Slug }, mutant);
        var verdict = judge(run);
        var seen = Reproduction.Shown(verdict, story.Point, story.Scenario);
        return new ReplayResult(story, run, verdict, seen, faithful && story.Scenario.Mutant is not null ? null : Problem(story, run, verdict, seen));
    }

    private static string? Problem(StoryFile story, RunRecord run, RunVerdict verdict, Violation? seen)
    {
        if (story.Mended is { } mended) return verdict.Broken.Any() ? $"a bug is back that was mended: {mended}" : null;
        if (story.Tool == StoryFile.ToolVersion && run.TraceHash != story.TraceHash)
            return $"the same version of the tool ({story.Tool}) ran something else: trace hash {StoryFile.Hex(run.TraceHash)}, recorded {StoryFile.Hex(story.TraceHash)}";
        return seen is null ? $"{story.Point.Guarantee} is no longer violated by {story.Point.Anomaly}{(story.Point.Excuse is { } excuse ? $" with the excuse {excuse}" : "")}" : null;
    }
}
