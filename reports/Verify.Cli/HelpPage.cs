using System.CommandLine;
using System.CommandLine.Invocation;
using Verify.Reports;

namespace Verify.Cli;

/// <summary>A verb that shows how it is used.</summary>
internal sealed class Verb(string name, string description, params string[] examples) : Command(name, description)
{
    /// <summary>Whole command lines.</summary>
    public IReadOnlyList<string> Examples { get; } = examples;

    /// <summary>What else there is to know: one paragraph each.</summary>
    public IReadOnlyList<string> Notes { get; set; } = [];
}

/// <summary>What <c>--help</c> prints: purpose, usage, arguments, options, examples, exit codes.</summary>
internal sealed class HelpPage : SynchronousCommandLineAction
{
    private const int Columns = 80;
    private const int WidestTerm = 26;

    /// <summary>Help is given whatever else is wrong with the line.</summary>
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        Write(parseResult.CommandResult.Command, parseResult.InvocationConfiguration.Output);
        return ExitCode.Held;
    }

    private static void Write(Command command, TextWriter output)
    {
        var verb = command as Verb;
        Paragraph(output, command.Description ?? "");
        output.WriteLine();
        output.WriteLine(verb is null ? "Usage: mqverify VERB [OPTION…]" : $"Usage: mqverify {verb.Name}{string.Concat(verb.Arguments.Select(Usage))} [OPTION…]");
        Section(output, "Verbs", command.Subcommands.Select(v => (v.Name, v.Description)));
        Section(output, "Arguments", command.Arguments.Select(a => (a.Name, a.Description)));
        Section(output, "Options", command.Options.Where(o => !o.Hidden).Select(o => (Term(o), o.Description)).Concat(verb is null ? [] : [("--help", "Shows this page")]));
        output.WriteLine();
        output.WriteLine("Examples:");
        foreach (var example in verb?.Examples ?? [.. command.Subcommands.OfType<Verb>().Select(v => v.Examples[0])]) output.WriteLine($"  {example}");
        foreach (var note in verb?.Notes ?? [])
        {
            output.WriteLine();
            Paragraph(output, note);
        }
        output.WriteLine();
        Paragraph(output, "Exit codes: 0 every promise held, 1 a promise was broken, 2 unknown, 254 bad arguments or input, 255 the tool itself failed.");
        if (verb is null) output.WriteLine("mqverify VERB --help says more about a verb.");
    }

    private static void Paragraph(TextWriter output, string text)
    {
        foreach (var line in TextLayout.Wrap(text, Columns)) output.WriteLine(line);
    }

    private static void Section(TextWriter output, string title, IEnumerable<(string Term, string? Says)> entries)
    {
        var all = entries.ToList();
        if (all.Count == 0) return;
        var width = Math.Min(WidestTerm, all.Max(e => e.Term.Length));
        output.WriteLine();
        output.WriteLine($"{title}:");
        foreach (var (term, says) in all)
        {
            var lines = TextLayout.Wrap(says ?? "", Columns - width - 4);
            if (term.Length > width) output.WriteLine($"  {term}");
            output.WriteLine($"  {(term.Length > width ? "" : term).PadRight(width)}  {lines[0]}");
            foreach (var line in lines.Skip(1)) output.WriteLine($"  {"".PadRight(width)}  {line}");
        }
    }

    private static string Usage(Argument argument) =>
        argument.Arity.MaximumNumberOfValues > 1 ? $" [{argument.Name}…]" : argument.Arity.MinimumNumberOfValues == 0 ? $" [{argument.Name}]" : $" {argument.Name}";

    private static string Term(Option option) => option.HelpName is { Length: > 0 } value ? $"{option.Name} {value}" : option.Name;
}
