using Verify.Campaign.Results;

namespace Verify.Reports.Html;

/// <summary>
/// A story as a sequence diagram in SVG: a lane per node, time downwards, faults as bands, the copies of the record in focus as thick
/// stretches of their lanes, and a cross where it is lost. Drawn twice: wide, with the words beside the lanes, and narrow, with the words above each step.
/// </summary>
internal sealed class StoryDiagram
{
    private const double LineHeight = 16;

    private readonly StorySelection story;
    private readonly DiagramShape shape;
    private readonly Row[] rows;
    private readonly double lanesWidth;
    private readonly double top;
    private readonly double bottom;

    /// <param name="Y">Where the event is drawn.</param>
    /// <param name="Top">Where the row begins.</param>
    private sealed record Row(StoryEntry Entry, IReadOnlyList<string> Lines, double Top, double Y, double Bottom);

    private StoryDiagram(StorySelection story, DiagramShape shape)
    {
        this.story = story;
        this.shape = shape;
        lanesWidth = shape.Pitch * story.Lanes.Count;
        top = 54;
        rows = LayOut(top + 4);
        bottom = rows.Length == 0 ? top + 20 : rows[^1].Bottom + 8;
    }

    public static Markup Draw(StoryTelling telling)
    {
        var story = StorySelection.From(telling);
        var label = $"Sequence diagram: {telling.Title}";
        return Markup.Of($"{new StoryDiagram(story, DiagramShape.Wide(story.Lanes.Count)).Svg("diagram wide", label)}{new StoryDiagram(story, DiagramShape.Narrow(story.Lanes.Count)).Svg("diagram narrow", label)}{LeftOut(story)}");
    }

    private static Markup LeftOut(StorySelection story) =>
        Markup.When(story.LeftOut > 0, $"<p class=\"muted\">{Wording.Counted(story.LeftOut, "quieter step")} left out here; <code>--trace</code> tells them all.</p>");

    private Markup Svg(string style, string label) => Markup.Of(
        $"""
        <svg class="{style}" viewBox="0 0 {shape.Width} {bottom + 4}" role="img" aria-label="{label}">
        {rows.Where(row => row.Entry.Focus).Select(FocusRow)}{Lanes()}{rows.Where(row => row.Entry.Kind is StoryKind.Fault).Select(Band)}{Copies()}{rows.Select(Words)}{rows.Select(Glyph)}{Heads()}
        </svg>

        """);

    private Row[] LayOut(double from)
    {
        var laid = new List<Row>();
        var y = from;
        foreach (var entry in story.Entries)
        {
            var words = shape.WordsAbove ? $"{Seconds(entry.TimeMs)}  {entry.Text}" : entry.Text;
            var lines = TextLayout.Wrap(words, shape.Characters);
            var height = shape.WordsAbove ? lines.Count * LineHeight + 30 : Math.Max(30, lines.Count * LineHeight + 12);
            laid.Add(new Row(entry, lines, y, shape.WordsAbove ? y + lines.Count * LineHeight + 14 : y + height / 2, y + height));
            y += height;
        }
        return [.. laid];
    }

    /// <summary>What happens to the world as a whole is marked at the left edge.</summary>
    private double X(int lane) => lane < 0 ? shape.Left + 6 : shape.Left + shape.Pitch * (lane + 0.5);

    private static string Seconds(double milliseconds) => (milliseconds / 1000).ToString("0.000");

    private Markup FocusRow(Row row) =>
        Markup.Of($"<rect class=\"focus-row\" x=\"0\" y=\"{row.Top + 1}\" width=\"{shape.Width}\" height=\"{row.Bottom - row.Top - 2}\" rx=\"5\"/>");

    private Markup Lanes() => Markup.Join(story.Lanes.Select((lane, i) =>
        Markup.Of($"<line class=\"lane {RoleClass(lane.Role)}\" x1=\"{X(i)}\" x2=\"{X(i)}\" y1=\"{top - 6}\" y2=\"{bottom}\"/>")));

    private Markup Heads() => Markup.Of($"{Unit()}{story.Lanes.Select(Head)}");

    private Markup Unit() => Markup.When(!shape.WordsAbove, $"<text class=\"time\" x=\"{shape.Left - 8}\" y=\"36\">seconds</text>");

    private Markup Head(StoryLane lane, int i)
    {
        var cut = lane.Name.LastIndexOf(' ');
        var (kind, name) = cut > 0 ? (lane.Name[..cut], lane.Name[(cut + 1)..]) : ("", lane.Name);
        var width = Math.Min(shape.Pitch - 4, 66);
        var fits = (int)(width / 5.3);
        return Markup.Of(
            $"""
            <g class="head {RoleClass(lane.Role)}"><rect x="{X(i) - width / 2}" y="4" width="{width}" height="40" rx="7"/><text class="kind" x="{X(i)}" y="19">{TextLayout.Fit(kind, fits)}</text><text class="name" x="{X(i)}" y="36">{TextLayout.Fit(name, fits)}</text><title>{lane.Name}</title></g>
            """);
    }

