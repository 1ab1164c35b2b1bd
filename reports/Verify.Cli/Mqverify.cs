using System.CommandLine;
using System.CommandLine.Help;
using System.Reflection;
using Chaos.Live;
using Verify.Cli.Verbs;
using Verify.History;
using Verify.Promises;

namespace Verify.Cli;

/// <summary>The command line: composes the verbs, and turns whatever goes wrong into one line and an exit code.</summary>
public static class Mqverify
{
    /// <summary>Runs one command line to its exit code; never throws.</summary>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, Streams streams)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        ArgumentNullException.ThrowIfNull(streams);
        try
        {
            var root = Root(streams);
            var parsed = root.Parse(arguments, new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null });
            if (ParseProblem.In(parsed) is { } problem) return Refuse(streams, problem);

            using var interruption = new Interruption();
            var invocation = new InvocationConfiguration { Output = streams.Output, Error = streams.Error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
            return await parsed.InvokeAsync(invocation, interruption.Token);
        }
        catch (BadInputException bad)
        {
            return Refuse(streams, bad.Message);
        }
        catch (LiveException bad)
        {
            return Refuse(streams, bad.Message);
        }
        catch (HistoryFormatException bad)
        {
            return Refuse(streams, bad.Message);
        }
        catch (Exception failure)
        {
            // The last line of defence: whatever it is, a person gets one line and a script its code.
            streams.Error.WriteLine($"mqverify: internal failure: {OneLine($"{failure.GetType().Name}: {failure.Message}")}");
            return ExitCode.Failed;
        }
    }

    private static RootCommand Root(Streams streams)
    {
        var root = new RootCommand("Verifies and compares message brokers: what a configuration promises, and whether a broker keeps it.")
        {
            CompareVerb.Create(streams),
            RunVerb.Create(streams),
            PromiseVerb.Create(streams),
            CheckVerb.Create(streams),
            HuntVerb.Create(streams),
            ReplayVerb.Create(streams),
            ReportVerb.Create(streams),
            BrokerVerb.Create(streams),
        };
        foreach (var help in root.Options.OfType<HelpOption>()) (help.Action, help.Description) = (new HelpPage(), "Shows this page");
        foreach (var version in root.Options.OfType<VersionOption>()) (version.Action, version.Description) = (new PrintVersion(), "Prints the version");
        return root;
    }

    /// <summary><c>0.1.0</c>, and the commit where the build knew it: <c>0.1.0 (1a2b3c4d5e6f)</c>.</summary>
    public static string Version
    {
        get
        {
            var full = typeof(Mqverify).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
            var cut = full.IndexOf('+');
            return cut < 0 ? full : $"{full[..cut]} ({full[(cut + 1)..Math.Min(full.Length, cut + 1 + CommitLetters)]})";
        }
    }

    private const int CommitLetters = 12;

    private static int Refuse(Streams streams, string message)
    {
        streams.Error.WriteLine($"mqverify: {OneLine(message)}");
        return ExitCode.BadInput;
    }

    private static string OneLine(string text) => Reports.TextLayout.Printable(text.ReplaceLineEndings(" "));

    private sealed class PrintVersion : System.CommandLine.Invocation.SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            parseResult.InvocationConfiguration.Output.WriteLine($"mqverify {Version}");
            return ExitCode.Held;
        }
    }
}
