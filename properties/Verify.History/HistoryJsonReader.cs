using System.Text.Json;

namespace Verify.History;

/// <summary>
/// Reads a history of JSON lines, one event at a time, in constant memory. Unknown fields are skipped, unknown functions kept by name;
/// anything else that is not as the format says is refused with line and field.
/// </summary>
public sealed class HistoryJsonReader
{
    private readonly LineReader lines;
    private readonly HistoryLog scratch = new();
    private readonly EventParser parser;

    public HistoryJsonReader(Stream input)
    {
        lines = new LineReader(input);
        parser = new EventParser(scratch);
    }

    /// <summary>Line of the event last read, from 1.</summary>
    public long Line => lines.Line;

    /// <summary>Events read so far.</summary>
    public long Count { get; private set; }

    public NameTable Keys => scratch.Keys;

    public NameTable Names => scratch.Names;

    /// <summary>The next event, valid until the next call; false at the end. Empty lines are skipped.</summary>
    /// <exception cref="HistoryFormatException">The line is not an event.</exception>
    public bool Read(out HistoryEvent e)
    {
        while (lines.Next(out var line))
        {
            if (line.IsEmpty || line.TrimStart(" \t"u8).IsEmpty) continue;
            scratch.Clear();
            Parse(line);
            e = scratch[0];
            Count++;
            return true;
        }
        e = default;
        return false;
    }

    /// <summary>All of it in memory.</summary>
    public static HistoryLog ReadAll(Stream input)
    {
        var reader = new HistoryJsonReader(input);
        var log = new HistoryLog(reader.Keys, reader.Names);
        while (reader.Read(out var e)) log.Append(e);
        return log;
    }

    private void Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            parser.Parse(line, Count);
        }
        catch (JsonException malformed)
        {
            throw new HistoryFormatException(lines.Line, parser.Field, $"not valid JSON at byte {malformed.BytePositionInLine}");
        }
        catch (FieldException refused)
        {
            throw new HistoryFormatException(lines.Line, parser.Field, refused.Message);
        }
    }
}

/// <summary>The field being parsed is not as the format says.</summary>
internal sealed class FieldException(string problem) : Exception(problem);
