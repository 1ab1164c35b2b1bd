using System.Text.Json;
using Verify.Campaign.Results;

namespace Verify.Reports;

/// <summary>A result with the content of its story files by name relative to the folder.</summary>
public sealed record ReportFolder(CampaignResult Result, IReadOnlyDictionary<string, string> Stories)
{
    /// <summary>One file directly in <c>stories/</c>, whose name is plain.</summary>
    internal static bool IsStoryName(string name) =>
        name.StartsWith("stories/", StringComparison.Ordinal)
        && name.EndsWith(".json", StringComparison.Ordinal)
        && name["stories/".Length..].All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '=' or '+' or ',');

    /// <summary>Several folders as one. Stories of the same name and other content get a number, and the results name them so.</summary>
    /// <exception cref="ResultsDisagreeException">They do not add up.</exception>
    public static ReportFolder Merge(IReadOnlyList<ReportFolder> folders)
    {
        var stories = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var results = new List<CampaignResult>();
        foreach (var folder in folders)
        {
            var renamed = new Dictionary<string, string>();
            foreach (var (name, content) in folder.Stories)
            {
                var free = Free(stories, name, content);
                stories[free] = content;
                if (free != name) renamed[name] = free;
            }
            results.Add(Renamed(folder.Result, renamed));
        }
        var result = ResultMerge.Merge(results);
        var named = result.Cells.SelectMany(cell => cell.Guarantees).Select(guarantee => guarantee.Story).OfType<string>().ToHashSet();
        return new ReportFolder(result, stories.Where(story => named.Contains(story.Key)).ToDictionary());
    }

    /// <summary>The name itself unless other content has it.</summary>
    private static string Free(SortedDictionary<string, string> taken, string name, string content)
    {
        for (var number = 1; ; number++)
        {
            var candidate = number == 1 ? name : Numbered(name, number);
            if (!taken.TryGetValue(candidate, out var there) || there == content) return candidate;
        }
    }

    private static string Numbered(string name, int number)
    {
        var ending = name.EndsWith(".story.json", StringComparison.Ordinal) ? ".story.json" : ".json";
        return $"{name[..^ending.Length]}-{number}{ending}";
    }

    private static CampaignResult Renamed(CampaignResult result, Dictionary<string, string> names) => names.Count == 0 ? result : result with
    {
        Cells = [.. result.Cells.Select(cell => cell with { Guarantees = [.. cell.Guarantees.Select(guarantee => guarantee with { Story = guarantee.Story is { } story ? names.GetValueOrDefault(story, story) : null })] })],
        Stories = [.. result.Stories.Select(story => names.TryGetValue(story.File, out var name) ? story with { File = name, Replay = story.Replay.Replace(story.File, name, StringComparison.Ordinal) } : story)],
    };
}

/// <summary>Reads what <see cref="ReportWriter"/> wrote.</summary>
public static class ReportReader
{
    /// <param name="directory">A result's folder.</param>
    /// <exception cref="ReportUnreadableException">It is no such folder; the message names the file and what is wrong.</exception>
    public static ReportFolder Read(string directory)
    {
        var path = Path.Combine(directory, "result.json");
        if (File.Exists(directory)) throw new ReportUnreadableException($"{directory} is a file: name the folder of a result");
        if (!Directory.Exists(directory)) throw new ReportUnreadableException($"there is no folder {directory}");
        if (!File.Exists(path)) throw new ReportUnreadableException($"{directory} holds no result.json: not the folder of a result");
        try
        {
            var result = ResultJson.Read(File.ReadAllText(path));
            return new ReportFolder(result, StoriesIn(directory));
        }
        catch (JsonException wrong)
        {
            throw new ReportUnreadableException($"{path} is not a result that this version wrote{(wrong.Path is { } where ? $" (at {where})" : "")}");
        }
    }

    private static SortedDictionary<string, string> StoriesIn(string directory)
    {
        var stories = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var folder = Path.Combine(directory, "stories");
        if (!Directory.Exists(folder)) return stories;
        foreach (var file in Directory.EnumerateFiles(folder, "*.json"))
            if ($"stories/{Path.GetFileName(file)}" is var name && ReportFolder.IsStoryName(name)) stories[name] = File.ReadAllText(file);
        return stories;
    }
}

/// <summary>One line that names the file.</summary>
public sealed class ReportUnreadableException(string message) : Exception(message);
