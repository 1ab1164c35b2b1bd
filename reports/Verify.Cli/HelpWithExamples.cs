using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Verify.Cli;

/// <summary>A verb that shows how it is used.</summary>
internal sealed class Verb(string name, string description, params string[] examples) : Command(name, description)
{
    /// <summary>Whole command lines.</summary>
    public IReadOnlyList<string> Examples { get; } = examples;
}

/// <summary>The usual help, then the verb's examples; for the program itself those of all verbs.</summary>
internal sealed class HelpWithExamples(HelpAction help) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        help.Invoke(parseResult);
        var output = parseResult.InvocationConfiguration.Output;
        var command = parseResult.CommandResult.Command;
        var examples = command is Verb verb ? verb.Examples : command.Subcommands.OfType<Verb>().Select(v => v.Examples[0]);
        output.WriteLine("Examples:");
        foreach (var example in examples) output.WriteLine($"  {example}");
        output.WriteLine();
        output.WriteLine("Exit codes: 0 every promise held, 1 a promise was broken, 2 unknown, 254 bad arguments or input, 255 the tool itself failed.");
        return ExitCode.Held;
    }
}
