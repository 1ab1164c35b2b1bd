using Verify.Campaign.Results;

namespace Verify.Reports.Html;

/// <summary>What of a story is drawn: all of a shrunk one; of an endless one the steps that matter, so that the page stays bounded.</summary>
internal sealed record StorySelection(IReadOnlyList<StoryLane> Lanes, IReadOnlyList<StoryEntry> Entries, int LeftOut)
{
    public const int MostEntries = 80;
    public const int MostLanes = 14;
    private const int MostCharacters = 240;

    public static StorySelection From(StoryTelling story)
    {
        var chosen = story.Entries
            .Select((entry, i) => (Entry: entry, Index: i))
            .OrderBy(one => Importance(one.Entry)).ThenBy(one => one.Index)
            .Take(MostEntries)
            .OrderBy(one => one.Index)
            .Select(one => one.Entry)
            .ToArray();
        var used = chosen.SelectMany(entry => (int[])[entry.Lane, entry.To ?? -1]).Where(lane => lane >= 0 && lane < story.Lanes.Count).Distinct().Order().Take(MostLanes).ToArray();
        return new StorySelection([.. used.Select(lane => story.Lanes[lane])], [.. chosen.Select(entry => Moved(entry, used))], story.Entries.Count - chosen.Length);
    }

    private static int Importance(StoryEntry entry) => entry switch
    {
        { Kind: StoryKind.Lost or StoryKind.Anomaly } => 0,
        { Focus: true } => 1,
        { Kind: StoryKind.Fault or StoryKind.Heal or StoryKind.Truncate or StoryKind.Elect } => 2,
        { Kind: StoryKind.Note or StoryKind.Flush or StoryKind.Watermark } => 4,
        _ => 3,
    };

    /// <summary>Lanes renumbered to those drawn; a lane that is not drawn becomes the world.</summary>
    private static StoryEntry Moved(StoryEntry entry, int[] used) => entry with
    {
        Lane = Array.IndexOf(used, entry.Lane),
        To = entry.To is { } to && Array.IndexOf(used, to) is >= 0 and var drawn && Array.IndexOf(used, entry.Lane) >= 0 ? drawn : null,
        Text = TextLayout.Fit(entry.Text, MostCharacters),
    };
}
