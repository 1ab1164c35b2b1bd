using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Chaos.Live;

/// <summary>A thread that sees a network and mounts of its own: what it starts lives there too.</summary>
/// <remarks>
/// Its namespaces have no name, so there is nothing to be removed: the system takes them back, with interfaces, rules and mounts, when the last process in them has ended and this thread is no more, however that came about.
/// </remarks>
internal sealed class Namespace : IDisposable
{
    private const int NewNetwork = 0x40000000, NewMounts = 0x20000, ReadOnly = 0, Recursive = 0x4000, Private = 0x40000;

    private readonly BlockingCollection<Action> work = [];
    private readonly Thread thread;
    private readonly string path;

    /// <exception cref="LiveException">The system refuses.</exception>
    public Namespace(string name)
    {
        var begun = new TaskCompletionSource<string>();
        thread = new Thread(() => Work(begun)) { Name = name, IsBackground = true };
        thread.Start();
        path = begun.Task.GetAwaiter().GetResult();
    }

    /// <summary>By which others find it; good while this is not disposed.</summary>
    public override string ToString() => path;

    /// <summary>Does it on the thread in the namespace.</summary>
    public T Do<T>(Func<T> what)
    {
        var done = new TaskCompletionSource<T>();
        work.Add(() =>
        {
            try
            {
                done.SetResult(what());
            }
            catch (Exception failure)                                  // belongs to whoever asked
            {
                done.SetException(failure);
            }
        });
        return done.Task.GetAwaiter().GetResult();
    }

    /// <summary>What a program says that is run there to its end.</summary>
    /// <param name="package">Debian's, for whoever has not got the program.</param>
    /// <exception cref="LiveException">It is not installed, or it refused.</exception>
    public string Run(string tool, string package, IEnumerable<string> arguments, string input = "")
    {
        // Administrators' tools are not on everybody's path.
        var folder = $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin".Split(':').FirstOrDefault(folder => File.Exists(Path.Combine(folder, tool)))
            ?? throw new LiveException($"the program '{tool}' is not installed (package {package})");
        var start = new ProcessStartInfo(Path.Combine(folder, tool), arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            using var process = Do(() => Process.Start(start)!);
            process.StandardInput.Write(input);
            process.StandardInput.Close();
            var wrong = process.StandardError.ReadToEndAsync();
            var said = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? said : throw new LiveException($"{tool} refused: {wrong.Result.Trim().Split('\n')[0]}");
        }
        catch (Exception refused) when (refused is Win32Exception or IOException)
        {
            throw new LiveException($"{start.FileName} could not be run: {refused.Message}");
        }
    }

    /// <summary>Takes the calling thread to its network for good: its sockets and the processes that it starts are there from now on.</summary>
    /// <exception cref="LiveException">The system refuses.</exception>
    public void Enter()
    {
        var descriptor = Open(path, ReadOnly);
        if (descriptor < 0 || SetNamespace(descriptor, NewNetwork) != 0) throw Refused("entered");
        _ = Close(descriptor);
    }

    public void Dispose()
    {
        work.CompleteAdding();
        thread.Join();
        work.Dispose();
    }

    private void Work(TaskCompletionSource<string> begun)
    {
        if (Unshare(NewNetwork | NewMounts) != 0 || Mount("none", "/", null, Recursive | Private, 0) != 0)   // what is mounted here must not appear elsewhere
        {
            begun.SetException(Refused("made"));
            return;
        }
        begun.SetResult($"/proc/{new FileInfo("/proc/thread-self").LinkTarget}/ns/net");
        foreach (var piece in work.GetConsumingEnumerable()) piece();
    }

    private static LiveException Refused(string what) =>
        new($"a namespace could not be {what}: {Marshal.GetLastPInvokeErrorMessage()} (root may, and whoever has CAP_SYS_ADMIN)");

    [DllImport("libc", EntryPoint = "unshare", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Unshare(int flags);

    [DllImport("libc", EntryPoint = "mount", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Mount([MarshalAs(UnmanagedType.LPUTF8Str)] string source, [MarshalAs(UnmanagedType.LPUTF8Str)] string target, [MarshalAs(UnmanagedType.LPUTF8Str)] string? kind, nuint flags, nint data);

    [DllImport("libc", EntryPoint = "setns", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetNamespace(int descriptor, int kind);

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int descriptor);
}
