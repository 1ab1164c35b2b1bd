namespace Verify.Cli;

/// <summary>Where a verb reads and writes: the console's, or a test's.</summary>
/// <param name="Input">Opens standard input; called only when a verb reads it.</param>
/// <param name="Output">Results, nothing else.</param>
/// <param name="Error">One line when something is wrong; progress.</param>
/// <param name="IsTerminal">Someone watches: progress bars, colours.</param>
public sealed record Streams(Func<Stream> Input, TextWriter Output, TextWriter Error, bool IsTerminal)
{
    public static Streams OfConsole() => new(Console.OpenStandardInput, Console.Out, Console.Error, !Console.IsOutputRedirected);
}
