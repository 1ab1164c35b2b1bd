using Verify.Campaign.Judging;
using Verify.Campaign.Results;
using Verify.Campaign.Running;
using Verify.Zoo;

namespace Verify.Campaign.Stories;

/// <summary>A story, shrunk and told.</summary>
/// <param name="Tries">Scenarios tried while shrinking.</param>
public sealed record Story(StoryFile File, StoryTelling Telling, Played Played, int Tries);

/// <summary>From a run that showed a violation to its story.</summary>
public static class StoryMaker
{
    /// <param name="scenario">The run as drawn.</param>
    /// <param name="point">What it showed, and what every smaller scenario must show.</param>
    /// <param name="mutant">The one that the scenario names.</param>
    /// <param name="name">Of the file, without folder and extension.</param>
    /// <param name="fatalOnly">See <see cref="Reproduction"/>: the planted bug alone must be to blame.</param>
    /// <returns>Null when the scenario does not show the point: when it happens without the mutant too, for one.</returns>
    public static Story? Make(
        Scenario scenario, StoryPoint point, Func<RunRecord, RunVerdict> judge, string name, string command, Mutant? mutant = null, bool fatalOnly = true, ShrinkBudget? budget = null)
    {
        var reproduction = new Reproduction(point, judge, mutant, fatalOnly);
        if (Shrinker.Shrink(scenario, reproduction.Try, budget) is not { Sighting.Played: { } played } shrunk) return null;
        return Of(played, name, new StoryOrigin(scenario.Seed, command)) with { Tries = shrunk.Tries };
    }

    /// <summary>The story of a run as it is, without shrinking.</summary>
    /// <param name="name">Of the file, without folder and extension.</param>
    public static Story Of(Played played, string name, StoryOrigin found)
    {
        var telling = StoryTeller.Tell(played.Run, played.Violation, $"stories/{name}{StoryFile.Extension}");
        return new Story(StoryFile.OfSimulation(telling.Title, StoryPoint.Of(played.Violation), played.Run, found), telling, played, Tries: 1);
    }
}
