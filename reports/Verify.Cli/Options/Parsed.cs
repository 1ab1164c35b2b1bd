using System.CommandLine;
using System.CommandLine.Parsing;
using Verify.Promises;

namespace Verify.Cli.Options;

/// <summary>Options whose text is parsed by us, so that a wrong value is refused in our words.</summary>
internal static class Parsed
{
    /// <summary>An option with one value; <paramref name="otherwise"/> when it is not given.</summary>
    /// <param name="shown">The default as help shows it; null when the description says it, or there is none.</param>
    public static Option<T> One<T>(string name, string metavariable, string description, Func<string, T> parse, Func<T> otherwise, string? shown = null) => new(name)
    {
        Description = shown is null ? description : $"{description} (default: {shown})",
        HelpName = metavariable,
        Arity = ArgumentArity.ExactlyOne,
        CustomParser = result => Try(result, () => parse(result.Tokens[0].Value), otherwise),
        DefaultValueFactory = _ => otherwise(),
    };

    /// <summary>An option that may be repeated, one value each time.</summary>
    public static Option<IReadOnlyList<T>> Many<T>(string name, string metavariable, string description, Func<string, T> parse) => new(name)
    {
        Description = description,
        HelpName = metavariable,
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = false,
        CustomParser = result => Try<IReadOnlyList<T>>(result, () => [.. result.Tokens.Select(t => parse(t.Value))], () => []),
        DefaultValueFactory = _ => [],
    };

    /// <summary>A word of a closed family.</summary>
    /// <exception cref="BadInputException">It is none of them.</exception>
    public static string Word(string family, string text, IReadOnlyCollection<string> known) =>
        known.FirstOrDefault(k => k.Equals(text, StringComparison.OrdinalIgnoreCase)) ?? throw BadInputException.Unknown(family, text, known);

    private static T Try<T>(ArgumentResult result, Func<T> parse, Func<T> otherwise)
    {
        try
        {
            return parse();
        }
        catch (BadInputException refused)
        {
            result.AddError(refused.Message);
            return otherwise();
        }
    }
}
