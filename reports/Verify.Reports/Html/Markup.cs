using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;

namespace Verify.Reports.Html;

/// <summary>
/// Text that is already HTML. The only way to make one is an interpolated string, in which everything but another piece of markup is
/// escaped: what a broker, a scenario or a person wrote cannot become markup.
/// </summary>
internal readonly record struct Markup(string Text)
{
    public static readonly Markup None = new("");

    public static Markup Of(MarkupBuilder builder) => new(builder.ToString());

    public static Markup Join(IEnumerable<Markup> parts, string between = "") => new(string.Join(between, parts.Select(part => part.Text)));

    public static Markup When(bool condition, MarkupBuilder builder) => condition ? Of(builder) : None;

    public override string ToString() => Text ?? "";
}

[InterpolatedStringHandler]
internal readonly struct MarkupBuilder(int literalLength, int formattedCount)
{
    private readonly StringBuilder text = new(literalLength + formattedCount * 16);

    public void AppendLiteral(string literal) => text.Append(literal);

    public void AppendFormatted(Markup markup) => text.Append(markup.Text);

    public void AppendFormatted(IEnumerable<Markup> markup)
    {
        foreach (var part in markup) text.Append(part.Text);
    }

    public void AppendFormatted(string? value) => text.Append(WebUtility.HtmlEncode(TextLayout.Printable(value ?? "")));

    public void AppendFormatted(double value) => text.Append(value.ToString("0.##", CultureInfo.InvariantCulture));

    public void AppendFormatted(int value) => text.Append(value);

    public void AppendFormatted(ulong value) => text.Append(value);

    public override string ToString() => text.ToString();
}
