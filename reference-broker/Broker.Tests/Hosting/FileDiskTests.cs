using Broker.Hosting;
using Broker.Runtime;

namespace Broker.Tests.Hosting;

public sealed class FileDiskTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("mqverify-disk-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public async Task What_is_written_is_read_back_also_by_the_next_process()
    {
        var disk = new FileDisk(root);
        using (var file = disk.Open("p-0/log"))
        {
            file.Write(0, [1, 2, 3, 4]);
            file.Write(6, [9]);
            await file.FlushAsync();
            await disk.FlushDirectoryAsync("p-0");
        }
        using var again = new FileDisk(root).Open("p-0/log");
        var bytes = new byte[10];
        Assert.Equal(7, again.Length);
        Assert.Equal(7, again.Read(0, bytes));
        Assert.Equal([1, 2, 3, 4, 0, 0, 9, 0, 0, 0], bytes);
        Assert.Equal(0, again.Read(7, bytes));
        again.Truncate(2);
        Assert.Equal(2, again.Length);
    }

    [Fact]
    public async Task Names_come_and_go_in_ordinal_order()
    {
        var disk = new FileDisk(root);
        Assert.Empty(disk.List("d"));
        foreach (var name in new[] { "b", "a", "B" }) disk.Open($"d/{name}").Dispose();
        Assert.Equal(["B", "a", "b"], disk.List("d"));
        disk.Rename("d/a", "d/b");
        Assert.Equal(["B", "b"], disk.List("d"));
        disk.Delete("d/B");
        Assert.False(disk.Exists("d/B"));
        Assert.True(disk.Exists("d/b"));
        await disk.FlushDirectoryAsync("d");
        await disk.FlushDirectoryAsync("made-by-the-flush");
    }

    [Fact]
    public void A_file_that_cannot_be_had_is_a_dead_disk()
    {
        var disk = new FileDisk(root);
        disk.Open("plain").Dispose();
        Assert.Throws<DiskException>(() => disk.Open("plain/below"));
        Assert.Throws<DiskException>(() => disk.Rename("absent", "elsewhere"));
    }

    /// <remarks>fsync on the null device is refused by Linux; the framework's own flush returns as if nothing had happened.</remarks>
    [SkippableFact]
    public async Task A_refused_flush_is_an_exception()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "needs a file whose fsync is refused: Linux's /dev/null");
        using var device = new FileDisk("/dev").Open("null");
        var refusal = await Assert.ThrowsAsync<DiskException>(() => device.FlushAsync().AsTask());
        Assert.Contains("fsync null", refusal.Message, StringComparison.Ordinal);
    }
}