    private static string RoleClass(LaneRole role) => role switch
    {
        LaneRole.Client => "client",
        LaneRole.Broker => "broker",
        LaneRole.Controller => "controller",
        _ => throw new ArgumentOutOfRangeException(nameof(role), role, "no such role"),
    };

    /// <summary>From the fault to its heal, or to the end of the story.</summary>
    private Markup Band(Row row)
    {
        var until = row.Entry.UntilMs is { } end && rows.FirstOrDefault(later => later.Entry.TimeMs >= end && later.Top > row.Top) is { } healed
            ? healed.Entry.Kind is StoryKind.Heal ? healed.Y : healed.Top + 2
            : bottom;
        var world = row.Entry.Lane < 0;
        var middle = world ? shape.Left + lanesWidth / 2 : X(row.Entry.Lane);
        var halfWidth = world ? lanesWidth / 2 : Math.Min(17, shape.Pitch / 2 - 2);
        var band = Markup.Of($"<rect class=\"band{(world ? " world" : "")}\" x=\"{middle - halfWidth}\" y=\"{row.Y}\" width=\"{halfWidth * 2}\" height=\"{Math.Max(4, until - row.Y)}\" rx=\"5\"/>");
        return row.Entry.To is not { } to ? band
            : Markup.Of($"<rect class=\"band\" x=\"{(X(row.Entry.Lane) + X(to)) / 2 - 5}\" y=\"{row.Y}\" width=\"10\" height=\"{Math.Max(4, until - row.Y)}\" rx=\"5\"/>");
    }

    /// <summary>Where copies of the record in focus live: from an append to a truncation, a fault that takes it, or the end.</summary>
    private Markup Copies()
    {
        var alive = new SortedDictionary<int, double>();
        var drawn = new List<Markup>();
        foreach (var row in rows.Where(row => row.Entry.Focus))
        {
            var lane = row.Entry.Lane;
            if (row.Entry.Kind is StoryKind.Append) alive.TryAdd(lane, row.Y);
            if (row.Entry.Kind is StoryKind.Replicate) alive.TryAdd(row.Entry.To ?? lane, row.Y);
            if (row.Entry.Kind is not (StoryKind.Truncate or StoryKind.Fault or StoryKind.Lost) || !alive.Remove(lane, out var since)) continue;
            drawn.Add(Stretch(lane, since, row.Y));
        }
        foreach (var (lane, since) in alive) drawn.Add(Stretch(lane, since, bottom));
        return Markup.Join(drawn);

        Markup Stretch(int lane, double from, double to) =>
            Markup.Of($"<line class=\"copy\" x1=\"{X(lane)}\" x2=\"{X(lane)}\" y1=\"{from}\" y2=\"{to}\"/>");
    }

    private Markup Words(Row row)
    {
        var left = shape.WordsAbove ? 8 : shape.Left + lanesWidth + 14;
        var first = shape.WordsAbove ? row.Top + 14 : row.Y - (row.Lines.Count - 1) * LineHeight / 2 + 4.5;
        var lines = Markup.Join(row.Lines.Select((line, i) => Markup.Of($"<tspan x=\"{left}\" y=\"{first + i * LineHeight}\">{line}</tspan>")));
        var time = Markup.When(!shape.WordsAbove, $"<text class=\"time\" x=\"{shape.Left - 8}\" y=\"{row.Y + 4.5}\">{Seconds(row.Entry.TimeMs)}</text>");
        return Markup.Of($"{time}<text class=\"words {KindClass(row.Entry)}\">{lines}</text>");
    }

    private static string KindClass(StoryEntry entry) => (entry.Kind switch
    {
        StoryKind.Fault or StoryKind.Truncate or StoryKind.Lost or StoryKind.Anomaly or StoryKind.Refuse => "bad",
        StoryKind.Heal or StoryKind.Restart => "good",
        StoryKind.Elect or StoryKind.Fence or StoryKind.InSync => "power",
        StoryKind.Unknown or StoryKind.Note or StoryKind.Watermark or StoryKind.Flush => "quiet",
        _ => "plain",
    }) + (entry.Focus ? " focus" : "");

