using System.CommandLine;
using System.CommandLine.Parsing;
using Verify.Promises;

namespace Verify.Cli;

/// <summary>What is wrong with a command line, in one line that names the word and suggests the nearest right one.</summary>
internal static class ParseProblem
{
    /// <summary>Null when nothing is, or when help was asked for.</summary>
    public static string? In(ParseResult parsed)
    {
        if (parsed.Action is HelpPage) return null;
        var command = parsed.CommandResult.Command;
        var optionLike = parsed.UnmatchedTokens.Concat(ArgumentsOf(parsed)).FirstOrDefault(IsOptionLike);
        if (optionLike is not null) return UnknownOption(optionLike, command, parsed.RootCommandResult.Command);
        if (command.Subcommands.Count > 0 && parsed.UnmatchedTokens.Count > 0) return UnknownVerb(parsed.UnmatchedTokens[0], command);
        if (parsed.Errors.Count == 0) return null;
        if (command.Subcommands.Count > 0 && parsed.UnmatchedTokens.Count == 0)
            return $"a verb is missing: {string.Join(", ", command.Subcommands.Select(v => v.Name))} (mqverify --help says more)";
        return parsed.UnmatchedTokens.Count > 0
            ? $"'{parsed.UnmatchedTokens[0]}' is one word too many (mqverify {command.Name} --help shows how)"
            : parsed.Errors[0].Message;
    }

    private static string UnknownVerb(string word, Command command)
    {
        var known = command.Subcommands.Select(v => v.Name).ToList();
        return BadInputException.Unknown("verb", word, known).Message;
    }

    private static string UnknownOption(string word, Command command, Command root)
    {
        var name = word.Split('=', ':')[0];
        var known = command.Options.Concat(root.Options).SelectMany(o => o.Aliases.Prepend(o.Name)).Where(a => a.StartsWith("--", StringComparison.Ordinal)).Distinct();
        var place = command is RootCommand ? "mqverify" : $"mqverify {command.Name}";
        return $"unknown option '{name}' of {place}{Nearest.Hint(name, known)}";
    }

    /// <summary>An unknown option may have been taken for a file name.</summary>
    private static IEnumerable<string> ArgumentsOf(ParseResult parsed) =>
        parsed.CommandResult.Command.Arguments.Select(parsed.GetResult).OfType<ArgumentResult>().SelectMany(r => r.Tokens).Select(t => t.Value);

    private static bool IsOptionLike(string word) => word.Length > 1 && word[0] == '-' && !char.IsAsciiDigit(word[1]);
}
