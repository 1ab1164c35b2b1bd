namespace Verify.Promises;

/// <summary>
/// What a person or a script gave us is wrong: a setting, value, option, word, file or line. The message is one line that names it and,
/// where there is one, the nearest right one. The command line prints it and exits with 254; it is never a bug of ours.
/// </summary>
public sealed class BadInputException(string message) : Exception(OneLine(message))
{
    /// <summary>An unknown word of a closed family: <c>unknown fault 'crush'; did you mean 'crash'?</c></summary>
    public static BadInputException Unknown(string family, string word, IReadOnlyCollection<string> known)
    {
        ArgumentNullException.ThrowIfNull(known);
        var hint = Nearest.Hint(word, known);
        if (hint.Length == 0 && known.Count is > 0 and <= MostListed) hint = $"; known: {string.Join(", ", known)}";
        return new BadInputException($"unknown {family} '{word}'{hint}");
    }

    private const int MostListed = 16;

    private static string OneLine(string message) => message.ReplaceLineEndings(" ");
}
