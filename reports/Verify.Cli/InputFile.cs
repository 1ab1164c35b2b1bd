using System.Text;
using Verify.Promises;

namespace Verify.Cli;

/// <summary>Files people name on the command line: whatever is wrong with one is their input's fault, and said in one line.</summary>
internal static class InputFile
{
    /// <summary>Bytes of a property, scenario or story file that anybody wrote by hand; more is the wrong file.</summary>
    private const long MostTextBytes = 16 << 20;

    /// <summary>The file's text. Property files are Latin-1 in Java; UTF-8 agrees with it wherever settings are concerned.</summary>
    /// <exception cref="BadInputException">It is not there, not readable, too large, or no text.</exception>
    public static string ReadText(string path, string kind)
    {
        using var stream = Open(path, kind);
        if (stream.Length > MostTextBytes) throw new BadInputException($"{kind} '{path}' is larger than {MostTextBytes >> 20} MB: not a {kind}");
        using var reader = new StreamReader(stream, new UTF8Encoding(false));
        var text = reader.ReadToEnd();
        return text.Contains('\0') ? throw new BadInputException($"{kind} '{path}' holds a zero byte: not a text file") : text;
    }

    /// <exception cref="BadInputException">It is not there or not readable.</exception>
    public static FileStream Open(string path, string kind)
    {
        try
        {
            if (Directory.Exists(path)) throw new BadInputException($"'{path}' is a directory, expected a {kind}");
            if (!File.Exists(path)) throw new BadInputException($"no such {kind}: '{path}'{Neighbour(path)}");
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1 << 16, FileOptions.SequentialScan);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new BadInputException($"cannot read {kind} '{path}': {refused.Message}");
        }
    }

    /// <summary>A file beside the missing one whose name is close.</summary>
    private static string Neighbour(string path)
    {
        var directory = Path.GetDirectoryName(path) is { Length: > 0 } named ? named : ".";
        if (!Directory.Exists(directory)) return $"; there is no directory '{directory}' either";
        var near = Nearest.To(Path.GetFileName(path), Directory.EnumerateFiles(directory).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal));
        return near is null ? "" : $"; did you mean '{(directory == "." ? near : Path.Combine(directory, near))}'?";
    }
}
