using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Chaos.Live;

/// <summary>A thread in a network namespace of its own: what it starts lives there too.</summary>
/// <remarks>
/// It has no name, so there is nothing to be removed: the system takes a namespace back, with its interfaces and rules, when the last process in it has ended and this thread is no more, however that came about.
/// </remarks>
internal sealed class Namespace : IDisposable
{
    private const int NewNetwork = 0x40000000, ReadOnly = 0;

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

    /// <summary>Takes the calling thread there for good: its sockets and the processes that it starts are in this namespace from now on.</summary>
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
        if (Unshare(NewNetwork) != 0)
        {
            begun.SetException(Refused("made"));
            return;
        }
        begun.SetResult($"/proc/{new FileInfo("/proc/thread-self").LinkTarget}/ns/net");
        foreach (var piece in work.GetConsumingEnumerable()) piece();
    }

    private static LiveException Refused(string what) =>
        new($"a network namespace could not be {what}: {Marshal.GetLastPInvokeErrorMessage()} (root may, and whoever has CAP_SYS_ADMIN)");

    [DllImport("libc", EntryPoint = "unshare", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Unshare(int flags);

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
