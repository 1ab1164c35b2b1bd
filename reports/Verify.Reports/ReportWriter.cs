using System.Text;
using Verify.Campaign.Results;
using Verify.Reports.Html;

namespace Verify.Reports;

/// <summary>
/// Puts a result into a folder: <c>result.json</c>, <c>report.html</c>, <c>summary.md</c>, <c>junit.xml</c> and <c>stories/</c>. Every file appears
/// whole or not at all (written beside and renamed), stories first and <c>result.json</c> last, so that a result never names a story that is not there.
/// </summary>
public static class ReportWriter
{
    /// <param name="result">May be partial; can be written again and again while a campaign runs.</param>
    /// <param name="stories">Content of the story files by name relative to the folder: <c>stories/….story.json</c>.</param>
    /// <param name="directory">Created when absent.</param>
    /// <exception cref="ArgumentException">A story's name would leave the folder.</exception>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static void Write(CampaignResult result, IReadOnlyDictionary<string, string> stories, string directory)
    {
        foreach (var name in stories.Keys) RefuseToLeave(name);
        Directory.CreateDirectory(directory);
        foreach (var (name, content) in stories) Put(directory, name, content);
        Put(directory, "report.html", ReportPage.Render(result));
        Put(directory, "summary.md", MarkdownSummary.Render(result));
        Put(directory, "junit.xml", JUnitXml.Render(result));
        Put(directory, "result.json", ResultJson.Write(result));
    }

    private static void RefuseToLeave(string name)
    {
        if (!ReportFolder.IsStoryName(name))
            throw new ArgumentException($"a story must be stories/NAME.json, not '{name}'", nameof(name));
    }

    private static void Put(string directory, string name, string content)
    {
        var path = Path.Combine(directory, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var beside = $"{path}.tmp";                                     // a fixed name: what a killed process left is replaced by the next
        File.WriteAllText(beside, content, new UTF8Encoding(false));
        File.Move(beside, path, overwrite: true);
    }
}
