using System.Globalization;
using System.Text;

namespace Verify.Promises;

/// <summary>One line of a property file; Line counts from 1.</summary>
public readonly record struct PropertyLine(string Name, string Value, int Line);

/// <summary>A Java property file, as Kafka reads its server, topic, producer and consumer settings.</summary>
/// <remarks>
/// Comments begin with # or !; name and value are parted by '=', ':' or blanks; a backslash at the end joins the next line; escapes are
/// \t \n \r \f, \uXXXX, and any other character for itself. Source: java.util.Properties.load.
/// </remarks>
public static class PropertiesFile
{
    /// <summary>The properties in the order of the file, repeated names included.</summary>
    /// <param name="source">The file's name, for errors.</param>
    /// <exception cref="BadInputException">A malformed \u escape; the message names file and line.</exception>
    public static IReadOnlyList<PropertyLine> Parse(string text, string source)
    {
        ArgumentNullException.ThrowIfNull(text);
        var properties = new List<PropertyLine>();
        var lines = text.Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            var first = i + 1;
            var line = lines[i].TrimEnd('\r').TrimStart(Blanks);
            if (line.Length == 0 || line[0] is '#' or '!') continue;
            while (EndsWithOddBackslashes(line))
            {
                line = line[..^1];
                if (++i >= lines.Length) break;
                line += lines[i].TrimEnd('\r').TrimStart(Blanks);
            }

            properties.Add(Line(line, first, source));
        }

        return properties;
    }

    private static readonly char[] Blanks = [' ', '\t', '\f'];

    private static bool EndsWithOddBackslashes(string line) => (line.Length - line.TrimEnd('\\').Length) % 2 == 1;

    private static PropertyLine Line(string line, int number, string source)
    {
        var end = 0;
        while (end < line.Length && line[end] is not ('=' or ':' or ' ' or '\t' or '\f')) end += line[end] == '\\' ? 2 : 1;
        end = Math.Min(end, line.Length);
        var value = line[end..].TrimStart(Blanks);
        if (value.Length > 0 && value[0] is '=' or ':') value = value[1..].TrimStart(Blanks);
        return new PropertyLine(Unescaped(line[..end], number, source), Unescaped(value, number, source), number);
    }

    private static string Unescaped(string text, int line, string source)
    {
        if (!text.Contains('\\')) return text;
        var plain = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\') plain.Append(text[i]);
            else if (++i >= text.Length) break;
            else if (text[i] != 'u') plain.Append(text[i] switch { 't' => '\t', 'n' => '\n', 'r' => '\r', 'f' => '\f', var other => other });
            else
            {
                if (i + 4 >= text.Length || !ushort.TryParse(text.AsSpan(i + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
                    throw new BadInputException($"{source}:{line}: malformed \\u escape, expected four hexadecimal digits");
                plain.Append((char)code);
                i += 4;
            }
        }

        return plain.ToString();
    }
}
