namespace Verify.History;

/// <summary>A stream cut into lines, in one buffer that grows to the longest line and is reused.</summary>
internal sealed class LineReader(Stream input)
{
    /// <summary>Room for six million records in one poll.</summary>
    private const int LongestLine = 1 << 28;

    private byte[] buffer = new byte[1 << 20];
    private int start, end;
    private bool ended;

    /// <summary>Of the line last returned, from 1.</summary>
    public long Line { get; private set; }

    /// <summary>The next line without its end; it lives until the next call. False at the end of the stream.</summary>
    public bool Next(out ReadOnlySpan<byte> line)
    {
        var searched = start;
        while (true)
        {
            var at = buffer.AsSpan(searched, end - searched).IndexOf((byte)'\n');
            if (at >= 0)
            {
                line = Take(searched + at, 1);
                return true;
            }
            if (ended)
            {
                line = Take(end, 0);
                return line.Length > 0;
            }
            searched = end;
            searched -= Fill();
        }
    }

    private ReadOnlySpan<byte> Take(int until, int terminator)
    {
        var line = buffer.AsSpan(start, until - start);
        start = until + terminator;
        if (Line++ == 0 && line.StartsWith("\uFEFF"u8)) line = line[3..];
        return line.Length > 0 && line[^1] == '\r' ? line[..^1] : line;
    }

    /// <summary>Reads more behind what is kept; returns by how much the kept bytes moved down.</summary>
    private int Fill()
    {
        var moved = start;
        if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            end -= start;
            start = 0;
        }
        if (end >= LongestLine) throw new HistoryFormatException(Line + 1, "", $"longer than {LongestLine >> 20} MiB");
        if (end == buffer.Length) Array.Resize(ref buffer, buffer.Length * 2);
        var read = input.Read(buffer, end, buffer.Length - end);
        if (read == 0) ended = true;
        end += read;
        return moved;
    }
}
