using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Chaos.Live;

/// <summary>One life of one node or client: a process of its own that writes what it says into a file, and is signalled by its id.</summary>
public sealed class LiveProcess : IDisposable
{
    private const int Terminate = 15, Kill = 9, Continue = 18, Stop = 19;
    private const int StateField = 2, StartField = 21;                 // of /proc/PID/stat, from 0

    /// <summary>The shell becomes the program, so that the id is the program's own and its output outlives this process. Before, it notes who it is: there is no moment at which a runner could die and leave a program of which nothing is known.</summary>
    private const string Shell = $"""read -r stat </proc/$$/stat; echo "$stat" >{LiveFolder.ProcessFile}; exec "$@" """;

    private readonly Process process;

    /// <param name="folder">Its own, where its id is noted.</param>
    /// <param name="said">Appended to.</param>
    /// <param name="isTalkedTo">Its standard input and output are ours, and the file has its standard error alone.</param>
    public LiveProcess(IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment, string folder, string said, bool isTalkedTo = false)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", Shell + (isTalkedTo ? "2>>\"$0\"" : ">>\"$0\" 2>&1 </dev/null"), said, .. command]) { WorkingDirectory = folder, RedirectStandardInput = isTalkedTo, RedirectStandardOutput = isTalkedTo };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        start.Environment["LOG_DIR"] = folder;
        process = Process.Start(start)!;
        Id = process.Id;
    }

    public int Id { get; }

    /// <summary>Of a process that is talked to.</summary>
    public StreamWriter Input => process.StandardInput;

    /// <summary>Of a process that is talked to.</summary>
    public StreamReader Output => process.StandardOutput;

    public bool HasExited => process.HasExited;

    /// <summary>Of a process that has ended.</summary>
    public int ExitCode => process.ExitCode;

    /// <summary>Stopped by a signal: nothing of it runs.</summary>
    public bool IsStopped => StatOf(Id) is { } stat && stat[StateField] == "T";

    public void Die()
    {
        Signal(Kill);
        process.WaitForExit();
    }

    public void Pause() => Signal(Stop);

    public void Resume() => Signal(Continue);

    /// <summary>Asks it to end in good order, and kills it if it does not; whether it did.</summary>
    public async Task<bool> EndAsync(TimeSpan limit)
    {
        Signal(Terminate);
        using var patience = new CancellationTokenSource(limit);
        try
        {
            await process.WaitForExitAsync(patience.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            Die();
            return false;
        }
    }

    public void Dispose()
    {
        if (!process.HasExited) Die();
        process.Dispose();
    }

    /// <summary>When a process was started, in the system's own ticks, null when there is none of that id: an id may be given to another.</summary>
    public static string? StartedAt(int id) => StatOf(id)?[StartField];

    /// <summary>The line by which a process can be found again.</summary>
    public static string Note(int id) => File.ReadAllText(StatFile(id));

    /// <summary>The id in such a line if the very process that was noted there is still alive.</summary>
    public static int? Noted(string line) =>
        line.Split(' ')[0] is var text && int.TryParse(text, CultureInfo.InvariantCulture, out var id) && Fields(line) is { Length: > StartField } noted && StartedAt(id) == noted[StartField] ? id : null;

    public static void KillByForce(int id) => _ = SendSignal(id, Kill);

    private void Signal(int signal)
    {
        if (!process.HasExited) _ = SendSignal(Id, signal);
    }

    private static string[]? StatOf(int id)
    {
        try
        {
            return Fields(Note(id));
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>The name in brackets may hold spaces; after it come fields parted by one.</summary>
    private static string[] Fields(string stat) => ["", "", .. stat[Math.Min(stat.Length, stat.LastIndexOf(')') + 2)..].Split(' ')];

    private static string StatFile(int id) => string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/stat");

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int process, int signal);
}
