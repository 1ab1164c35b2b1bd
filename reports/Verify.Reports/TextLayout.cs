namespace Verify.Reports;

/// <summary>Text in a fixed number of columns.</summary>
public static class TextLayout
{
    /// <summary>Breaks at spaces, not at no-break spaces, which become plain ones; a word longer than the width is cut. At least one line. Control characters become spaces, so nothing can repaint a terminal.</summary>
    public static IReadOnlyList<string> Wrap(string text, int width)
    {
        if (width < 1) throw new ArgumentOutOfRangeException(nameof(width), width, "a line needs at least one column");
        var lines = new List<string>();
        var line = "";
        foreach (var word in Printable(text).Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var rest = word;
            if (line.Length > 0 && line.Length + 1 + rest.Length <= width)
            {
                line += " " + rest;
                continue;
            }
            if (line.Length > 0) lines.Add(line);
            for (; rest.Length > width; rest = rest[width..]) lines.Add(rest[..width]);
            line = rest;
        }
        if (line.Length > 0 || lines.Count == 0) lines.Add(line);
        return [.. lines.Select(one => one.Replace('\u00a0', ' '))];
    }

    public static string Printable(string text) =>
        string.Create(text.Length, text, static (into, from) =>
        {
            for (var i = 0; i < from.Length; i++) into[i] = char.IsControl(from[i]) ? ' ' : from[i];
        });

    /// <summary>Cuts with an ellipsis.</summary>
    public static string Fit(string text, int width) => text.Length <= width ? text : text[..Math.Max(0, width - 1)] + "…";
}
