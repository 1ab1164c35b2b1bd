namespace Verify.History;

/// <summary>A history file that cannot be read: which line (from 1; in a binary file, which event), which field, and what is wrong with it.</summary>
public sealed class HistoryFormatException(long line, string field, string problem)
    : Exception(field.Length == 0 ? $"line {line}: {problem}" : $"line {line}, field {field}: {problem}")
{
    public long Line { get; } = line;

    /// <summary>Such as <c>mops[2].offset</c>; empty when the line is not JSON at all.</summary>
    public string Field { get; } = field;

    public string Problem { get; } = problem;
}
