namespace Verify.Reports.Terminal;

/// <summary>Colour as meaning; plain text when colour is off.</summary>
/// <param name="Colour">ANSI escape sequences, for a terminal that understands them.</param>
internal readonly record struct Ink(bool Colour)
{
    public string Bold(string text) => Paint(text, "1");

    public string Dim(string text) => Paint(text, "2");

    public string Of(Standing standing, string text) => Paint(text, standing switch
    {
        Standing.Held => "32",
        Standing.Permitted => "33",
        Standing.Broken => "1;31",
        Standing.Unknown => "35",
        _ => throw new ArgumentOutOfRangeException(nameof(standing), standing, "no such standing"),
    });

    private string Paint(string text, string code) => Colour && text.Length > 0 ? $"\u001b[{code}m{text}\u001b[0m" : text;
}
