using System.Runtime.InteropServices;
using Broker.Runtime;
using Microsoft.Win32.SafeHandles;

namespace Broker.Hosting;

/// <summary>
/// fsync, called by ourselves and with its answer looked at. .NET 10's <c>Flush(true)</c> and <c>RandomAccess.FlushToDisk</c> return
/// without an exception when fsync fails (its native shim answers 1 where the managed side tests for less than 0): a broker that relied on them would acknowledge lost data.
/// </summary>
internal static class SystemCalls
{
    private const int ReadOnly = 0;

    /// <exception cref="DiskException">The disk refused; what was written since the last successful flush may be gone.</exception>
    public static void Flush(SafeFileHandle handle, string path)
    {
        if (OperatingSystem.IsWindows() ? !FlushFileBuffers(handle) : Fsync(handle) != 0) throw Refused("fsync", path);
    }

    /// <summary>Makes the names in a directory durable. Windows has no such call: NTFS journals names by itself.</summary>
    /// <exception cref="DiskException">The disk refused.</exception>
    public static void FlushDirectory(string path)
    {
        if (OperatingSystem.IsWindows()) return;
        var descriptor = OpenPath(path, ReadOnly);
        if (descriptor < 0) throw Refused("open", path);
        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        Flush(handle, path);
    }

    private static DiskException Refused(string call, string path) =>
        new($"{call} {path}: error {Marshal.GetLastPInvokeError()} ({Marshal.GetLastPInvokeErrorMessage()})");

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Fsync(SafeFileHandle handle);

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int OpenPath([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("kernel32", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static extern bool FlushFileBuffers(SafeFileHandle handle);
}
