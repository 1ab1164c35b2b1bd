namespace Verify.Clients.Live;

/// <summary>A client under test: a program that speaks the lines of docs/clients.md. Each producer, reader and member is a process of it.</summary>
/// <param name="Command">As a shell takes it.</param>
/// <param name="Environment">Of its processes, beside what they inherit.</param>
/// <param name="Directory">Where the command is meant to run.</param>
public sealed record ClientProgram(string Command, IReadOnlyDictionary<string, string> Environment, string Directory)
{
    /// <summary>Before the command, as <c>--client</c> takes it.</summary>
    public const string Prefix = "exec:";

    /// <summary>The shell becomes the command, so that a signal to the process meets the client itself.</summary>
    internal IReadOnlyList<string> Words => ["/bin/sh", "-c", $"cd \"$0\" && exec {Command}", Directory];
}
