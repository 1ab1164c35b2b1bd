using System.Runtime.InteropServices;

namespace Chaos.Live;

/// <summary>A node's disk that can lose power: a file system of its own in a file, mounted where only the node sees it. What the node wrote and did not sync is gone after a loss, as on a machine whose plug was pulled; what it synced is there.</summary>
/// <remarks>
/// ext4 is shut down without flushing its journal, unmounted and mounted again. That a process was killed loses nothing by itself: the page cache lives on. The journal is committed so rarely (Kafka relies on it for nothing) that only what was synced counts.
/// </remarks>
public sealed class LiveDisk
{
    private const int ReadOnly = 0, WithoutJournal = 2, Attempts = 10;
    private const nuint Shutdown = 0x8004587d;

    private readonly Namespace owner;
    private readonly string image;

    /// <param name="owner">Where it is mounted.</param>
    /// <param name="folder">Gets the image, and a folder to mount it on.</param>
    /// <exception cref="LiveException">Something that it needs is not here; the message names it.</exception>
    internal LiveDisk(Namespace owner, string folder, long bytes = 1L << 30)
    {
        this.owner = owner;
        image = Path.Combine(folder, "disk.image");
        Root = Path.Combine(folder, "disk");
        Directory.CreateDirectory(Root);
        using (var file = File.Create(image)) file.SetLength(bytes);   // sparse
        owner.Run("mkfs.ext4", "e2fsprogs", ["-q", "-F", "-E", "lazy_itable_init=1,lazy_journal_init=1", image]);
        Mount();
    }

    /// <summary>Where it is mounted; not empty: ext4 keeps a folder of its own there.</summary>
    public string Root { get; }

    /// <summary>What such a disk needs and this machine lacks, in one line; null: nothing.</summary>
    public static string? Missing()
    {
        var folder = Directory.CreateTempSubdirectory("mqverify-disk-").FullName;
        try
        {
            using var place = new Namespace("disk");
            var disk = new LiveDisk(place, folder, bytes: 16 << 20);
            disk.LosePower();
            disk.GetPower();
            return null;
        }
        catch (LiveException lacking)
        {
            return lacking.Message;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Everything written so far is on the disk, folders too.</summary>
    public void Sync() => owner.Run("sync", "coreutils", ["-f", Root]);

    /// <summary>Nobody may have a file open there.</summary>
    /// <exception cref="LiveException">It still takes writes: no power was lost.</exception>
    public void LosePower()
    {
        var flags = WithoutJournal;
        var refused = owner.Do(() =>
        {
            var descriptor = Open(Root, ReadOnly);
            if (descriptor < 0) return true;
            var answer = Control(descriptor, Shutdown, ref flags);
            _ = Close(descriptor);
            return answer != 0 || TakesWrites();
        });
        if (refused) throw new LiveException($"a disk could not be made to lose power: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    public void GetPower()
    {
        Unmount();
        Mount();
    }

    private void Unmount() => Patiently("umount", Root);

    private void Mount() => Patiently("mount", "-t", "ext4", "-o", "loop,commit=300", image, Root);

    /// <summary>Somebody else may take the loop device that was just found free, and a process that was killed a moment ago may not be gone altogether.</summary>
    private void Patiently(string tool, params string[] arguments)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                owner.Run(tool, "mount", arguments);
                return;
            }
            catch (LiveException) when (attempt < Attempts)
            {
                Thread.Sleep(100);
            }
        }
    }

    private bool TakesWrites()
    {
        try
        {
            File.WriteAllText(Path.Combine(Root, "written-without-power"), "");
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Control(int descriptor, nuint request, ref int flags);

    [DllImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int descriptor);
}
