using System.Reflection;
using Verify.Campaign.Running;
using Verify.Promises;

namespace Verify.Campaign.Stories;

/// <summary>How a story came to be.</summary>
/// <param name="Seed">Of the run as it was drawn, before shrinking.</param>
/// <param name="Command">The command line of the campaign.</param>
public sealed record StoryOrigin(ulong Seed, string Command);

/// <summary>What a story shows: one anomaly, and what permitted it.</summary>
/// <param name="Excuse">Name of the excuse in that run; null: a promise was broken.</param>
public sealed record StoryPoint(string Guarantee, string Anomaly, string? Excuse)
{
    public static StoryPoint Of(Judging.Violation violation) => new(violation.Guarantee, violation.Anomaly, violation.Excuse?.Name);

    public bool IsShownBy(Judging.Violation violation) => this == Of(violation);
}

/// <summary>A stored counterexample (<c>*.story.json</c>): plain data and complete, so that anybody can run it again.</summary>
/// <param name="Tool">Version of the tool that recorded the hash, with its commit: another build may run another way.</param>
/// <param name="System">The broker it was seen on: <c>reference</c>.</param>
/// <param name="On">Where that ran: <c>sim</c>.</param>
/// <param name="Why">One sentence for a stranger.</param>
public sealed record StoryFile(
    string Tool, string System, string On, string Why, StoryPoint Point, Scenario Scenario, ulong TraceHash, StoryOrigin Found)
{
    /// <summary>What was wrong in the faithful broker, where this story showed it: since it was mended the story must show nothing. Null for all others.</summary>
    public string? Mended { get; init; }

    public const string ReferenceSystem = "reference", Simulation = "sim", Extension = ".story.json";

    /// <summary>The version of this tool and the commit it was built from.</summary>
    public static string ToolVersion { get; } =
        typeof(StoryFile).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    /// <summary>A story of the reference broker in simulation, as this version of the tool saw it.</summary>
    public static StoryFile OfSimulation(string why, StoryPoint point, RunRecord run, StoryOrigin found) =>
        new(ToolVersion, ReferenceSystem, Simulation, why, point, run.Scenario, run.TraceHash, found);

    /// <summary>A hash as stories and replays write it: 16 hexadecimal digits.</summary>
    public static string Hex(ulong hash) => hash.ToString("x16");

    public string ToJson() => StoryJson.Write(this);

    /// <param name="json">The text.</param>
    /// <param name="file">Its name, for errors.</param>
    /// <exception cref="BadInputException">Not a story; names the file and the field.</exception>
    public static StoryFile Parse(string json, string file) => StoryJson.Read(json, file);
}
