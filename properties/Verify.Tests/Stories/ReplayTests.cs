using Chaos.Faults;
using Verify.Campaign.Judging;
using Verify.Campaign.Results;
using Verify.Campaign.Running;
using Verify.Campaign.Stories;
using Verify.Promises;
using Verify.Workloads;
using Verify.Zoo;

namespace Verify.Tests.Stories;

/// <summary>From a drawn seed to a stored story and back, on the real simulated cluster.</summary>
public sealed class ReplayTests
{
    private const string Slug = "ack-at-local-append";
    private static readonly Mutant Planted = MutantCatalogue.Own.First(mutant => mutant.Slug == Slug);
    private static readonly Lazy<Story> Found = new(FindOne);

    [Fact]
    public void A_planted_bug_becomes_a_story_of_three_faults_and_fifteen_commands_at_most()
    {
        var story = Found.Value;
        var scenario = story.File.Scenario;
        Assert.InRange(scenario.Faults.Count, 0, 3);
        Assert.InRange(scenario.Plan.Commands.Length, 1, 15);
        Assert.Equal(story.Telling.Faults.Count, scenario.Faults.Count);
        Assert.Contains(story.Telling.Entries, entry => entry.Kind == StoryKind.Lost);
        Assert.Contains("sent by producer", story.Telling.Record!.Steps[0].Text, StringComparison.Ordinal);
        Assert.All(TraceText.Of(story.Telling).Split('\n'), line => Assert.InRange(line.Length, 0, 80));
    }

    [Fact]
    public void A_stored_story_replays_to_one_hash_and_the_same_violation()
    {
        var stored = StoryFile.Parse(Found.Value.File.ToJson(), "x.story.json");
        for (var i = 0; i < 3; i++)
        {
            var replay = Again(stored);
            Assert.Null(replay.Problem);
            Assert.Equal(stored.TraceHash, replay.TraceHash);
            Assert.Equal(ResultVerdict.Violated, replay.Verdict);
            Assert.Equal(Found.Value.Telling.Entries, replay.Tell(Found.Value.Telling.File)!.Entries);
        }
        Assert.StartsWith($$"""
            {
              "traceHash": "{{StoryFile.Hex(stored.TraceHash)}}",
              "recordedHash": "{{StoryFile.Hex(stored.TraceHash)}}",
              "verdict": "violated",
              "guarantees": [
            """, Again(stored).ToJson(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_story_of_a_mended_bug_must_show_nothing()
    {
        var back = StoryFile.Parse((Found.Value.File with { Mended = "an answer came too early" }).ToJson(), "x.story.json");
        Assert.Contains("back that was mended: an answer came too early", Again(back).Problem, StringComparison.Ordinal);
        Assert.Null(Again(back with { Scenario = back.Scenario with { Mutant = null } }).Problem);
    }

    [Fact]
    public void Without_the_planted_bug_the_same_story_holds()
    {
        var replay = Replay.Run(Found.Value.File, Find, Judge.Of, faithful: true);
        Assert.Null(replay.Seen);
        Assert.Null(replay.Problem);
        Assert.DoesNotContain(replay.Judged.All, violation => violation.Anomaly == Found.Value.File.Point.Anomaly);
    }

    [Fact]
    public void Another_hash_is_an_error_of_this_version_and_only_the_verdict_counts_for_a_later_one()
    {
        var other = Found.Value.File with { TraceHash = Found.Value.File.TraceHash + 1 };
        Assert.Contains("trace hash", Again(other).Problem, StringComparison.Ordinal);
        Assert.Null(Again(other with { Tool = "0.0.1" }).Problem);
        var calm = other with { Tool = "0.0.1", Scenario = other.Scenario with { Faults = FaultSchedule.Empty } };
        Assert.Contains("no longer violated", Again(calm).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_story_that_cannot_be_played_here_says_why()
    {
        Assert.Contains("mutant", Assert.Throws<BadInputException>(() => Replay.Run(Found.Value.File, _ => null, Judge.Of)).Message, StringComparison.Ordinal);
        Assert.Contains("kafka", Assert.Throws<BadInputException>(() => Again(Found.Value.File with { System = "kafka" })).Message, StringComparison.Ordinal);
    }

    private static ReplayResult Again(StoryFile story) => Replay.Run(story, Find, Judge.Of);

    private static Mutant? Find(string slug) => slug == Slug ? Planted : null;

    private static Story FindOne()
    {
        for (ulong seed = 1; seed <= 200; seed++)
        {
            var scenario = ScenarioGenerator.Draw(seed, Configuration.Default, WorkloadNames.Log, FaultChoice.Default, TimeSpan.FromSeconds(10), Slug);
            if (Judge.Of(SimulatedRun.Play(scenario, Planted)).Broken.FirstOrDefault(violation => violation.Anomaly == AnomalyWords.LostWrite) is not { } violation) continue;
            if (StoryMaker.Make(scenario, StoryPoint.Of(violation), Judge.Of, "x", "mqverify hunt", Planted) is { } story) return story;
        }
        throw new InvalidOperationException("200 seeds and none shows the easiest of the planted bugs");
    }
}