    private Markup Glyph(Row row)
    {
        var (x, y, style) = (X(row.Entry.Lane), row.Y, KindClass(row.Entry));
        if (row.Entry.To is { } to && to != row.Entry.Lane && to >= 0 && row.Entry.Kind is not StoryKind.Fault) return Arrow(row, X(to), style);
        return row.Entry.Kind switch
        {
            StoryKind.Fault => Markup.Of($"<circle class=\"mark {style}\" cx=\"{x}\" cy=\"{y}\" r=\"7\"/><path class=\"on-mark\" d=\"M{x + 1} {y - 4.5}L{x - 3} {y + 0.8}H{x}L{x - 1} {y + 4.5}L{x + 3} {y - 0.8}H{x}Z\"/>"),
            StoryKind.Lost or StoryKind.Anomaly => Markup.Of($"<circle class=\"mark {style}\" cx=\"{x}\" cy=\"{y}\" r=\"8\"/><path class=\"on-mark-line\" d=\"M{x - 3.2} {y - 3.2}L{x + 3.2} {y + 3.2}M{x + 3.2} {y - 3.2}L{x - 3.2} {y + 3.2}\"/>"),
            StoryKind.Truncate => Markup.Of($"<path class=\"cut {style}\" d=\"M{x - 11} {y}H{x + 11}M{x - 5} {y - 5}L{x + 5} {y + 5}M{x + 5} {y - 5}L{x - 5} {y + 5}\"/>"),
            StoryKind.Heal or StoryKind.Restart => Markup.Of($"<circle class=\"ring {style}\" cx=\"{x}\" cy=\"{y}\" r=\"5.5\"/>"),
            StoryKind.Elect or StoryKind.Fence or StoryKind.InSync => Markup.Of($"<path class=\"mark {style}\" d=\"M{x} {y - 7}L{x + 7} {y}L{x} {y + 7}L{x - 7} {y}Z\"/>"),
            StoryKind.Append or StoryKind.Replicate => Markup.Of($"<rect class=\"mark {style}\" x=\"{x - 5}\" y=\"{y - 5}\" width=\"10\" height=\"10\" rx=\"2\"/>"),
            StoryKind.Read => Markup.Of($"<circle class=\"ring {style}\" cx=\"{x}\" cy=\"{y}\" r=\"5\"/>"),
            _ => Markup.Of($"<circle class=\"mark {style}\" cx=\"{x}\" cy=\"{y}\" r=\"4\"/>"),
        };
    }

    /// <summary>Leans down a little, as messages take time; one that is lost stops half-way with a cross.</summary>
    private Markup Arrow(Row row, double target, string style)
    {
        const double Lean = 4;
        var (x, y) = (X(row.Entry.Lane), row.Y);
        var direction = Math.Sign(target - x);
        var lost = !row.Entry.Arrives;
        var (endX, endY) = lost ? (x + (target - x) * 0.55, y) : (target - direction * 2, y + Lean);
        var tip = lost
            ? Markup.Of($"<path class=\"arrow {style}\" d=\"M{endX - 4} {endY - 4}L{endX + 4} {endY + 4}M{endX + 4} {endY - 4}L{endX - 4} {endY + 4}\"/>")
            : Markup.Of($"<path class=\"tip {style}\" d=\"M{endX} {endY}L{endX - direction * 8} {endY - 4.5}V{endY + 4.5}Z\"/>");
        return Markup.Of($"<line class=\"arrow {style}{(lost ? " lost" : "")}\" x1=\"{x}\" y1=\"{y - (lost ? 0 : Lean)}\" x2=\"{endX - (lost ? 0 : direction * 5)}\" y2=\"{endY}\"/><circle class=\"mark {style}\" cx=\"{x}\" cy=\"{y - (lost ? 0 : Lean)}\" r=\"3\"/>{tip}");
    }
}

/// <param name="Left">Where the lanes begin; times stand before it.</param>
/// <param name="Pitch">Between lanes.</param>
/// <param name="Characters">Words per line of text, in characters.</param>
/// <param name="WordsAbove">The words stand above each step, over the lanes; else beside them.</param>
internal sealed record DiagramShape(double Width, double Left, double Pitch, int Characters, bool WordsAbove)
{
    /// <summary>The widest of the fonts a reader may have, in bold.</summary>
    private const double WidestCharacter = 7.8;

    public static DiagramShape Wide(int lanes)
    {
        var pitch = Math.Clamp(490.0 / Math.Max(1, lanes), 38, 74);
        return new DiagramShape(1000, 62, pitch, (int)((1000 - 62 - pitch * lanes - 24) / WidestCharacter), false);
    }

    public static DiagramShape Narrow(int lanes) => new(360, 4, 352.0 / Math.Max(1, lanes), (int)(346 / WidestCharacter), true);
}
