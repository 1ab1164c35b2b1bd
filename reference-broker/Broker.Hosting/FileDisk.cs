using Broker.Runtime;
using Microsoft.Win32.SafeHandles;

namespace Broker.Hosting;

/// <summary>The files below one directory of the machine. Paths are relative to it; directories appear with their first file.</summary>
/// <remarks>Flushes run beside the loop, which they would hold up otherwise; their completions return to it.</remarks>
/// <remarks>Disposed, it closes whatever is still open, as the end of a process does.</remarks>
public sealed class FileDisk(string root) : IDisk, IDisposable
{
    private const string BootIdPath = "/proc/sys/kernel/random/boot_id";

    private readonly HashSet<SafeFileHandle> open = [];

    /// <summary>Linux's boot id; elsewhere a new one for each process, which never claims that anything was kept.</summary>
    public string CacheIdentity { get; } = File.Exists(BootIdPath) ? File.ReadAllText(BootIdPath).Trim() : Guid.NewGuid().ToString();

    public bool Exists(string path) => File.Exists(At(path));

    public IFile Open(string path) => Guard(() =>
    {
        var full = At(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        var handle = File.OpenHandle(full, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        open.Add(handle);
        return new DiskFile(path, handle, open);
    });

    public IReadOnlyList<string> List(string directory) => Guard(() =>
    {
        var full = At(directory);
        if (!Directory.Exists(full)) return [];
        var names = Directory.GetFiles(full).Select(file => Path.GetFileName(file)!).ToList();
        names.Sort(string.CompareOrdinal);
        return (IReadOnlyList<string>)names;
    });

    public void Delete(string path) => Guard(() => File.Delete(At(path)));

    public void Rename(string from, string to) => Guard(() => File.Move(At(from), At(to), overwrite: true));

    public async ValueTask FlushDirectoryAsync(string directory)
    {
        var full = At(directory);
        Guard(() => Directory.CreateDirectory(full));
        await Task.Run(() => SystemCalls.FlushDirectory(full));
    }

    public void Dispose()
    {
        foreach (var handle in open) handle.Dispose();
        open.Clear();
    }

    internal static void Guard(Action work) => Guard(() =>
    {
        work();
        return true;
    });

    /// <summary>Whatever the file system says beyond success makes the disk dead to the node.</summary>
    internal static T Guard<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception refusal) when (refusal is (IOException and not DiskException) or UnauthorizedAccessException)
        {
            throw new DiskException(refusal.Message, IsFull(refusal));
        }
    }

    /// <summary>ENOSPC and EDQUOT, or what Windows says there.</summary>
    private static bool IsFull(Exception refusal) => OperatingSystem.IsWindows() ? (refusal.HResult & 0xFFFF) is 0x70 or 0x27 : refusal.HResult is 28 or 122;

    private string At(string path) => Path.Combine(root, path);

    private sealed class DiskFile(string path, SafeFileHandle handle, HashSet<SafeFileHandle> open) : IFile
    {
        public long Length => Guard(() => RandomAccess.GetLength(handle));

        public int Read(long position, Span<byte> into)
        {
            try
            {
                var total = 0;
                while (total < into.Length)
                {
                    var read = RandomAccess.Read(handle, into[total..], position + total);
                    if (read == 0) break;
                    total += read;
                }
                return total;
            }
            catch (IOException refusal)
            {
                throw new DiskException($"{path}: {refusal.Message}");
            }
        }

        public void Write(long position, ReadOnlySpan<byte> bytes)
        {
            try
            {
                RandomAccess.Write(handle, bytes, position);
            }
            catch (IOException refusal)
            {
                throw new DiskException($"{path}: {refusal.Message}", IsFull(refusal));
            }
        }

        public void Truncate(long length) => Guard(() => RandomAccess.SetLength(handle, length));

        public async ValueTask FlushAsync()
        {
            var isHeld = false;
            handle.DangerousAddRef(ref isHeld);                        // whoever closes the file meanwhile waits for the flush
            try
            {
                await Task.Run(() => SystemCalls.Flush(handle, path));
            }
            finally
            {
                handle.DangerousRelease();
            }
        }

        public void Dispose()
        {
            open.Remove(handle);
            handle.Dispose();
        }
    }
}
