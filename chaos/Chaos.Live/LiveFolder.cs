using System.Globalization;

namespace Chaos.Live;

/// <summary>
/// A folder of one live run: in it one for each node or client with its data, its settings, what it said, and the id of its process. It goes with the run; what a runner that was killed left behind goes when the next one starts.
/// </summary>
public sealed class LiveFolder : IDisposable
{
    internal const string ProcessFile = "process";
    private const string Prefix = "mqverify-live-", RunnerFile = "runner";

    public LiveFolder()
    {
        Path = Directory.CreateTempSubdirectory(Prefix).FullName;
        File.WriteAllText(System.IO.Path.Combine(Path, RunnerFile), LiveProcess.Note(Environment.ProcessId));
    }

    public string Path { get; }

    public string Of(int node) => Of(string.Create(CultureInfo.InvariantCulture, $"node-{node}"));

    public string Of(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Ends the processes and removes the folders of runners that are no more; how many runs they were.</summary>
    public static int SweepLeftovers()
    {
        var swept = 0;
        foreach (var folder in Directory.EnumerateDirectories(System.IO.Path.GetTempPath(), $"{Prefix}*"))
        {
            if (!File.Exists(System.IO.Path.Combine(folder, RunnerFile)) || Lives(System.IO.Path.Combine(folder, RunnerFile)) is not null) continue;
            foreach (var node in Directory.EnumerateDirectories(folder))
                if (Lives(System.IO.Path.Combine(node, ProcessFile)) is { } id) LiveProcess.KillByForce(id);
            Remove(folder);
            swept++;
        }
        return swept;
    }

    public void Dispose() => Remove(Path);

    /// <summary>The process that is noted in the file, if it is still alive.</summary>
    private static int? Lives(string file) => File.Exists(file) ? LiveProcess.Noted(File.ReadAllText(file)) : null;

    /// <summary>A process that was killed a moment ago may still be writing.</summary>
    private static void Remove(string folder)
    {
        for (var attempt = 1; Directory.Exists(folder); attempt++)
        {
            try
            {
                Directory.Delete(folder, recursive: true);
            }
            catch (IOException) when (attempt < 20)
            {
                Thread.Sleep(50);
            }
        }
    }
}
